//! The requests that one transaction carries, and what is done with all of them.

use crate::ledger::LedgerError;
use crate::ledger::damage::Damage;
use crate::ledger::engine::Engine;
use crate::ledger::queue::Task;
use crate::ledger::work::loading;
use crate::ledger::work::naming::Needs;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The requests of one transaction.
pub(super) type Batch<E> = Vec<Box<dyn Task<E>>>;

/// Runs every task, up to the first that fails, and writes what they changed, unless one that has
/// the transaction for itself was refused. One that panics has failed like any other: what it left
/// half done is rolled back.
pub(super) fn run_all<E: Engine>(
    engine: &mut E,
    batch: &mut Batch<E>,
    damage: &Damage,
) -> Result<(), String> {
    let run = || {
        look_ahead(engine, batch)?;
        batch.iter_mut().try_for_each(|task| task.run(engine))?;
        if batch.iter().any(|task| task.is_refused()) { Ok(()) } else { engine.flush() }
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(done) => done.map_err(|error: E::Error| {
            if E::is_damage(&error) {
                damage.note(&error.to_string());
            }
            error.to_string()
        }),
        Err(_) => Err("a request made the program panic".to_owned()),
    }
}

/// Has all that the batch names looked up at once, before any of it is decided, where that pays.
fn look_ahead<E: Engine>(engine: &mut E, batch: &Batch<E>) -> Result<(), E::Error> {
    engine.work(|unit| {
        let mut needs = Needs::default();
        if unit.is_far() {
            name_all(batch, &mut needs);
        }
        loading::load(unit, needs)
    })
}

/// Adds all that a batch names.
pub(super) fn name_all<'r, E: Engine>(batch: &'r Batch<E>, needs: &mut Needs<'r>) {
    batch.iter().for_each(|task| task.name(needs));
}

/// Those of the batch that still want to be done; the others learn that they were withdrawn.
pub(super) fn begun<E: Engine>(batch: Batch<E>) -> Batch<E> {
    let (begun, withdrawn): (Batch<E>, Batch<E>) = batch.into_iter().partition(|task| task.begin());
    fail_all(withdrawn, &LedgerError::Withdrawn);
    begun
}

/// Reports to all of them that there is no result.
pub(super) fn fail_all<E: Engine>(batch: Batch<E>, error: &LedgerError) {
    for task in batch {
        task.fail(error.clone());
    }
}
