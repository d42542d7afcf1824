//! When a payment and a part of one may be made: each rule by a draft that meets it and one that
//! does not.

use super::settlement_tests::{account, asking, day, method};
use super::*;
use crate::domain::collected::KnownPayment;
use crate::domain::draft::fields::Draft as _;
use crate::domain::draft::payment::{PaymentDraft, PaymentPartDraft};
use crate::domain::facts::{Invoice, PaymentPart};
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::{MethodStatus, PaymentStatus, PaymentType};

pub(super) const ACCOUNT: (&str, &str) = ("AccountId", "402892c72b9e3319012b9e34b88e0001");
const METHOD: (&str, &str) = ("PaymentMethodId", "2c92c0f83dfa5201013dfa6656ff2b8b");
const INVOICE: (&str, &str) = ("InvoiceId", "402892c72b9e3319012b9e34b88e0007");
const NUMBER: (&str, &str) = ("InvoiceNumber", "INV7");
const AMOUNT: (&str, &str) = ("Amount", "100");
const APPLIED: (&str, &str) = ("AppliedInvoiceAmount", "40");
const CREDIT: (&str, &str) = ("AppliedCreditBalanceAmount", "30");
const EXTERNAL: (&str, &str) = ("Type", "External");
const ELECTRONIC: (&str, &str) = ("Type", "Electronic");
const DRAFT: (&str, &str) = ("Status", "Draft");
const PLAIN: [(&str, &str); 4] = [ACCOUNT, METHOD, AMOUNT, EXTERNAL];

type Fields<'f> = &'f [(&'static str, &'static str)];

fn draft(fields: Fields<'_>) -> PaymentDraft {
    let mut draft = PaymentDraft::default();
    for (name, text) in fields {
        assert!(draft.set(name, text), "{name}");
    }
    draft
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    PLAIN.into_iter().filter(|(other, _)| *other != name).collect()
}

pub(super) fn invoice(key: i64, balance: i64) -> Invoice {
    Invoice {
        key: InvoiceKey(key),
        account: account(),
        number: format!("INV{key}"),
        date: day("2026-01-02"),
        amount: MinorUnits::new(10_000),
        balance: MinorUnits::new(balance),
    }
}

