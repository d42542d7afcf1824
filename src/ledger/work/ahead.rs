//! What moves a credit balance after a day, for what has to find enough on that very day: refunds
//! of a day that is past, and whatever is of a day that is yet to come, where the tenant allows it.
//!
//! What must stay true: for a refund of today, where no adjustment of the future is allowed,
//! nothing is looked up, and it costs what it always did.

use crate::domain::calendar::{CalendarText, day_at};
use crate::domain::facts::{Account, AccountKey, Ahead};
use crate::domain::money::MinorUnits;
use crate::domain::rules::{Asking, OPENED_AT_LEAST_SINCE};
use crate::domain::vocabulary::{AdjustmentStatus, AdjustmentType, RefundStatus};
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{self, ADJUSTMENT_BY_ACCOUNT, Adjustment, Refund};
use crate::ledger::unit::{Unit, World};
use chrono::NaiveDate;

/// Adds to an account what is ahead of it.
pub(super) fn look(
    unit: &mut Unit<'_>,
    asking: &Asking,
    account: &mut Account,
) -> Result<(), BooksError> {
    let tenant = &unit.world.tenant;
    if !tenant.future_dated_adjustments {
        return Ok(());
    }
    let today = day_at(asking.now, tenant.time_zone);
    add_moves(unit, today, account)
}

/// Whether [`look_from`] looks anything up.
pub(super) fn is_looked_at(world: &World, asking: &Asking, day: Option<&CalendarText>) -> bool {
    let tenant = &world.tenant;
    let day = day.and_then(|text| text.day(asking.version, tenant.time_zone));
    tenant.future_dated_adjustments || past(world, asking, day).is_some()
}

/// A day that is past.
fn past(world: &World, asking: &Asking, day: Option<NaiveDate>) -> Option<NaiveDate> {
    day.filter(|day| *day < day_at(asking.now, world.tenant.time_zone))
}

/// The same for what is of `day`, if it is of a past one: the day with which the balance begins,
/// and everything since.
pub(super) fn look_from(
    unit: &mut Unit<'_>,
    asking: &Asking,
    day: Option<NaiveDate>,
    account: &mut Account,
) -> Result<(), BooksError> {
    let Some(day) = past(unit.world, asking, day) else {
        return look(unit, asking, account);
    };
    if let Some(first_day) = first_day(unit, account.key)? {
        account.ahead = Ahead::since(first_day);
    }
    add_moves(unit, day, account)
}

/// The adjustments of an account that count. One that was cancelled moved nothing.
fn adjustments(unit: &mut Unit<'_>, account: AccountKey) -> Result<Vec<Adjustment>, BooksError> {
    let mut all: Vec<Adjustment> = unit.all(&ADJUSTMENT_BY_ACCOUNT, &[account.stored()])?;
    all.retain(|one| one.status.0 == AdjustmentStatus::Processed);
    Ok(all)
}

/// The day with which the balance begins. An opening balance is there since the account was opened;
/// without one the first increase is what the balance begins with.
fn first_day(unit: &mut Unit<'_>, key: AccountKey) -> Result<Option<NaiveDate>, BooksError> {
    let account: records::Account = unit.existing(&(key,))?;
    if account.opening > MinorUnits::ZERO {
        return Ok(Some(account.opened.map_or(OPENED_AT_LEAST_SINCE, |opened| opened.0)));
    }
    let all = adjustments(unit, key)?;
    let increases = all.iter().filter(|one| one.adjustment_type.0 == AdjustmentType::Increase);
    Ok(increases.map(|one| one.adjustment_date.0).min())
}

/// Adds what moves the balance after a day.
fn add_moves(unit: &mut Unit<'_>, day: NaiveDate, account: &mut Account) -> Result<(), BooksError> {
    for adjustment in adjustments(unit, account.key)? {
        let units = match adjustment.adjustment_type.0 {
            AdjustmentType::Increase => adjustment.amount.units(),
            AdjustmentType::Decrease => -adjustment.amount.units(),
        };
        let on = adjustment.adjustment_date.0;
        if on > day {
            account.ahead.add(on, MinorUnits::new(units));
        }
    }
    // As long as nothing comes in, no day has less than the last, and what goes out is in the
    // balance already: only then are the account's refunds worth reading.
    if account.ahead.has_increase() {
        add_refunds(unit, day, account)?;
    }
    Ok(())
}

/// Adds the refunds of the account that have taken their amount of its balance, and not given it
/// back.
fn add_refunds(
    unit: &mut Unit<'_>,
    day: NaiveDate,
    account: &mut Account,
) -> Result<(), BooksError> {
    let mut next = unit.balance(account.key)?.newest_refund;
    while let Some(number) = next {
        let refund: Refund = unit.peek(&(number,))?.ok_or(BooksError::Missing("refund_row"))?;
        let takes = matches!(refund.status, RefundStatus::Processed | RefundStatus::Processing)
            && refund.payment.is_none()
            && refund.compensated_ms.is_none();
        if takes && refund.refund_day > day {
            account.ahead.add(refund.refund_day, MinorUnits::new(-refund.amount.units()));
        }
        next = refund.previous;
    }
    Ok(())
}
