//! The twins of the SOAP operations: `/v1/object/…` for one object and `/v1/action/…` for up to
//! fifty, with the fields, the rules, the codes and the order of SOAP.
//!
//! Source: "CRUD" and "Actions" of the vendor's REST reference. What must stay true: rows are read,
//! decided and refused by the same code as those of SOAP.

mod action;
mod fault;
mod object;
mod records;
mod zobject;

use super::answer::{Manner, Response};
use super::failing::Stop;
use super::paths::{Keys, Operation};
use super::query::Parameters;
use crate::call::{CallFacts, Head, Holding};
use crate::domain::draft::batch::Drafts;
use crate::domain::error_code::ErrorCode;
use crate::domain::facts::Tenant;
use crate::domain::row_error::RowError;
use crate::domain::text::{Text, Wording};
use crate::json::JsonWriter;
use crate::ledger::change::Changes;
use crate::ledger::{Batch, LedgerError, Render, RowResult};
use crate::service::create::{CreateAnswer, CreateError};
use crate::service::idempotency::{IdempotencyKey, KeyScope, Once};
use crate::service::refusal::Failure;
use crate::service::{CallContext, Service};
use fault::Fault;
use std::collections::BTreeMap;
use std::sync::Arc;
use zobject::ZObject;

/// The name of the type of refunds.
const REFUND: &str = "Refund";

/// A call to a twin.
pub(super) struct Twin<'c> {
    pub(super) service: &'c Arc<Service>,
    pub(super) tenant: Arc<Tenant>,
    pub(super) context: CallContext,
    pub(super) wording: Wording,
    pub(super) head: &'c Head,
    /// The path without its keys.
    pub(super) template: &'static str,
    pub(super) keys: Keys<'c>,
    pub(super) body: &'c [u8],
    pub(super) holding: &'c Holding,
    pub(super) facts: &'c mut CallFacts,
    /// The rows that fail because a tester ordered it.
    pub(super) ordered: BTreeMap<usize, RowError>,
}

/// Why a twin has no answer of its own.
pub(super) enum TwinStop {
    /// The call as a whole is refused.
    Fault(Fault),
    /// By the use case.
    Stop(Stop),
}

impl From<Fault> for TwinStop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Stop> for TwinStop {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Failure> for TwinStop {
    fn from(failure: Failure) -> Self {
        Self::Stop(failure.into())
    }
}

impl From<LedgerError> for TwinStop {
    fn from(error: LedgerError) -> Self {
        Self::Stop(error.into())
    }
}

impl From<CreateError> for TwinStop {
    fn from(error: CreateError) -> Self {
        Self::Stop(error.into())
    }
}

impl Twin<'_> {
    /// Answers the call.
    pub(super) async fn answer(self, operation: Operation) -> Result<Response, Stop> {
        let (wording, is_action) = (self.wording.clone(), self.template.starts_with("/v1/action/"));
        let answered = match operation {
            Operation::CreateObject => self.create_object().await,
            Operation::GetObject => self.get_object().await,
            Operation::UpdateObject => self.update_object().await,
            Operation::DeleteObject => self.delete_object().await,
            Operation::ActionCreate => self.create().await,
            Operation::ActionUpdate => self.update().await,
            Operation::ActionDelete => self.delete().await,
            Operation::ActionQuery => self.query().await,
            _ => self.query_more().await,
        };
        match answered {
            Ok(response) => Ok(response),
            Err(TwinStop::Fault(fault)) if is_action => Ok(fault.of_action(&wording)),
            Err(TwinStop::Fault(fault)) => Ok(fault.of_object(&wording)),
            Err(TwinStop::Stop(stop)) => Err(stop),
        }
    }