/// What is decided of these fields beside facts that `change` changes.
fn decided<T>(
    fields: Fields<'_>,
    change: impl FnOnce(&mut PaymentFacts<'_>),
    take: impl FnOnce(NewPayment<'_>) -> T,
) -> Result<T, RowError> {
    let (tenant, gateways) = (Tenant::default(), [Gateway::sandbox()]);
    let mut facts = PaymentFacts {
        tenant: &tenant,
        gateways: &gateways,
        account: Some(account()),
        method: Some(method()),
        invoice: Some(invoice(7, 4_000)),
        invoice_by_number: Some(invoice(7, 4_000)),
        known: Vec::new(),
    };
    change(&mut facts);
    decide_payment(&draft(fields), &facts, &asking(Permissions::all())).map(take)
}

fn made(fields: Fields<'_>, change: impl FnOnce(&mut PaymentFacts<'_>)) -> Result<(), RowError> {
    decided(fields, change, |_| ())
}

fn plus(fields: Fields<'_>) -> Result<(), RowError> {
    made(&[&PLAIN[..], fields].concat(), |_| ())
}

fn invalid((name, text): (&str, &str)) -> Result<(), RowError> {
    Err(RowError::invalid(name, text))
}

#[test]
fn a_payment_is_what_its_draft_says() {
    let whole = decided(
        &[ACCOUNT, METHOD, AMOUNT, ELECTRONIC, INVOICE, APPLIED, CREDIT, ("ReferenceId", "ch_1")],
        |_| (),
        |payment| {
            assert_eq!((payment.amount.units(), payment.gateway), (10_000, Some("sandbox")));
            assert_eq!(payment.applied, Some((InvoiceKey(7), MinorUnits::new(4_000))));
            assert_eq!(payment.reference_id, Some("ch_1"));
            assert_eq!(
                (payment.method, payment.status),
                (Some(MethodKey(1)), PaymentStatus::Processed)
            );
            assert_eq!(
                (payment.effective_date, payment.draft_credit),
                (day("2026-09-21"), MinorUnits::ZERO)
            );
            payment.credit.map(|credit| credit.of_payment(PaymentKey(9), payment.account))
        },
    );
    let credit = whole.unwrap().unwrap();
    assert_eq!((credit.amount.units(), credit.adjustment_date), (3_000, day("2026-09-21")));
    assert_eq!(credit.reason_code.as_deref(), Some("Standard Refund"));
    let plain = decided(
        &PLAIN,
        |_| (),
        |it| (it.gateway.is_none(), it.applied, it.credit, it.payment_type),
    );
    assert_eq!(plain, Ok((true, None, None, PaymentType::External)));
    let none_of_it = [&PLAIN[..], &[INVOICE, ("AppliedInvoiceAmount", "0")]].concat();
    assert_eq!(decided(&none_of_it, |_| (), |it| it.applied), Ok(None), "it is no part of nothing");
    let of_draft = [ACCOUNT, METHOD, EXTERNAL, CREDIT, DRAFT, ("EffectiveDate", "2030-01-01")];
    let later = decided(&of_draft, |_| (), |it| (it.credit, it.draft_credit.units(), it.amount));
    assert_eq!(later, Ok((None, 3_000, MinorUnits::new(3_000))), "a draft may be of the future");
}

#[test]
fn what_is_needed_is_told_one_by_one() {
    let missing = |name| Err(RowError::missing(name));
    assert_eq!(made(&without("Type"), |_| ()), missing("Type"));
    assert_eq!(made(&without("Amount"), |_| ()), missing("Amount"));
    assert_eq!(made(&without("AccountId"), |_| ()), missing("AccountId"));
    assert_eq!(made(&without("PaymentMethodId"), |_| ()), invalid(("PaymentMethodId", "")));
    let nothing = ("AppliedInvoiceAmount", "0");
    let no_credit = ("AppliedCreditBalanceAmount", "0");
    let parts = |fields: Fields<'_>| made(&[&without("Amount")[..], fields].concat(), |_| ());
    assert_eq!(parts(&[nothing]), missing("Amount"), "nothing is no amount");
    assert_eq!(parts(&[CREDIT]), Ok(()));
    assert_eq!(parts(&[APPLIED, NUMBER]), Ok(()));
    assert_eq!(plus(&[APPLIED]), missing("InvoiceId"));
    assert_eq!(plus(&[INVOICE]), missing("AppliedInvoiceAmount"));
    assert_eq!(plus(&[NUMBER]), missing("AppliedInvoiceAmount"));
    assert_eq!(plus(&[INVOICE, nothing]), Ok(()));
    assert_eq!(plus(&[INVOICE, no_credit]), Ok(()));
}

#[test]
fn amounts_are_covered_by_the_payment_and_by_the_invoice() {
    let more = ("AppliedInvoiceAmount", "40.01");
    assert!(plus(&[INVOICE, APPLIED]).is_ok() && plus(&[INVOICE, more]).is_err());
    let small = |fields: Fields<'_>| {
        made(&[&[ACCOUNT, METHOD, EXTERNAL, ("Amount", "60")], fields].concat(), |_| ())
    };
    assert_eq!(small(&[INVOICE, APPLIED, ("AppliedCreditBalanceAmount", "20")]), Ok(()));
    let over = small(&[INVOICE, APPLIED, ("AppliedCreditBalanceAmount", "20.01")]);
    let (wanted, rest) = (MinorUnits::new(2_001), MinorUnits::new(2_000));
    assert_eq!(over, Err(RowError::over_payment(wanted, rest, account().currency)));
    let tight = [ACCOUNT, METHOD, EXTERNAL, ("Amount", "39"), INVOICE, APPLIED];
    let (wanted, rest) = (MinorUnits::new(4_000), MinorUnits::new(3_900));
    let over = Err(RowError::over_payment(wanted, rest, account().currency));
    assert_eq!(made(&tight, |_| ()), over);
    assert!(plus(&[("AppliedCreditBalanceAmount", "0.001")]).is_err());
    let full = |facts: &mut PaymentFacts<'_>| {
        facts.account.as_mut().unwrap().balance = MinorUnits::new(i64::MAX / 2);
    };
    let no_room = Err(RowError::balance_full(MinorUnits::new(3_000), account().currency));
    assert_eq!(made(&[&PLAIN[..], &[CREDIT]].concat(), full), no_room);
    let future = ("EffectiveDate", "2026-09-22");
    assert_eq!(plus(&[CREDIT, future]), invalid(future));
    assert_eq!(plus(&[CREDIT, ("EffectiveDate", "2026-09-21")]), Ok(()));
    assert_eq!(plus(&[future]), Ok(()), "without credit it may be of the future");
    let settlement = Tenant { invoice_settlement: true, ..Tenant::default() };
    let facts = PaymentFacts {
        tenant: &settlement,
        gateways: &[],
        account: Some(account()),
        method: Some(method()),
        invoice: None,
        invoice_by_number: None,
        known: Vec::new(),
    };
    let draft = draft(&[&PLAIN[..], &[CREDIT]].concat());
    let payment = decide_payment(&draft, &facts, &asking(Permissions::all())).unwrap();
    assert_eq!((payment.credit, payment.draft_credit), (None, MinorUnits::ZERO), "it is unapplied");
}

