//! Changing and deleting objects: a batch goes to the ledger as one, and its outcome is awaited
//! once it has begun.

use super::create::begun_by;
use super::deadline::Deadline;
use super::{Caller, Service};
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use crate::ledger::LedgerError;
use crate::ledger::change::{ChangeResult, Changes, Deletable, Delete, Update};
use crate::ledger::ticket::Ticket;

impl Service {
    /// Makes changes, each on its own, and tells the results in their order.
    pub async fn update(
        &self,
        caller: &Caller,
        version: ApiVersion,
        changes: Changes,
        deadline: &Deadline,
    ) -> Result<Vec<ChangeResult>, LedgerError> {
        let (ticket, asking) = (Ticket::default(), self.asking(caller, version));
        let (user, origin) = (caller.user, caller.origin.clone());
        let request = Update { user, origin, asking, changes, ticket: ticket.clone() };
        begun_by(deadline, &ticket, self.ledger.update(request)).await
    }

    /// Deletes objects, each on its own, and tells the results in the order of the ids.
    pub async fn delete(
        &self,
        caller: &Caller,
        version: ApiVersion,
        object: Deletable,
        ids: Vec<ChangeResult>,
        deadline: &Deadline,
    ) -> Result<Vec<ChangeResult>, LedgerError> {
        let (ticket, asking) = (Ticket::default(), self.asking(caller, version));
        let (user, origin) = (caller.user, caller.origin.clone());
        let request = Delete { user, origin, asking, object, ids, ticket: ticket.clone() };
        begun_by(deadline, &ticket, self.ledger.delete(request)).await
    }

    /// Who asks, when, and how.
    pub(super) fn asking(&self, caller: &Caller, version: ApiVersion) -> Asking {
        Asking {
            version,
            permissions: caller.permissions,
            now: self.clock.now(),
            strict: self.settings.strict,
        }
    }
}
