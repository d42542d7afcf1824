//! What the v1 operations show of refunds, credit memos and payments, and how they are found.
//!
//! A view is made by the same function inside a transaction, for an answer that is stored, and by
//! readers. What must stay true: every value is typed, amounts are in the account's currency, and a
//! field that has no value is none.

use super::{Reply, WrittenOff};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::{
    CreditMemoStatus, GatewayState, MethodType, PaymentStatus, PaymentType, RefundStatus,
    RefundTransactionType, RefundType, SourceType,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What was made or changed, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// A refund.
    Refund(Box<RefundView>),
    /// A credit memo.
    CreditMemo(Box<CreditMemoView>),
    /// A payment.
    Payment(Box<PaymentView>),
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundView {
    /// id.
    pub id: ObjectId,
    /// number, such as `R-00000001`.
    pub number: String,
    /// status.
    pub status: RefundStatus,
    /// type.
    pub refund_type: RefundType,
    /// What it draws on.
    pub source_type: SourceType,
    /// methodType: how it is, or will be, paid.
    pub method_type: MethodType,
    /// accountId.
    pub account_id: ObjectId,
    /// The currency of the amount.
    pub currency: Currency,
    /// amount, above zero.
    pub amount: MinorUnits,
    /// refundDate.
    pub refund_date: NaiveDate,
    /// comment.
    pub comment: Option<String>,
    /// paymentMethodId.
    pub payment_method_id: Option<ObjectId>,
    /// paymentMethodSnapshotId: the method as it was.
    pub payment_method_snapshot_id: Option<ObjectId>,
    /// paymentId.
    pub payment_id: Option<ObjectId>,
    /// paymentNumber.
    pub payment_number: Option<String>,
    /// creditMemoId.
    pub credit_memo_id: Option<ObjectId>,
    /// The number of that credit memo.
    pub credit_memo_number: Option<String>,
    /// reasonCode.
    pub reason_code: Option<String>,
    /// gatewayId.
    pub gateway_id: Option<ObjectId>,
    /// paymentGatewayNumber, such as `PG-00000001`.
    pub gateway_number: Option<String>,
    /// gatewayResponse.
    pub gateway_response: Option<String>,
    /// gatewayResponseCode.
    pub gateway_response_code: Option<String>,
    /// gatewayState; NotSubmitted for an external refund.
    pub gateway_state: GatewayState,
    /// markedForSubmissionOn: set as long as its gateway has not answered.
    pub marked_for_submission_on: Option<DateTime<Utc>>,
    /// referenceId.
    pub reference_id: Option<String>,
    /// secondRefundReferenceId.
    pub second_reference_id: Option<String>,
    /// softDescriptor.
    pub soft_descriptor: Option<String>,
    /// softDescriptorPhone.
    pub soft_descriptor_phone: Option<String>,
    /// writeOffResults, in the answer to an unapply and refund alone: one for each invoice.
    pub written_off: Option<Box<[WrittenOff]>>,
    /// submittedOn, and refundTransactionTime: when its gateway approved it.
    pub submitted_on: Option<DateTime<Utc>>,
    /// settledOn.
    pub settled_on: Option<DateTime<Utc>>,
    /// cancelledOn.
    pub cancelled_on: Option<DateTime<Utc>>,
    /// createdDate.
    pub created_date: DateTime<Utc>,
    /// createdById.
    pub created_by_id: ObjectId,
    /// updatedDate.
    pub updated_date: DateTime<Utc>,
    /// updatedById.
    pub updated_by_id: ObjectId,
    /// financeInformation.transferredToAccounting: `No` as long as nothing says otherwise.
    pub transferred_to_accounting: String,
    /// The accounting codes of financeInformation and the fields for NetSuite, by their names.
    pub notes: BTreeMap<String, String>,
    /// gatewayReconciliationStatus.
    pub reconciliation_status: Option<String>,
    /// gatewayReconciliationReason.
    pub reconciliation_reason: Option<String>,
    /// payoutId.
    pub payout_id: Option<String>,
    /// refundTransactionType.
    pub transaction_type: Option<RefundTransactionType>,
    /// Values of the tenant's own fields, by their names.
    pub custom: Map<String, Value>,
}

/// A credit memo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditMemoView {
    /// id.
    pub id: ObjectId,
    /// number, such as `CM00000001`.
    pub number: String,
    /// accountId.
    pub account_id: ObjectId,
    /// accountNumber.
    pub account_number: String,
    /// currency.
    pub currency: Currency,
    /// status.
    pub status: CreditMemoStatus,
    /// creditMemoDate.
    pub date: NaiveDate,
    /// amount, above zero.
    pub amount: MinorUnits,
    /// The part of it that is tax.
    pub tax_amount: MinorUnits,
    /// appliedAmount.
    pub applied: MinorUnits,
    /// refundAmount.
    pub refunded: MinorUnits,
    /// unappliedAmount, and balance.
    pub unapplied: MinorUnits,
    /// comment.
    pub comment: Option<String>,
    /// reasonCode.
    pub reason_code: Option<String>,
    /// postedById.
    pub posted_by_id: Option<ObjectId>,
    /// postedOn.
    pub posted_on: Option<DateTime<Utc>>,
    /// cancelledOn.
    pub cancelled_on: Option<DateTime<Utc>>,
    /// createdDate.
    pub created_date: DateTime<Utc>,
    /// createdById; none of what a seed made.
    pub created_by_id: Option<ObjectId>,
    /// updatedDate.
    pub updated_date: DateTime<Utc>,
    /// updatedById; none of what a seed made.
    pub updated_by_id: Option<ObjectId>,
}

