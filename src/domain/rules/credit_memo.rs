//! Credit memos: when one may be made, posted and given up; and what of a credit memo or a payment
//! may go to an invoice, or come back from it.
//!
//! Sources: "Create a credit memo", "Post", "Apply", "Unapply a credit memo" and the same of
//! payments. A memo is worth what its items and their taxes are.

use super::settlement::{check_switch, known_reason};
use super::{Asking, require};
use crate::domain::access::{Object, Operation};
use crate::domain::calendar::day_at;
use crate::domain::draft::credit_memo::{
    CreditMemoDraft, MEMBERS_MAX, ShareDraft, Step, StepDraft,
};
use crate::domain::draft::{AmountText, Field};
use crate::domain::facts::{Account, CreditMemo, Invoice, InvoiceKey, NamedInvoice, Tenant};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::CreditMemoStatus;
use chrono::NaiveDate;

/// A credit memo that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCreditMemo<'a> {
    /// Whose it is.
    pub account: &'a Account,
    /// The day of the memo.
    pub date: NaiveDate,
    /// Draft or Posted.
    pub status: CreditMemoStatus,
    /// What it is worth, above zero: the sum of its items and their taxes.
    pub amount: MinorUnits,
    /// Free text.
    pub comment: Option<String>,
    /// One of the tenant's codes.
    pub reason_code: Option<String>,
    /// The items.
    pub items: Vec<NewMemoItem>,
}

/// An item of a new credit memo, or the tax on one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMemoItem {
    /// What it is worth, above zero.
    pub amount: MinorUnits,
    /// What it is called.
    pub name: Option<String>,
    /// The taxes on an item, which have none themselves.
    pub taxes: Vec<Self>,
}

/// Decides whether `draft` may become a credit memo; the accounts are those of its id and number.
pub fn decide_credit_memo<'a>(
    draft: &CreditMemoDraft,
    (by_id, by_number): (Option<&'a Account>, Option<&'a Account>),
    tenant: &Tenant,
    asking: &Asking,
) -> Result<NewCreditMemo<'a>, RowError> {
    check_switch(tenant)?;
    asking.check(Operation::Create, Object::CreditMemo)?;
    let account = named_account(&draft.account_id, by_id, &draft.account_number, by_number)?;
    require(!draft.items.is_empty(), "items")?;
    if draft.items.len() > MEMBERS_MAX {
        return Err(RowError::too_many("items", MEMBERS_MAX));
    }
    let mut items = Vec::with_capacity(draft.items.len());
    let mut amount = 0_i64;
    for item in &draft.items {
        for charge in &item.charge {
            charge.checked()?;
        }
        if item.taxes.len() > MEMBERS_MAX {
            return Err(RowError::too_many("items.taxItems", MEMBERS_MAX));
        }
        let mut taxes = Vec::with_capacity(item.taxes.len());
        for tax in &item.taxes {
            let units = units(account.currency, &tax.amount, "items.taxItems.amount")?;
            amount = amount.saturating_add(units.units());
            let name = tax.name.checked()?.cloned();
            taxes.push(NewMemoItem { amount: units, name, taxes: Vec::new() });
        }
        let units = units(account.currency, &item.amount, "items.amount")?;
        amount = amount.saturating_add(units.units());
        items.push(NewMemoItem { amount: units, name: item.name.checked()?.cloned(), taxes });
    }
    if amount > i64::MAX / 2 {
        return Err(RowError::invalid("items.amount", &amount.to_string()));
    }
    let comment = draft.comment.checked()?.cloned();
    let today = day_at(asking.now, tenant.time_zone);
    let date = draft.effective_date.checked()?.copied().unwrap_or(today);
    let reasons = &tenant.credit_memo_reason_codes;
    let reason_code = match draft.reason_code.checked()? {
        None => reasons.first().cloned(),
        Some(code) => Some(known_reason(code, reasons, tenant)?),
    };
    draft.excluded.checked()?;
    let is_posted = draft.auto_post.checked()?.copied().unwrap_or(false);
    let status = if is_posted { CreditMemoStatus::Posted } else { CreditMemoStatus::Draft };
    let amount = MinorUnits::new(amount);
    Ok(NewCreditMemo { account, date, status, amount, comment, reason_code, items })
}

/// The account that is named by its id, its number or both.
pub(super) fn named_account<'a>(
    id: &Field<crate::domain::id::ObjectId>,
    by_id: Option<&'a Account>,
    number: &Field<String>,
    by_number: Option<&'a Account>,
) -> Result<&'a Account, RowError> {
    require(!id.is_absent() || !number.is_absent(), "accountId")?;
    let found = match id.checked()? {
        None => None,
        Some(id) => Some(by_id.ok_or_else(|| RowError::invalid("accountId", id.as_str()))?),
    };
    match (number.checked()?, found) {
        (None, found) => found.ok_or_else(|| RowError::missing("accountId")),
        (Some(number), found) => {
            let fits = |one: &&Account| found.is_none_or(|found| found.key == one.key);
            by_number.filter(fits).ok_or_else(|| RowError::invalid("accountNumber", number))
        }
    }
}

fn units(
    currency: Currency,
    amount: &Field<AmountText>,
    field: &str,
) -> Result<MinorUnits, RowError> {
    let amount = amount.checked()?.ok_or_else(|| RowError::missing(field))?;
    currency.minor_units(amount.value).ok_or_else(|| RowError::invalid(field, &amount.text))
}

/// What of a credit memo or a payment can go to invoices and come back from them.
#[derive(Debug, Clone)]
pub struct Movable<'a> {
    /// Whose it is.
    pub account: &'a Account,
    /// What is neither applied nor refunded.
    pub unapplied: MinorUnits,
    /// What can come back from which invoice.
    pub applied: Vec<(InvoiceKey, MinorUnits)>,
    /// The word for it, and its number.
    pub name: (&'static str, &'a str),
}

