//! The objects of one call to create, all of one type, as the documents ask for.

use super::RefundDraft;
use super::account::AccountDraft;
use super::adjustment::AdjustmentDraft;
use super::credit_memo::{CreditMemoDraft, StepDraft};
use super::invoice_adjustment::{InvoiceAdjustmentDraft, ItemAdjustmentDraft};
use super::payment::{PaymentDraft, PaymentPartDraft};
use super::payment_method::MethodDraft;
use super::reading::read_each;
use super::settlement_payment::SettlementPaymentDraft;
use super::settlement_refunds::{MemoRefundDraft, PaymentRefundDraft, RefundSettlementDraft};
use super::source::{Purpose, Source};
use crate::domain::custom_field::CustomFields;
use crate::domain::id::ObjectId;
use serde::Serialize;

/// The most objects that a call may carry (documented).
pub const OBJECTS_MAX: usize = 50;
/// The most ids that a call may carry (documented).
pub const IDS_MAX: usize = 50;

/// What a call wants to create, in the order of its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Drafts {
    /// Of the type Account.
    Accounts(Vec<AccountDraft>),
    /// Of the type CreditBalanceAdjustment.
    Adjustments(Vec<AdjustmentDraft>),
    /// Of the type InvoiceAdjustment.
    InvoiceAdjustments(Vec<InvoiceAdjustmentDraft>),
    /// Of the type InvoiceItemAdjustment.
    InvoiceItemAdjustments(Vec<ItemAdjustmentDraft>),
    /// Of the type InvoicePayment.
    InvoicePayments(Vec<PaymentPartDraft>),
    /// Of the type Payment.
    Payments(Vec<PaymentDraft>),
    /// Of the type PaymentMethod.
    PaymentMethods(Vec<MethodDraft>),
    /// Of the type Refund.
    Refunds(Vec<RefundDraft>),
    /// Credit memos, by the v1 operations.
    CreditMemos(Vec<CreditMemoDraft>),
    /// What is done to credit memos.
    MemoSteps(Vec<StepDraft>),
    /// Payments under Invoice Settlement.
    SettlementPayments(Vec<SettlementPaymentDraft>),
    /// What is done to payments.
    PaymentSteps(Vec<StepDraft>),
    /// Refunds of credit memos.
    MemoRefunds(Vec<MemoRefundDraft>),
    /// Refunds of unapplied payments.
    PaymentRefunds(Vec<PaymentRefundDraft>),
    /// What gateways' settlements say of refunds.
    RefundSettlements(Vec<RefundSettlementDraft>),
}

impl Drafts {
    /// The drafts of objects of the type of this name; nothing where objects of that type cannot be
    /// created. Fields that were passed over are added to `ignored_fields`.
    ///
    /// # Errors
    /// Why the front door refuses the whole call.
    pub fn read<'s, S: Source<'s>>(
        name: &str,
        objects: &[S],
        custom: &CustomFields,
        ignored_fields: &mut u32,
    ) -> Result<Option<Self>, S::Refusal> {
        macro_rules! drafts {
            ($kind:ident) => {
                Self::$kind(read_each(objects, Purpose::Create, custom, ignored_fields)?)
            };
        }
        Ok(Some(match name {
            "Account" => drafts!(Accounts),
            "CreditBalanceAdjustment" => drafts!(Adjustments),
            "InvoiceAdjustment" => drafts!(InvoiceAdjustments),
            "InvoiceItemAdjustment" => drafts!(InvoiceItemAdjustments),
            "InvoicePayment" => drafts!(InvoicePayments),
            "Payment" => drafts!(Payments),
            "PaymentMethod" => drafts!(PaymentMethods),
            "Refund" => drafts!(Refunds),
            _ => return Ok(None),
        }))
    }

    /// The account that each object names as its own, as it was sent.
    pub fn accounts(&self) -> Vec<Option<&ObjectId>> {
        match self {
            Self::Accounts(drafts) => drafts.iter().map(|_| None).collect(),
            Self::Adjustments(drafts) => drafts.iter().map(|one| one.account_id.given()).collect(),
            Self::InvoiceAdjustments(drafts) => drafts.iter().map(|_| None).collect(),
            Self::InvoiceItemAdjustments(drafts) => drafts.iter().map(|_| None).collect(),
            Self::InvoicePayments(drafts) => drafts.iter().map(|_| None).collect(),
            Self::Payments(drafts) => drafts.iter().map(|one| one.account_id.given()).collect(),
            Self::PaymentMethods(drafts) => {
                drafts.iter().map(|one| one.account_id.given()).collect()
            }
            Self::Refunds(drafts) => drafts.iter().map(|one| one.account_id.given()).collect(),
            Self::CreditMemos(drafts) => drafts.iter().map(|one| one.account_id.given()).collect(),
            Self::SettlementPayments(drafts) => {
                drafts.iter().map(|one| one.account_id.given()).collect()
            }
            Self::MemoSteps(drafts) | Self::PaymentSteps(drafts) => {
                drafts.iter().map(|_| None).collect()
            }
            Self::MemoRefunds(drafts) => drafts.iter().map(|_| None).collect(),
            Self::PaymentRefunds(drafts) => drafts.iter().map(|_| None).collect(),
            Self::RefundSettlements(drafts) => drafts.iter().map(|_| None).collect(),
        }
    }
}
