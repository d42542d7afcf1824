//! Which facts a draft has to be decided on: what the ledger looks up before the rules are asked,
//! one by one or for a whole batch at once.
//!
//! What must stay true: nothing is decided here. A fact that is missing here is looked up when it
//! is asked for; one too many is only looked up in vain.

use super::{Asking, source_of};
use crate::domain::calendar::CalendarText;
use crate::domain::draft::RefundDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::credit_memo::{ShareDraft, Step};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::draft::settlement_refunds::ItemDraft;
use crate::domain::draft::{Field, account, invoice_adjustment, payment};
use crate::domain::id::ObjectId;
use crate::domain::vocabulary::{MethodType, SourceType};

/// How an object is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'d> {
    /// By its Id.
    Id(&'d ObjectId),
    /// By its number.
    Number(&'d String),
}

impl<'d> Named<'d> {
    /// How a path names an object.
    pub const fn by(key: &'d ObjectKey) -> Self {
        match key {
            ObjectKey::Id(id) => Self::Id(id),
            ObjectKey::Number(number) => Self::Number(number),
        }
    }
}

/// A fact that a draft is decided on, by the name that the draft has for it, with all that belongs
/// to it.
#[derive(Debug, Clone, Copy)]
pub enum Need<'d> {
    /// An account with its credit balance.
    Account(Named<'d>),
    /// The account of a refund of its credit balance.
    Payer {
        /// The account.
        account: &'d ObjectId,
        /// Whether its default method may be the one that is paid to.
        default_method: bool,
        /// Who asks, and the day on which the balance has to be enough.
        on: (&'d Asking, Option<&'d CalendarText>),
    },
    /// Who has an account number.
    Holder(&'d String),
    /// The account that another one is to belong below.
    Parent(&'d ObjectId),
    /// A payment method.
    Method(&'d ObjectId),
    /// The tenant's own payment method of a type.
    OwnMethod(MethodType),
    /// A payment with its account, its method, its parts, and what was collected with it.
    Payment(Named<'d>),
    /// The payments that gateways know by a reference.
    Reference(&'d str),
    /// An invoice with its account.
    Invoice(Named<'d>),
    /// What an adjustment of a credit balance draws on: an invoice, or a payment if there is none.
    Source(Named<'d>),
    /// A line of an invoice with its adjustments.
    Line(&'d ObjectId),
    /// Who has the number of an adjustment of an invoice.
    AdjustmentNumber(&'d String),
    /// A credit memo with its account and what of it is applied.
    CreditMemo {
        /// The memo.
        named: Named<'d>,
        /// Whether its lines are counted.
        lines: bool,
    },
    /// An item or a tax of a credit memo.
    MemoLine(&'d ObjectId),
    /// A gateway.
    Gateway(&'d ObjectId),
    /// A refund that a gateway's settlement is about.
    Settled(&'d ObjectKey),
}

/// Has each fact needed that the drafts name.
pub fn needs_of_drafts<'d>(
    drafts: &'d Drafts,
    asking: &'d Asking,
    need: &mut impl FnMut(Need<'d>),
) {
    match drafts {
        Drafts::Accounts(all) => all.iter().for_each(|one| needs_of_account(one, need)),
        Drafts::Adjustments(all) => {
            for one in all {
                given(&one.source_id, |id| need(Need::Source(Named::Id(id))));
                given(&one.source_number, |number| need(Need::Source(Named::Number(number))));
                given(&one.account_id, |id| need(Need::Account(Named::Id(id))));
            }
        }
        Drafts::InvoiceAdjustments(all) => all.iter().for_each(|one| of_invoice(one, need)),
        Drafts::InvoiceItemAdjustments(all) => {
            for one in all {
                of_invoice(&one.whole, need);
                given(&one.source_id, |id| need(Need::Line(id)));
                given(&one.number, |number| need(Need::AdjustmentNumber(number)));
            }
        }
        Drafts::InvoicePayments(all) => {
            for one in all {
                given(&one.payment_id, |id| need(Need::Payment(Named::Id(id))));
                given(&one.invoice_id, |id| need(Need::Invoice(Named::Id(id))));
            }
        }
        Drafts::Payments(all) => all.iter().for_each(|one| of_payment(one, need)),
        Drafts::PaymentMethods(all) => {
            for one in all {
                given(&one.account_id, |id| need(Need::Account(Named::Id(id))));
            }
        }
        Drafts::Refunds(all) => all.iter().for_each(|one| of_refund(one, asking, need)),
        Drafts::CreditMemos(_)
        | Drafts::MemoSteps(_)
        | Drafts::SettlementPayments(_)
        | Drafts::PaymentSteps(_)
        | Drafts::MemoRefunds(_)
        | Drafts::PaymentRefunds(_)
        | Drafts::RefundSettlements(_) => needs_of_settlement(drafts, need),
    }
}

/// The same for the drafts of the v1 operations.
fn needs_of_settlement<'d>(drafts: &'d Drafts, need: &mut impl FnMut(Need<'d>)) {
    match drafts {
        Drafts::CreditMemos(all) => {
            for one in all {
                of_account_named(&one.account_id, &one.account_number, need);
            }
        }
        Drafts::MemoSteps(all) => {
            for one in all {
                need(Need::CreditMemo { named: Named::by(&one.target), lines: false });
                of_step(&one.step, need);
            }
        }
        Drafts::SettlementPayments(all) => {
            for one in all {
                of_account_named(&one.account_id, &one.account_number, need);
                match (one.payment_method_id.given(), one.payment_method_type.given()) {
                    (Some(id), _) => need(Need::Method(id)),
                    (None, Some(method_type)) => need(Need::OwnMethod(*method_type)),
                    (None, None) => {}
                }
                given(&one.gateway_id, |id| need(Need::Gateway(id)));
                given(&one.reference_id, |reference| need(Need::Reference(reference)));
                of_shares(&one.invoices, need);
            }
        }
        Drafts::PaymentSteps(all) => {
            for one in all {
                need(Need::Payment(Named::by(&one.target)));
                of_step(&one.step, need);
            }
        }
        Drafts::MemoRefunds(all) => {
            for one in all {
                let lines = !one.items.is_empty();
                need(Need::CreditMemo { named: Named::by(&one.memo), lines });
                given(&one.payment_method_id, |id| need(Need::Method(id)));
                given(&one.gateway_id, |id| need(Need::Gateway(id)));
                one.items.iter().filter_map(named_line).for_each(|id| need(Need::MemoLine(id)));
            }
        }
        Drafts::PaymentRefunds(all) => {
            for one in all {
                need(Need::Payment(Named::by(&one.payment)));
                let unapplied = one.unapply.as_ref().map_or(&[][..], |unapply| &unapply.invoices);
                of_shares(unapplied, need);
            }
        }
        Drafts::RefundSettlements(all) => {
            all.iter().for_each(|one| need(Need::Settled(&one.refund)));
        }
        _ => {}
    }
}

/// The item or the tax that a refund of a credit memo names.
pub fn named_line(draft: &ItemDraft) -> Option<&ObjectId> {
    draft.item_id.given().or(draft.tax_item_id.given())
}

fn given<'d, T>(field: &'d Field<T>, need: impl FnMut(&'d T)) {
    field.given().into_iter().for_each(need);
}

/// What the draft of an account names, new or not.
pub fn needs_of_account<'d>(draft: &'d account::AccountDraft, need: &mut impl FnMut(Need<'d>)) {
    given(&draft.default_method, |id| need(Need::Method(id)));
    given(&draft.number, |number| need(Need::Holder(number)));
    given(&draft.parent, |id| need(Need::Parent(id)));
}

fn of_account_named<'d>(
    id: &'d Field<ObjectId>,
    number: &'d Field<String>,
    need: &mut impl FnMut(Need<'d>),
) {
    given(id, |id| need(Need::Account(Named::Id(id))));
    given(number, |number| need(Need::Account(Named::Number(number))));
}

fn of_invoice<'d>(
    draft: &'d invoice_adjustment::InvoiceAdjustmentDraft,
    need: &mut impl FnMut(Need<'d>),
) {
    given(&draft.invoice_id, |id| need(Need::Invoice(Named::Id(id))));
    given(&draft.invoice_number, |number| need(Need::Invoice(Named::Number(number))));
}

fn of_payment<'d>(draft: &'d payment::PaymentDraft, need: &mut impl FnMut(Need<'d>)) {
    given(&draft.account_id, |id| need(Need::Account(Named::Id(id))));
    given(&draft.method_id, |id| need(Need::Method(id)));
    given(&draft.invoice_id, |id| need(Need::Invoice(Named::Id(id))));
    given(&draft.invoice_number, |number| need(Need::Invoice(Named::Number(number))));
    given(&draft.reference_id, |reference| need(Need::Reference(reference)));
}

fn of_refund<'d>(draft: &'d RefundDraft, asking: &'d Asking, need: &mut impl FnMut(Need<'d>)) {
    let RefundNeeds { account, default_method, method, payment, day } = RefundNeeds::of(draft);
    if let Some(account) = account {
        need(Need::Payer { account, default_method, on: (asking, day) });
    }
    method.into_iter().for_each(|id| need(Need::Method(id)));
    payment.into_iter().for_each(|id| need(Need::Payment(Named::Id(id))));
}

fn of_step<'d>(step: &'d Step, need: &mut impl FnMut(Need<'d>)) {
    match step {
        Step::Apply(shares) | Step::Unapply(shares) => of_shares(shares, need),
        Step::Post | Step::Cancel => {}
    }
}

fn of_shares<'d>(shares: &'d [ShareDraft], need: &mut impl FnMut(Need<'d>)) {
    for share in shares {
        given(&share.invoice_id, |id| need(Need::Invoice(Named::Id(id))));
        given(&share.invoice_number, |number| need(Need::Invoice(Named::Number(number))));
    }
}

/// What a refund's draft names, of what can be looked up. What was sent in a wrong form is not
/// here: the rules refuse it without a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundNeeds<'d> {
    /// The account.
    pub account: Option<&'d ObjectId>,
    /// Whether the account's default method may be the one that is paid to: the draft names neither
    /// a method nor a type.
    pub default_method: bool,
    /// The payment method.
    pub method: Option<&'d ObjectId>,
    /// The payment that is given back; none for a refund of a credit balance, which has none.
    pub payment: Option<&'d ObjectId>,
    /// The day on which the balance has to be enough, if it is not today.
    pub day: Option<&'d CalendarText>,
}

impl<'d> RefundNeeds<'d> {
    /// What `draft` names.
    pub fn of(draft: &'d RefundDraft) -> Self {
        let method = draft.payment_method_id.given();
        let is_of_payment = source_of(draft) == SourceType::Payment;
        Self {
            account: draft.account_id.given(),
            default_method: method.is_none() && draft.method_type.is_absent(),
            method,
            payment: draft.payment_id.given().filter(|_| is_of_payment),
            day: draft.refund_date.given(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::fields::Draft as _;

    #[test]
    fn a_payment_is_needed_only_to_be_given_back() {
        let id = "402892c72b9e3319012b9e34b88e0001";
        let mut draft = RefundDraft::default();
        draft.set("AccountId", id);
        draft.set("PaymentId", id);
        draft.set("SourceType", "CreditBalance");
        let needs = RefundNeeds::of(&draft);
        assert!(needs.account.is_some() && needs.default_method);
        assert_eq!((needs.method, needs.payment), (None, None));
        draft.set("MethodType", "Cash");
        assert!(!RefundNeeds::of(&draft).default_method);
        let mut draft = RefundDraft::default();
        draft.set("PaymentId", id);
        draft.set("SourceType", "Payment");
        assert!(RefundNeeds::of(&draft).payment.is_some());
    }
}
