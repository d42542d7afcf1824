//! A credit memo to be created, and what is done to one, as a client of the v1 operations asks for
//! them.

use super::super::id::ObjectId;
use super::json::Sent;
use super::refund_details::{COMMENT_CHARS_MAX, ObjectKey, REASON_CHARS_MAX};
use super::{AmountText, Field};
use chrono::NaiveDate;
use serde::Serialize;

/// The most items of a credit memo, the most taxes on one, and the most invoices of one call.
pub const MEMBERS_MAX: usize = 1_000;
/// The longest name of a charge, in characters.
const NAME_CHARS_MAX: usize = 255;

/// The tax on an item of a credit memo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MemoTaxDraft {
    /// How much, above zero.
    pub amount: Field<AmountText>,
    /// What it is called.
    pub name: Field<String>,
}

impl MemoTaxDraft {
    /// Takes a field; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "amount" => self.amount = value.amount("items.taxItems.amount"),
            "name" => self.name = value.text("items.taxItems.name", NAME_CHARS_MAX),
            _ => return false,
        }
        true
    }
}

/// An item of a credit memo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MemoItemDraft {
    /// How much without the taxes, above zero.
    pub amount: Field<AmountText>,
    /// chargeName or skuName.
    pub name: Field<String>,
    /// chargeId and productRatePlanChargeId: what it is for, which is stored nowhere, because
    /// products are not known here.
    pub charge: [Field<String>; 2],
    /// The taxes on it.
    pub taxes: Vec<MemoTaxDraft>,
}

impl MemoItemDraft {
    /// Takes a scalar field; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "amount" => self.amount = value.amount("items.amount"),
            "chargeName" | "skuName" => {
                self.name = value.text(&format!("items.{name}"), NAME_CHARS_MAX);
            }
            "chargeId" | "productRatePlanChargeId" => {
                let [by_charge, by_plan] = &mut self.charge;
                let charge = if name == "chargeId" { by_charge } else { by_plan };
                *charge = value.text(&format!("items.{name}"), NAME_CHARS_MAX);
            }
            _ => return false,
        }
        true
    }
}

/// A credit memo to be created. It is worth what its items and their taxes are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CreditMemoDraft {
    /// accountId.
    pub account_id: Field<ObjectId>,
    /// accountNumber, instead of the id or beside it.
    pub account_number: Field<String>,
    /// effectiveDate: the day of the memo; without it, today.
    pub effective_date: Field<NaiveDate>,
    /// comment, at most 255 characters.
    pub comment: Field<String>,
    /// reasonCode: one of the tenant's for credit memos.
    pub reason_code: Field<String>,
    /// autoPost: whether it is posted at once.
    pub auto_post: Field<bool>,
    /// excludeFromAutoApplyRules, which the vendor's client always sends: stored nowhere, because
    /// nothing is applied by rules here.
    pub excluded: Field<bool>,
    /// The items, at least one.
    pub items: Vec<MemoItemDraft>,
}

impl CreditMemoDraft {
    /// Takes a scalar field of the document's top level; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "accountId" => self.account_id = value.id(name),
            "accountNumber" => self.account_number = value.text(name, 255),
            "effectiveDate" => self.effective_date = value.day(name),
            "comment" => self.comment = value.text(name, COMMENT_CHARS_MAX),
            "reasonCode" => self.reason_code = value.text(name, REASON_CHARS_MAX),
            "autoPost" => self.auto_post = value.boolean(name),
            "excludeFromAutoApplyRules" => self.excluded = value.boolean(name),
            _ => return false,
        }
        true
    }
}

/// How much of a credit memo or a payment goes to an invoice, or comes back from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ShareDraft {
    /// The invoice, by its id.
    pub invoice_id: Field<ObjectId>,
    /// The same by its number.
    pub invoice_number: Field<String>,
    /// How much, above zero.
    pub amount: Field<AmountText>,
}

impl ShareDraft {
    /// Takes a field of a member of `invoices`; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "invoiceId" => self.invoice_id = value.id("invoices.invoiceId"),
            "invoiceNumber" => self.invoice_number = value.text("invoices.invoiceNumber", 255),
            "amount" => self.amount = value.amount("invoices.amount"),
            _ => return false,
        }
        true
    }
}

/// What is done to a credit memo or a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Step {
    /// A draft of a credit memo is posted.
    Post,
    /// A draft of a credit memo is given up.
    Cancel,
    /// Amounts go to invoices.
    Apply(Vec<ShareDraft>),
    /// Amounts come back from invoices.
    Unapply(Vec<ShareDraft>),
}

/// A step of a credit memo, or of a payment, which knows only [`Step::Apply`] and
/// [`Step::Unapply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDraft {
    /// The credit memo or the payment that the path names.
    pub target: ObjectKey,
    /// What is done.
    pub step: Step,
    /// effectiveDate: the day it counts for; without it, today.
    pub effective_date: Field<NaiveDate>,
}

impl StepDraft {
    /// A step of what the path names.
    pub fn of(target: &str, step: Step) -> Self {
        Self { target: ObjectKey::of(target), step, effective_date: Field::Absent }
    }

    /// Takes a scalar field of the document's top level; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "effectiveDate" => self.effective_date = value.day(name),
            _ => return false,
        }
        true
    }

    /// Adds a member of `invoices`.
    pub fn add_share(&mut self, share: ShareDraft) {
        if let Step::Apply(shares) | Step::Unapply(shares) = &mut self.step {
            shares.push(share);
        }
    }
}
