//! What moves a credit balance after a day, for what has to find enough on that very day: refunds
//! of a day that is past, and whatever is of a day that is yet to come, where the tenant allows it.
//!
//! What must stay true: for a refund of today, where no adjustment of the future is allowed,
//! nothing is looked up, and it costs what it always did.

use super::rows::known;
use super::store::Store;
use crate::domain::calendar::day_at;
use crate::domain::facts::{Account, Ahead};
use crate::domain::money::MinorUnits;
use crate::domain::rules::{Asking, OPENED_AT_LEAST_SINCE};
use chrono::NaiveDate;
use rusqlite::params;

/// The adjustments that somebody asked for. One that was cancelled moved nothing.
const ADJUSTMENTS: &str = "select adjustment_date, \
     sum(iif(type = 'Increase', amount, -amount)) from adjustment \
     where account = ?1 and adjustment_date > ?2 and status = 'Processed' group by 1";
/// The refunds that have taken their amount, and not given it back.
const REFUNDS: &str = "select refund_date, sum(-amount) from refund \
     where account = ?1 and refund_date > ?2 and payment is null \
     and (status = 'Processed' or status = 'Processing') and compensated_ms is null group by 1";
/// An opening balance is there since the account was opened; without one the first increase is what
/// the balance begins with.
const FIRST_DAY: &str = "select iif(opening > 0, coalesce(opened, ?2), \
     (select min(adjustment_date) from adjustment where adjustment.account = account.key \
      and type = 'Increase' and status = 'Processed')) from account where key = ?1";

/// Adds to an account what is ahead of it.
pub(super) fn look(store: &Store, asking: &Asking, account: &mut Account) -> rusqlite::Result<()> {
    let tenant = store.tenant();
    if !tenant.future_dated_adjustments {
        return Ok(());
    }
    add_moves(store, day_at(asking.now, tenant.time_zone), account)
}

/// The same for what is of `day`, if it is of a past one: the day with which the balance begins,
/// and everything since.
pub(super) fn look_from(
    store: &Store,
    asking: &Asking,
    day: Option<NaiveDate>,
    account: &mut Account,
) -> rusqlite::Result<()> {
    let today = day_at(asking.now, store.tenant().time_zone);
    let Some(day) = day.filter(|day| *day < today) else {
        return look(store, asking, account);
    };
    if let Some(first_day) = first_day(store, account)? {
        account.ahead = Ahead::since(first_day);
    }
    add_moves(store, day, account)
}

fn first_day(store: &Store, account: &Account) -> rusqlite::Result<Option<NaiveDate>> {
    let mut statement = store.connection().prepare_cached(FIRST_DAY)?;
    let since = OPENED_AT_LEAST_SINCE.to_string();
    statement.query_row(params![account.key.0, since], |row| {
        let has_one = row.get::<_, Option<String>>(0)?.is_some();
        has_one.then(|| known(row, 0, |text| text.parse().ok())).transpose()
    })
}

/// Adds what moves the balance after a day.
fn add_moves(store: &Store, day: NaiveDate, account: &mut Account) -> rusqlite::Result<()> {
    let day = day.to_string();
    add(store, ADJUSTMENTS, &day, account.key.0, &mut account.ahead)?;
    // As long as nothing comes in, no day has less than the last, and what goes out is in the
    // balance already: only then are the account's refunds worth reading.
    if account.ahead.has_increase() {
        add(store, REFUNDS, &day, account.key.0, &mut account.ahead)?;
    }
    Ok(())
}

fn add(
    store: &Store,
    select: &str,
    day: &str,
    account: i64,
    ahead: &mut Ahead,
) -> rusqlite::Result<()> {
    let mut statement = store.connection().prepare_cached(select)?;
    let mut rows = statement.query(params![account, day])?;
    while let Some(row) = rows.next()? {
        let day = known(row, 0, |text| text.parse().ok())?;
        ahead.add(day, MinorUnits::new(row.get(1)?));
    }
    Ok(())
}