    /// Creates objects of a type. `shape` distinguishes requests that have the same key, which is
    /// scoped like those of SOAP's create, and `write` makes the document about the rows.
    async fn create_all(
        &mut self,
        name: &str,
        objects: &[ZObject<'_>],
        shape: String,
        write: fn(&[RowResult], &CallContext, &Wording) -> Vec<u8>,
    ) -> Result<Response, TwinStop> {
        let mut ignored = 0;
        let drafts = Drafts::read(name, objects, &self.tenant.custom_fields, &mut ignored)?;
        let drafts = drafts.ok_or_else(|| Fault::TypeStays(name.to_owned()))?;
        self.check_unknown_fields(ignored)?;
        let key = match self.head.idempotency_key.as_deref() {
            Some(bytes) => Some(key_of(bytes)?),
            None => self.key_in_fields(&drafts, objects),
        };
        let once = key.map(|key| {
            let (context, wording) = (self.context.clone(), self.wording.clone());
            let render = move |rows: &[RowResult]| write(rows, &context, &wording);
            Once { key, scope: KeyScope::Create, shape, render: Render::Rows(Box::new(render)) }
        });
        let makes_refunds = matches!(drafts, Drafts::Refunds(_));
        let batch = Batch { drafts, ordered: self.ordered.clone(), is_single: false };
        let (rows, replayed, body) =
            match self.service.create(self.context.clone(), batch, once).await? {
                CreateAnswer::Rows(rows) => {
                    let body = write(&rows, &self.context, &self.wording);
                    (rows, false, body)
                }
                CreateAnswer::Stored { bytes, rows } => {
                    let replayed = rows.is_none();
                    (rows.unwrap_or_default(), replayed, bytes)
                }
            };
        self.facts.note_rows(&rows, makes_refunds);
        let refunds = if makes_refunds { self.facts.rows_ok } else { 0 };
        Ok(Response { replayed, refunds, ..Response::done(body) })
    }

    /// The key that refunds carry in the field that may hold one, as those of SOAP do.
    fn key_in_fields(&self, drafts: &Drafts, objects: &[ZObject<'_>]) -> Option<IdempotencyKey> {
        let field = self.service.settings().idempotency_field.as_deref();
        let field = field.filter(|_| matches!(drafts, Drafts::Refunds(_)))?;
        IdempotencyKey::in_fields(objects, field)
    }

    /// Changes objects of a type.
    async fn change_all(
        &mut self,
        name: &str,
        objects: &[ZObject<'_>],
    ) -> Result<Vec<RowResult>, TwinStop> {
        let mut ignored = 0;
        let changes = Changes::read(name, objects, &self.tenant.custom_fields, &mut ignored)?;
        let changes = changes.ok_or_else(|| Fault::TypeStays(name.to_owned()))?;
        self.check_unknown_fields(ignored)?;
        let rows = self.service.update(&self.context, changes, self.ordered.clone()).await?;
        self.facts.note_rows(&rows, name == REFUND);
        Ok(rows)
    }

    /// That no field was passed over, where the caller wants such fields refused.
    fn check_unknown_fields(&self, ignored: u32) -> Result<(), Fault> {
        if ignored > 0 && self.rejects_unknown_fields()? {
            return Err(Fault::UnknownField);
        }
        Ok(())
    }

    /// The parameters of the query; those that mean nothing here are passed over.
    fn parameters(&self) -> Result<Parameters, Fault> {
        let query = self.head.query.as_deref().unwrap_or_default();
        Parameters::read(query).map_err(Fault::Parameters)
    }

    /// Whether fields that the object does not have are refused.
    fn rejects_unknown_fields(&self) -> Result<bool, Fault> {
        Ok(self.parameters()?.get("rejectUnknownFields") == Some("true"))
    }
}

/// What a row came to, as the twins write it.
fn result(row: &RowResult, call: &CallContext, wording: &Wording, json: &mut JsonWriter) {
    json.object();
    match row {
        Ok(saved) => {
            json.name("Success").bool(true).name("Id").text(saved.id.as_str());
        }
        Err(error) => {
            let code = error.code.for_version(call.version);
            json.name("Success").bool(false).name("Errors").list().object();
            json.name("Code").text(code.name());
            json.name("Message").text(&wording.report(&error.message));
            json.close().close();
        }
    }
    json.close();
}

/// A fault that a tester ordered, of an action or of an operation on one object.
pub(super) fn ordered_fault(
    code: ErrorCode,
    text: &Text,
    is_action: bool,
    manner: &Manner,
) -> Response {
    let fault = Fault::Ordered(code, text.clone());
    if is_action { fault.of_action(&manner.wording) } else { fault.of_object(&manner.wording) }
}

/// The key in a header.
fn key_of(sent: &[u8]) -> Result<IdempotencyKey, Failure> {
    Ok(IdempotencyKey::in_header(sent)?)
}
