//! What may be changed of a payment: each rule by a change that meets it and one that does not.

use super::paying_tests::{invoice, payment};
use super::settlement_tests::{account, asking, method};
use super::*;
use crate::domain::collected::{Collected, KnownPayment};
use crate::domain::draft::change::Change;
use crate::domain::draft::fields::Draft as _;
use crate::domain::draft::payment::PaymentChange;
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::{MethodStatus, PaymentStatus, PaymentType};

const ID: (&str, &str) = ("Id", "402892c72b9e3319012b9e34b88e0005");

fn change(fields: &[(&str, &str)]) -> PaymentChange {
    let mut change = PaymentChange::default();
    for (name, text) in [&[ID], fields].concat() {
        assert!(change.set(name, text), "{name}");
    }
    change
}

fn electronic(status: PaymentStatus) -> Payment {
    let collected = Some(Collected { amount: MinorUnits::new(10_000), sent: MinorUnits::ZERO });
    let (payment_type, gateway) = (PaymentType::Electronic, Some("sandbox".to_owned()));
    Payment { payment_type, gateway, collected, ..payment(status) }
}

fn known() -> Vec<KnownPayment> {
    let (number, gateway) = ("P-4".to_owned(), "sandbox".to_owned());
    vec![KnownPayment { key: PaymentKey(4), number, gateway }]
}

/// What a change of a payment does, beside one invoice that asks for 60.00.
fn done(
    payment: Payment,
    change: &PaymentChange,
    known: Vec<KnownPayment>,
) -> Result<Option<PaymentStep>, RowError> {
    let tenant = Tenant::default();
    let facts = PaymentChangeFacts {
        tenant: &tenant,
        gateways: &[Gateway::sandbox()],
        payment: Some(payment),
        invoices: vec![invoice(6, 6_000)],
        known,
    };
    let update = decide_payment_update(change, &facts, &asking(Permissions::all()))?;
    Ok(update.status.map(|(_, step)| step))
}

fn to(status: &str, payment: Payment) -> Result<Option<PaymentStep>, RowError> {
    done(payment, &change(&[("Status", status)]), Vec::new())
}

#[test]
fn a_payment_gets_the_statuses_that_it_can_have() {
    use PaymentStatus::{Canceled, Draft, Processed, Voided};
    let invalid = |status| Err(RowError::invalid("Status", status));
    let process = Ok(Some(PaymentStep::Process(None)));
    assert_eq!(to("Processed", payment(Draft)), process);
    assert_eq!(to("Canceled", payment(Draft)), Ok(Some(PaymentStep::Discard)));
    assert_eq!(to("Voided", payment(Draft)), invalid("Voided"));
    assert_eq!(to("Canceled", payment(Processed)), Ok(Some(PaymentStep::TakeBack)));
    assert_eq!(to("Voided", payment(Processed)), invalid("Voided"));
    assert_eq!(to("Voided", electronic(Processed)), Ok(Some(PaymentStep::TakeBack)));
    assert_eq!(to("Canceled", electronic(Processed)), invalid("Canceled"));
    assert_eq!(to("Processed", payment(Canceled)), invalid("Processed"));
    assert_eq!(to("Processed", electronic(Voided)), invalid("Processed"));
    assert_eq!(to("Processed", payment(Processed)), Ok(None), "it has that one already");
}

#[test]
fn what_was_taken_of_a_payment_keeps_it() {
    let used = Err(RowError::payment_in_use("P-5"));
    let refunded = Payment { refunded: MinorUnits::new(1), ..payment(PaymentStatus::Processed) };
    assert_eq!(to("Canceled", refunded), used);
    let became_credit =
        Payment { to_credit_balance: MinorUnits::new(1), ..payment(PaymentStatus::Processed) };
    assert_eq!(to("Canceled", became_credit.clone()), used);
    let both = Payment { refunded: MinorUnits::new(1), ..became_credit };
    assert_eq!(to("Canceled", both), used, "what was taken in two ways does not cancel out");
}

