//! A call to create refunds or adjustments: each draft on its own, and the answer kept for an
//! idempotency key.

use super::answers::{earlier_answer, keep_answer};
use super::trail::{self, Done};
use super::trail_facts::{of_drafts, type_of_drafts};
use super::{adjusting, refunding};
use crate::domain::draft::batch::Drafts;
use crate::domain::row_error::RowError;
use crate::ledger::books::BooksError;
use crate::ledger::trail::{Act, Actor};
use crate::ledger::unit::Unit;
use crate::ledger::{Create, Created, Order, RowResult};
use std::collections::BTreeMap;

/// What was done for the key of the request before, if anything was.
pub fn earlier(unit: &mut Unit<'_>, request: &Create) -> Result<Option<Created>, BooksError> {
    match &request.idempotency {
        Some(once) => earlier_answer(unit, request.user, once, request.asking.now),
        None => Ok(None),
    }
}

/// Creates refunds, all rows or none where the request wants it so.
pub fn refunds(unit: &mut Unit<'_>, request: &Create) -> Result<Created, BooksError> {
    let audit = trail::next_key(unit)?;
    let mark = request.is_single.then(|| unit.mark());
    let mut orders = Vec::new();
    let mut rows = rows(unit, request, audit, &mut orders)?;
    if let Some(mark) = mark.filter(|_| !rows.iter().all(RowResult::is_ok)) {
        unit.go_back(mark);
        orders.clear();
        rows = taken_back(rows);
    }
    end(unit, request, audit, rows, orders)
}

/// The results of a single transaction of which one row failed: the others say why they are not
/// there.
pub fn taken_back(rows: Vec<RowResult>) -> Vec<RowResult> {
    let taken_back = RowError::transaction_failed();
    rows.into_iter().map(|row| row.and_then(|_| Err(taken_back.clone()))).collect()
}

/// Records the call, and keeps its answer for its key.
pub fn end(
    unit: &mut Unit<'_>,
    request: &Create,
    audit: i64,
    rows: Vec<RowResult>,
    orders: Vec<Order>,
) -> Result<Created, BooksError> {
    record(unit, request, audit, &rows)?;
    let now = request.asking.now;
    let answer = match &request.idempotency {
        None => None,
        Some(once) => Some(keep_answer(unit, request.user, once, &rows, now)?),
    };
    Ok(Created::Fresh { rows, orders, answer })
}

fn rows(
    unit: &mut Unit<'_>,
    request: &Create,
    audit: i64,
    orders: &mut Vec<Order>,
) -> Result<Vec<RowResult>, BooksError> {
    let (user, asking) = (request.user, &request.asking);
    match &request.drafts {
        Drafts::Refunds(drafts) => each(drafts, &request.ordered, |draft| {
            refunding::create(unit, user, asking, draft, audit, orders)
        }),
        Drafts::Adjustments(drafts) => {
            each(drafts, &request.ordered, |draft| adjusting::create(unit, user, asking, draft))
        }
        _ => Err(BooksError::Missing("a use case")),
    }
}

/// Creates each of the drafts but those that were ordered to fail.
pub fn each<D, E>(
    drafts: &[D],
    ordered: &BTreeMap<usize, RowError>,
    mut create: impl FnMut(&D) -> Result<RowResult, E>,
) -> Result<Vec<RowResult>, E> {
    let create_one = |(row, draft)| match ordered.get(&row) {
        Some(error) => Ok(Err(RowError::clone(error))),
        None => create(draft),
    };
    drafts.iter().enumerate().map(create_one).collect()
}

/// Records the call in the audit, if it created anything.
fn record(
    unit: &mut Unit<'_>,
    request: &Create,
    audit: i64,
    rows: &[RowResult],
) -> Result<(), BooksError> {
    let (actor, at) = (Actor::User(request.user), request.asking.now);
    let act = Act { actor, origin: request.origin.clone(), at };
    let key = request.idempotency.as_ref().map(|once| once.key.as_str());
    let object = type_of_drafts(&request.drafts);
    let done = Done { idempotency_key: key, ..Done::new("create", object) };
    if let Drafts::Refunds(_) = request.drafts {
        let numbers = trail::numbers(rows.iter().flatten());
        return trail::keep_refunds(unit, audit, &act, done, &numbers);
    }
    trail::keep_as(unit, audit, &act, done, &of_drafts(&request.drafts, rows))
}
