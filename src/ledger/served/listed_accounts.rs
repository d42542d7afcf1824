//! Lists of accounts, and of what belongs to one: what moved on it, its adjustments, its invoices
//! and its payments.
//!
//! What must stay true: everything is found in the order of a key or by an index that is there for
//! other reasons; a page goes through [`SEARCHED_MAX`] accounts or [`ENTRIES_MAX`] entries at most.

use super::conditions::Conditions;
use super::listed_refunds::{cut, more_than, walk, walk_begins};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::entry_kind::EntryKind;
use crate::domain::number::saturated;
use crate::domain::query::QueryObject;
use crate::domain::query::pattern::fold;
use crate::ledger::books::BooksError;
use crate::ledger::query::behind;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::readings::{
    AccountView, AccountsQuery, EntryView, Listed, ListedAdjustment, ListedInvoice, ListedPayment,
    Span,
};
use crate::ledger::record::{ByName, DayText, Value};
use chrono::NaiveDate;

/// How many accounts a search goes through for one page.
const SEARCHED_MAX: i64 = 50_000;
/// How many accounts are found by an index, before the others, where no more have such a number or
/// id.
const NAMED_MAX: usize = 20;
/// How many entries, of all accounts, a page of one account's goes through at most.
const ENTRIES_MAX: i64 = 200_000;
/// How many refunds, and how many adjustments, of an account lead to its entries one by one; the
/// entries of an account with more stand close enough to each other to be found among all.
const FEW_MAX: i64 = if cfg!(test) { 8 } else { 2_000 };

/// The entries that the refunds of a walk made and gave back, and those of adjustments.
const OF_A_WALK: &str = "entry.key in (\
     select made.entry from walk join refund_row as made on made.number = walk.number \
     where made.entry is not null \
     union all select back.key from walk join entry_row as back on back.refund = walk.number \
     and back.kind in (2, 3) \
     union all select asked.key from adjustment as made \
     join entry_row as asked on asked.adjustment = made.key where made.account = ?)";

const ACCOUNTS: &str = "select account.key, account.id, account.number, account.name, \
     account.currency, account.status, account.opening, balance.units, account.gateway, \
     method.id, above.id, account.created_ms, account.updated_ms \
     from account_row as account left join balance on balance.account = account.key \
     left join payment_method as method on method.key = account.default_payment_method \
     left join account_row as above on above.key = account.parent";

fn account(row: &Row<'_>) -> Result<(i64, AccountView), BooksError> {
    let status: ByName<_> = row.get(5)?;
    let view = AccountView {
        id: row.get(1)?,
        number: row.get(2)?,
        name: row.get(3)?,
        currency: row.get(4)?,
        status: status.0,
        opening: row.get(6)?,
        balance: row.get(7)?,
        gateway: row.get(8)?,
        default_payment_method: row.get(9)?,
        parent: row.get(10)?,
        created: row.get(11)?,
        updated: row.get(12)?,
    };
    Ok((row.get(0)?, view))
}

