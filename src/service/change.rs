//! Changing and deleting objects: a batch goes to the ledger as one, and its outcome is awaited
//! once it has begun.

use super::create::begun_by;
use super::{CallContext, Caller, Service};
use crate::domain::row_error::RowError;
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use crate::ledger::change::{ChangeResult, Changes, Deletable, Delete, SentId, Update};
use crate::ledger::ticket::Ticket;
use crate::ledger::{Context, LedgerError};
use std::collections::BTreeMap;

impl Service {
    /// Makes changes, each on its own, and returns the results in their order. The rows, from 0, in
    /// `ordered` fail so, because a tester ordered it.
    ///
    /// # Errors
    /// Why there is no result. Unless it is [`LedgerError::Unknown`], nothing was done.
    pub async fn update(
        &self,
        call: &CallContext,
        mut changes: Changes,
        mut ordered: BTreeMap<usize, RowError>,
    ) -> Result<Vec<ChangeResult>, LedgerError> {
        let count = changes.len();
        changes.keep(|row| !ordered.contains_key(&row));
        let done = match changes.is_empty() {
            true => Vec::new(),
            false => {
                let ticket = Ticket::default();
                let request = Update { context: self.context(call, ticket.clone()), changes };
                begun_by(&call.deadline, &ticket, self.ledger.update(request)).await?
            }
        };
        let mut done = done.into_iter();
        let of_row = |row| ordered.remove(&row).map(Err).or_else(|| done.next());
        Ok((0..count).filter_map(of_row).collect())
    }

    /// Deletes objects of the type of this name, each on its own, and returns the results in the
    /// order of the ids. Of a type whose objects stay, each row says so.
    ///
    /// # Errors
    /// Why there is no result. Unless it is [`LedgerError::Unknown`], nothing was done.
    pub async fn delete(
        &self,
        call: &CallContext,
        type_name: &'static str,
        ids: Vec<SentId>,
    ) -> Result<Vec<ChangeResult>, LedgerError> {
        let Some(object) = Deletable::from_name(type_name) else {
            let refused = RowError::type_stays(type_name);
            return Ok(ids.into_iter().map(|id| id.and(Err(refused.clone()))).collect());
        };
        self.delete_of(call, object, ids).await
    }

    /// As [`Service::delete`], of objects that can be deleted.
    ///
    /// # Errors
    /// Why there are no results.
    pub async fn delete_of(
        &self,
        call: &CallContext,
        object: Deletable,
        ids: Vec<SentId>,
    ) -> Result<Vec<ChangeResult>, LedgerError> {
        let ticket = Ticket::default();
        let request = Delete { context: self.context(call, ticket.clone()), object, ids };
        begun_by(&call.deadline, &ticket, self.ledger.delete(request)).await
    }

    /// What the ledger needs to know of a call beside what is asked for.
    pub(super) fn context(&self, call: &CallContext, ticket: Ticket) -> Context {
        Context {
            user: call.caller.user,
            origin: call.caller.origin.clone(),
            asking: self.asking(&call.caller, call.version),
            ticket,
        }
    }

    /// Who asks, when, and how.
    pub(super) fn asking(&self, caller: &Caller, version: ApiVersion) -> Asking {
        Asking {
            version,
            permissions: caller.permissions,
            now: self.clock.now(),
            earliest: self.clock.earliest(),
            strict: self.settings.strict,
        }
    }
}
