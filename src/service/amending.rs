//! Answering a request with a key by what its gateway has said since the answer was stored.
//!
//! What must stay true: the caller gets the bytes that are stored, before or after; where the new
//! ones cannot be made or stored, the old ones stand, which were true when they were made. Where
//! it is unknown which are stored, there is no answer.

use super::idempotency::Once;
use crate::domain::draft::refund_details::ObjectKey;
use crate::ledger::views::{View, Views};
use crate::ledger::{
    AmendedAnswer, Bookkeeping, LedgerError, Render, RenderViews, RowResult, UserKey,
};
use std::sync::Arc;

/// What it takes to replace a stored answer.
pub(super) struct Amending {
    render: RenderViews,
    /// Without the bytes.
    answer: AmendedAnswer,
}

impl Amending {
    /// For a request whose answer shows what it made.
    pub(super) fn of(user: UserKey, once: &Once, fingerprint: [u8; 32]) -> Option<Self> {
        let Render::Views(render) = &once.render else { return None };
        let (render, key) = (Arc::clone(render), once.key.as_str().to_owned());
        let operation = once.scope.name();
        let answer = AmendedAnswer { user, operation, key, fingerprint, answer: Vec::new() };
        Some(Self { render, answer })
    }

    /// The answer about rows that show refunds as they are after their gateways were asked, once it
    /// is what is stored; else the one that was `stored` before.
    pub(super) async fn amend(
        self,
        ledger: &dyn Bookkeeping,
        rows: &[RowResult],
        stored: Vec<u8>,
    ) -> Result<Vec<u8>, LedgerError> {
        let Some(answer) = (self.render)(rows) else { return Ok(stored) };
        let amended = AmendedAnswer { answer: answer.clone(), ..self.answer };
        match ledger.amend_answer(amended).await {
            Ok(true) => Ok(answer),
            Err(unknown @ LedgerError::Unknown(_)) => Err(unknown),
            Ok(false) | Err(_) => Ok(stored),
        }
    }
}

/// Has rows that show refunds show them as they are now that their gateways were asked. One that
/// cannot be read any more, because another client deleted it meanwhile, stays as it was made.
pub(super) async fn refresh(views: &dyn Views, rows: &mut [RowResult]) {
    for saved in rows.iter_mut().flatten().filter(|saved| saved.view.is_some()) {
        let found = views.refund(ObjectKey::Id(saved.id.clone())).await;
        if let Ok(Some(view)) = found {
            saved.show(View::Refund(Box::new(view)));
        }
    }
}