#[test]
fn a_payment_names_what_is_there_and_what_is_its_accounts() {
    let other = Account { key: AccountKey(2), ..account() };
    let gone = |fields: Fields<'_>, change: fn(&mut PaymentFacts<'_>)| made(fields, change);
    assert_eq!(gone(&PLAIN, |facts| facts.account = None), invalid(ACCOUNT));
    assert_eq!(gone(&PLAIN, |facts| facts.method = None), invalid(METHOD));
    let closed = |facts: &mut PaymentFacts<'_>| {
        facts.method.as_mut().unwrap().status = MethodStatus::Closed;
    };
    assert_eq!(made(&PLAIN, closed), invalid(METHOD));
    let foreign = |facts: &mut PaymentFacts<'_>| {
        facts.method.as_mut().unwrap().account = Some(AccountKey(2));
    };
    assert_eq!(made(&PLAIN, foreign), invalid(METHOD));
    let check = |facts: &mut PaymentFacts<'_>| {
        let method = facts.method.as_mut().unwrap();
        (method.method_type, method.account) = (MethodType::Check, None);
    };
    assert_eq!(made(&PLAIN, check), Ok(()));
    let electronic = [ACCOUNT, METHOD, AMOUNT, ELECTRONIC];
    assert_eq!(made(&electronic, check), invalid(METHOD));
    let by_id = [&PLAIN[..], &[INVOICE, APPLIED]].concat();
    assert_eq!(gone(&by_id, |facts| facts.invoice = None), invalid(INVOICE));
    let of_other = |facts: &mut PaymentFacts<'_>| {
        facts.invoice.as_mut().unwrap().account = other.clone();
    };
    assert_eq!(made(&by_id, of_other), invalid(INVOICE));
    let by_number = [&PLAIN[..], &[NUMBER, APPLIED]].concat();
    assert_eq!(gone(&by_number, |facts| facts.invoice_by_number = None), invalid(NUMBER));
    let of_other = |facts: &mut PaymentFacts<'_>| {
        facts.invoice_by_number.as_mut().unwrap().account = other.clone();
    };
    assert_eq!(made(&by_number, of_other), invalid(NUMBER));
    let by_both = [&by_id[..], &[NUMBER]].concat();
    assert_eq!(made(&by_both, |_| ()), Ok(()));
    let differ = |facts: &mut PaymentFacts<'_>| facts.invoice = Some(invoice(8, 4_000));
    assert_eq!(made(&by_both, differ), invalid(NUMBER));
    assert_eq!(plus(&[("Status", "Voided")]), invalid(("Status", "Voided")));
    assert_eq!(plus(&[("Status", "Processed")]), Ok(()));
    assert_eq!(plus(&[DRAFT]), Ok(()));
}

#[test]
fn money_comes_through_a_gateway_that_can_take_it_under_a_reference_of_its_own() {
    let electronic = [ACCOUNT, METHOD, AMOUNT, ELECTRONIC, ("ReferenceId", "ch_1")];
    let with = |gateway: Gateway, fields: Fields<'_>| {
        let tenant = Tenant::default();
        let facts = PaymentFacts {
            tenant: &tenant,
            gateways: &[gateway],
            account: Some(account()),
            method: Some(method()),
            invoice: None,
            invoice_by_number: None,
            known: Vec::new(),
        };
        decide_payment(&draft(fields), &facts, &asking(Permissions::all())).map(drop)
    };
    let off = Gateway { active: false, ..Gateway::sandbox() };
    assert_eq!(with(off.clone(), &electronic), Err(RowError::gateway_inactive(&off)));
    assert_eq!(with(off, &PLAIN), Ok(()), "an external payment needs none");
    let bank = Gateway { method_types: Some(vec![MethodType::Ach]), ..Gateway::sandbox() };
    let cannot = RowError::gateway_without_method(&bank, MethodType::CreditCard);
    assert_eq!(with(bank, &electronic), Err(cannot));
    let taken = |gateway: &str| {
        let known = KnownPayment {
            key: PaymentKey(4),
            number: "P-4".to_owned(),
            gateway: gateway.to_owned(),
        };
        move |facts: &mut PaymentFacts<'_>| facts.known = vec![known]
    };
    let is_taken = Err(RowError::reference_taken("ch_1", "P-4", "sandbox"));
    assert_eq!(made(&electronic, taken("sandbox")), is_taken);
    assert_eq!(made(&electronic, taken("other")), Ok(()));
    let external = [&PLAIN[..], &[("ReferenceId", "ch_1")]].concat();
    assert_eq!(made(&external, taken("sandbox")), Ok(()), "no gateway knows it");
}