#[test]
fn a_draft_is_processed_by_the_rules_of_a_new_payment() {
    let draft = || electronic(PaymentStatus::Draft);
    assert_eq!(to("Processed", draft()), Ok(Some(PaymentStep::Process(None))));
    let closed = PaymentMethod { status: MethodStatus::Closed, ..method() };
    let with_closed = Payment { method: Some(closed), ..draft() };
    assert_eq!(to("Processed", with_closed), Err(RowError::payment_method_closed("P-5")));
    let elsewhere = Payment { gateway: Some("other".to_owned()), ..draft() };
    assert!(to("Processed", elsewhere).is_err());
    let more = {
        let mut more = draft();
        more.parts[0].amount = MinorUnits::new(6_001);
        more
    };
    let (asked, balance) = (MinorUnits::new(6_001), MinorUnits::new(6_000));
    let over = RowError::over_invoice_balance(asked, balance, account().currency);
    assert_eq!(to("Processed", more), Err(over));
    let credit = Payment { to_credit_balance: MinorUnits::new(500), ..draft() };
    assert!(matches!(to("Processed", credit), Ok(Some(PaymentStep::Process(Some(_))))));
    let processing = change(&[("Status", "Processed")]);
    let taken = done(draft(), &processing, known());
    assert_eq!(taken, Err(RowError::reference_taken("P-5", "P-4", "sandbox")));
    let with_reference = change(&[("Status", "Processed"), ("ReferenceId", "ch_9")]);
    let taken = done(draft(), &with_reference, known());
    assert_eq!(taken, Err(RowError::reference_taken("ch_9", "P-4", "sandbox")));
    let own = vec![KnownPayment { key: PaymentKey(5), ..known().remove(0) }];
    assert!(done(draft(), &with_reference, own).is_ok(), "its own reference is not taken");
}

#[test]
fn a_reference_changes_only_while_nothing_was_sent_against_it() {
    let paid = || electronic(PaymentStatus::Processed);
    let other = change(&[("ReferenceId", "ch_9")]);
    assert_eq!(done(paid(), &other, Vec::new()), Ok(None));
    let taken = Err(RowError::reference_taken("ch_9", "P-4", "sandbox"));
    assert_eq!(done(paid(), &other, known()), taken);
    let sent = |sent| {
        let collected =
            Some(Collected { amount: MinorUnits::new(10_000), sent: MinorUnits::new(sent) });
        Payment { collected, ..paid() }
    };
    let in_use = Err(RowError::reference_in_use("P-5", "sandbox"));
    assert_eq!(done(sent(1), &other, Vec::new()), in_use);
    assert_eq!(done(sent(0), &other, Vec::new()), Ok(None));
    let same = change(&[("ReferenceId", " p-5")]);
    assert_eq!(done(sent(1), &same, known()), Ok(None), "a gateway takes the two for one");
    let referenced = Payment { reference_id: Some("ch_1".to_owned()), ..sent(1) };
    let mut clearing = change(&[]);
    assert!(clearing.clear("ReferenceId"));
    assert_eq!(done(referenced.clone(), &clearing, Vec::new()), in_use);
    let external = Payment { gateway: None, ..referenced };
    assert_eq!(done(external, &clearing, known()), Ok(None), "no gateway knows it");
    let draft = Payment { status: PaymentStatus::Draft, ..sent(1) };
    assert_eq!(done(draft, &other, known()), Ok(None), "nothing was collected yet");
}

#[test]
fn the_reference_afterwards_is_the_new_one_or_the_number() {
    let payment = payment(PaymentStatus::Processed);
    assert_eq!(reference_after(&Change::Keep, &payment), None);
    assert_eq!(reference_after(&Change::To("x"), &payment), Some("x"));
    assert_eq!(reference_after(&Change::Clear, &payment), Some("P-5"));
}

#[test]
fn a_change_is_of_a_payment_that_is_there_and_says_what_it_changes() {
    let tenant = Tenant::default();
    let facts = |payment| PaymentChangeFacts {
        tenant: &tenant,
        gateways: &[],
        payment,
        invoices: Vec::new(),
        known: Vec::new(),
    };
    let (all, none) = (asking(Permissions::all()), asking(Permissions::NONE));
    let commented = change(&[("Comment", "c"), ("ReferenceId", "r")]);
    let unknown = decide_payment_update(&commented, &facts(None), &all).map(drop);
    assert_eq!(unknown, Err(RowError::invalid(ID.0, ID.1)));
    let there = facts(Some(payment(PaymentStatus::Processed)));
    let update = decide_payment_update(&commented, &there, &all).unwrap();
    assert_eq!((update.comment, update.reference_id), (Change::To("c"), Change::To("r")));
    assert!(decide_payment_update(&commented, &there, &none).is_err());
    let nameless = PaymentChange::default();
    let missing = decide_payment_update(&nameless, &there, &all).map(drop);
    assert_eq!(missing, Err(RowError::missing("Id")));
}
