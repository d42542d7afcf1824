//! A call to create: each draft on its own, the record of the call, and the answer kept for an
//! idempotency key.

use super::answers::{earlier_answer, keep_answer};
use super::trail::{self, Done};
use super::trail_facts::{names_refunds, of_drafts, operation_of, type_of_drafts};
use super::{
    accounts, adjusting, credit_memos, invoice_adjusting, methods, payments, refunding,
    settlement_changing, settlement_payments, settlement_refunding, views,
};
use crate::domain::draft::batch::Drafts;
use crate::domain::row_error::RowError;
use crate::ledger::books::BooksError;
use crate::ledger::trail::{Act, Actor};
use crate::ledger::unit::Unit;
use crate::ledger::{Create, Created, Order, Render, RowResult};
use std::collections::BTreeMap;

/// Does the whole request, or finds that it was done before; all rows or none where the request
/// wants it so.
pub fn create(unit: &mut Unit<'_>, request: &Create) -> Result<Created, BooksError> {
    if let Some(earlier) = earlier(unit, request)? {
        return Ok(earlier);
    }
    let audit = trail::next_key(unit)?;
    let mark = request.batch.is_single.then(|| unit.mark());
    let mut orders = Vec::new();
    let mut rows = rows(unit, request, audit, &mut orders)?;
    match mark {
        Some(mark) if !rows.iter().all(RowResult::is_ok) => {
            unit.go_back(mark);
            orders.clear();
            rows = taken_back(rows);
        }
        Some(mark) => unit.keep(mark),
        None => {}
    }
    record(unit, request, audit, &rows)?;
    views::show_created(unit, &request.batch.drafts, &mut rows)?;
    let answer = match &request.idempotency {
        None => None,
        Some(once) => {
            let answer = match &once.render {
                Render::Rows(render) => Some(render(&rows)),
                Render::Views(render) => render(&rows),
            };
            let keep = |answer| keep_answer(unit, request.context.user, once, answer);
            answer.map(keep).transpose()?
        }
    };
    Ok(Created::Fresh { rows, orders, answer })
}

/// What was done for the key of the request before, if anything was.
fn earlier(unit: &mut Unit<'_>, request: &Create) -> Result<Option<Created>, BooksError> {
    match &request.idempotency {
        Some(once) => earlier_answer(unit, request.context.user, once),
        None => Ok(None),
    }
}

/// The results of a single transaction of which one row failed: the others say why they are not
/// there.
fn taken_back(rows: Vec<RowResult>) -> Vec<RowResult> {
    let taken_back = RowError::transaction_failed();
    rows.into_iter().map(|row| row.and_then(|_| Err(taken_back.clone()))).collect()
}

fn rows(
    unit: &mut Unit<'_>,
    request: &Create,
    audit: i64,
    orders: &mut Vec<Order>,
) -> Result<Vec<RowResult>, BooksError> {
    let (user, asking, ordered) =
        (request.context.user, &request.context.asking, &request.batch.ordered);
    macro_rules! each {
        ($drafts:ident, $create:path) => {
            each($drafts, ordered, |draft| $create(unit, user, asking, draft))
        };
    }
    match &request.batch.drafts {
        Drafts::Accounts(drafts) => each!(drafts, accounts::create),
        Drafts::Adjustments(drafts) => each!(drafts, adjusting::create),
        Drafts::InvoiceAdjustments(drafts) => each!(drafts, invoice_adjusting::create),
        Drafts::InvoiceItemAdjustments(drafts) => {
            each!(drafts, invoice_adjusting::create_of_line)
        }
        Drafts::InvoicePayments(drafts) => each!(drafts, payments::create_part),
        Drafts::Payments(drafts) => each!(drafts, payments::create),
        Drafts::PaymentMethods(drafts) => each!(drafts, methods::create),
        Drafts::Refunds(drafts) => each(drafts, ordered, |draft| {
            refunding::create(unit, user, asking, draft, audit, orders)
        }),
        Drafts::CreditMemos(drafts) => each!(drafts, credit_memos::create),
        Drafts::MemoSteps(drafts) => each!(drafts, credit_memos::step),
        Drafts::SettlementPayments(drafts) => each!(drafts, settlement_payments::create),
        Drafts::PaymentSteps(drafts) => each!(drafts, settlement_payments::step),
        Drafts::MemoRefunds(drafts) => each(drafts, ordered, |draft| {
            settlement_refunding::of_memo(unit, user, asking, draft, audit, orders)
        }),
        Drafts::PaymentRefunds(drafts) => each(drafts, ordered, |draft| {
            settlement_refunding::of_payment(unit, user, asking, draft, audit, orders)
        }),
        Drafts::RefundSettlements(drafts) => each(drafts, ordered, |draft| {
            settlement_changing::reconcile(unit, asking, draft, audit)
        }),
    }
}

/// Creates each of the drafts but those that were ordered to fail.
fn each<D>(
    drafts: &[D],
    ordered: &BTreeMap<usize, RowError>,
    mut create: impl FnMut(&D) -> Result<RowResult, BooksError>,
) -> Result<Vec<RowResult>, BooksError> {
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
    let (actor, at) = (Actor::User(request.context.user), request.context.asking.now);
    let act = Act { actor, origin: request.context.origin.clone(), at };
    let key = request.idempotency.as_ref().map(|once| once.key.as_str());
    let object = type_of_drafts(&request.batch.drafts);
    let done =
        Done { idempotency_key: key, ..Done::new(operation_of(&request.batch.drafts), object) };
    if names_refunds(&request.batch.drafts) {
        let numbers = trail::numbers(rows.iter().flatten().map(|saved| &saved.id));
        return trail::keep_refunds(unit, audit, &act, done, &numbers);
    }
    trail::keep_as(unit, audit, &act, done, &of_drafts(&request.batch.drafts, rows))
}
