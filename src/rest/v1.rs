//! The v1 operations: refunds of credit memos and of payments, what they stand on, and their life.
//!
//! What must stay true: an operation that changes something is one call to the ledger; with an
//! Idempotency-Key its answer is made inside that call's transaction and stored with it.

pub(super) mod bodies;
mod creating;
mod lists;
mod reading;
pub(super) mod refund_bodies;
mod render;

use super::answer::{Manner, Response};
use super::body::{Body, document};
use super::error::{Reason, Resource, Wrong};
use super::failing::Stop;
use super::paths::{Keys, Operation};
use super::query::Parameters;
use crate::call::{CallFacts, Head};
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::credit_memo::{CreditMemoDraft, Step, StepDraft};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::draft::settlement_refunds::{
    MemoRefundDraft, PaymentRefundDraft, RefundSettlementDraft, RefundUpdateDraft,
};
use crate::domain::facts::Tenant;
use crate::domain::row_error::{Category, RowError};
use crate::domain::text::Text;
use crate::json::{Json, JsonWriter};
use crate::ledger::LedgerError;
use crate::ledger::change::{Changes, Deletable};
use crate::service::{CallContext, Service};
use render::Page;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A call to a v1 operation.
pub(super) struct V1<'c> {
    pub(super) service: &'c Arc<Service>,
    pub(super) tenant: Arc<Tenant>,
    pub(super) context: CallContext,
    pub(super) manner: Manner,
    pub(super) head: &'c Head,
    /// The path without its keys.
    pub(super) template: &'static str,
    pub(super) keys: Keys<'c>,
    pub(super) body: &'c [u8],
    pub(super) facts: &'c mut CallFacts,
    /// The rows that fail because a tester ordered it.
    pub(super) ordered: BTreeMap<usize, RowError>,
}