/// How much goes to an invoice, or comes back from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedShare {
    /// The invoice.
    pub invoice: InvoiceKey,
    /// How much, above zero.
    pub amount: MinorUnits,
}

/// Decides whether these shares may go to their invoices (`is_apply`), or come back from them;
/// `invoices` are those that the shares name.
pub fn decide_shares(
    shares: &[ShareDraft],
    invoices: &[NamedInvoice],
    movable: &Movable<'_>,
    is_apply: bool,
) -> Result<Vec<AppliedShare>, RowError> {
    if shares.len() > MEMBERS_MAX {
        return Err(RowError::too_many("invoices", MEMBERS_MAX));
    }
    let currency = movable.account.currency;
    let mut decided: Vec<(AppliedShare, &Invoice)> = Vec::with_capacity(shares.len());
    for (share, named) in shares.iter().zip(invoices) {
        let invoice = named_invoice(share, named, movable.account)?;
        if decided.iter().any(|(one, _)| one.invoice == invoice.key) {
            return Err(RowError::invalid("invoices.invoiceId", &invoice.number));
        }
        let amount = units(currency, &share.amount, "invoices.amount")?;
        decided.push((AppliedShare { invoice: invoice.key, amount }, invoice));
    }
    if is_apply {
        let add =
            |sum: i64, (one, _): &(AppliedShare, &Invoice)| sum.saturating_add(one.amount.units());
        let sum = MinorUnits::new(decided.iter().fold(0, add));
        if sum > movable.unapplied {
            let rest = movable.unapplied;
            return Err(RowError::over_unapplied_of(sum, rest, currency, movable.name));
        }
    }
    for (share, invoice) in &decided {
        match is_apply {
            true if share.amount > invoice.balance => {
                let (amount, balance) = (share.amount, invoice.balance);
                return Err(RowError::over_invoice_balance(amount, balance, currency));
            }
            true => {}
            false => check_back(share, invoice, movable)?,
        }
    }
    Ok(decided.into_iter().map(|(share, _)| share).collect())
}

/// That so much can come back from an invoice.
fn check_back(
    share: &AppliedShare,
    invoice: &Invoice,
    movable: &Movable<'_>,
) -> Result<(), RowError> {
    let currency = movable.account.currency;
    let applied = movable.applied.iter().find(|(key, _)| *key == share.invoice);
    let applied = applied.map_or(MinorUnits::ZERO, |(_, applied)| *applied);
    if share.amount > applied {
        let (amount, number) = (share.amount, &invoice.number);
        return Err(RowError::over_applied_to(amount, applied, currency, number, movable.name));
    }
    match invoice.has_room_for(share.amount) {
        true => Ok(()),
        false => Err(RowError::balance_full(share.amount, currency)),
    }
}

/// The invoice that a share names, if it is one of the account's.
fn named_invoice<'i>(
    share: &ShareDraft,
    named: &'i NamedInvoice,
    account: &Account,
) -> Result<&'i Invoice, RowError> {
    let is_named = !share.invoice_id.is_absent() || !share.invoice_number.is_absent();
    require(is_named, "invoices.invoiceId")?;
    let is_own = |invoice: &&Invoice| invoice.account.key == account.key;
    let mut found = None;
    if let Some(id) = share.invoice_id.checked()? {
        let own = named.by_id.as_ref().filter(is_own);
        let wrong = || RowError::invalid("invoices.invoiceId", id.as_str());
        found = Some(own.ok_or_else(wrong)?);
    }
    if let Some(number) = share.invoice_number.checked()? {
        let own = named.by_number.as_ref().filter(is_own);
        let fits = |one: &&Invoice| found.is_none_or(|found: &Invoice| found.key == one.key);
        let wrong = || RowError::invalid("invoices.invoiceNumber", number);
        found = Some(own.filter(fits).ok_or_else(wrong)?);
    }
    found.ok_or_else(|| RowError::missing("invoices.invoiceId"))
}

/// Decides whether a step of a credit memo may be done; gives the shares that it moves.
pub fn decide_memo_step(
    draft: &StepDraft,
    memo: Option<&CreditMemo>,
    invoices: &[NamedInvoice],
    tenant: &Tenant,
    asking: &Asking,
) -> Result<Vec<AppliedShare>, RowError> {
    check_switch(tenant)?;
    let operation = match draft.step {
        Step::Cancel => Operation::Cancel,
        Step::Post | Step::Apply(_) | Step::Unapply(_) => Operation::Update,
    };
    asking.check(operation, Object::CreditMemo)?;
    let memo = memo.ok_or_else(|| RowError::no_such(draft.target.as_str()))?;
    draft.effective_date.checked()?;
    let (wanted, shares, is_apply) = match &draft.step {
        Step::Post | Step::Cancel => (CreditMemoStatus::Draft, None, false),
        Step::Apply(shares) => (CreditMemoStatus::Posted, Some(shares), true),
        Step::Unapply(shares) => (CreditMemoStatus::Posted, Some(shares), false),
    };
    let movable = Movable {
        account: &memo.account,
        unapplied: memo.unapplied(),
        applied: memo.parts.iter().map(|part| (part.invoice, part.amount)).collect(),
        name: ("credit memo", &memo.number),
    };
    if let Some(shares) = shares {
        require(!shares.is_empty(), "invoices")?;
    }
    if memo.status != wanted {
        return Err(RowError::memo_not_posted(&memo.number, memo.status));
    }
    match shares {
        None => Ok(Vec::new()),
        Some(shares) => decide_shares(shares, invoices, &movable, is_apply),
    }
}
