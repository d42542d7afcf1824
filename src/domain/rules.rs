//! The rules of refunds and of credit balance adjustments: a draft and the facts in, a decision
//! out.
//!
//! One file a source: `credit_balance` (non-referenced refunds), `payment` (referenced ones), and
//! `adjustment`, `changing` beside them; `account`, `payment_method` and `paying` for what refunds
//! need to be there. What they share stands here. The order of the checks is
//! part of the contract: the first error of a row is the only one told.

mod account;
mod adjustment;
mod asking;
mod changing;
mod credit_balance;
mod custom;
mod paying;
mod payment;
mod payment_amounts;
mod payment_method;

use super::calendar::day_at;
use super::custom_value::CustomValues;
use super::draft::{AmountText, Field, GatewayOption, RefundDraft};
use super::facts::{
    Account, AccountKey, Gateway, InvoiceKey, MethodKey, PartKey, Payment, PaymentKey,
    PaymentMethod, Tenant,
};
use super::id::ObjectId;
use super::money::{Currency, MinorUnits};
use super::permission::Permission;
use super::row_error::RowError;
use super::vocabulary::{MethodType, RefundType, SourceType};
use chrono::NaiveDate;
use custom::OwnFields;
use rust_decimal::Decimal;
use std::borrow::Cow;

pub use account::{
    AccountFacts, AccountUpdate, NewAccount, decide_account, decide_account_deletion,
    decide_account_update,
};
pub use adjustment::{AdjustmentDecision, AdjustmentFacts, FoundSource, decide_adjustment};
pub use asking::Asking;
pub use changing::{
    AdjustmentUpdate, RefundUpdate, decide_adjustment_update, decide_refund_deletion,
    decide_refund_update,
};
pub use paying::{
    NewPart, NewPayment, PaymentFacts, PaymentUpdate, decide_part, decide_payment,
    decide_payment_update,
};
pub use payment_method::{
    MethodUpdate, NewMethod, decide_method, decide_method_deletion, decide_method_update,
};

/// What the ledger knows about the things that a draft names.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The account of AccountId; none when there is no such account.
    pub account: Option<Account>,
    /// The method of PaymentMethodId; none when there is no such method.
    pub method: Option<PaymentMethod>,
    /// The payment of PaymentId; none when there is no such payment.
    pub payment: Option<Payment>,
}

/// A refund that may be made: everything that the ledger has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whose money it is.
    pub account: AccountKey,
    /// What gives the money.
    pub source: Source,
    /// How much, above zero and at most what the source has.
    pub amount: MinorUnits,
    /// The account's currency.
    pub currency: Currency,
    /// How it is, or will be, paid.
    pub method_type: MethodType,
    /// The method it goes to, if one was named or is the default.
    pub method: Option<MethodKey>,
    /// Who moves the money.
    pub payout: Payout,
    /// The day it counts for, in tenant time.
    pub refund_date: NaiveDate,
    /// Free text.
    pub comment: Option<String>,
    /// One of the tenant's codes, if it has any.
    pub reason_code: Option<String>,
    /// Statement text.
    pub soft_descriptor: Option<String>,
    /// Statement phone number.
    pub soft_descriptor_phone: Option<String>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// What a refund draws on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The account's credit balance.
    CreditBalance,
    /// A payment, and of it these parts; what they do not add up to is its unapplied rest.
    Payment {
        /// The payment.
        payment: PaymentKey,
        /// What is taken back of which of its parts.
        parts: Vec<TakenPart>,
    },
}

impl Source {
    /// The refund's SourceType.
    pub const fn source_type(&self) -> SourceType {
        match self {
            Self::CreditBalance => SourceType::CreditBalance,
            Self::Payment { .. } => SourceType::Payment,
        }
    }
}

/// What a refund takes back of a part of its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenPart {
    /// The part.
    pub part: PartKey,
    /// The invoice that it paid, which is open again by the amount.
    pub invoice: InvoiceKey,
    /// How much, above zero.
    pub amount: MinorUnits,
}

/// How the money moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payout {
    /// Outside the gateway; the refund is Processed at once.
    External,
    /// Through this gateway; the amount is held until it answers.
    Electronic {
        /// The gateway's name.
        gateway: String,
        /// The method to pay to.
        payment_method: ObjectId,
        /// The payment to give back, as the gateway knows it.
        original_payment: Option<String>,
        /// Parameters for it.
        options: Vec<GatewayOption>,
    },
}

impl Payout {
    /// The refund's Type.
    pub const fn refund_type(&self) -> RefundType {
        match self {
            Self::External => RefundType::External,
            Self::Electronic { .. } => RefundType::Electronic,
        }
    }
}

