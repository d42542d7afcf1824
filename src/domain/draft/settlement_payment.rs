//! A payment under Invoice Settlement, as a client of the v1 operations asks for it.

use super::super::id::ObjectId;
use super::super::money::Currency;
use super::super::vocabulary::{MethodType, PaymentType};
use super::credit_memo::ShareDraft;
use super::json::Sent;
use super::refund_details::{COMMENT_CHARS_MAX, REFERENCE_CHARS_MAX};
use super::{AmountText, Field};
use crate::domain::custom_value::CustomDraft;
use chrono::NaiveDate;
use serde::Serialize;

/// A payment to be created. What pays no invoice is unapplied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SettlementPaymentDraft {
    /// accountId.
    pub account_id: Field<ObjectId>,
    /// accountNumber, instead of the id or beside it.
    pub account_number: Field<String>,
    /// How much, in the account's currency.
    pub amount: Field<AmountText>,
    /// currency, which has to be the account's.
    pub currency: Field<Currency>,
    /// effectiveDate: the day it counts for.
    pub effective_date: Field<NaiveDate>,
    /// type: who moved the money.
    pub payment_type: Field<PaymentType>,
    /// paymentMethodId.
    pub payment_method_id: Field<ObjectId>,
    /// paymentMethodType, of an external payment without a method.
    pub payment_method_type: Field<MethodType>,
    /// gatewayId, of an electronic payment.
    pub gateway_id: Field<ObjectId>,
    /// comment, at most 255 characters.
    pub comment: Field<String>,
    /// referenceId, at most 100 characters: by which the gateway knows it.
    pub reference_id: Field<String>,
    /// The invoices that it pays.
    pub invoices: Vec<ShareDraft>,
    /// Fields of the tenant's own.
    pub custom: CustomDraft,
}

impl SettlementPaymentDraft {
    /// Takes a scalar field of the document's top level; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "accountId" => self.account_id = value.id(name),
            "accountNumber" => self.account_number = value.text(name, 255),
            "amount" => self.amount = value.amount(name),
            "currency" => self.currency = value.read(name, Currency::from_code),
            "effectiveDate" => self.effective_date = value.day(name),
            "type" => self.payment_type = value.read(name, PaymentType::from_name),
            "paymentMethodId" => self.payment_method_id = value.id(name),
            "paymentMethodType" => {
                self.payment_method_type = value.read(name, MethodType::from_name);
            }
            "gatewayId" => self.gateway_id = value.id(name),
            "comment" => self.comment = value.text(name, COMMENT_CHARS_MAX),
            "referenceId" => self.reference_id = value.text(name, REFERENCE_CHARS_MAX),
            _ => return false,
        }
        true
    }
}