/// The key of the account of this id or number.
pub(super) fn account_key(
    reader: &mut dyn Reader,
    key: &ObjectKey,
) -> Result<Option<i64>, BooksError> {
    let by_id = "select account.key from account_row as account where account.id = ?1";
    let by_number = "select account.key from account_row as account where account.number = ?1";
    if let Some(id) = key.id() {
        let found = reader.first(by_id, &[id.as_str().into()], |row| row.get(0))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    reader.first(by_number, &[key.as_str().into()], |row| row.get(0))
}

/// The account of this id or number.
pub(super) fn one(
    reader: &mut dyn Reader,
    key: &ObjectKey,
) -> Result<Option<AccountView>, BooksError> {
    reader.begin_snapshot()?;
    let Some(key) = account_key(reader, key)? else { return Ok(None) };
    let select = format!("{ACCOUNTS} where account.key = ?1");
    let found = reader.first(&select, &[key.into()], account)?;
    behind::verify(reader, QueryObject::Account, [key].into_iter())?;
    Ok(found.map(|(_, view)| view))
}

/// A page of accounts.
pub(super) fn page(
    reader: &mut dyn Reader,
    query: &AccountsQuery,
) -> Result<Listed<AccountView>, BooksError> {
    reader.begin_snapshot()?;
    let (from, most) = (query.span.from, query.span.rows());
    let (named, mut conditions) = match &query.search {
        None => (Vec::new(), Conditions::default()),
        Some(text) => searched(reader, text, most)?,
    };
    let mut rows = Vec::new();
    if from.is_none() {
        let select = format!("{ACCOUNTS} where account.key = ?1");
        for key in named {
            rows.extend(reader.first(&select, &[key.into()], account)?);
        }
    }
    let after = from.unwrap_or(0);
    let last = query.search.as_ref().map_or(i64::MAX, |_| after.saturating_add(SEARCHED_MAX));
    conditions.add("account.key > ?", Value::Integer(after));
    conditions.add("account.key <= ?", Value::Integer(last));
    let room = most.saturating_sub(rows.len());
    let limit = conditions.bind(saturated::<i64>(room + 1).into());
    let all = conditions.all();
    let select = format!("{ACCOUNTS} where {all} order by account.key limit {limit}");
    let mut found = reader.list(&select, conditions.values(), account)?;
    let has_more = found.len() > room;
    found.truncate(room);
    let next = match has_more {
        true => Some(found.last().map_or(after, |(key, _)| *key)),
        false => goes_on_behind(reader, last)?,
    };
    rows.extend(found);
    behind::verify(reader, QueryObject::Account, rows.iter().map(|(key, _)| *key))?;
    Ok(Listed { rows: rows.into_iter().map(|(_, view)| view).collect(), next })
}

/// The key, if there are accounts behind it.
fn goes_on_behind(reader: &mut dyn Reader, key: i64) -> Result<Option<i64>, BooksError> {
    let newest = "select max(account.key) from account_row as account";
    let newest: Option<i64> = reader.first(newest, &[], |row| row.get(0))?.flatten();
    Ok(newest.filter(|newest| *newest > key).map(|_| key))
}

/// The accounts whose number or id begins with this text, where they are few and have room in a
/// page, and the conditions of the others that are to be found.
fn searched(
    reader: &mut dyn Reader,
    text: &str,
    room: usize,
) -> Result<(Vec<i64>, Conditions), BooksError> {
    let mut named: Vec<i64> = Vec::new();
    let few = NAMED_MAX.min(room);
    let most: i64 = saturated(few + 1);
    for (column, text) in spellings(text) {
        let select = format!(
            "select account.key from account_row as account \
             where account.{column} >= ?1 and account.{column} < ?2 \
             order by account.{column} limit ?3"
        );
        let values = [text.clone().into(), after_all(&text).into(), most.into()];
        for key in reader.list(&select, &values, |row| row.get(0))? {
            if !named.contains(&key) {
                named.push(key);
            }
        }
    }
    let mut either = Conditions::default();
    let folded = fold(text, false);
    let (from, to) = (either.bind(folded.clone().into()), either.bind(after_all(&folded).into()));
    let name = "folded(account.name)";
    let mut tests = vec![format!("({name} >= {from} and {name} < {to})")];
    if named.len() > few {
        for (column, text) in spellings(text) {
            let (first, behind) = (text.clone().into(), after_all(&text).into());
            let (from, to) = (either.bind(first), either.bind(behind));
            tests.push(format!("(account.{column} >= {from} and account.{column} < {to})"));
        }
        named.clear();
    }
    either.hold(&format!("({})", tests.join(" or ")));
    for key in &named {
        either.add("account.key <> ?", Value::Integer(*key));
    }
    Ok((named, either))
}

/// The columns of names that are found letter for letter, each with what it is compared with.
fn spellings(text: &str) -> [(&'static str, String); 3] {
    [("number", text.to_owned()), ("number", text.to_uppercase()), ("id", text.to_lowercase())]
}

/// A text behind every other that begins with this one.
fn after_all(text: &str) -> String {
    format!("{text}{}", char::MAX)
}

/// What moved on an account, the newest first.
pub(super) fn entries(
    reader: &mut dyn Reader,
    of: &ObjectKey,
    span: Span,
) -> Result<Option<Listed<EntryView>>, BooksError> {
    reader.begin_snapshot()?;
    let Some(account) = account_key(reader, of)? else { return Ok(None) };
    let newest = "select newest_entry from balance where account = ?1";
    let newest: Option<i64> = reader.first(newest, &[account.into()], |row| row.get(0))?.flatten();
    let Some(newest) = newest else { return Ok(Some(Listed { rows: Vec::new(), next: None })) };
    let below = span.from.map_or(newest + 1, |from| from.min(newest + 1));
    let mut conditions = Conditions::default();
    conditions.add("entry.account = ?", account.into());
    conditions.add("entry.key < ?", below.into());
    let (with, lowest) = match few_movements(reader, account)? {
        Some(first) => {
            conditions.add(OF_A_WALK, account.into());
            let (first, most) = (conditions.bind(first.into()), conditions.bind(FEW_MAX.into()));
            (walk(&first, &most), 1)
        }
        None => {
            let lowest = below.saturating_sub(ENTRIES_MAX).max(1);
            conditions.add("entry.key >= ?", lowest.into());
            (String::new(), lowest)
        }
    };
    let (all, limit) = (conditions.all(), conditions.bind(more_than(span).into()));
    let select = "select entry.key, entry.at_ms, entry.kind, entry.delta, entry.balance, \
         account.currency, entry.refund, first.key from entry_row as entry \
         left join account_row as account on account.key = entry.account \
         left join entry_row as first on first.adjustment = entry.adjustment \
         and first.kind in (4, 5)";
    let select = format!("{with}{select} where {all} order by entry.key desc limit {limit}");
    let rows = reader.list(&select, conditions.values(), entry)?;
    let mut listed = cut(rows, span, |entry| entry.key);
    if listed.next.is_none() && lowest > 1 {
        listed.next = Some(lowest);
    }
    let keys = listed.rows.iter().map(|entry| entry.key);
    behind::verify(reader, QueryObject::CreditBalanceAdjustment, keys)?;
    Ok(Some(listed))
}

/// The newest refund of an account with few refunds and adjustments, 0 where it has no refund; none
/// of an account with many.
fn few_movements(reader: &mut dyn Reader, account: i64) -> Result<Option<i64>, BooksError> {
    let first = walk_begins(reader, account, None)?.unwrap_or(0);
    let count = walk("?1", "?2") + "select count(*) from walk";
    let refunds: Option<i64> =
        reader.first(&count, &[first.into(), (FEW_MAX + 1).into()], |row| row.get(0))?;
    let count = "select count(*) from (select made.key from adjustment as made \
                 where made.account = ?1 limit ?2) as found";
    let adjustments: Option<i64> =
        reader.first(count, &[account.into(), (FEW_MAX + 1).into()], |row| row.get(0))?;
    let are_few = refunds.max(adjustments).is_some_and(|count| count <= FEW_MAX);
    Ok(Some(first).filter(|_| are_few))
}

fn entry(row: &Row<'_>) -> Result<EntryView, BooksError> {
    Ok(EntryView {
        key: row.get(0)?,
        at: row.get(1)?,
        kind: row.get::<EntryKind>(2)?,
        amount: row.get(3)?,
        balance: row.get(4)?,
        currency: row.get(5)?,
        refund: row.get(6)?,
        adjustment: row.get::<Option<i64>>(7)?.map(adjustment_number),
    })
}

/// The number of the adjustment whose first entry has this key.
fn adjustment_number(entry: i64) -> String {
    format!("CBA-{entry:08}")
}

fn day(row: &Row<'_>, place: usize) -> Result<NaiveDate, BooksError> {
    row.get::<DayText>(place).map(|day| day.0)
}

/// A page of what belongs to an account, the newest first: the statement selects the key first, and
/// takes the account, the key before which the page begins, and how many rows.
fn owned<T>(
    reader: &mut dyn Reader,
    (of, span): (&ObjectKey, Span),
    (object, select): (Option<QueryObject>, &str),
    mut read: impl FnMut(&Row<'_>) -> Result<T, BooksError>,
) -> Result<Option<Listed<T>>, BooksError> {
    reader.begin_snapshot()?;
    let Some(account) = account_key(reader, of)? else { return Ok(None) };
    let values = [account.into(), span.from.unwrap_or(i64::MAX).into(), more_than(span).into()];
    let rows = reader.list(select, &values, |row| Ok((row.get::<i64>(0)?, read(row)?)))?;
    let listed = cut(rows, span, |(key, _)| *key);
    if let Some(object) = object {
        behind::verify(reader, object, listed.rows.iter().map(|(key, _)| *key))?;
    }
    let rows = listed.rows.into_iter().map(|(_, row)| row).collect();
    Ok(Some(Listed { rows, next: listed.next }))
}

/// The adjustments of an account.
pub(super) fn adjustments(
    reader: &mut dyn Reader,
    of: &ObjectKey,
    span: Span,
) -> Result<Option<Listed<ListedAdjustment>>, BooksError> {
    let select = "select made.key, first.key, made.type, made.status, made.amount, \
         made.adjustment_date, coalesce(invoice.number, payment.number), made.reason_code, \
         made.created_ms from adjustment as made \
         left join entry_row as first on first.adjustment = made.key and first.kind in (4, 5) \
         left join invoice on invoice.key = made.invoice \
         left join payment on payment.key = made.payment \
         where made.account = ?1 and made.key < ?2 order by made.key desc limit ?3";
    owned(reader, (of, span), (None, select), |row| {
        let (adjustment_type, status): (ByName<_>, ByName<_>) = (row.get(2)?, row.get(3)?);
        Ok(ListedAdjustment {
            number: row.get::<Option<i64>>(1)?.map(adjustment_number),
            adjustment_type: adjustment_type.0,
            status: status.0,
            amount: row.get(4)?,
            date: day(row, 5)?,
            source: row.get(6)?,
            reason_code: row.get(7)?,
            created: row.get(8)?,
        })
    })
}

/// The invoices of an account.
pub(super) fn invoices(
    reader: &mut dyn Reader,
    of: &ObjectKey,
    span: Span,
) -> Result<Option<Listed<ListedInvoice>>, BooksError> {
    let select = "select invoice.key, invoice.id, invoice.number, invoice.date, invoice.amount, \
         invoice.balance from invoice where invoice.account = ?1 and invoice.key < ?2 \
         order by invoice.key desc limit ?3";
    owned(reader, (of, span), (Some(QueryObject::Invoice), select), |row| {
        Ok(ListedInvoice {
            id: row.get(1)?,
            number: row.get(2)?,
            date: day(row, 3)?,
            amount: row.get(4)?,
            balance: row.get(5)?,
        })
    })
}

/// The payments of an account.
pub(super) fn payments(
    reader: &mut dyn Reader,
    of: &ObjectKey,
    span: Span,
) -> Result<Option<Listed<ListedPayment>>, BooksError> {
    let select = "select payment.key, payment.id, payment.number, payment.type, payment.status, \
         payment.effective_date, payment.amount, payment.refunded, payment.gateway from payment \
         where payment.account = ?1 and payment.key < ?2 order by payment.key desc limit ?3";
    owned(reader, (of, span), (Some(QueryObject::Payment), select), |row| {
        let (payment_type, status): (ByName<_>, ByName<_>) = (row.get(3)?, row.get(4)?);
        Ok(ListedPayment {
            id: row.get(1)?,
            number: row.get(2)?,
            payment_type: payment_type.0,
            status: status.0,
            date: day(row, 5)?,
            amount: row.get(6)?,
            refunded: row.get(7)?,
            gateway: row.get(8)?,
        })
    })
}