/// An item of a credit memo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoItemView {
    /// id.
    pub id: ObjectId,
    /// What it is called.
    pub name: Option<String>,
    /// amount, without the taxes.
    pub amount: MinorUnits,
    /// refundAmount.
    pub refunded: MinorUnits,
    /// createdDate and updatedDate.
    pub created_date: DateTime<Utc>,
    /// When it was changed.
    pub updated_date: DateTime<Utc>,
    /// taxItems, which have none themselves.
    pub taxes: Vec<Self>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentView {
    /// id.
    pub id: ObjectId,
    /// number, such as `P-00000001`.
    pub number: String,
    /// accountId.
    pub account_id: ObjectId,
    /// accountNumber.
    pub account_number: String,
    /// currency.
    pub currency: Currency,
    /// status.
    pub status: PaymentStatus,
    /// type.
    pub payment_type: PaymentType,
    /// effectiveDate.
    pub effective_date: NaiveDate,
    /// amount, above zero.
    pub amount: MinorUnits,
    /// appliedAmount.
    pub applied: MinorUnits,
    /// refundAmount.
    pub refunded: MinorUnits,
    /// creditBalanceAmount.
    pub to_credit_balance: MinorUnits,
    /// unappliedAmount.
    pub unapplied: MinorUnits,
    /// paymentMethodId.
    pub payment_method_id: Option<ObjectId>,
    /// gatewayId.
    pub gateway_id: Option<ObjectId>,
    /// The number of that gateway.
    pub gateway_number: Option<String>,
    /// Whether that gateway has settled it.
    pub is_settled: bool,
    /// referenceId.
    pub reference_id: Option<String>,
    /// comment.
    pub comment: Option<String>,
    /// createdDate.
    pub created_date: DateTime<Utc>,
    /// createdById; none of what a seed made.
    pub created_by_id: Option<ObjectId>,
    /// updatedDate.
    pub updated_date: DateTime<Utc>,
    /// updatedById; none of what a seed made.
    pub updated_by_id: Option<ObjectId>,
    /// Values of the tenant's own fields, by their names.
    pub custom: Map<String, Value>,
}

/// What a refund took: of its payment, or of its credit memo and items of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPartView {
    /// id.
    pub id: ObjectId,
    /// amount.
    pub amount: MinorUnits,
    /// paymentId.
    pub payment_id: Option<ObjectId>,
    /// creditMemoId.
    pub credit_memo_id: Option<ObjectId>,
    /// Of which items how much.
    pub items: Vec<RefundPartItemView>,
    /// The refund, from which the audit fields follow.
    pub refund: RefundView,
}

