//! The refund of a credit memo and that of an unapplied payment, and changes of both, as a client
//! of the v1 operations asks for them.
//!
//! Names and limits by "Refund a credit memo", "Refund a payment", "Unapply and refund a payment",
//! "Update a refund" and "Reconcile a refund".

use super::super::calendar::Moment;
use super::super::id::ObjectId;
use super::super::reconciliation::{Rejected, Settlement};
use super::super::row_error::RowError;
use super::super::vocabulary::RefundTransactionType;
use super::credit_memo::ShareDraft;
use super::json::Sent;
use super::refund_details::{
    COMMENT_CHARS_MAX, ObjectKey, REASON_CHARS_MAX, REFERENCE_CHARS_MAX, RefundDetails, Transferred,
};
use super::{AmountText, Field};
use crate::domain::custom_value::CustomDraft;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most items of one call.
pub const ITEMS_MAX: usize = 1_000;
/// The most items of a credit memo that its refunds may be of, all together.
pub const ITEMS_OF_MEMO_MAX: usize = 15_000;

/// The longest comment of a write-off, in characters.
const WRITE_OFF_COMMENT_CHARS_MAX: usize = 100;

/// What a refund takes of one item of its credit memo, or of the tax on one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ItemDraft {
    /// How much.
    pub amount: Field<AmountText>,
    /// creditMemoItemId.
    pub item_id: Field<ObjectId>,
    /// creditTaxItemId.
    pub tax_item_id: Field<ObjectId>,
}

impl ItemDraft {
    /// Takes a field; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "amount" => self.amount = value.amount("items.amount"),
            "creditMemoItemId" => self.item_id = value.id("items.creditMemoItemId"),
            "creditTaxItemId" => self.tax_item_id = value.id("items.creditTaxItemId"),
            _ => return false,
        }
        true
    }
}

/// The refund of a credit memo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemoRefundDraft {
    /// The credit memo.
    pub memo: ObjectKey,
    /// What every v1 refund has.
    pub details: RefundDetails,
    /// The gateway that pays.
    pub gateway_id: Field<ObjectId>,
    /// The method to pay to.
    pub payment_method_id: Field<ObjectId>,
    /// Of which items; empty where it is not said.
    pub items: Vec<ItemDraft>,
}

impl MemoRefundDraft {
    /// A refund of the credit memo that the path names.
    pub fn of(memo: &str) -> Self {
        Self {
            memo: ObjectKey::of(memo),
            details: RefundDetails::default(),
            gateway_id: Field::Absent,
            payment_method_id: Field::Absent,
            items: Vec::new(),
        }
    }

    /// Takes a scalar field of the document's top level; false when there is none of this name.
    /// Members of financeInformation, gatewayOptions, customRates and the tenant's own fields go to
    /// `details`.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "gatewayId" => self.gateway_id = value.id(name),
            "paymentMethodId" => self.payment_method_id = value.id(name),
            _ => return self.details.set(name, value),
        }
        true
    }

    /// Adds a member of items.
    pub fn add_item(&mut self, item: ItemDraft) {
        self.items.push(item);
    }
}

/// What "unapply and refund" asks for beside the refund.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UnapplyDraft {
    /// From which invoices how much; empty: from all of them, as much as is needed.
    pub invoices: Vec<ShareDraft>,
    /// Whether what the invoices ask for then is written off.
    pub write_off: Field<bool>,
    /// writeOffOptions: of the credit memos that write off.
    pub options: WriteOffOptions,
}

/// What the credit memos of a write-off are like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WriteOffOptions {
    /// comment, at most 100 characters.
    pub comment: Field<String>,
    /// memoDate: the day of the memos; without it, today.
    pub memo_date: Field<NaiveDate>,
    /// reasonCode: one of the tenant's for credit memos.
    pub reason_code: Field<String>,
    /// taxAutoCalculation: stored nowhere, because no taxes are calculated here.
    pub calculates_taxes: Field<bool>,
}

impl WriteOffOptions {
    /// Takes a field; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        let path = format!("writeOffOptions.{name}");
        match name {
            "comment" => self.comment = value.text(&path, WRITE_OFF_COMMENT_CHARS_MAX),
            "memoDate" => self.memo_date = value.day(&path),
            "reasonCode" => self.reason_code = value.text(&path, REASON_CHARS_MAX),
            "taxAutoCalculation" => self.calculates_taxes = value.boolean(&path),
            _ => return false,
        }
        true
    }
}

