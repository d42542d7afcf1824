//! What operators look through: accounts and what moved on them, refunds, sessions, and what
//! webhooks did not take. Pages of lists, and one object by its name.
//!
//! A page goes on where the one before it ended, by the key of a row, so that reading on neither
//! repeats nor leaves out a row that stays. What must stay true: what a page costs is bounded by
//! [`ROWS_MAX`] and by the bounds of the lists, however much the ledger has; a page that reached
//! such a bound may hold fewer rows than were asked for, or none, and says where to go on.

use super::Reply;
use super::trail::Act;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::entry_kind::EntryKind;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::number::saturated;
use crate::domain::refund_name::RefundName;
use crate::domain::vocabulary::{
    AccountStatus, AdjustmentStatus, AdjustmentType, GatewayState, MethodType, PaymentStatus,
    PaymentType, RefundStatus, RefundType, SourceType,
};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

pub use super::readings_sessions::{
    ListedSession, SessionHandle, SessionKind, SessionPlace, SessionsQuery,
};

/// The most rows of a page.
pub const ROWS_MAX: u32 = 500;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, Place = i64> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Where the next page begins; none when nothing follows.
    pub next: Option<Place>,
}

/// Where a page begins and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The [`Listed::next`] of the page before; none for the first page.
    pub from: Option<i64>,
    /// How many rows at most, 1 to [`ROWS_MAX`].
    pub rows_max: u32,
}

impl Span {
    /// The first rows of a list.
    pub const fn first(rows_max: u32) -> Self {
        Self { from: None, rows_max }
    }

    /// How many rows the page has at most.
    pub fn rows(self) -> usize {
        saturated(self.rows_max.clamp(1, ROWS_MAX))
    }
}

/// An account with its credit balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Its id.
    pub id: ObjectId,
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Its currency, in which all its amounts are.
    pub currency: Currency,
    /// Its status.
    pub status: AccountStatus,
    /// The credit balance that it began with.
    pub opening: MinorUnits,
    /// Its credit balance now.
    pub balance: MinorUnits,
    /// The name of its own gateway.
    pub gateway: Option<String>,
    /// The id of its default payment method.
    pub default_payment_method: Option<ObjectId>,
    /// The id of the account above it.
    pub parent: Option<ObjectId>,
    /// When it was created, where that is known.
    pub created: Option<DateTime<Utc>>,
    /// When it was changed, where it was.
    pub updated: Option<DateTime<Utc>>,
}

/// A movement of a credit balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// Its key, which grows from entry to entry.
    pub key: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub kind: EntryKind,
    /// By how much, below zero where it took from the balance.
    pub amount: MinorUnits,
    /// The balance after it.
    pub balance: MinorUnits,
    /// The currency of both.
    pub currency: Currency,
    /// The number of the refund behind it, which may have been deleted since.
    pub refund: Option<RefundNumber>,
    /// The number of the adjustment that it began or took back, such as `CBA-00000001`.
    pub adjustment: Option<String>,
}

/// A refund in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRefund {
    /// Its id, which has its number.
    pub id: RefundId,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// The name of the user who created it.
    pub created_by: Option<String>,
    /// Where it stands.
    pub status: RefundStatus,
    /// Who moves the money.
    pub refund_type: RefundType,
    /// What it draws on.
    pub source_type: SourceType,
    /// How it is, or will be, paid.
    pub method_type: MethodType,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// The currency of that.
    pub currency: Currency,
    /// The day it counts for.
    pub refund_date: NaiveDate,
    /// The id of its account.
    pub account_id: ObjectId,
    /// The number of its account.
    pub account_number: String,
    /// The name of its account.
    pub account_name: String,
    /// The gateway that pays it.
    pub gateway: Option<String>,
    /// Where it stands with its gateway.
    pub gateway_state: Option<GatewayState>,
    /// What its gateway answered.
    pub gateway_response: Option<String>,
    /// The code of that.
    pub gateway_response_code: Option<String>,
    /// The gateway's id of it.
    pub reference_id: Option<String>,
    /// The number of the payment that it gives back.
    pub payment_number: Option<String>,
    /// One of the tenant's codes.
    pub reason_code: Option<String>,
    /// Free text of the one who created it.
    pub comment: Option<String>,
    /// When its money was put back because its gateway rejected it after all.
    pub compensated: Option<DateTime<Utc>>,
    /// When it was changed, where it was.
    pub updated: Option<DateTime<Utc>>,
}

/// A refund in Processing, and how far the asking about it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRefund {
    /// It.
    pub refund: ListedRefund,
    /// When it was first sent; none as long as it is certain that it never was.
    pub first_sent: Option<DateTime<Utc>>,
    /// How many exchanges brought no verdict.
    pub attempts: u32,
    /// When its gateway is asked next; none when an operator has to settle it.
    pub next: Option<DateTime<Utc>>,
}

