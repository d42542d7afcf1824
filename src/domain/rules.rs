//! The rules of refunds and adjustments: a draft and the facts in, a decision out.
//!
//! One file a source: `credit_balance` (non-referenced refunds), `payment` (referenced ones), and
//! `adjustment`, `invoice_adjustment`, `changing` beside them; `account`, `payment_method` and
//! `paying` for what refunds need to be there. What refunds share stands here and in
//! `refund_values`. The order of the checks is part of the contract: the first error of a row is
//! the only one reported.

mod account;
mod adjustment;
mod asking;
mod changing;
mod credit_balance;
mod credit_memo;
mod custom;
mod invoice_adjustment;
mod memo_refund;
mod needs;
mod paying;
mod payment;
mod payment_amounts;
mod payment_changing;
mod payment_method;
mod refund_values;
mod settlement;
mod settlement_changing;
mod settlement_payment;
mod unapplied_refund;

use super::calendar::{CalendarText, day_at};
use super::custom_value::CustomValues;
use super::draft::{Field, GatewayOption, RefundDraft};
use super::facts::{
    Account, AccountKey, Gateway, InvoiceKey, MemoKey, MemoLineKey, MethodKey, PartKey, Payment,
    PaymentKey, PaymentMethod, Tenant,
};
use super::id::ObjectId;
use super::money::{Currency, MinorUnits};
use super::row_error::RowError;
use super::vocabulary::{MethodType, RefundType, SourceType};
use chrono::NaiveDate;
use custom::OwnFields;
use refund_values::{Origin, Paid, Valid, check_amount, check_values, known_reason};
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
pub use credit_memo::{
    AppliedShare, Movable, NewCreditMemo, NewMemoItem, decide_credit_memo, decide_memo_step,
    decide_shares,
};
pub use invoice_adjustment::{
    InvoiceAdjustmentDecision, InvoiceAdjustmentFacts, InvoiceAdjustmentUpdate, ItemFacts,
    decide_invoice_adjustment, decide_invoice_adjustment_deletion,
    decide_invoice_adjustment_update, decide_item_adjustment,
};
pub use memo_refund::{MemoRefundFacts, decide_memo_refund};
pub use needs::{Named, Need, RefundNeeds, named_line, needs_of_account, needs_of_drafts};
pub use paying::{NewPart, NewPayment, PaymentFacts, decide_part, decide_payment};
pub use payment_changing::{
    PaymentChangeFacts, PaymentStep, PaymentUpdate, decide_payment_update, reference_after,
};
pub use payment_method::{
    MethodUpdate, NewMethod, decide_method, decide_method_deletion, decide_method_update,
};
pub use settlement::{Detail, Rate};
pub use settlement_changing::{
    SettlementUpdate, decide_settlement_deletion, decide_settlement_update,
};
pub use settlement_payment::{
    SettlementPaymentFacts, decide_payment_step, decide_settlement_payment,
};
pub use unapplied_refund::{PaymentRefundFacts, UnappliedRefund, WriteOff, decide_payment_refund};

/// Since when an opening credit balance is there where a seed does not say: before the API was, so
/// that clients with days of years ago in their requests find it.
pub const OPENED_AT_LEAST_SINCE: NaiveDate = match NaiveDate::from_ymd_opt(2007, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
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
    /// What the source had to give before.
    pub source_before: MinorUnits,
    /// How much, above zero and at most what the source has.
    pub amount: MinorUnits,
    /// The account's currency.
    pub currency: Currency,
    /// How it is, or will be, paid.
    pub method_type: MethodType,
    /// The method it goes to, if one was named or is the default.
    pub method: Option<MethodKey>,
    /// How that method, or its type alone, was chosen.
    pub choice: MethodChoice,
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
    /// What only the v1 operations ask for.
    pub detail: Option<Box<Detail>>,
}

/// How the method of a refund was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodChoice {
    /// The draft names it.
    Named,
    /// It is the default of the account.
    Default,
    /// The money goes back to where the payment came from.
    OfPayment,
    /// The draft names a type alone.
    TypeAlone,
}

impl MethodChoice {
    /// The name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Default => "default",
            Self::OfPayment => "payment",
            Self::TypeAlone => "type",
        }
    }

    /// Every choice, in the order of the codes by which the ledger keeps them.
    pub const ALL: [Self; 4] = [Self::Named, Self::Default, Self::OfPayment, Self::TypeAlone];

    /// The number by which the ledger keeps it.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The choice of a code.
    pub fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|place| Self::ALL.get(place)).copied()
    }
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
    /// A credit memo's unapplied part, and of its items and taxes these amounts, where they are
    /// reported.
    CreditMemo {
        /// The credit memo.
        memo: MemoKey,
        /// What is taken of which item or tax.
        lines: Vec<TakenLine>,
    },
}

