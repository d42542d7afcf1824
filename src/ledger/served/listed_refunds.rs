//! Lists of refunds: all of them or those of an account, the newest first, and those in Processing.
//!
//! What must stay true: refunds are found by their numbers, and those of an account by the way that
//! leads from each to the one before, so that no index is kept for this; a page looks at no more
//! than [`LOOKED_AT_MAX`] refunds, and at [`WALKED_MAX`] of an account.

use super::conditions::Conditions;
use super::listed_accounts::account_key;
use super::trail::is_of_this_ledger;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::query::QueryObject;
use crate::domain::refund_name::RefundName;
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::books::BooksError;
use crate::ledger::query::behind;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::readings::{Listed, ListedRefund, OpenRefund, RefundCounts, RefundsQuery, Span};
use crate::ledger::record::{Field, Value};

/// How many numbers a page of all refunds goes through at most, where conditions let it pass by
/// refunds.
const LOOKED_AT_MAX: i64 = 50_000;
/// How many refunds of an account a page goes through at most.
const WALKED_MAX: i64 = 5_000;
/// How many of the newest refunds are counted.
const COUNTED_MAX: i64 = 10_000;

/// What is shown of a refund. Joins find one row at most and leave the order to the refunds.
macro_rules! refunds {
    ($from:literal, $more:literal) => {
        concat!(
            "select refund.number, refund.created_ms, refund.salt, user.username, refund.status, \
             refund.type, refund.source_type, refund.method_type, refund.amount, \
             account.currency, refund.refund_day, account.id, account.number, account.name, \
             refund.gateway, refund.gateway_state, refund.gateway_response, \
             refund.gateway_response_code, refund.reference_id, payment.number, \
             refund.reason_code, refund.comment, refund.compensated_ms, refund.updated_ms",
            $more,
            " from ",
            $from,
            " left join account_row as account on account.key = refund.account \
             left join user on user.key = refund.created_by \
             left join payment on payment.key = refund.payment "
        )
    };
}

fn refund(row: &Row<'_>) -> Result<ListedRefund, BooksError> {
    Ok(ListedRefund {
        id: RefundId::new(row.get(1)?, row.get(2)?, row.get(0)?),
        created: row.get(1)?,
        created_by: row.get(3)?,
        status: row.get(4)?,
        refund_type: row.get(5)?,
        source_type: row.get(6)?,
        method_type: row.get(7)?,
        amount: row.get(8)?,
        currency: row.get(9)?,
        refund_date: row.get(10)?,
        account_id: row.get(11)?,
        account_number: row.get(12)?,
        account_name: row.get(13)?,
        gateway: row.get(14)?,
        gateway_state: row.get(15)?,
        gateway_response: row.get(16)?,
        gateway_response_code: row.get(17)?,
        reference_id: row.get(18)?,
        payment_number: row.get(19)?,
        reason_code: row.get(20)?,
        comment: row.get(21)?,
        compensated: row.get(22)?,
        updated: row.get(23)?,
    })
}

/// A page of refunds.
pub(super) fn page(
    reader: &mut dyn Reader,
    query: &RefundsQuery,
) -> Result<Listed<ListedRefund>, BooksError> {
    reader.begin_snapshot()?;
    let conditions = conditions(query);
    let listed = match &query.account {
        None => among_all(reader, query, conditions)?,
        Some(account) => match account_key(reader, account)? {
            Some(account) => of_account(reader, query.span, account, conditions)?,
            None => Listed { rows: Vec::new(), next: None },
        },
    };
    verify(reader, &listed.rows)?;
    Ok(listed)
}

/// The refund of a name.
pub(super) fn one(
    reader: &mut dyn Reader,
    name: RefundName,
) -> Result<Option<ListedRefund>, BooksError> {
    reader.begin_snapshot()?;
    if !is_of_this_ledger(reader, name)? {
        return Ok(None);
    }
    let select = concat!(refunds!("refund_row as refund", ""), "where refund.number = ?1");
    let found = reader.first(select, &[name.number().stored()], refund)?;
    verify(reader, found.as_slice())?;
    Ok(found)
}