/// An adjustment of a credit balance that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAdjustment {
    /// Its number, such as `CBA-00000001`.
    pub number: Option<String>,
    /// Whether it brings credit or takes it.
    pub adjustment_type: AdjustmentType,
    /// Where it stands.
    pub status: AdjustmentStatus,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// The day it counts for.
    pub date: NaiveDate,
    /// The number of the invoice or the payment on its other side.
    pub source: Option<String>,
    /// One of the tenant's codes.
    pub reason_code: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedInvoice {
    /// Its id.
    pub id: ObjectId,
    /// Its number.
    pub number: String,
    /// Its day.
    pub date: NaiveDate,
    /// How much it asks for.
    pub amount: MinorUnits,
    /// How much of that is open.
    pub balance: MinorUnits,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPayment {
    /// Its id.
    pub id: ObjectId,
    /// Its number.
    pub number: String,
    /// Who moved the money.
    pub payment_type: PaymentType,
    /// Where it stands.
    pub status: PaymentStatus,
    /// The day it counts for.
    pub date: NaiveDate,
    /// How much, above zero.
    pub amount: MinorUnits,
    /// How much of that was given back.
    pub refunded: MinorUnits,
    /// The gateway that took it.
    pub gateway: Option<String>,
}

/// Which accounts are asked for, in the order of their creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsQuery {
    /// What the name (in any case), the number or the id begins with; none means all.
    pub search: Option<String>,
    /// Which page.
    pub span: Span,
}

/// Which refunds are asked for, the newest first. What is none does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundsQuery {
    /// Those that stand there.
    pub status: Option<RefundStatus>,
    /// Those of this type.
    pub refund_type: Option<RefundType>,
    /// Those that draw on this.
    pub source_type: Option<SourceType>,
    /// Those of this account.
    pub account: Option<ObjectKey>,
    /// Those of the gateway of this name.
    pub gateway: Option<String>,
    /// Those whose day is this or later.
    pub from_day: Option<NaiveDate>,
    /// Those whose day is this or earlier.
    pub to_day: Option<NaiveDate>,
    /// Those of this amount or more, each in its own currency.
    pub amount_min: Option<Decimal>,
    /// Those of this amount or less.
    pub amount_max: Option<Decimal>,
    /// Which page.
    pub span: Span,
}

impl RefundsQuery {
    /// Every refund.
    pub const fn all(span: Span) -> Self {
        Self {
            status: None,
            refund_type: None,
            source_type: None,
            account: None,
            gateway: None,
            from_day: None,
            to_day: None,
            amount_min: None,
            amount_max: None,
            span,
        }
    }

    /// Those of an account.
    pub fn of_account(account: ObjectKey, span: Span) -> Self {
        Self { account: Some(account), ..Self::all(span) }
    }
}

/// How many of the newest refunds stand where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundCounts {
    /// How many there are of each status among the newest.
    pub by_status: Vec<(RefundStatus, u64)>,
    /// The number of the oldest refund that was counted; none where there is no refund.
    pub oldest: Option<RefundNumber>,
    /// The number of the newest refund.
    pub newest: Option<RefundNumber>,
}

/// A delivery that a webhook did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDelivery {
    /// The event's place among all events.
    pub sequence: i64,
    /// What happened, by its name.
    pub kind: String,
    /// The number of the refund that it happened to.
    pub refund: RefundNumber,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first due.
    pub since: DateTime<Utc>,
    /// When it is tried next; none of one that was given up.
    pub next: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Whether it is kept and not tried any more.
    pub is_given_up: bool,
}

/// What operators look through. A list of an account is none where there is no such account.
pub trait Readings: Send + Sync {
    /// A page of accounts.
    fn list_accounts(&self, query: AccountsQuery) -> Reply<Listed<AccountView>>;

    /// The account of this id or number.
    fn show_account(&self, key: ObjectKey) -> Reply<Option<AccountView>>;

    /// What moved on an account, the newest first.
    fn list_entries(&self, of: ObjectKey, span: Span) -> Reply<Option<Listed<EntryView>>>;

    /// The adjustments of an account, the newest first.
    fn list_adjustments(
        &self,
        of: ObjectKey,
        span: Span,
    ) -> Reply<Option<Listed<ListedAdjustment>>>;

    /// The invoices of an account, the newest first.
    fn list_invoices(&self, of: ObjectKey, span: Span) -> Reply<Option<Listed<ListedInvoice>>>;

    /// The payments of an account, the newest first.
    fn list_payments(&self, of: ObjectKey, span: Span) -> Reply<Option<Listed<ListedPayment>>>;

    /// A page of refunds.
    fn list_refunds(&self, query: RefundsQuery) -> Reply<Listed<ListedRefund>>;

    /// The refund of this id or number.
    fn show_refund(&self, name: RefundName) -> Reply<Option<ListedRefund>>;

    /// How many of the newest refunds stand where.
    fn count_refunds(&self) -> Reply<RefundCounts>;

    /// Refunds in Processing, the oldest first.
    fn list_open(&self, span: Span) -> Reply<Listed<OpenRefund>>;

    /// Sessions and tokens, those used or issued last before others.
    fn list_sessions(&self, query: SessionsQuery) -> Reply<Listed<ListedSession, SessionPlace>>;

    /// Ends a session or a token; false where there is none of this name.
    fn end_session(&self, handle: SessionHandle, act: Act) -> Reply<bool>;

    /// What a webhook did not take, the newest event first.
    fn list_failed_deliveries(&self, webhook: &str, span: Span) -> Reply<Listed<FailedDelivery>>;
}