/// What a refund takes of an item of its credit memo, or of the tax on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenLine {
    /// The item or the tax.
    pub line: MemoLineKey,
    /// How much, above zero.
    pub amount: MinorUnits,
}

impl Source {
    /// The refund's SourceType.
    pub const fn source_type(&self) -> SourceType {
        match self {
            Self::CreditBalance => SourceType::CreditBalance,
            Self::Payment { .. } => SourceType::Payment,
            Self::CreditMemo { .. } => SourceType::CreditMemo,
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
        // No draft of this kind names a credit memo.
        SourceType::Payment | SourceType::CreditMemo => payment::decide(draft, facts, asking),
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
    // Of a source that came twice it is not known that a payment is missing.
    if draft.payment_id.is_absent() && draft.common.came_twice("SourceType") {
        draft.source_type.checked()?;
    }
    require(!draft.payment_id.is_absent(), "PaymentId")?;
    require(!external || !draft.method_type.is_absent(), "MethodType")
}

fn require(present: bool, field: &str) -> Result<(), RowError> {
    if present { Ok(()) } else { Err(RowError::missing(field)) }
}

/// The day that a field names, else today in tenant time, if it is `allowed`.
fn day_named(
    name: &str,
    field: &Field<CalendarText>,
    tenant: &Tenant,
    asking: &Asking,
    allowed: impl Fn(NaiveDate, NaiveDate) -> bool,
) -> Result<NaiveDate, RowError> {
    let today = day_at(asking.now, tenant.time_zone);
    let text = field.checked()?;
    let day = match text {
        None => Some(today),
        Some(text) => text.day(asking.version, tenant.time_zone),
    };
    day.filter(|day| allowed(*day, today)).ok_or_else(|| match text {
        Some(text) => RowError::invalid(name, text.as_str()),
        None => RowError::invalid(name, &today.to_string()),
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

/// The gateway of a method: its own, else its account's, else the tenant's.
fn gateway_of<'a>(method: &'a PaymentMethod, account: &'a Account, tenant: &'a Tenant) -> &'a str {
    let own = method.gateway.as_ref().or(account.gateway.as_ref());
    own.unwrap_or(&tenant.default_gateway)
}

/// The gateway of this name; one that is not known is not active.
fn gateway_named<'a>(name: &str, gateways: &'a [Gateway]) -> Cow<'a, Gateway> {
    let known = gateways.iter().find(|gateway| gateway.name == *name);
    known.map_or_else(
        || Cow::Owned(Gateway { name: name.to_owned(), active: false, ..Gateway::sandbox() }),
        Cow::Borrowed,
    )
}

/// The method that the draft names, if it does; it is the account's, or one of no account.
fn named_method<'a>(
    draft: &RefundDraft,
    facts: &'a Facts<'_>,
    account: &Account,
) -> Result<Option<&'a PaymentMethod>, RowError> {
    let named = facts.method.as_ref();
    match named.and_then(|method| method.account).filter(|owner| *owner != account.key) {
        Some(_) => Err(wrong_method(draft)),
        None => Ok(named),
    }
}

/// What the draft's gateway options become.
fn options_of(draft: &RefundDraft) -> Vec<GatewayOption> {
    draft.gateway_options.given().cloned().unwrap_or_default()
}

/// That a MethodType beside an electronic refund is the method's.
fn check_told_type(draft: &RefundDraft, method: &PaymentMethod) -> Result<(), RowError> {
    match draft.method_type.given().filter(|given| **given != method.method_type) {
        Some(other) => Err(RowError::invalid("MethodType", other.name())),
        None => Ok(()),
    }
}

fn wrong_method(draft: &RefundDraft) -> RowError {
    let id = draft.payment_method_id.given().map_or("", |id| id.as_str());
    RowError::invalid("PaymentMethodId", id)
}

#[cfg(test)]
mod account_tests;
#[cfg(test)]
mod adjustment_tests;
#[cfg(test)]
mod invoice_tests;
#[cfg(test)]
mod memo_item_tests;
#[cfg(test)]
mod memo_tests;
#[cfg(test)]
mod method_tests;
#[cfg(test)]
mod needs_tests;
#[cfg(test)]
mod paying_tests;
#[cfg(test)]
mod payment_change_tests;
#[cfg(test)]
mod settlement_payment_tests;
#[cfg(test)]
mod settlement_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unapplied_tests;