/// The refund of an unapplied payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentRefundDraft {
    /// The payment.
    pub payment: ObjectKey,
    /// What every v1 refund has.
    pub details: RefundDetails,
    /// refundTransactionType.
    pub transaction_type: Field<RefundTransactionType>,
    /// Set by "unapply and refund".
    pub unapply: Option<UnapplyDraft>,
}

impl PaymentRefundDraft {
    /// A refund of the payment that the path names.
    pub fn of(payment: &str) -> Self {
        Self {
            payment: ObjectKey::of(payment),
            details: RefundDetails::default(),
            transaction_type: Field::Absent,
            unapply: None,
        }
    }

    /// The same, which unapplies the payment first.
    pub fn unapplying(payment: &str) -> Self {
        Self { unapply: Some(UnapplyDraft::default()), ..Self::of(payment) }
    }

    /// Takes a scalar field of the document's top level; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match (name, &mut self.unapply) {
            ("writeOff", Some(unapply)) => unapply.write_off = value.boolean(name),
            ("refundTransactionType", _) => {
                self.transaction_type = value.read(name, RefundTransactionType::from_name);
            }
            _ => return self.details.set(name, value),
        }
        true
    }
}

/// What becomes of a field in an update: not sent, emptied by null or an empty text, or set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum Put<T> {
    /// It stays.
    #[default]
    Keep,
    /// It loses its value.
    Clear,
    /// It gets this one, if it is of the right form.
    To(Field<T>),
}

impl<T> Put<T> {
    fn of(value: Sent<'_>, read: impl FnOnce(Sent<'_>) -> Field<T>) -> Self {
        if value.is_absent() { Self::Clear } else { Self::To(read(value)) }
    }

    /// Whether there is anything to do, and the value that is there afterwards.
    pub fn checked(&self) -> Result<Option<Option<&T>>, RowError> {
        Ok(match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::To(field) => Some(field.checked()?),
        })
    }
}

/// A change of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundUpdateDraft {
    /// The refund, by id or number.
    pub refund: ObjectKey,
    /// Whether it is cancelled; then nothing else is changed.
    pub cancels: bool,
    /// comment, at most 255 characters.
    pub comment: Put<String>,
    /// reasonCode: one of the tenant's.
    pub reason_code: Put<String>,
    /// referenceId, at most 100 characters; of external refunds only.
    pub reference_id: Put<String>,
    /// financeInformation.transferredToAccounting.
    pub transferred: Put<Transferred>,
    /// The accounting codes and the fields for NetSuite.
    pub notes: BTreeMap<&'static str, Put<String>>,
    /// Fields of the tenant's own.
    pub custom: CustomDraft,
}

impl RefundUpdateDraft {
    /// A change of the refund that the path names.
    pub fn of(refund: &str) -> Self {
        Self {
            refund: ObjectKey::of(refund),
            cancels: false,
            comment: Put::Keep,
            reason_code: Put::Keep,
            reference_id: Put::Keep,
            transferred: Put::Keep,
            notes: BTreeMap::new(),
            custom: CustomDraft::default(),
        }
    }

    /// The cancellation of the refund that the path names.
    pub fn cancelling(refund: &str) -> Self {
        Self { cancels: true, ..Self::of(refund) }
    }

    /// Takes a scalar field of the document's top level; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "comment" => {
                self.comment = Put::of(value, |value| value.text(name, COMMENT_CHARS_MAX));
            }
            "reasonCode" => {
                self.reason_code = Put::of(value, |value| value.text(name, REASON_CHARS_MAX));
            }
            "referenceId" => {
                self.reference_id = Put::of(value, |value| value.text(name, REFERENCE_CHARS_MAX));
            }
            _ => return self.note(value, |details| details.set(name, value) && is_note(details)),
        }
        true
    }

    /// Takes a field of financeInformation; false when there is none of this name.
    pub fn set_finance(&mut self, name: &str, value: Sent<'_>) -> bool {
        let mut read = RefundDetails::default();
        if name == super::refund_details::TRANSFERRED {
            read.set_finance(name, value);
            self.transferred = Put::of(value, |_| read.transferred);
            return true;
        }
        self.note(value, |details| details.set_finance(name, value))
    }

    fn note(&mut self, value: Sent<'_>, set: impl FnOnce(&mut RefundDetails) -> bool) -> bool {
        let mut read = RefundDetails::default();
        if !set(&mut read) {
            return false;
        }
        for (name, field) in read.notes.0 {
            self.notes.insert(name, Put::of(value, |_| field));
        }
        true
    }
}

