//! What a request names, before it is decided: the writer has it looked up for all requests of a
//! batch at once (`loading.rs`).
//!
//! What must stay true: nothing is decided here, and nothing that is said here is relied upon. What
//! is left out is looked up when it is asked for.

use super::numbering::Numbered;
use super::trail_facts::{operation_of, type_of_changes, type_of_deleted, type_of_drafts};
use crate::domain::draft::Field;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::payment::PaymentChange;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::origin::Origin;
use crate::domain::reconciliation::Settlement;
use crate::domain::refund_name::RefundName;
use crate::domain::rules::{Asking, Need, needs_of_account, needs_of_drafts};
use crate::domain::vocabulary::PaymentType;
use crate::ledger::change::{Changes, Deletable, Delete, Update};
use crate::ledger::reconciliation::Reconcile;
use crate::ledger::{AmendedAnswer, Context, Create, TokenHash, UserKey};

/// What a request names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'r> {
    /// A fact of a draft.
    Fact(Need<'r>),
    /// The answer that was kept for a user's key of an operation.
    Answer(UserKey, &'static str, &'r str),
    /// Who does what by which way, as the audit has it.
    Source(UserKey, &'r Origin, &'static str, &'static str),
    /// A user, as views show it.
    User(UserKey),
    /// A credit memo with its lines, as views show it.
    ShownMemo(&'r ObjectKey),
    /// A payment method as it is written down beside a refund.
    WholeMethod(&'r ObjectId),
    /// The same of a payment.
    WholeMethodOf(&'r ObjectKey),
    /// An account that is to be changed or deleted, with all that keeps it from that.
    OldAccount(&'r ObjectId),
    /// A payment method that is to be changed or deleted, with all that keeps it from that.
    OldMethod(&'r ObjectId),
    /// An adjustment of a credit balance with its source.
    Adjustment(&'r ObjectId, &'r Asking),
    /// An adjustment of an invoice.
    InvoiceAdjustment(&'r ObjectId),
    /// A payment that is to be changed.
    OldPayment(&'r PaymentChange),
    /// A refund, for what is to be done with it.
    Refund(RefundName, Purpose),
    /// The event of a gateway's settlement.
    Event(&'r str),
    /// The schedule of a refund in Processing, and the refund.
    Inquiry(RefundNumber),
    /// What a webhook still has to get of an event.
    Delivery(&'r str, i64),
    /// A session.
    Session(TokenHash),
}

/// What is to be done with a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is changed by SOAP.
    Change,
    /// It is changed by a v1 operation, which shows it.
    ChangeAndShow,
    /// It is deleted.
    Delete,
    /// It ends; whether its money is given back.
    End { gives_back: bool },
    /// A gateway's settlement is noted; whether its money may be given back.
    Settle { gives_back: bool },
}

/// Numbers that are to be given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    /// To what.
    pub(super) numbered: Numbered,
    /// How many.
    pub(super) count: i64,
    /// Whether gateways are to know payments by them.
    pub(super) are_references: bool,
}

/// What the requests of a batch name.
#[derive(Debug, Default)]
pub struct Needs<'r> {
    pub(super) names: Vec<Name<'r>>,
    /// How many numbers are to be given, by what is numbered.
    pub(super) numbers: Vec<Numbers>,
}

impl<'r> Needs<'r> {
    fn add(&mut self, name: Name<'r>) {
        self.names.push(name);
    }

    fn fact(&mut self, need: Need<'r>) {
        self.add(Name::Fact(need));
    }

    fn number(&mut self, numbered: Numbered) {
        self.number_of(numbered, false);
    }

    fn number_of(&mut self, numbered: Numbered, is_reference: bool) {
        match self.numbers.iter_mut().find(|known| known.numbered == numbered) {
            Some(known) => {
                known.count += 1;
                known.are_references |= is_reference;
            }
            None => {
                self.numbers.push(Numbers { numbered, count: 1, are_references: is_reference });
            }
        }
    }

    /// The number of a new payment, by which its gateway may know it.
    fn payment(&mut self, payment_type: &Field<PaymentType>, reference: &Field<String>) {
        let is_electronic = payment_type.given() == Some(&PaymentType::Electronic);
        self.number_of(Numbered::Payment, is_electronic && reference.given().is_none());
    }

    fn source(&mut self, context: &'r Context, operation: &'static str, object: &'static str) {
        self.add(Name::Source(context.user, &context.origin, operation, object));
    }
}

/// What a call to create names.
pub fn create<'r>(request: &'r Create, needs: &mut Needs<'r>) {
    let (context, drafts) = (&request.context, &request.batch.drafts);
    if let Some(once) = &request.idempotency {
        needs.add(Name::Answer(context.user, once.operation, &once.key));
    }
    needs.source(context, operation_of(drafts), type_of_drafts(drafts));
    needs_of_drafts(drafts, &context.asking, &mut |need| needs.fact(need));
    match drafts {
        Drafts::Accounts(all) => {
            let unnumbered = all.iter().filter(|one| one.number.given().is_none());
            unnumbered.for_each(|_| needs.number(Numbered::Account));
        }
        Drafts::Payments(all) => {
            all.iter().for_each(|one| needs.payment(&one.payment_type, &one.reference_id));
        }
        Drafts::InvoiceAdjustments(all) => {
            all.iter().for_each(|_| needs.number(Numbered::InvoiceAdjustment));
        }
        Drafts::InvoiceItemAdjustments(all) => {
            let unnumbered = all.iter().filter(|one| one.number.given().is_none());
            unnumbered.for_each(|_| needs.number(Numbered::ItemAdjustment));
        }
        Drafts::CreditMemos(all) => {
            all.iter().for_each(|_| needs.number(Numbered::CreditMemo));
            needs.add(Name::User(context.user));
        }
        Drafts::SettlementPayments(all) => {
            all.iter().for_each(|one| needs.payment(&one.payment_type, &one.reference_id));
            needs.add(Name::User(context.user));
        }
        Drafts::PaymentRefunds(all) => {
            let unapplied = all.iter().filter_map(|one| one.unapply.as_ref());
            let written_off = unapplied.filter(|one| one.write_off.given() == Some(&true));
            let memos = written_off.flat_map(|one| &one.invoices);
            memos.for_each(|_| needs.number(Numbered::CreditMemo));
            all.iter().for_each(|one| needs.add(Name::WholeMethodOf(&one.payment)));
            needs.add(Name::User(context.user));
        }
        Drafts::MemoSteps(all) => {
            all.iter().for_each(|one| needs.add(Name::ShownMemo(&one.target)));
            needs.add(Name::User(context.user));
        }
        Drafts::MemoRefunds(all) => {
            let methods = all.iter().filter_map(|one| one.payment_method_id.given());
            methods.for_each(|id| needs.add(Name::WholeMethod(id)));
            needs.add(Name::User(context.user));
        }
        Drafts::PaymentSteps(_) | Drafts::RefundSettlements(_) => {
            needs.add(Name::User(context.user));
        }
        // They have no numbers, or such as follow from their keys.
        Drafts::InvoicePayments(_)
        | Drafts::PaymentMethods(_)
        | Drafts::Adjustments(_)
        | Drafts::Refunds(_) => {}
    }
}

/// What a call to update names.
pub fn update<'r>(request: &'r Update, needs: &mut Needs<'r>) {
    let context = &request.context;
    needs.source(context, "update", type_of_changes(&request.changes));
    for id in request.changes.ids().into_iter().flatten() {
        match request.changes {
            Changes::Accounts(_) => needs.add(Name::OldAccount(id)),
            Changes::PaymentMethods(_) => needs.add(Name::OldMethod(id)),
            Changes::Adjustments(_) => needs.add(Name::Adjustment(id, &context.asking)),
            Changes::InvoiceAdjustments(_) | Changes::InvoiceItemAdjustments(_) => {
                needs.add(Name::InvoiceAdjustment(id));
            }
            Changes::Refunds(_) => needs.refund(id.as_str(), Purpose::Change),
            Changes::Payments(_) | Changes::SettlementRefunds(_) => {}
        }
    }
    match &request.changes {
        Changes::Accounts(all) => {
            all.iter().for_each(|one| needs_of_account(one, &mut |need| needs.fact(need)));
        }
        Changes::Payments(all) => {
            all.iter().for_each(|one| needs.add(Name::OldPayment(one)));
        }
        Changes::SettlementRefunds(all) => {
            needs.add(Name::User(context.user));
            all.iter().for_each(|one| needs.refund(one.refund.as_str(), Purpose::ChangeAndShow));
        }
        _ => {}
    }
}

/// What a call to delete names.
pub fn delete<'r>(request: &'r Delete, needs: &mut Needs<'r>) {
    needs.source(&request.context, "delete", type_of_deleted(request.object));
    for id in request.ids.iter().flatten() {
        match request.object {
            Deletable::Account => needs.add(Name::OldAccount(id)),
            Deletable::PaymentMethod => needs.add(Name::OldMethod(id)),
            Deletable::InvoiceAdjustment | Deletable::InvoiceItemAdjustment => {
                needs.add(Name::InvoiceAdjustment(id));
            }
            Deletable::Refund | Deletable::CanceledRefund => {
                needs.refund(id.as_str(), Purpose::Delete);
            }
        }
    }
}

impl Needs<'_> {
    fn refund(&mut self, text: &str, purpose: Purpose) {
        if let Some(name) = RefundName::parse(text) {
            self.add(Name::Refund(name, purpose));
        }
    }
}

/// What a gateway's verdict on a refund names.
pub fn end(number: RefundNumber, verdict: &Verdict, needs: &mut Needs<'_>) {
    let gives_back = matches!(verdict, Verdict::Declined { .. });
    needs.add(Name::Refund(RefundName::Number(number), Purpose::End { gives_back }));
}

/// What an exchange without a verdict names, or that an order is sent again.
pub fn note(number: RefundNumber, needs: &mut Needs<'_>) {
    needs.add(Name::Inquiry(number));
}

/// What a report of gateways' settlements names.
pub fn reconcile<'r>(request: &'r Reconcile, needs: &mut Needs<'r>) {
    for event in &request.events {
        let gives_back = event.settlement == Settlement::Failed;
        needs.add(Name::Refund(event.refund, Purpose::Settle { gives_back }));
        if let Some(id) = &event.event_id {
            needs.add(Name::Event(id));
        }
    }
}

/// The refund that a v1 operation reports a settlement of.
pub(super) fn settled(key: &ObjectKey) -> Option<[Name<'static>; 2]> {
    let purposes = [Purpose::Settle { gives_back: true }, Purpose::ChangeAndShow];
    let name = RefundName::parse(key.as_str())?;
    Some(purposes.map(|purpose| Name::Refund(name, purpose)))
}

/// What the new answer for a key names.
pub fn amend<'r>(answer: &'r AmendedAnswer, needs: &mut Needs<'r>) {
    needs.add(Name::Answer(answer.user, answer.operation, &answer.key));
}

/// What the result of an attempt to deliver names.
pub fn attempt<'r>(webhook: &'r str, event: i64, needs: &mut Needs<'r>) {
    needs.add(Name::Delivery(webhook, event));
}

/// What the use of a session names.
pub fn session(token: TokenHash, needs: &mut Needs<'_>) {
    needs.add(Name::Session(token));
}
