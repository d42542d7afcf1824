//! What the rules need to know of the world: the tenant, its gateways, an account, a method.
//!
//! The ledger looks these up inside the transaction that will debit the account, so that a
//! decision never rests on stale facts.

mod ahead;
mod credit_memo;
pub mod keys;
mod tenant;

use super::collected::Collected;
use super::id::{ObjectId, RefundNumber};
use super::money::{Currency, MinorUnits};
use super::vocabulary::{
    AdjustmentStatus, AdjustmentType, MethodStatus, MethodType, PaymentStatus, PaymentType,
    RefundStatus, RefundType, SourceType,
};
use chrono::NaiveDate;

pub use ahead::Ahead;
pub use credit_memo::{
    CreditMemo, MemoKey, MemoLine, MemoLineKey, MemoPart, MemoPartKey, NamedInvoice,
};
pub use keys::{AccountKey, AdjustmentKey, InvoiceKey, MethodKey, PartKey, PaymentKey};
pub use tenant::Tenant;

/// The name of the built-in gateway, which always exists.
pub const SANDBOX_GATEWAY: &str = "sandbox";

/// What a payment gateway can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Its name, unique in the tenant.
    pub name: String,
    /// Whether it takes orders at all.
    pub active: bool,
    /// Whether it can give back a payment that it took.
    pub referenced_refunds: bool,
    /// Whether it can pay without a payment to refer to.
    pub non_referenced_refunds: bool,
    /// The types of payment method that it can pay to; none means all.
    pub method_types: Option<Vec<MethodType>>,
}

impl Gateway {
    /// The built-in sandbox as it is when nothing configures it.
    pub fn sandbox() -> Self {
        Self {
            name: SANDBOX_GATEWAY.to_owned(),
            active: true,
            referenced_refunds: true,
            non_referenced_refunds: true,
            method_types: None,
        }
    }

    /// Whether it can pay to a method of this type.
    pub fn supports(&self, method: MethodType) -> bool {
        self.method_types.as_ref().is_none_or(|types| types.contains(&method))
    }
}

/// One account, at the moment of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its key in the ledger.
    pub key: AccountKey,
    /// The currency of its balance; a Refund has none of its own.
    pub currency: Currency,
    /// The credit balance, never negative; holds are already taken off.
    pub balance: MinorUnits,
    /// What of it moves only after the day that is asked about.
    pub ahead: Ahead,
    /// The default payment method.
    pub default_method: Option<PaymentMethod>,
    /// The account's own gateway.
    pub gateway: Option<String>,
}

/// The most that a balance grows to, in minor units: half of what can be counted, so that what
/// refunds and adjustments took finds room when it comes back.
const BALANCE_MAX: i64 = i64::MAX / 2;

/// Whether a balance may grow by `amount`.
fn can_grow(balance: MinorUnits, amount: MinorUnits) -> bool {
    balance.units().saturating_add(amount.units()) <= BALANCE_MAX
}

impl Account {
    /// Whether the credit balance may grow by `amount`.
    pub fn has_room_for(&self, amount: MinorUnits) -> bool {
        can_grow(self.balance, amount)
    }

    /// The credit that there is on `day` and on every later one.
    pub fn available_on(&self, day: NaiveDate) -> MinorUnits {
        self.ahead.least_from(self.balance, day)
    }
}

/// One payment method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Its key in the ledger.
    pub key: MethodKey,
    /// Its id, by which gateways know it.
    pub id: ObjectId,
    /// Whose it is; Cash, Check, WireTransfer and Other may belong to no account and serve all.
    pub account: Option<AccountKey>,
    /// Its type.
    pub method_type: MethodType,
    /// Whether it may still be used.
    pub status: MethodStatus,
    /// The method's own gateway.
    pub gateway: Option<String>,
}

/// An account that is there already, for those who want to change or delete it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingAccount {
    /// Its key in the ledger.
    pub key: AccountKey,
    /// The currency of its balances.
    pub currency: Currency,
    /// The credit balance.
    pub balance: MinorUnits,
    /// Whether anything belongs to it or happened on it.
    pub has_history: bool,
    /// Whether others belong below it.
    pub is_parent: bool,
}

/// An account that another one is to belong below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentAccount {
    /// Its key in the ledger.
    pub key: AccountKey,
    /// Whether it is that other one itself, or belongs below it already.
    pub is_below: bool,
}

/// A payment method that is there already, for those who want to change or delete it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingMethod {
    /// Its type.
    pub method_type: MethodType,
    /// Whether it may still be used.
    pub status: MethodStatus,
    /// The id of the account that it belongs to.
    pub account_id: Option<ObjectId>,
    /// Whether it is the default of an account.
    pub is_default: bool,
    /// Whether a payment came from it or a refund went to it.
    pub is_used: bool,
    /// Whether every tenant has it, so that no client changes it.
    pub is_built_in: bool,
}

