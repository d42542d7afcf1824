//! What a payment brings, and what becomes of it: some pays an invoice, some goes to the credit
//! balance, and the rest stays the payment's.
//!
//! Sources: the Payment object's field descriptions and "Handle overpayments" (in one call, what
//! goes beyond the invoice becomes credit; the examples have no Amount).

use super::Asking;
use super::adjustment::{AdjustmentDecision, check_adjusting, check_room};
use crate::domain::calendar::day_at;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::payment::PaymentDraft;
use crate::domain::draft::{AmountText, Field};
use crate::domain::facts::{Account, AdjustmentSource, PaymentKey, Tenant};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::AdjustmentType;
use chrono::NaiveDate;

/// What a payment brings to the credit balance: an Increase from an overpayment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredit {
    amount: MinorUnits,
    day: NaiveDate,
    reason_code: Option<String>,
}

impl NewCredit {
    /// The adjustment that it is, once there is the payment.
    pub fn of_payment(self, payment: PaymentKey, account: &Account) -> AdjustmentDecision {
        AdjustmentDecision {
            account: account.key,
            adjustment_type: AdjustmentType::Increase,
            amount: self.amount,
            source: AdjustmentSource::Payment(payment),
            adjustment_date: self.day,
            accounting_code: None,
            comment: None,
            reason_code: self.reason_code,
            reference_id: None,
            custom: CustomValues::new(),
        }
    }
}

/// The amounts of a payment.
pub(super) struct Amounts {
    /// All of it.
    pub(super) whole: MinorUnits,
    /// What pays the invoice.
    pub(super) applied: MinorUnits,
    to_credit_balance: MinorUnits,
}

impl Amounts {
    /// Those of a draft; without Amount it is as much as it applies.
    pub(super) fn of(draft: &PaymentDraft, currency: Currency) -> Result<Self, RowError> {
        let or_nothing = |amount: &Field<AmountText>, name| match amount {
            Field::Absent => Ok(MinorUnits::ZERO),
            Field::Given(_) | Field::Wrong(_) => amount_in(currency, amount, name),
        };
        let given = or_nothing(&draft.amount, "Amount")?;
        let to_credit_balance = or_nothing(&draft.to_credit_balance, "AppliedCreditBalanceAmount")?;
        let applied = or_nothing(&draft.applied, "AppliedInvoiceAmount")?;
        let split = MinorUnits::new(applied.units().saturating_add(to_credit_balance.units()));
        let whole = if draft.amount.is_absent() { split } else { given };
        Ok(Self { whole, applied, to_credit_balance })
    }

    /// How much is to become credit balance. Under Invoice Settlement it stays unapplied.
    pub(super) fn to_credit_balance(&self, tenant: &Tenant) -> MinorUnits {
        if tenant.invoice_settlement { MinorUnits::ZERO } else { self.to_credit_balance }
    }

    /// That what goes to the credit balance is covered by what the invoice leaves of the payment.
    pub(super) fn check_rest(&self, currency: Currency) -> Result<(), RowError> {
        let rest = MinorUnits::new(self.whole.units() - self.applied.units());
        if self.to_credit_balance <= rest {
            return Ok(());
        }
        Err(RowError::over_payment(self.to_credit_balance, rest, currency))
    }
}

/// What `amount` of a payment becomes as credit balance: an adjustment, and who may not make one
/// may not do it so.
pub(super) fn credit(
    amount: MinorUnits,
    account: &Account,
    effective_date: NaiveDate,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<Option<NewCredit>, RowError> {
    if amount == MinorUnits::ZERO {
        return Ok(None);
    }
    check_adjusting(tenant, asking)?;
    let day = day_at(asking.now, tenant.time_zone);
    if effective_date > day {
        // A payment of the future gives no credit (future-dated credit balance adjustment).
        return Err(RowError::invalid("EffectiveDate", &effective_date.to_string()));
    }
    check_room(account, amount)?;
    Ok(Some(NewCredit { amount, day, reason_code: tenant.reason_codes.first().cloned() }))
}

/// An amount in the currency's minor units.
pub(super) fn amount_in(
    currency: Currency,
    amount: &Field<AmountText>,
    name: &str,
) -> Result<MinorUnits, RowError> {
    let amount = amount.checked()?.ok_or_else(|| RowError::missing(name))?;
    currency.minor_units(amount.value).ok_or_else(|| RowError::invalid(name, &amount.text))
}
