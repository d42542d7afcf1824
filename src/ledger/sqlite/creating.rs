//! A call to create inside the open transaction: each draft on its own, and the answer kept for an
//! idempotency key. What an object needs to be created stands in a file of its own.

use super::answers::{earlier_answer, keep_answer};
use super::create::create_refund;
use super::store::Store;
use crate::domain::drafts::Drafts;
use crate::ledger::{Create, Created, Order, RowResult};

/// Does the whole request, or finds that it was done before.
pub(super) fn create(store: &mut Store, request: &Create) -> rusqlite::Result<Created> {
    let now = request.asking.now;
    if let Some(once) = &request.idempotency
        && let Some(earlier) = earlier_answer(store.connection(), request.user, once, now)?
    {
        return Ok(earlier);
    }
    let mut orders = Vec::new();
    let rows = create_rows(store, request, &mut orders)?;
    let answer = match &request.idempotency {
        None => None,
        Some(once) => Some(keep_answer(store.connection(), request.user, once, &rows, now)?),
    };
    Ok(Created::Fresh { rows, orders, answer })
}

fn create_rows(
    store: &mut Store,
    request: &Create,
    orders: &mut Vec<Order>,
) -> rusqlite::Result<Vec<RowResult>> {
    let (user, asking) = (request.user, &request.asking);
    match &request.drafts {
        Drafts::Refund(drafts) => {
            drafts.iter().map(|draft| create_refund(store, user, asking, draft, orders)).collect()
        }
    }
}