/// The permission that a refund of this source and type needs.
pub const fn permission_for(source: SourceType, refund_type: RefundType) -> Permission {
    match (source, refund_type) {
        (SourceType::CreditBalance, RefundType::External) => {
            Permission::CreditBalanceExternalRefund
        }
        (SourceType::CreditBalance, RefundType::Electronic) => {
            Permission::CreditBalanceElectronicRefund
        }
        (SourceType::Payment, RefundType::External) => Permission::ExternalRefund,
        (SourceType::Payment, RefundType::Electronic) => Permission::ElectronicRefund,
    }
}

/// What a draft draws on: a payment, unless it says that it is the credit balance.
pub fn source_of(draft: &RefundDraft) -> SourceType {
    draft.source_type.given().copied().unwrap_or(SourceType::Payment)
}

/// Decides whether `draft` may become a refund.
///
/// Order: ids that are no ids, missing fields, invalid values in WSDL order, tenant switches and
/// version, permission, ownership and method, the gateway's ability, what the source has.
pub fn decide(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    asking: &Asking,
) -> Result<Decision, RowError> {
    draft.common.check_ids()?;
    check_present(draft)?;
    OwnFields::of_refund(facts.tenant, source_of(draft)).check_present(&draft.common.custom)?;
    match source_of(draft) {
        SourceType::CreditBalance => credit_balance::decide(draft, facts, asking),
        SourceType::Payment => payment::decide(draft, facts, asking),
    }
}

fn check_present(draft: &RefundDraft) -> Result<(), RowError> {
    let from_balance = source_of(draft) == SourceType::CreditBalance;
    let electronic = draft.refund_type.given() == Some(&RefundType::Electronic);
    let external = draft.refund_type.given() == Some(&RefundType::External);
    require(!draft.refund_type.is_absent(), "Type")?;
    require(!draft.amount.is_absent(), "Amount")?;
    if from_balance {
        require(!draft.account_id.is_absent(), "AccountId")?;
        return require(!electronic || !draft.payment_method_id.is_absent(), "PaymentMethodId");
    }
    require(!draft.payment_id.is_absent(), "PaymentId")?;
    require(!external || !draft.method_type.is_absent(), "MethodType")
}

fn require(present: bool, field: &str) -> Result<(), RowError> {
    if present { Ok(()) } else { Err(RowError::missing(field)) }
}

/// A draft whose every value is acceptable by itself.
struct Valid<'a> {
    account: &'a Account,
    amount: Decimal,
    refund_date: NaiveDate,
    reason_code: Option<String>,
    refund_type: RefundType,
    custom: CustomValues,
}

/// What the checks of values differ in, by the source.
struct Origin<'a> {
    /// The account, if what names it leads to one.
    account: Option<&'a Account>,
    /// Whether an AccountId that is one is wrong all the same.
    is_account_wrong: bool,
    /// Whether a PaymentId that is one is wrong all the same.
    is_payment_wrong: bool,
    /// Before this day there can be no refund.
    not_before: Option<NaiveDate>,
}

/// Checks each value, in WSDL order and then those of the tenant's own fields, and names the first
/// that is wrong.
fn check_values<'a>(
    draft: &RefundDraft,
    facts: &Facts<'_>,
    asking: &Asking,
    origin: &Origin<'a>,
) -> Result<Valid<'a>, RowError> {
    draft.common.check_unknown(asking.strict)?;
    if let Some(id) = draft.account_id.checked()?.filter(|_| origin.is_account_wrong) {
        return Err(RowError::invalid("AccountId", id.as_str()));
    }
    let amount = check_amount("Amount", &draft.amount, origin.account.map(|one| one.currency))?;
    draft.comment.checked()?;
    draft.gateway_options.checked()?;
    draft.method_type.checked()?;
    if let Some(id) = draft.payment_id.checked()?.filter(|_| origin.is_payment_wrong) {
        return Err(RowError::invalid("PaymentId", id.as_str()));
    }
    if let (Some(id), None) = (draft.payment_method_id.checked()?, &facts.method) {
        return Err(RowError::invalid("PaymentMethodId", id.as_str()));
    }
    let reason_code = check_reason(&draft.reason_code, facts.tenant)?;
    let refund_date = check_date(draft, facts.tenant, asking, origin.not_before)?;
    check_parts(draft, origin)?;
    draft.soft_descriptor.checked()?;
    draft.soft_descriptor_phone.checked()?;
    draft.source_type.checked()?;
    let refund_type = *draft.refund_type.checked()?.ok_or_else(|| RowError::missing("Type"))?;
    let account = origin.account.ok_or_else(|| RowError::missing("AccountId"))?;
    let amount = amount.ok_or_else(|| RowError::missing("Amount"))?;
    let own = OwnFields::of_refund(facts.tenant, source_of(draft));
    let custom = own.checked(&draft.common.custom, asking)?;
    Ok(Valid { account, amount, refund_date, reason_code, refund_type, custom })
}

