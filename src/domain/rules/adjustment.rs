//! Adjustments of a credit balance that a caller asks for.
//!
//! Sources: the CreditBalanceAdjustment object's field descriptions and the overview of credit
//! balances: credit is never made from nothing. An Increase comes from a negative invoice or an
//! overpayment, a Decrease pays an invoice, and a credit balance is never negative.

use super::custom::OwnFields;
use super::refund_values::check_adjustment_reason;
use super::{Asking, check_amount, check_day, day_named, require};
use crate::domain::access::{Object, Operation};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::facts::{Account, AccountKey, AdjustmentSource, Invoice, Payment, Tenant};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{AdjustmentType, CustomizedObject, PaymentStatus};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// What the ledger knows about the things that an adjustment names.
#[derive(Debug, Clone)]
pub struct AdjustmentFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// What SourceTransactionId names.
    pub by_id: Option<FoundSource>,
    /// What SourceTransactionNumber names.
    pub by_number: Option<FoundSource>,
    /// The key of the account of AccountId.
    pub account: Option<AccountKey>,
}

/// A transaction that an adjustment can be made from or into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundSource {
    /// An invoice.
    Invoice(Box<Invoice>),
    /// A payment.
    Payment(Box<Payment>),
}

impl FoundSource {
    const fn account(&self) -> &Account {
        match self {
            Self::Invoice(invoice) => &invoice.account,
            Self::Payment(payment) => &payment.account,
        }
    }

    const fn key(&self) -> AdjustmentSource {
        match self {
            Self::Invoice(invoice) => AdjustmentSource::Invoice(invoice.key),
            Self::Payment(payment) => AdjustmentSource::Payment(payment.key),
        }
    }
}

/// An adjustment that may be made: everything that the ledger has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentDecision {
    /// Whose credit balance moves.
    pub account: AccountKey,
    /// Up or down.
    pub adjustment_type: AdjustmentType,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// What it is made from or into.
    pub source: AdjustmentSource,
    /// The day it counts for, in tenant time.
    pub adjustment_date: NaiveDate,
    /// As it was sent.
    pub accounting_code: Option<String>,
    /// Free text.
    pub comment: Option<String>,
    /// One of the tenant's codes, if it has any.
    pub reason_code: Option<String>,
    /// As it was sent.
    pub reference_id: Option<String>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// Decides whether `draft` may become an adjustment. Order as for refunds: ids that are no ids,
/// missing fields (Type, Amount, the source), invalid values in WSDL order, tenant switches,
/// permission, what the source has, the balance.
pub fn decide_adjustment(
    draft: &AdjustmentDraft,
    facts: &AdjustmentFacts<'_>,
    asking: &Asking,
) -> Result<AdjustmentDecision, RowError> {
    draft.common.check_ids()?;
    require(!draft.adjustment_type.is_absent(), "Type")?;
    require(!draft.amount.is_absent(), "Amount")?;
    let has_source = !draft.source_id.is_absent() || !draft.source_number.is_absent();
    require(has_source, "SourceTransactionId")?;
    own_fields(facts).check_present(&draft.common.custom)?;
    let valid = check_values(draft, facts, asking)?;
    check_adjusting(facts.tenant, asking)?;
    let amount = match valid.adjustment_type {
        AdjustmentType::Increase => {
            let amount = check_increase(&valid)?;
            check_room(valid.source.account(), amount)?;
            amount
        }
        AdjustmentType::Decrease => check_decrease(&valid)?,
    };
    Ok(AdjustmentDecision {
        account: valid.source.account().key,
        adjustment_type: valid.adjustment_type,
        amount,
        source: valid.source.key(),
        adjustment_date: valid.adjustment_date,
        accounting_code: draft.accounting_code.given().cloned(),
        comment: draft.comment.given().cloned(),
        reason_code: valid.reason_code,
        reference_id: draft.reference_id.given().cloned(),
        custom: valid.custom,
    })
}

const fn own_fields<'t>(facts: &AdjustmentFacts<'t>) -> OwnFields<'t> {
    OwnFields::of(facts.tenant, CustomizedObject::CreditBalanceAdjustment)
}

/// That there are credit balances, and that the caller may adjust them.
pub(super) fn check_adjusting(tenant: &Tenant, asking: &Asking) -> Result<(), RowError> {
    check_switches(tenant)?;
    asking.check(Operation::Create, Object::CreditBalanceAdjustment)
}

/// That the tenant has credit balances at all.
pub(super) fn check_switches(tenant: &Tenant) -> Result<(), RowError> {
    if tenant.invoice_settlement {
        return Err(RowError::adjustments_under_settlement());
    }
    if tenant.credit_balance { Ok(()) } else { Err(RowError::credit_balance_off()) }
}

/// A draft whose every value is acceptable by itself.
struct Valid<'a> {
    source: &'a FoundSource,
    amount: Decimal,
    adjustment_type: AdjustmentType,
    adjustment_date: NaiveDate,
    reason_code: Option<String>,
    custom: CustomValues,
    /// How the draft named the source.
    named: (&'static str, &'a str),
}