/// One payment, which refunds can give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its key in the ledger.
    pub key: PaymentKey,
    /// PaymentNumber.
    pub number: String,
    /// Whose it is.
    pub account: Account,
    /// Who moved the money.
    pub payment_type: PaymentType,
    /// Whether it still counts.
    pub status: PaymentStatus,
    /// What was paid, above zero.
    pub amount: MinorUnits,
    /// What refunds gave back or hold.
    pub refunded: MinorUnits,
    /// What of it became credit balance (an overpayment), and is no longer the payment's; of a
    /// draft, what will.
    pub to_credit_balance: MinorUnits,
    /// The day it counts for; no refund of it is earlier.
    pub effective_date: NaiveDate,
    /// The method that it came from.
    pub method: Option<PaymentMethod>,
    /// The gateway that it came through.
    pub gateway: Option<String>,
    /// ReferenceId, by which that gateway knows it.
    pub reference_id: Option<String>,
    /// What that gateway collected under the reference by which it knows it; none without one.
    pub collected: Option<Collected>,
    /// Which parts of it pay which invoices, in the order of their creation.
    pub parts: Vec<PaymentPart>,
}

impl Payment {
    /// Whether it has a gateway that collected it: that of a draft has not, nor will it once the
    /// draft was given up.
    pub fn is_collected(&self) -> bool {
        let has_counted = matches!(self.status, PaymentStatus::Processed | PaymentStatus::Voided);
        self.gateway.is_some() && has_counted
    }

    /// The reference by which its gateway knows it: its ReferenceId, else its number.
    pub fn reference(&self) -> &str {
        self.reference_id.as_ref().unwrap_or(&self.number)
    }

    /// What refunds may still give back: the amount, less what they did and less what became
    /// credit balance.
    pub fn refundable(&self) -> MinorUnits {
        let gone = self.refunded.units() + self.to_credit_balance.units();
        MinorUnits::new(self.amount.units() - gone)
    }

    /// What pays no invoice and is still the payment's (an overpayment).
    pub fn unapplied(&self) -> MinorUnits {
        let applied: i64 = self.parts.iter().map(|part| part.rest().units()).sum();
        MinorUnits::new(self.refundable().units() - applied)
    }
}

/// Which part of a payment pays an invoice (an InvoicePayment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPart {
    /// Its key in the ledger.
    pub key: PartKey,
    /// The invoice that it pays.
    pub invoice: InvoiceKey,
    /// The invoice's id.
    pub invoice_id: ObjectId,
    /// The invoice's number.
    pub invoice_number: String,
    /// How much it pays, above zero.
    pub amount: MinorUnits,
    /// What refunds took back of it or hold.
    pub refunded: MinorUnits,
}

impl PaymentPart {
    /// What still pays the invoice.
    pub fn rest(&self) -> MinorUnits {
        MinorUnits::new(self.amount.units() - self.refunded.units())
    }
}

/// One invoice, which feeds a credit balance or is paid from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its key in the ledger.
    pub key: InvoiceKey,
    /// Whose it is.
    pub account: Account,
    /// InvoiceNumber.
    pub number: String,
    /// InvoiceDate.
    pub date: NaiveDate,
    /// What the customer was asked for; below zero, what the customer was given.
    pub amount: MinorUnits,
    /// What the customer still owes; below zero, what is owed to the customer.
    pub balance: MinorUnits,
}

impl Invoice {
    /// Whether the balance may grow by `amount`.
    pub fn has_room_for(&self, amount: MinorUnits) -> bool {
        can_grow(self.balance, amount)
    }
}

/// A refund that is there already, for those who want to change or delete it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingRefund {
    /// Its number.
    pub number: RefundNumber,
    /// Who moved the money.
    pub refund_type: RefundType,
    /// Where it stands.
    pub status: RefundStatus,
    /// What it drew on.
    pub source_type: SourceType,
    /// The payment that it gives back; none when it drew on something else.
    pub payment: Option<PaymentKey>,
    /// Whether its money was put back because its gateway rejected it after all.
    pub is_compensated: bool,
    /// The account's currency.
    pub currency: Currency,
    /// The invoices that it reopened, or will.
    pub invoices: Vec<ReopenedInvoice>,
}

impl ExistingRefund {
    /// An invoice that asks for less than it was reopened by, because it was settled otherwise
    /// since: the payment cannot pay it again.
    pub fn invoice_settled_since(&self) -> Option<&ReopenedInvoice> {
        self.invoices.iter().find(|invoice| invoice.balance < invoice.amount)
    }
}

/// An invoice that a refund of its payment reopens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReopenedInvoice {
    /// InvoiceNumber.
    pub number: String,
    /// What the customer still owes.
    pub balance: MinorUnits,
    /// By how much the refund reopens it.
    pub amount: MinorUnits,
}

/// A credit balance adjustment that is there already, for those who want to change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExistingAdjustment {
    /// It is the decrease that a refund made, which has no row of its own.
    OfRefund,
    /// A client or an operator asked for it.
    Asked(AskedAdjustment),
}

/// An adjustment that a client or an operator asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedAdjustment {
    /// Its key in the ledger.
    pub key: AdjustmentKey,
    /// Whose credit balance it moved.
    pub account: Account,
    /// The day it counts for.
    pub adjustment_date: NaiveDate,
    /// Which way it moved it.
    pub adjustment_type: AdjustmentType,
    /// By how much, above zero.
    pub amount: MinorUnits,
    /// Whether it still counts.
    pub status: AdjustmentStatus,
    /// What it was made from or into.
    pub source: AdjustmentSource,
}

/// What an adjustment takes from or gives to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentSource {
    /// A negative invoice (Increase) or one that is to be paid (Decrease).
    Invoice(InvoiceKey),
    /// An overpayment (Increase).
    Payment(PaymentKey),
}
