//! v1 operations that create something or move money: one draft, one row, one answer.
//!
//! Source for keys: "Idempotent requests" of the vendor's REST reference. What is stored is a
//! status and a document; a refusal by access, of another's work or of this program's own state is
//! not.

use super::V1;
use super::render::Page;
use crate::call::Method;
use crate::domain::draft::batch::Drafts;
use crate::domain::row_error::RowError;
use crate::ledger::views::View;
use crate::ledger::{Batch, LedgerError, Render, RowResult};
use crate::rest::answer::{Manner, Response};
use crate::rest::body::Body;
use crate::rest::error::{Reason, Resource};
use crate::rest::failing::Stop;
use crate::service::create::CreateAnswer;
use crate::service::idempotency::{IdempotencyKey, KeyScope, Once};
use crate::service::refusal::Failure;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many bytes of a stored answer are its status.
const STATUS_BYTES: usize = 3;

impl V1<'_> {
    /// Reads the body and does what it asks for. `empty` is what the call is about before its body
    /// is read; `of` is what it is about to codes of errors.
    pub(super) async fn create(
        self,
        of: Resource,
        empty: Drafts,
        read: impl FnOnce(Body<'_>) -> Result<Drafts, RowError>,
    ) -> Result<Response, Stop> {
        let json = self.document()?;
        let key = self.key()?;
        let (drafts, ordered) = {
            let body = Body { json: &json, own: &self.tenant.custom_fields };
            match (read(body), &key) {
                (Ok(drafts), _) => (drafts, self.ordered.clone()),
                (Err(error), None) => return Err(Reason::of_row(&error, of).into()),
                // A refusal is the answer to the key as well, so the ledger gets to know it.
                (Err(error), Some(_)) => (empty, BTreeMap::from([(0, error)])),
            }
        };
        let once = key.map(|key| self.once(key, of));
        let batch = Batch { drafts, ordered, is_single: false };
        match self.service.create(self.context.clone(), batch, once).await? {
            CreateAnswer::Stored { bytes, rows } => {
                let is_fresh = rows.is_some();
                let of_refunds = made_refund(of);
                self.facts.note_rows(rows.as_deref().unwrap_or_default(), of_refunds);
                let refunds = u32::from(is_fresh && made_refund(of));
                Ok(Response { replayed: !is_fresh, refunds, ..stored(&bytes) })
            }
            CreateAnswer::Rows(rows) => {
                self.facts.note_rows(&rows, made_refund(of));
                let response = self.shown(rows, of)?;
                Ok(Response { refunds: u32::from(made_refund(of)), ..response })
            }
        }
    }

    /// The answer to a call of one row: what it made or changed, as its transaction left it.
    pub(super) fn shown(&self, rows: Vec<RowResult>, of: Resource) -> Result<Response, Stop> {
        let unseen = || LedgerError::Unknown("the row of the call has no view".to_owned());
        let view = self.first(rows, of)?.view.ok_or_else(unseen)?;
        Ok(Response::done(page_of(&view, self.tenant.time_zone)))
    }

    /// The Idempotency-Key, where the method has one.
    fn key(&self) -> Result<Option<IdempotencyKey>, Failure> {
        match (&self.head.idempotency_key, self.head.method) {
            (Some(sent), Method::Post | Method::Patch) => {
                Ok(Some(IdempotencyKey::in_header(sent)?))
            }
            _ => Ok(None),
        }
    }

    /// The promise behind a key: another URL, method or body under it is another request.
    fn once(&self, key: IdempotencyKey, of: Resource) -> Once {
        let body: [u8; 32] = Sha256::digest(self.body).into();
        let body = crate::domain::hex::hex(&body);
        let path = self.head.path.strip_prefix("/rest").unwrap_or(&self.head.path);
        let shape = format!("{} {path} {body} {}", self.head.method.name(), self.manner.version);
        let (zone, manner) = (self.tenant.time_zone, self.manner.clone());
        let render = move |rows: &[RowResult]| kept(rows.first()?, of, zone, &manner);
        Once { key, scope: KeyScope::V1, shape, render: Render::Views(Arc::new(render)) }
    }
}

/// The answer that is kept for a key; none where it is not one to keep.
fn kept(row: &RowResult, of: Resource, zone: Tz, manner: &Manner) -> Option<Vec<u8>> {
    let (status, document) = match row {
        Ok(saved) => (200, page_of(saved.view.as_ref()?, zone)),
        Err(error) => {
            let reason = Reason::of_row(error, of);
            let is_kept = (20..=40).contains(&error.category().digits());
            is_kept.then(|| (reason.wrong.status(manner.version), manner.document(&reason)))?
        }
    };
    Some([format!("{status:03}").as_bytes(), &document].concat())
}

/// An answer that was kept.
fn stored(bytes: &[u8]) -> Response {
    let (status, document) = bytes.split_at_checked(STATUS_BYTES).unwrap_or((b"200", bytes));
    let status = std::str::from_utf8(status).ok().and_then(|text| text.parse().ok());
    let is_done = !document.starts_with(b"{\"success\":false");
    Response::kept(status.unwrap_or(200), document.to_vec(), is_done)
}

fn page_of(view: &View, zone: Tz) -> Vec<u8> {
    let mut page = Page::new(zone);
    page.view(view);
    page.into_bytes()
}

/// Whether what is created is a refund.
const fn made_refund(of: Resource) -> bool {
    matches!(of, Resource::MemoRefund | Resource::PaymentRefund)
}