/// An amount that the currency can hold, if both are known.
fn check_amount(
    name: &str,
    amount: &Field<AmountText>,
    currency: Option<Currency>,
) -> Result<Option<Decimal>, RowError> {
    let (Some(amount), Some(currency)) = (amount.checked()?, currency) else {
        return Ok(None);
    };
    if currency.can_hold(amount.value) {
        return Ok(Some(amount.value));
    }
    Err(RowError::invalid(name, &amount.text))
}

/// That each part of a refund says of which invoice it takes how much.
fn check_parts(draft: &RefundDraft, origin: &Origin<'_>) -> Result<(), RowError> {
    for part in draft.parts.checked()?.into_iter().flatten() {
        let has_invoice = part.invoice_id.checked()?.is_some();
        require(has_invoice, "InvoiceId")?;
        require(!part.amount.is_absent(), "RefundAmount")?;
        check_amount("RefundAmount", &part.amount, origin.account.map(|one| one.currency))?;
    }
    Ok(())
}

/// One of the tenant's codes; without one, the first of them.
fn check_reason(code: &Field<String>, tenant: &Tenant) -> Result<Option<String>, RowError> {
    match code.checked()? {
        None => Ok(tenant.reason_codes.first().cloned()),
        Some(code) => known_reason(code, tenant).map(Some),
    }
}

fn known_reason(code: &str, tenant: &Tenant) -> Result<String, RowError> {
    let known = tenant.reason_codes.iter().find(|known| *known == code);
    known.cloned().ok_or_else(|| RowError::invalid("ReasonCode", code))
}

/// External: any day up to today in tenant time, later with future-dated adjustments.
/// Electronic: today. Without a date: today. Never before the payment.
fn check_date(
    draft: &RefundDraft,
    tenant: &Tenant,
    asking: &Asking,
    not_before: Option<NaiveDate>,
) -> Result<NaiveDate, RowError> {
    let today = day_at(asking.now, tenant.time_zone);
    let electronic = draft.refund_type.given() == Some(&RefundType::Electronic);
    let allowed = |day: &NaiveDate| {
        let late = if electronic { *day == today } else { *day <= today };
        (late || (tenant.future_dated_adjustments && !electronic))
            && not_before.is_none_or(|first| *day >= first)
    };
    let text = draft.refund_date.checked()?;
    let day = match text {
        None => Some(today),
        Some(text) => text.day(asking.version, tenant.time_zone),
    };
    day.filter(allowed).ok_or_else(|| match text {
        Some(text) => RowError::invalid("RefundDate", text.as_str()),
        None => RowError::invalid("RefundDate", &today.to_string()),
    })
}

/// That what is to leave a credit balance is there on its day and stays there on every later one
/// (rules for specifying the adjustment date).
fn check_day(
    wanted: &str,
    account: &Account,
    amount: MinorUnits,
    day: NaiveDate,
) -> Result<(), RowError> {
    let available = account.available_on(day);
    if amount <= available {
        return Ok(());
    }
    Err(RowError::over_balance_of_day(wanted, amount, available, day, account.currency))
}

/// That the caller may make a refund of this source and type.
fn check_permission(
    source: SourceType,
    refund_type: RefundType,
    asking: &Asking,
) -> Result<(), RowError> {
    let permission = permission_for(source, refund_type);
    let may = asking.permissions.allow(permission);
    if may { Ok(()) } else { Err(RowError::no_permission(permission)) }
}

/// The gateway of this name; one that nobody knows is not active.
fn gateway_named<'a>(name: &str, gateways: &'a [Gateway]) -> Cow<'a, Gateway> {
    let known = gateways.iter().find(|gateway| gateway.name == *name);
    known.map_or_else(
        || Cow::Owned(Gateway { name: name.to_owned(), active: false, ..Gateway::sandbox() }),
        Cow::Borrowed,
    )
}

/// What the draft's gateway options become.
fn options_of(draft: &RefundDraft) -> Vec<GatewayOption> {
    draft.gateway_options.given().cloned().unwrap_or_default()
}

/// That a MethodType beside an electronic refund is the method's.
fn check_told_type(draft: &RefundDraft, method: &PaymentMethod) -> Result<(), RowError> {
    match draft.method_type.given().filter(|told| **told != method.method_type) {
        Some(other) => Err(RowError::invalid("MethodType", other.name())),
        None => Ok(()),
    }
}

fn wrong_method(draft: &RefundDraft) -> RowError {
    let id = draft.payment_method_id.given().map_or("", |id| id.as_str());
    RowError::invalid("PaymentMethodId", id)
}

#[cfg(test)]
mod tests;
