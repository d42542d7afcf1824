//! What moves a credit balance on days that are yet to come, for tenants that allow such days.
//!
//! What must stay true: where no adjustment of the future is allowed, nothing is looked up, and a
//! refund costs what it always did.

use super::rows::known;
use super::store::Store;
use crate::domain::ahead::Ahead;
use crate::domain::calendar::day_at;
use crate::domain::facts::Account;
use crate::domain::money::MinorUnits;
use crate::domain::rules::Asking;
use rusqlite::params;

/// The adjustments that somebody asked for.
const ADJUSTMENTS: &str = "select adjustment_date, \
     sum(iif(type = 'Increase', amount, -amount)) from adjustment \
     where account = ?1 and adjustment_date > ?2 and status = 'Processed' group by 1";
/// The refunds; electronic ones are of the day they are made on.
const REFUNDS: &str = "select refund_date, sum(-amount) from refund \
     where account = ?1 and refund_date > ?2 and payment is null and status = 'Processed' \
     group by 1";

/// Adds to an account what is ahead of it.
pub(super) fn look(store: &Store, asking: &Asking, account: &mut Account) -> rusqlite::Result<()> {
    let tenant = store.tenant();
    if !tenant.future_dated_adjustments {
        return Ok(());
    }
    let today = day_at(asking.now, tenant.time_zone).to_string();
    add(store, ADJUSTMENTS, &today, account.key.0, &mut account.ahead)?;
    // As long as nothing comes in, no day has less than the last, and what goes out is in the
    // balance already: only then are the account's refunds worth reading.
    if account.ahead.has_increase() {
        add(store, REFUNDS, &today, account.key.0, &mut account.ahead)?;
    }
    Ok(())
}

fn add(
    store: &Store,
    select: &str,
    today: &str,
    account: i64,
    ahead: &mut Ahead,
) -> rusqlite::Result<()> {
    let mut statement = store.connection().prepare_cached(select)?;
    let mut rows = statement.query(params![account, today])?;
    while let Some(row) = rows.next()? {
        let day = known(row, 0, |text| text.parse().ok())?;
        ahead.add(day, MinorUnits::new(row.get(1)?));
    }
    Ok(())
}
