//! Keys and numbers that are counted: what was given once is never given again, also after the row
//! that had it is gone.
//!
//! What must stay true: the counters are rows of the ledger and change in the transaction of the
//! row that they count.

use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Lookup};
use crate::ledger::records::{
    ACCOUNT_BY_NUMBER, INVOICE_ADJUSTMENT_BY_NUMBER, MEMO_BY_NUMBER, Meta, PAYMENT_BY_NUMBER,
};
use crate::ledger::unit::{Unit, Unmet};
use crate::ledger::working_set::Shelved;

/// The next key of the table that is counted under `counter`, which none of its rows ever had: ids
/// carry keys.
pub fn next_key<R: Shelved>(unit: &mut Unit<'_>, counter: &str) -> Result<i64, BooksError> {
    let name = format!("last_key_{counter}");
    let given = count(unit, &name)?;
    let key = unit.next_key_above::<R>(given)?;
    set(unit, &name, key)?;
    Ok(key)
}

/// What has numbers that are counted: a prefix and eight digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Accounts.
    Account,
    /// Payments.
    Payment,
    /// Credit memos.
    CreditMemo,
    /// Adjustments of whole invoices.
    InvoiceAdjustment,
    /// Adjustments of lines of invoices.
    ItemAdjustment,
}

impl Numbered {
    /// The name of the counter, what the numbers begin with (documented), and how rows are found by
    /// them.
    fn by(self) -> (&'static str, &'static str, &'static Lookup) {
        match self {
            Self::Account => ("last_number_account", "A", &ACCOUNT_BY_NUMBER),
            Self::Payment => ("last_number_payment", "P-", &PAYMENT_BY_NUMBER),
            Self::CreditMemo => ("last_number_credit_memo", "CM", &MEMO_BY_NUMBER),
            Self::InvoiceAdjustment => {
                ("last_number_invoice_adjustment", "IA-", &INVOICE_ADJUSTMENT_BY_NUMBER)
            }
            Self::ItemAdjustment => {
                ("last_number_invoice_item_adjustment", "IILA-", &INVOICE_ADJUSTMENT_BY_NUMBER)
            }
        }
    }

    /// The next number that no row has.
    pub(super) fn next<R: Shelved>(self, unit: &mut Unit<'_>) -> Result<String, BooksError> {
        let (counter, prefix, by_number) = self.by();
        loop {
            let next = count(unit, counter)?.saturating_add(1);
            set(unit, counter, next)?;
            let number = format!("{prefix}{next:08}");
            if !unit.any::<R>(by_number, &[number.stored()])? {
                return Ok(number);
            }
        }
    }

    /// The numbers that come next, as far as the counter is known.
    pub(super) fn next_ones(self, unit: &mut Unit<'_>, many: i64) -> Result<Vec<String>, Unmet> {
        let (counter, prefix, _) = self.by();
        let last = of_row(unit.see::<Meta>(&(counter.to_owned(),))?);
        let next = last.saturating_add(1)..=last.saturating_add(many);
        Ok(next.map(|next| format!("{prefix}{next:08}")).collect())
    }

    /// How rows are found by these numbers.
    pub(super) fn lookup(self) -> &'static Lookup {
        self.by().2
    }
}

/// Adds one to a counter of the ledger, and gives its new value.
pub fn count_up(unit: &mut Unit<'_>, name: &str) -> Result<u64, BooksError> {
    let next = count(unit, name)?.saturating_add(1);
    set(unit, name, next)?;
    Ok(next.unsigned_abs())
}

/// Raises a counter of the ledger to a value, unless it is there already.
pub fn raise(unit: &mut Unit<'_>, name: &str, to: i64) -> Result<(), BooksError> {
    let is_below = count(unit, name)? < to;
    if is_below { set(unit, name, to) } else { Ok(()) }
}

/// Where a counter of the ledger stands; at nothing if it was never raised.
pub(super) fn count(unit: &mut Unit<'_>, name: &str) -> Result<i64, BooksError> {
    Ok(of_row(unit.get::<Meta>(&(name.to_owned(),))?))
}

fn of_row(row: Option<&Meta>) -> i64 {
    row.and_then(|meta| meta.value.parse().ok()).unwrap_or(0)
}

/// Puts a counter of the ledger where it is to stand.
pub(super) fn set(unit: &mut Unit<'_>, name: &str, count: i64) -> Result<(), BooksError> {
    let (key, value) = ((name.to_owned(),), count.to_string());
    match unit.get::<Meta>(&key)? {
        Some(_) => unit.change::<Meta>(&key, |meta| meta.value = value),
        None => unit.insert(Meta { key: key.0, value }),
    }
}