/// Refunds in Processing, the oldest first.
pub(super) fn open(reader: &mut dyn Reader, span: Span) -> Result<Listed<OpenRefund>, BooksError> {
    reader.begin_snapshot()?;
    let select = concat!(
        refunds!(
            "inquiry join refund_row as refund on refund.number = inquiry.refund",
            ", inquiry.first_sent_ms, inquiry.attempts, inquiry.next_ms"
        ),
        "where inquiry.refund > ?1 order by inquiry.refund limit ?2"
    );
    let values = [span.from.unwrap_or(0).into(), more_than(span).into()];
    let rows = reader.list(select, &values, |row| {
        let (first_sent, attempts, next) = (row.get(24)?, row.get(25)?, row.get(26)?);
        Ok(OpenRefund { refund: refund(row)?, first_sent, attempts, next })
    })?;
    let listed = cut(rows, span, |row| row.refund.id.number().value());
    behind::verify(
        reader,
        QueryObject::Refund,
        listed.rows.iter().map(|row| row.refund.id.number().value()),
    )?;
    Ok(listed)
}

/// How many of the newest refunds stand where.
pub(super) fn counts(reader: &mut dyn Reader) -> Result<RefundCounts, BooksError> {
    reader.begin_snapshot()?;
    let Some(newest) = newest_number(reader)? else { return Ok(RefundCounts::default()) };
    let select = "select refund.status, count(*), min(refund.number) from refund_row as refund \
                  where refund.number > ?1 group by refund.status order by refund.status";
    let mut oldest = None;
    let by_status = reader.list(select, &[(newest - COUNTED_MAX).into()], |row| {
        let (count, first): (i64, i64) = (row.get(1)?, row.get(2)?);
        oldest = Some(oldest.map_or(first, |oldest: i64| oldest.min(first)));
        Ok((row.get(0)?, count.unsigned_abs()))
    })?;
    let number = |value: Option<i64>| value.and_then(RefundNumber::new);
    Ok(RefundCounts { by_status, oldest: number(oldest), newest: number(Some(newest)) })
}

/// As many rows as a page has, and one that says whether more follows.
pub(super) fn more_than(span: Span) -> i64 {
    i64::try_from(span.rows()).unwrap_or(i64::MAX - 1) + 1
}

/// The page of what was found for it; `place` is where a row leads on.
pub(super) fn cut<T>(mut rows: Vec<T>, span: Span, place: impl Fn(&T) -> i64) -> Listed<T> {
    let has_more = rows.len() > span.rows();
    rows.truncate(span.rows());
    let next = rows.last().filter(|_| has_more).map(place);
    Listed { rows, next }
}

fn newest_number(reader: &mut dyn Reader) -> Result<Option<i64>, BooksError> {
    let select = "select max(refund.number) from refund_row as refund";
    Ok(reader.first(select, &[], |row| row.get(0))?.flatten())
}

/// Reads the refunds as records, so that an engine that can say whether one is what was written
/// says it.
fn verify(reader: &mut dyn Reader, refunds: &[ListedRefund]) -> Result<(), BooksError> {
    let numbers = refunds.iter().map(|refund| refund.id.number().value());
    behind::verify(reader, QueryObject::Refund, numbers)
}

fn conditions(query: &RefundsQuery) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(status) = query.status {
        conditions.add("refund.status = ?", status.stored().into_owned());
        if status == RefundStatus::Processing {
            // They are few, and each has its row there.
            conditions.hold("refund.number in (select inquiry.refund from inquiry)");
        }
    }
    if let Some(refund_type) = query.refund_type {
        conditions.add("refund.type = ?", refund_type.stored().into_owned());
    }
    if let Some(source_type) = query.source_type {
        conditions.add("refund.source_type = ?", source_type.stored().into_owned());
    }
    if let Some(gateway) = &query.gateway {
        conditions.add("refund.gateway = ?", gateway.clone().into());
    }
    if let Some(day) = query.from_day {
        conditions.add("refund.refund_day >= ?", day.stored().into_owned());
    }
    if let Some(day) = query.to_day {
        conditions.add("refund.refund_day <= ?", day.stored().into_owned());
    }
    for (bound, test) in [(query.amount_min, ">= 0"), (query.amount_max, "<= 0")] {
        if let Some(bound) = bound {
            let against = "amount_against(refund.amount, account.currency, ?)";
            conditions.add(&format!("{against} {test}"), bound.to_string().into());
        }
    }
    conditions
}

