//! The objects of one call to create, all of one type, as the documents ask for.

use super::RefundDraft;
use super::account::AccountDraft;
use super::adjustment::AdjustmentDraft;
use super::invoice_adjustment::{InvoiceAdjustmentDraft, ItemAdjustmentDraft};
use super::payment::{PaymentDraft, PaymentPartDraft};
use super::payment_method::MethodDraft;
use crate::domain::id::ObjectId;
use serde::Serialize;

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
}

impl Drafts {
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
        }
    }
}