impl Valid<'_> {
    fn currency(&self) -> Currency {
        self.source.account().currency
    }

    /// The amount in minor units, if it is at most `bound`.
    fn at_most(&self, bound: MinorUnits) -> Option<MinorUnits> {
        self.currency().minor_units(self.amount).filter(|units| *units <= bound)
    }

    fn wrong_source(&self) -> RowError {
        RowError::invalid(self.named.0, self.named.1)
    }
}

/// Checks each value, in WSDL order, and names the first that is wrong.
fn check_values<'a>(
    draft: &'a AdjustmentDraft,
    facts: &'a AdjustmentFacts<'_>,
    asking: &Asking,
) -> Result<Valid<'a>, RowError> {
    draft.common.check_unknown(asking.strict)?;
    let source = facts.by_id.as_ref().or(facts.by_number.as_ref());
    if let Some(id) = draft.account_id.checked()? {
        let owner = source.map(|source| source.account().key);
        if facts.account.is_none() || owner.is_some_and(|owner| facts.account != Some(owner)) {
            return Err(RowError::invalid("AccountId", id.as_str()));
        }
    }
    draft.accounting_code.checked()?;
    let adjustment_date = check_date(draft, source, facts.tenant, asking)?;
    let currency = source.map(|source| source.account().currency);
    let amount = check_amount("Amount", &draft.amount, currency)?;
    draft.comment.checked()?;
    let default = facts.tenant.reason_codes.first();
    let reason_code = check_adjustment_reason(&draft.reason_code, default, facts.tenant)?;
    draft.reference_id.checked()?;
    let id = draft.source_id.checked()?;
    if let (Some(id), None) = (id, &facts.by_id) {
        return Err(RowError::invalid("SourceTransactionId", id.as_str()));
    }
    let number = draft.source_number.checked()?;
    if let Some(number) = number {
        let found = facts.by_number.as_ref().map(FoundSource::key);
        let other = facts.by_id.as_ref().is_some_and(|by_id| found != Some(by_id.key()));
        if found.is_none() || other {
            return Err(RowError::invalid("SourceTransactionNumber", number));
        }
    }
    let adjustment_type = draft.adjustment_type.checked()?;
    let adjustment_type = *adjustment_type.ok_or_else(|| RowError::missing("Type"))?;
    let named = match (id, number) {
        (Some(id), _) => ("SourceTransactionId", id.as_str()),
        (None, number) => ("SourceTransactionNumber", number.map_or("", String::as_str)),
    };
    let source = source.ok_or_else(|| RowError::missing("SourceTransactionId"))?;
    let amount = amount.ok_or_else(|| RowError::missing("Amount"))?;
    let custom = own_fields(facts).checked(&draft.common.custom, asking)?;
    Ok(Valid { source, amount, adjustment_type, adjustment_date, reason_code, custom, named })
}

/// Today in tenant time, or with future-dated adjustments a later day, but not for what comes from
/// a payment. An Increase is not earlier than what it comes from.
fn check_date(
    draft: &AdjustmentDraft,
    source: Option<&FoundSource>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<NaiveDate, RowError> {
    let is_increase = draft.adjustment_type.given() == Some(&AdjustmentType::Increase);
    let (from, is_payment) = match source {
        None => (None, false),
        Some(FoundSource::Invoice(invoice)) => (Some(invoice.date), false),
        Some(FoundSource::Payment(payment)) => (Some(payment.effective_date), true),
    };
    let may_be_later = tenant.future_dated_adjustments && !is_payment;
    day_named("AdjustmentDate", &draft.adjustment_date, tenant, asking, |day, today| {
        let last = if may_be_later { NaiveDate::MAX } else { today };
        (today..=last).contains(&day) && (!is_increase || from.is_none_or(|from| day >= from))
    })
}

/// At most what a negative invoice owes, or what a payment has left beside its invoices.
fn check_increase(valid: &Valid<'_>) -> Result<MinorUnits, RowError> {
    match valid.source {
        FoundSource::Invoice(invoice) => {
            let owed = MinorUnits::new(-invoice.balance.units());
            valid.at_most(owed).ok_or_else(RowError::over_invoice)
        }
        FoundSource::Payment(payment) => {
            if payment.status != PaymentStatus::Processed {
                return Err(RowError::payment_not_processed(payment));
            }
            let rest = payment.unapplied();
            valid.at_most(rest).ok_or_else(|| {
                RowError::over_unapplied(valid.amount, rest, valid.currency(), payment)
            })
        }
    }
}

/// That a credit balance can hold what it is to grow by.
pub(super) fn check_room(account: &Account, amount: MinorUnits) -> Result<(), RowError> {
    let has_room = account.has_room_for(amount);
    if has_room { Ok(()) } else { Err(RowError::balance_full(amount, account.currency)) }
}

/// At most what an invoice still asks for, and at most the balance.
fn check_decrease(valid: &Valid<'_>) -> Result<MinorUnits, RowError> {
    let FoundSource::Invoice(invoice) = valid.source else {
        return Err(valid.wrong_source());
    };
    let units = valid.at_most(invoice.balance).ok_or_else(RowError::over_invoice)?;
    let balance = invoice.account.balance;
    if units > balance {
        return Err(RowError::adjustment_over_balance(units, balance, valid.currency()));
    }
    check_day("adjustment", &invoice.account, units, valid.adjustment_date)?;
    Ok(units)
}
