//! Changing and deleting what the ledger has: requests and results.

use super::{Context, RowResult};
use crate::domain::custom_field::CustomFields;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::change::{AdjustmentChange, RefundChange};
use crate::domain::draft::invoice_adjustment::{InvoiceAdjustmentChange, ItemAdjustmentChange};
use crate::domain::draft::payment::PaymentChange;
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::draft::reading::read_each;
use crate::domain::draft::settlement_refunds::RefundUpdateDraft;
use crate::domain::draft::source::{Purpose, Source};
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;

/// What a row of such a call came to.
pub type ChangeResult = RowResult;

/// An id as it was sent; for one that has not the form of an id, its error.
pub type SentId = Result<ObjectId, RowError>;

/// A batch of changes, each of which is made or refused on its own.
pub struct Update {
    /// By whom, when and how.
    pub context: Context,
    /// The changes, in the order of the results.
    pub changes: Changes,
}

/// Changes of objects of one type.
#[derive(Debug)]
pub enum Changes {
    /// Of accounts.
    Accounts(Vec<AccountDraft>),
    /// Of credit balance adjustments.
    Adjustments(Vec<AdjustmentChange>),
    /// Of adjustments of invoices.
    InvoiceAdjustments(Vec<InvoiceAdjustmentChange>),
    /// Of adjustments of lines of invoices.
    InvoiceItemAdjustments(Vec<ItemAdjustmentChange>),
    /// Of payments.
    Payments(Vec<PaymentChange>),
    /// Of payment methods.
    PaymentMethods(Vec<MethodDraft>),
    /// Of refunds.
    Refunds(Vec<RefundChange>),
    /// Of refunds, by the v1 operations.
    SettlementRefunds(Vec<RefundUpdateDraft>),
}

impl Changes {
    /// The changes of objects of the type of this name; nothing where objects of that type cannot
    /// be changed. Fields that were passed over are added to `ignored_fields`.
    ///
    /// # Errors
    /// Why the front door refuses the whole call.
    pub fn read<'s, S: Source<'s>>(
        name: &str,
        objects: &[S],
        custom: &CustomFields,
        ignored_fields: &mut u32,
    ) -> Result<Option<Self>, S::Refusal> {
        macro_rules! changes {
            ($kind:ident) => {
                Self::$kind(read_each(objects, Purpose::Update, custom, ignored_fields)?)
            };
        }
        Ok(Some(match name {
            "Account" => changes!(Accounts),
            "CreditBalanceAdjustment" => changes!(Adjustments),
            "InvoiceAdjustment" => changes!(InvoiceAdjustments),
            "InvoiceItemAdjustment" => changes!(InvoiceItemAdjustments),
            "Payment" => changes!(Payments),
            "PaymentMethod" => changes!(PaymentMethods),
            "Refund" => changes!(Refunds),
            _ => return Ok(None),
        }))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Accounts(changes) => changes.len(),
            Self::Adjustments(changes) => changes.len(),
            Self::InvoiceAdjustments(changes) => changes.len(),
            Self::InvoiceItemAdjustments(changes) => changes.len(),
            Self::Payments(changes) => changes.len(),
            Self::PaymentMethods(changes) => changes.len(),
            Self::Refunds(changes) => changes.len(),
            Self::SettlementRefunds(changes) => changes.len(),
        }
    }

    /// The id of the object that each is about, as far as one was sent.
    pub fn ids(&self) -> Vec<Option<&ObjectId>> {
        match self {
            Self::Accounts(all) => all.iter().map(|one| one.common.id.given()).collect(),
            Self::Adjustments(all) => all.iter().map(|one| one.common.id.given()).collect(),
            Self::InvoiceAdjustments(all) => all.iter().map(|one| one.common.id.given()).collect(),
            Self::InvoiceItemAdjustments(all) => {
                all.iter().map(|one| one.0.common.id.given()).collect()
            }
            Self::Payments(all) => all.iter().map(|one| one.common.id.given()).collect(),
            Self::PaymentMethods(all) => all.iter().map(|one| one.common.id.given()).collect(),
            Self::Refunds(all) => all.iter().map(|one| one.common.id.given()).collect(),
            Self::SettlementRefunds(all) => all.iter().map(|one| one.refund.id()).collect(),
        }
    }

    /// Keeps those whose row, from 0, is `wanted`.
    pub fn keep(&mut self, wanted: impl Fn(usize) -> bool) {
        match self {
            Self::Accounts(all) => keep(all, wanted),
            Self::Adjustments(all) => keep(all, wanted),
            Self::InvoiceAdjustments(all) => keep(all, wanted),
            Self::InvoiceItemAdjustments(all) => keep(all, wanted),
            Self::Payments(all) => keep(all, wanted),
            Self::PaymentMethods(all) => keep(all, wanted),
            Self::Refunds(all) => keep(all, wanted),
            Self::SettlementRefunds(all) => keep(all, wanted),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn keep<T>(all: &mut Vec<T>, wanted: impl Fn(usize) -> bool) {
    let mut rows = 0..;
    all.retain(|_| rows.next().is_some_and(&wanted));
}

/// A type of which objects can be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletable {
    /// Accounts that nothing belongs to and nothing happened on.
    Account,
    /// Adjustments of invoices; what a live one moved goes back.
    InvoiceAdjustment,
    /// Adjustments of lines of invoices; what a live one moved goes back.
    InvoiceItemAdjustment,
    /// Payment methods that are no account's default and that no money came from or went to.
    PaymentMethod,
    /// Refunds of a payment; what a live one took goes back to it.
    Refund,
    /// Refunds that are Canceled, by the v1 operations.
    CanceledRefund,
}

impl Deletable {
    /// The type of this name, letter for letter.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Account" => Some(Self::Account),
            "InvoiceAdjustment" => Some(Self::InvoiceAdjustment),
            "InvoiceItemAdjustment" => Some(Self::InvoiceItemAdjustment),
            "PaymentMethod" => Some(Self::PaymentMethod),
            "Refund" => Some(Self::Refund),
            _ => None,
        }
    }
}

/// Objects of one type that are to be deleted, each on its own.
pub struct Delete {
    /// By whom, when and how.
    pub context: Context,
    /// What they are.
    pub object: Deletable,
    /// Their ids, in the order of the results; for one that has not the form of an id, its error.
    pub ids: Vec<SentId>,
}
