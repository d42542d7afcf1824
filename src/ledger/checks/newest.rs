//! Whether the newest rows of a ledger and its counters agree.
//!
//! A file that was put together from parts of different moments is sound page by page, and still
//! wrong. What was written last shows it first, so a start compares the last rows, and reads as
//! little of a ledger of millions of refunds as of an empty one. All rows are compared by the other
//! checks.

use super::refund as shown;
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use crate::ledger::record::Field;
use crate::ledger::records::{META, Meta};

/// What contradicts what was written last, if anything does. What the ledger knows of itself is
/// compared with what was written there at the end.
pub(super) fn contradiction(reader: &mut dyn Reader) -> Result<Option<String>, BooksError> {
    for look in [counters, newest_entry, newest_refund] {
        if let Some(found) = look(reader)? {
            return Ok(Some(found));
        }
    }
    reader.records::<Meta>(&META, &[]).map(|_| None)
}

/// Every counter counts from zero; and no refund has the number of one that was deleted.
fn counters(reader: &mut dyn Reader) -> Result<Option<String>, BooksError> {
    let known = reader.list("select key, value from meta order by key", &[], |row| {
        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
    })?;
    let is_counter =
        |key: &str| key.starts_with("last_") || key.ends_with("_counter") || key == "probes";
    for (key, value) in known.iter().filter(|(key, _)| is_counter(key)) {
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let Some(number) = value.parse::<i64>().ok().filter(|_| is_digits) else {
            return Ok(Some(format!("the counter {key} is `{value}`")));
        };
        if key == "last_deleted_refund" && has_refund(reader, number)? {
            return Ok(Some(format!("refund {} was deleted, and is there", shown(number))));
        }
    }
    Ok(None)
}

fn has_refund(reader: &mut dyn Reader, number: i64) -> Result<bool, BooksError> {
    let select = "select number from refund_row where number = ?1";
    Ok(reader.first(select, &[number.into()], |row| row.get::<i64>(0))?.is_some())
}

/// No entry comes after the newest, so its account has the balance that it left; and its refund is
/// there.
fn newest_entry(reader: &mut dyn Reader) -> Result<Option<String>, BooksError> {
    let select = "select key, account, balance, refund from entry_row order by key desc limit 1";
    let newest = reader.first(select, &[], |row| {
        let (key, account): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((key, account, row.get::<i64>(2)?, row.get::<Option<i64>>(3)?))
    })?;
    let Some((key, account, left, refund)) = newest else { return Ok(None) };
    let select = "select units, newest_entry from balance where account = ?1";
    let balance = reader.first(select, &[account.into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?))
    })?;
    if balance != Some((left, Some(key))) {
        let units = balance.map_or_else(|| "none".to_owned(), |(units, _)| units.to_string());
        let text = format!("entry {key} left a balance of {left}, and its account has {units}");
        return Ok(Some(text));
    }
    let Some(refund) = refund else { return Ok(None) };
    let text = || format!("entry {key} is of the refund {}, which is not there", shown(refund));
    Ok((!has_refund(reader, refund)?).then(text))
}

/// The newest refund of a credit balance has an entry that took its amount.
fn newest_refund(reader: &mut dyn Reader) -> Result<Option<String>, BooksError> {
    // The source of a credit balance has the code 1.
    let select = "select number, account, amount, entry, source_type = 1 from refund_row \
                  order by number desc limit 1";
    let newest = reader.first(select, &[], |row| {
        let (number, account): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (amount, entry): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
        Ok((number, account, amount, entry, row.get::<bool>(4)?))
    })?;
    let Some((number, account, amount, entry, true)) = newest else { return Ok(None) };
    let select = "select refund, account, delta from entry_row where key = ?1";
    let took = reader.first(select, &[entry.stored()], |row| {
        Ok((row.get::<Option<i64>>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?))
    })?;
    let is_right = took == Some((Some(number), account, amount.saturating_neg()));
    let text = || format!("refund {} has no entry of its amount", shown(number));
    Ok((!is_right).then(text))
}