fn among_all(
    reader: &mut dyn Reader,
    query: &RefundsQuery,
    mut conditions: Conditions,
) -> Result<Listed<ListedRefund>, BooksError> {
    let Some(newest) = newest_number(reader)? else {
        return Ok(Listed { rows: Vec::new(), next: None });
    };
    let below = query.span.from.map_or(newest + 1, |from| from.min(newest + 1));
    let lowest = match query.status {
        Some(RefundStatus::Processing) => 1,
        _ => below.saturating_sub(LOOKED_AT_MAX).max(1),
    };
    conditions.add("refund.number < ?", Value::Integer(below));
    conditions.add("refund.number >= ?", Value::Integer(lowest));
    let limit = conditions.bind(more_than(query.span).into());
    let (select, all) = (refunds!("refund_row as refund", ""), conditions.all());
    let select = format!("{select} where {all} order by refund.number desc limit {limit}");
    let rows = reader.list(&select, conditions.values(), refund)?;
    let mut listed = cut(rows, query.span, |refund| refund.id.number().value());
    if listed.next.is_none() && lowest > 1 {
        listed.next = Some(lowest);
    }
    Ok(listed)
}

/// The numbers of an account's refunds from one of them to the earlier ones: which is the first,
/// and how many there are at most, by the places where that is bound.
pub(super) fn walk(first: &str, most: &str) -> String {
    format!(
        "with recursive walk (number, step) as (\
         select cast({first} as bigint), cast(1 as bigint) \
         union all select later.previous, walk.step + 1 from walk \
         join refund_row as later on later.number = walk.number \
         where later.previous is not null and walk.step < {most}) "
    )
}

fn of_account(
    reader: &mut dyn Reader,
    span: Span,
    account: i64,
    mut conditions: Conditions,
) -> Result<Listed<ListedRefund>, BooksError> {
    let Some(first) = walk_begins(reader, account, span.from)? else {
        return Ok(Listed { rows: Vec::new(), next: None });
    };
    let most = if conditions.is_empty() { more_than(span) } else { WALKED_MAX };
    let select = walk("?1", "?2") + "select count(*), min(walk.number) from walk";
    let walked = reader.first(&select, &[first.into(), most.into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?))
    })?;
    let walk = walk(&conditions.bind(first.into()), &conditions.bind(most.into()));
    let (all, limit) = (conditions.all(), conditions.bind(more_than(span).into()));
    let select = refunds!("walk join refund_row as refund on refund.number = walk.number", "");
    let select = format!("{walk} {select} where {all} order by refund.number desc limit {limit}");
    let rows = reader.list(&select, conditions.values(), refund)?;
    let mut listed = cut(rows, span, |refund| refund.id.number().value());
    if let (None, Some((count, last))) = (listed.next, walked) {
        listed.next = last.filter(|_| count >= most);
    }
    Ok(listed)
}

/// The account's newest refund, or the one before the refund of this number, if there is one.
pub(super) fn walk_begins(
    reader: &mut dyn Reader,
    account: i64,
    from: Option<i64>,
) -> Result<Option<i64>, BooksError> {
    let newest = "select newest_refund from balance where account = ?1";
    let newest: Option<i64> = reader.first(newest, &[account.into()], |row| row.get(0))?.flatten();
    let (Some(from), Some(newest)) = (from, newest) else { return Ok(newest) };
    let before = "select refund.previous from refund_row as refund \
                  where refund.number = ?1 and refund.account = ?2";
    let before = reader.first(before, &[from.into(), account.into()], |row| row.get(0))?;
    if let Some(before) = before {
        return Ok(before);
    }
    // It was deleted since: the way is gone from its beginning.
    let select = walk("?1", "?2") + "select max(walk.number) from walk where walk.number < ?3";
    let values = [newest.into(), i64::MAX.into(), from.into()];
    Ok(reader.first(&select, &values, |row| row.get(0))?.flatten())
}
