//! Reconciling refunds with what their gateways settled or rejected after all.

use super::Service;
use crate::domain::reconciliation::Rejected;
use crate::ledger::LedgerError;
use crate::ledger::reconciliation::{Reconcile, ReconcileResult, Reconciliation};
use serde::{Deserialize, Serialize};

/// What is done about refunds that their gateways reject after all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconciliationSettings {
    /// What becomes of their money.
    pub rejected: Rejected,
}

impl Service {
    /// Tells the ledger of each event, which counts or is refused on its own.
    pub async fn reconcile(
        &self,
        events: Vec<Reconciliation>,
    ) -> Result<Vec<ReconcileResult>, LedgerError> {
        let rejected = self.settings.reconciliation.rejected;
        self.ledger.reconcile(Reconcile { events, rejected }).await
    }
}
