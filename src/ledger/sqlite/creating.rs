//! A call to create inside the open transaction: each draft on its own, and the answer kept for an
//! idempotency key. What an object needs to be created stands in a file of its own.

use super::answers::{earlier_answer, keep_answer};
use super::create::create_refund;
use super::store::Store;
use super::{accounts, adjusting, invoice_adjusting, methods, payments};
use crate::domain::draft::batch::Drafts;
use crate::domain::row_error::RowError;
use crate::ledger::{Create, Created, Order, RowResult};
use std::collections::BTreeMap;

/// Does the whole request, or finds that it was done before.
pub(super) fn create(store: &mut Store, request: &Create) -> rusqlite::Result<Created> {
    let now = request.asking.now;
    if let Some(once) = &request.idempotency
        && let Some(earlier) = earlier_answer(store.connection(), request.user, once, now)?
    {
        return Ok(earlier);
    }
    let mut orders = Vec::new();
    let rows = if request.is_single {
        create_together(store, request, &mut orders)?
    } else {
        create_rows(store, request, &mut orders)?
    };
    let answer = match &request.idempotency {
        None => None,
        Some(once) => Some(keep_answer(store.connection(), request.user, once, &rows, now)?),
    };
    Ok(Created::Fresh { rows, orders, answer })
}

/// Creates all rows or none: where one fails, the others are taken back, and say why.
fn create_together(
    store: &mut Store,
    request: &Create,
    orders: &mut Vec<Order>,
) -> rusqlite::Result<Vec<RowResult>> {
    let savepoint = store.set_savepoint()?;
    let rows = create_rows(store, request, orders)?;
    let is_whole = rows.iter().all(RowResult::is_ok);
    store.end_savepoint(&savepoint, is_whole)?;
    if is_whole {
        return Ok(rows);
    }
    orders.clear();
    let taken_back = RowError::transaction_failed();
    Ok(rows.into_iter().map(|row| row.and_then(|_| Err(taken_back.clone()))).collect())
}

fn create_rows(
    store: &mut Store,
    request: &Create,
    orders: &mut Vec<Order>,
) -> rusqlite::Result<Vec<RowResult>> {
    let (user, asking) = (request.user, &request.asking);
    macro_rules! each {
        ($drafts:ident, $create:path $(, $orders:ident)?) => {
            create_each($drafts, &request.ordered, |draft| {
                $create(store, user, asking, draft $(, $orders)?)
            })
        };
    }
    match &request.drafts {
        Drafts::Accounts(drafts) => each!(drafts, accounts::create),
        Drafts::Adjustments(drafts) => each!(drafts, adjusting::create_one),
        Drafts::InvoiceAdjustments(drafts) => each!(drafts, invoice_adjusting::create),
        Drafts::InvoiceItemAdjustments(drafts) => {
            each!(drafts, invoice_adjusting::create_of_line)
        }
        Drafts::InvoicePayments(drafts) => each!(drafts, payments::create_part),
        Drafts::Payments(drafts) => each!(drafts, payments::create),
        Drafts::PaymentMethods(drafts) => each!(drafts, methods::create),
        Drafts::Refunds(drafts) => each!(drafts, create_refund, orders),
    }
}

/// Creates each of the drafts but those that were ordered to fail.
fn create_each<D>(
    drafts: &[D],
    ordered: &BTreeMap<usize, RowError>,
    mut create: impl FnMut(&D) -> rusqlite::Result<RowResult>,
) -> rusqlite::Result<Vec<RowResult>> {
    let create_one = |(row, draft)| match ordered.get(&row) {
        Some(error) => Ok(Err(error.clone())),
        None => create(draft),
    };
    drafts.iter().enumerate().map(create_one).collect()
}