/// A payment of 100.00, of which 60.00 pay an invoice.
pub(super) fn payment(status: PaymentStatus) -> Payment {
    let part = PaymentPart {
        key: PartKey(1),
        invoice: InvoiceKey(6),
        invoice_id: ObjectId::parse("402892c72b9e3319012b9e34b88e0006").unwrap(),
        invoice_number: "INV6".to_owned(),
        amount: MinorUnits::new(6_000),
        refunded: MinorUnits::ZERO,
    };
    Payment {
        key: PaymentKey(5),
        number: "P-5".to_owned(),
        account: account(),
        payment_type: PaymentType::External,
        status,
        amount: MinorUnits::new(10_000),
        refunded: MinorUnits::ZERO,
        to_credit_balance: MinorUnits::ZERO,
        effective_date: day("2026-09-01"),
        method: Some(method()),
        gateway: None,
        reference_id: None,
        collected: None,
        parts: vec![part],
    }
}

#[test]
fn a_part_is_covered_by_what_pays_no_invoice_yet() {
    let fields = |amount: &'static str| {
        [("Amount", amount), INVOICE, ("PaymentId", "402892c72b9e3319012b9e34b88e0005")]
    };
    let part = |fields: Fields<'_>, payment: Option<Payment>, invoice: Option<Invoice>| {
        let mut draft = PaymentPartDraft::default();
        for (name, text) in fields {
            assert!(draft.set(name, text), "{name}");
        }
        let (tenant, all) = (Tenant::default(), asking(Permissions::all()));
        decide_part(&draft, payment.as_ref(), invoice.as_ref(), &tenant, &all)
            .map(|part| (part.payment, part.invoice, part.amount.units(), part.is_paid))
    };
    let paid = || Some(payment(PaymentStatus::Processed));
    let asks = || Some(invoice(7, 4_000));
    let made = (PaymentKey(5), InvoiceKey(7), 4_000, true);
    assert_eq!(part(&fields("40"), paid(), asks()), Ok(made));
    let of_draft = part(&fields("40"), Some(payment(PaymentStatus::Draft)), asks());
    assert_eq!(of_draft, Ok((made.0, made.1, made.2, false)));
    let currency = account().currency;
    let (wanted, rest) = (MinorUnits::new(4_001), MinorUnits::new(4_000));
    let over = part(&fields("40.01"), paid(), Some(invoice(7, 9_000)));
    assert_eq!(over, Err(RowError::over_payment(wanted, rest, currency)));
    let over = part(&fields("40"), paid(), Some(invoice(7, 3_999)));
    let (wanted, rest) = (MinorUnits::new(4_000), MinorUnits::new(3_999));
    assert_eq!(over, Err(RowError::over_invoice_balance(wanted, rest, currency)));
    let voided = payment(PaymentStatus::Voided);
    let gone = Err(RowError::payment_not_processed(&voided));
    assert_eq!(part(&fields("40"), Some(voided), asks()), gone);
    let twice = part(&fields("1"), paid(), Some(invoice(6, 4_000)));
    assert_eq!(twice, Err(RowError::invoice_already_paid("P-5", "INV6")));
    let other = Account { key: AccountKey(2), ..account() };
    let foreign = Invoice { account: other, ..invoice(7, 4_000) };
    let wrong = |(name, text): (&str, &str)| Err(RowError::invalid(name, text));
    assert_eq!(part(&fields("1"), paid(), Some(foreign)), wrong(INVOICE));
    assert_eq!(part(&fields("1"), paid(), None), wrong(INVOICE));
    assert_eq!(part(&fields("1"), None, asks()), wrong(fields("1")[2]));
    for (left_out, name) in [(0, "Amount"), (1, "InvoiceId"), (2, "PaymentId")] {
        let mut some = fields("1").to_vec();
        some.remove(left_out);
        assert_eq!(part(&some, paid(), asks()), Err(RowError::missing(name)));
    }
}