/// What a refund took of an item of its credit memo, or of the tax on one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPartItemView {
    /// id.
    pub id: ObjectId,
    /// amount.
    pub amount: MinorUnits,
    /// creditMemoItemId.
    pub memo_item_id: Option<ObjectId>,
    /// creditTaxItemId.
    pub tax_item_id: Option<ObjectId>,
    /// createdDate.
    pub created_date: DateTime<Utc>,
}

/// A field by which refunds are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundSort {
    /// number.
    Number,
    /// accountId.
    AccountId,
    /// amount.
    Amount,
    /// refundDate.
    RefundDate,
    /// paymentId.
    PaymentId,
    /// createdDate.
    CreatedDate,
    /// createdById.
    CreatedById,
    /// updatedDate.
    UpdatedDate,
    /// updatedById.
    UpdatedById,
}

impl RefundSort {
    /// By their names.
    pub const ALL: [(&str, Self); 9] = [
        ("number", Self::Number),
        ("accountId", Self::AccountId),
        ("amount", Self::Amount),
        ("refundDate", Self::RefundDate),
        ("paymentId", Self::PaymentId),
        ("createdDate", Self::CreatedDate),
        ("createdById", Self::CreatedById),
        ("updatedDate", Self::UpdatedDate),
        ("updatedById", Self::UpdatedById),
    ];
}

/// A value that refunds in a list have. None of `Option`: those without one (the word `null`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundFilter {
    /// accountId.
    AccountId(Option<String>),
    /// amount, exact in the account's currency.
    Amount(rust_decimal::Decimal),
    /// createdById.
    CreatedById(Option<String>),
    /// createdDate, to the second.
    CreatedDate(DateTime<Utc>),
    /// methodType.
    MethodType(Option<String>),
    /// number.
    Number(Option<String>),
    /// paymentId.
    PaymentId(Option<String>),
    /// refundDate.
    RefundDate(NaiveDate),
    /// status.
    Status(Option<String>),
    /// type.
    Type(Option<String>),
    /// updatedById.
    UpdatedById(Option<String>),
    /// updatedDate, to the second.
    UpdatedDate(DateTime<Utc>),
}

/// Which refunds are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRefunds {
    /// What all of them have.
    pub filters: Vec<RefundFilter>,
    /// In which order: each field descending or not, and at last by number, descending.
    pub sort: Vec<(RefundSort, bool)>,
    /// Which page, from 1.
    pub page: u32,
    /// How many a page has at most, above 0.
    pub page_size: u32,
}

/// Which credit memos or payments are listed, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListObjects {
    /// accountId, if only one account's.
    pub account_id: Option<ObjectId>,
    /// status, if only those in one.
    pub status: Option<String>,
    /// Which page, from 1.
    pub page: u32,
    /// How many a page has at most, above 0.
    pub page_size: u32,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// What is on it.
    pub rows: Vec<T>,
    /// Whether another follows.
    pub has_more: bool,
}

/// What the v1 operations read. None: there is no such object.
pub trait Views: Send + Sync {
    /// A refund.
    fn refund(&self, key: ObjectKey) -> Reply<Option<RefundView>>;
    /// What a refund took.
    fn refund_part(&self, key: ObjectKey) -> Reply<Option<RefundPartView>>;
    /// Refunds.
    fn refunds(&self, list: ListRefunds) -> Reply<ListPage<RefundView>>;

    /// A credit memo.
    fn credit_memo(&self, key: ObjectKey) -> Reply<Option<CreditMemoView>>;

    /// The items of a credit memo, in the order of their creation.
    fn credit_memo_items(&self, key: ObjectKey) -> Reply<Option<Vec<MemoItemView>>>;

    /// Credit memos.
    fn credit_memos(&self, list: ListObjects) -> Reply<ListPage<CreditMemoView>>;

    /// A payment.
    fn payment(&self, key: ObjectKey) -> Reply<Option<PaymentView>>;

    /// Payments.
    fn payments(&self, list: ListObjects) -> Reply<ListPage<PaymentView>>;
}