impl V1<'_> {
    /// Answers the call.
    pub(super) async fn answer(self, operation: Operation) -> Result<Response, Stop> {
        if !self.tenant.invoice_settlement {
            return Err(Reason::of_row(&RowError::settlement_off(), Resource::Request).into());
        }
        match operation {
            Operation::RefundMemo
            | Operation::RefundPayment
            | Operation::UnapplyAndRefund
            | Operation::CreateMemo
            | Operation::PostMemo
            | Operation::ApplyMemo
            | Operation::UnapplyMemo
            | Operation::CreatePayment
            | Operation::ApplyPayment
            | Operation::UnapplyPayment
            | Operation::ReconcileRefund => self.create_as(operation).await,
            Operation::UpdateRefund | Operation::CancelRefund => self.change(operation).await,
            Operation::DeleteRefund => self.delete().await,
            _ => self.read(operation).await,
        }
    }

    /// Does what creates something, or moves money.
    async fn create_as(self, operation: Operation) -> Result<Response, Stop> {
        let key = self.keys.object().to_owned();
        let version = self.manner.version;
        match operation {
            Operation::RefundMemo => {
                let empty = Drafts::MemoRefunds(vec![MemoRefundDraft::of(&key)]);
                let read = |body: Body<'_>| {
                    let draft = refund_bodies::memo_refund(body, &key, version)?;
                    Ok(Drafts::MemoRefunds(vec![draft]))
                };
                self.create(Resource::MemoRefund, empty, read).await
            }
            Operation::RefundPayment | Operation::UnapplyAndRefund => {
                let draft = match operation {
                    Operation::RefundPayment => PaymentRefundDraft::of(&key),
                    _ => PaymentRefundDraft::unapplying(&key),
                };
                let empty = Drafts::PaymentRefunds(vec![draft.clone()]);
                let read = |body: Body<'_>| {
                    let draft = refund_bodies::payment_refund(body, draft, version)?;
                    Ok(Drafts::PaymentRefunds(vec![draft]))
                };
                self.create(Resource::PaymentRefund, empty, read).await
            }
            Operation::CreateMemo => {
                let empty = Drafts::CreditMemos(vec![CreditMemoDraft::default()]);
                let read =
                    |body: Body<'_>| Ok(Drafts::CreditMemos(vec![bodies::credit_memo(body)?]));
                self.create(Resource::CreditMemo, empty, read).await
            }
            Operation::CreatePayment => {
                let empty = Drafts::SettlementPayments(vec![SettlementPaymentDraft::default()]);
                let read =
                    |body: Body<'_>| Ok(Drafts::SettlementPayments(vec![bodies::payment(body)?]));
                self.create(Resource::Payment, empty, read).await
            }
            Operation::ReconcileRefund => {
                let empty = Drafts::RefundSettlements(vec![RefundSettlementDraft::of(&key)]);
                let rejected = self.service.settings().reconciliation.rejected;
                let read = |body: Body<'_>| {
                    let draft = bodies::settlement(body, &key, rejected)?;
                    Ok(Drafts::RefundSettlements(vec![draft]))
                };
                self.create(Resource::Refund, empty, read).await
            }
            _ => self.step(operation, &key).await,
        }
    }

    /// Posts, applies or unapplies.
    async fn step(self, operation: Operation, key: &str) -> Result<Response, Stop> {
        let step = match operation {
            Operation::PostMemo => Step::Post,
            Operation::ApplyMemo | Operation::ApplyPayment => Step::Apply(Vec::new()),
            _ => Step::Unapply(Vec::new()),
        };
        let is_payment = matches!(operation, Operation::ApplyPayment | Operation::UnapplyPayment);
        let (of, wrap): (Resource, fn(Vec<StepDraft>) -> Drafts) = match is_payment {
            true => (Resource::Payment, Drafts::PaymentSteps),
            false => (Resource::CreditMemo, Drafts::MemoSteps),
        };
        let draft = StepDraft::of(key, step);
        let empty = wrap(vec![draft.clone()]);
        let read = |body: Body<'_>| Ok(wrap(vec![bodies::step(body, draft)?]));
        self.create(of, empty, read).await
    }

    /// Changes or cancels a refund.
    async fn change(self, operation: Operation) -> Result<Response, Stop> {
        let key = self.keys.object();
        let draft = match operation {
            Operation::CancelRefund => RefundUpdateDraft::cancelling(key),
            _ => {
                let json = self.document()?;
                let body = Body { json: &json, own: &self.tenant.custom_fields };
                let read = bodies::refund_update(body, key);
                read.map_err(|error| Reason::of_row(&error, Resource::Refund))?
            }
        };
        let changes = Changes::SettlementRefunds(vec![draft]);
        let done = self.service.update(&self.context, changes, self.ordered.clone()).await?;
        self.facts.note_rows(&done, true);
        self.shown(done, Resource::Refund)
    }

    /// Deletes a refund.
    async fn delete(self) -> Result<Response, Stop> {
        let key = ObjectKey::of(self.keys.object());
        let Some(refund) = self.views().refund(key).await? else {
            return Err(self.no_such().into());
        };
        let (object, ids) = (
            Deletable::CanceledRefund,
            vec![self.ordered.get(&0).cloned().map_or(Ok(refund.id), Err)],
        );
        let done = self.service.delete_of(&self.context, object, ids).await?;
        self.facts.note_rows(&done, true);
        self.first(done, Resource::Refund)?;
        let mut json = JsonWriter::new();
        json.object().name("success").bool(true);
        Ok(Response::done(json.into_bytes()))
    }

    /// The one row of a call.
    fn first<T>(&self, rows: Vec<Result<T, RowError>>, of: Resource) -> Result<T, Stop> {
        match rows.into_iter().next() {
            Some(Ok(row)) => Ok(row),
            Some(Err(error)) => Err(Reason::of_row(&error, of).into()),
            None => Err(LedgerError::Unknown("the call has no row".to_owned()).into()),
        }
    }

    /// The document of the body; an empty body is an object without members where the operation
    /// needs none.
    fn document(&self) -> Result<Json, Reason> {
        let needs_none = self.template.ends_with("/post") || self.template.ends_with("/unapply");
        if self.body.is_empty() && needs_none {
            return Ok(Json::Object(Vec::new()));
        }
        document(self.body)
    }

    /// The parameters of the query.
    fn parameters(&self) -> Result<Parameters, Reason> {
        let read = Parameters::read(self.head.query.as_deref().unwrap_or_default());
        read.map_err(|text| Reason::of_request(Wrong::Parameter, text))
    }

    /// An empty document in the manner of the call.
    fn page(&self) -> Page {
        Page::new(self.tenant.time_zone)
    }

    /// There is nothing by the key of the path.
    fn no_such(&self) -> Reason {
        Reason::of_row(&RowError::no_such(self.keys.object()), Resource::Request)
    }

    /// There is no part by the key of the path.
    fn no_such_part(&self, key: &str) -> Reason {
        let key: String = key.chars().take(100).collect();
        let words = Text::new("Cannot find entity by key: '<key>'.", [("key", &key)]);
        Reason::of_request(Wrong::By(Category::NotFound), words)
    }
}