/// Whether what was set is one of the values that are only kept.
fn is_note(details: &RefundDetails) -> bool {
    !details.notes.0.is_empty()
}

/// What a gateway's settlement says of a refund (action `settle` or `reject`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundSettlementDraft {
    /// The refund, by id or number.
    pub refund: ObjectKey,
    /// action.
    pub action: Field<Settlement>,
    /// actionDate: when; without it, now.
    pub action_date: Field<Moment>,
    /// gatewayReconciliationStatus.
    pub status: Field<String>,
    /// gatewayReconciliationReason.
    pub reason: Field<String>,
    /// payoutId.
    pub payout_id: Field<String>,
    /// What the configuration makes of the money of one that failed.
    #[serde(skip)]
    pub rejected: Rejected,
}

impl RefundSettlementDraft {
    /// The reconciliation of the refund that the path names.
    pub fn of(refund: &str) -> Self {
        Self {
            refund: ObjectKey::of(refund),
            action: Field::Absent,
            action_date: Field::Absent,
            status: Field::Absent,
            reason: Field::Absent,
            payout_id: Field::Absent,
            rejected: Rejected::default(),
        }
    }

    /// Takes a field; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "action" => {
                self.action = value.read(name, |text| match text {
                    "settle" => Some(Settlement::Settled),
                    "reject" => Some(Settlement::Failed),
                    _ => None,
                });
            }
            "actionDate" => self.action_date = value.read(name, moment),
            "gatewayReconciliationStatus" => self.status = value.text(name, 255),
            "gatewayReconciliationReason" => self.reason = value.text(name, 255),
            "payoutId" => self.payout_id = value.text(name, 255),
            _ => return false,
        }
        true
    }
}

/// A moment as the v1 operations write it, `yyyy-mm-dd hh:mm:ss`, or as XML Schema does.
fn moment(text: &str) -> Option<Moment> {
    Moment::parse(&text.replacen(' ', "T", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_draft_takes_the_fields_of_its_document_and_no_other() {
        let mut memo = MemoRefundDraft::of("CM00000001");
        let mut payment = PaymentRefundDraft::of("8a8082e65b27f6c3015b89e4344c16b1");
        for (name, of_memo, of_payment) in [
            ("type", true, true),
            ("totalAmount", true, true),
            ("gatewayId", true, false),
            ("paymentMethodId", true, false),
            ("refundTransactionType", false, true),
            ("writeOff", false, false),
            ("SyncDate__NS", true, true),
            ("Comment", false, false),
            ("items", false, false),
        ] {
            assert_eq!(memo.set(name, Sent::Null), of_memo, "{name}");
            assert_eq!(payment.set(name, Sent::Null), of_payment, "{name}");
        }
        assert!(PaymentRefundDraft::unapplying("P-1").set("writeOff", Sent::Boolean(false)));
        assert_eq!(memo.memo, ObjectKey::Number("CM00000001".to_owned()));
        assert!(matches!(payment.payment, ObjectKey::Id(_)));
        assert!(memo.details.set_finance("onAccountAccountingCode", Sent::Text("x")));
        assert!(!memo.details.set_finance("accountingCode", Sent::Text("x")));
    }

    #[test]
    fn a_change_keeps_clears_or_sets() {
        let mut change = RefundUpdateDraft::of("R-00000001");
        assert!(change.set("comment", Sent::Null) && change.set("reasonCode", Sent::Text("x")));
        assert!(change.set("Origin__NS", Sent::Text("")) && !change.set("totalAmount", Sent::Null));
        assert!(!change.set("type", Sent::Text("External")));
        assert!(change.set_finance("transferredToAccounting", Sent::Text("No")));
        assert_eq!(change.comment.checked(), Ok(Some(None)));
        assert_eq!(change.reason_code.checked(), Ok(Some(Some(&"x".to_owned()))));
        assert_eq!(change.reference_id.checked(), Ok(None));
        assert_eq!(change.notes.get("Origin__NS"), Some(&Put::Clear));
        assert_eq!(change.transferred.checked(), Ok(Some(Some(&Transferred::No))));
    }

    #[test]
    fn a_moment_may_have_a_blank_in_it() {
        let mut draft = RefundSettlementDraft::of("R-00000001");
        for good in ["2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "2026-01-02"] {
            assert!(draft.set("actionDate", Sent::Text(good)));
            assert!(draft.action_date.given().is_some(), "{good}");
        }
        assert!(draft.set("action", Sent::Text("settled")) && draft.action.given().is_none());
    }
}
