//! A call to create inside the open transaction. Refunds and adjustments are created in the working
//! set; the other objects by statements of their own, each in a file of its own.

use super::store::Store;
use super::{accounts, invoice_adjusting, methods, payments};
use crate::domain::draft::batch::Drafts;
use crate::ledger::engine::Engine;
use crate::ledger::work::creating::{each, earlier, end, refunds, taken_back};
use crate::ledger::work::trail;
use crate::ledger::{Create, Created, RowResult};

/// Does the whole request, or finds that it was done before.
pub(super) fn create(store: &mut Store, request: &Create) -> rusqlite::Result<Created> {
    if let Some(earlier) = store.work(|unit| earlier(unit, request))? {
        return Ok(earlier);
    }
    if let Drafts::Refunds(_) | Drafts::Adjustments(_) = request.drafts {
        return store.work(|unit| refunds(unit, request));
    }
    let rows = if request.is_single {
        create_together(store, request)?
    } else {
        create_rows(store, request)?
    };
    store.work_at_once(|unit| {
        let audit = trail::next_key(unit)?;
        end(unit, request, audit, rows, Vec::new())
    })
}

/// Creates all rows or none: where one fails, the others are taken back, and say why.
fn create_together(store: &mut Store, request: &Create) -> rusqlite::Result<Vec<RowResult>> {
    store.set_savepoint()?;
    let rows = create_rows(store, request)?;
    let is_whole = rows.iter().all(RowResult::is_ok);
    store.end_savepoint(is_whole)?;
    Ok(if is_whole { rows } else { taken_back(rows) })
}

fn create_rows(store: &mut Store, request: &Create) -> rusqlite::Result<Vec<RowResult>> {
    let (user, asking) = (request.user, &request.asking);
    store.settle()?;
    macro_rules! each {
        ($drafts:ident, $create:path) => {
            each($drafts, &request.ordered, |draft| $create(store, user, asking, draft))
        };
    }
    match &request.drafts {
        Drafts::Accounts(drafts) => each!(drafts, accounts::create),
        Drafts::InvoiceAdjustments(drafts) => each!(drafts, invoice_adjusting::create),
        Drafts::InvoiceItemAdjustments(drafts) => {
            each!(drafts, invoice_adjusting::create_of_line)
        }
        Drafts::InvoicePayments(drafts) => each!(drafts, payments::create_part),
        Drafts::Payments(drafts) => each!(drafts, payments::create),
        Drafts::PaymentMethods(drafts) => each!(drafts, methods::create),
        Drafts::Adjustments(_) | Drafts::Refunds(_) => Ok(Vec::new()),
    }
}
