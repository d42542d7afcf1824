//! When a credit memo may be made, posted and given up, and what of it may go to invoices and come
//! back: each rule by a draft that meets it and one that does not.

use super::paying_tests::payment;
use super::settlement_tests::{account, asking, day, memo, tenant};
use super::*;
use crate::domain::draft::credit_memo::{
    CreditMemoDraft, MEMBERS_MAX, MemoItemDraft, MemoTaxDraft, ShareDraft, Step, StepDraft,
};
use crate::domain::draft::json::Sent;
use crate::domain::facts::{CreditMemo, Invoice, MemoPart, MemoPartKey, NamedInvoice};
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::{CreditMemoStatus, PaymentStatus};

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
const INVOICE: &str = "402892c72b9e3319012b9e34b88e0007";

fn item(amount: &str, taxes: &[&str]) -> MemoItemDraft {
    let mut item = MemoItemDraft::default();
    assert!(item.set("amount", Sent::Number(amount)) && item.set("chargeName", Sent::Text("c")));
    for amount in taxes {
        let mut tax = MemoTaxDraft::default();
        assert!(tax.set("amount", Sent::Number(amount)) && tax.set("name", Sent::Text("t")));
        item.taxes.push(tax);
    }
    item
}

fn draft(items: Vec<MemoItemDraft>) -> CreditMemoDraft {
    let mut draft = CreditMemoDraft::default();
    assert!(draft.set("accountId", Sent::Text(ACCOUNT)));
    draft.items = items;
    draft
}

fn made(draft: &CreditMemoDraft) -> Result<i64, RowError> {
    let (owner, all) = (account(), asking(Permissions::all()));
    let made = decide_credit_memo(draft, (Some(&owner), Some(&owner)), &tenant(), &all);
    made.map(|memo| memo.amount.units())
}

#[test]
fn a_memo_is_worth_its_items_and_their_taxes() {
    let (owner, all) = (account(), asking(Permissions::all()));
    let plain = draft(vec![item("10.00", &["1.00", "0.50"]), item("5", &[])]);
    let memo = decide_credit_memo(&plain, (Some(&owner), None), &tenant(), &all).unwrap();
    assert_eq!((memo.amount.units(), memo.status), (1_650, CreditMemoStatus::Draft));
    assert_eq!((memo.account.key, memo.date), (owner.key, day("2026-09-21")));
    assert_eq!((memo.comment, memo.reason_code.as_deref()), (None, Some("Standard Refund")));
    let [first, second] = memo.items.as_slice() else { panic!("{:?}", memo.items) };
    assert_eq!((first.amount.units(), first.name.as_deref()), (1_000, Some("c")));
    let taxes: Vec<_> = first.taxes.iter().map(|tax| (tax.amount.units(), &tax.name)).collect();
    assert_eq!(taxes, [(100, &Some("t".to_owned())), (50, &Some("t".to_owned()))]);
    assert_eq!((second.amount.units(), second.taxes.len()), (500, 0));
    let mut posted = draft(vec![item("1", &[])]);
    assert!(posted.set("autoPost", Sent::Boolean(true)));
    assert!(posted.set("effectiveDate", Sent::Text("2026-01-05")));
    assert!(
        posted.set("reasonCode", Sent::Text("Other")) && posted.set("comment", Sent::Text("k"))
    );
    let memo = decide_credit_memo(&posted, (Some(&owner), None), &tenant(), &all).unwrap();
    assert_eq!((memo.status, memo.date), (CreditMemoStatus::Posted, day("2026-01-05")));
    assert_eq!(memo.reason_code.as_deref(), Some("Other"));
    assert_eq!(memo.comment.as_deref(), Some("k"));
}

#[test]
fn a_memo_has_items_each_of_which_is_worth_something() {
    assert_eq!(made(&draft(vec![])), Err(RowError::missing("items")));
    let many = |count| vec![item("1", &[]); count];
    assert_eq!(made(&draft(many(MEMBERS_MAX))), Ok(100_000));
    let too_many = Err(RowError::too_many("items", MEMBERS_MAX));
    assert_eq!(made(&draft(many(MEMBERS_MAX + 1))), too_many);
    let taxed = |count| vec![item("1", &vec!["1"; count])];
    assert_eq!(made(&draft(taxed(MEMBERS_MAX))), Ok(100_100));
    let too_many = Err(RowError::too_many("items.taxItems", MEMBERS_MAX));
    assert_eq!(made(&draft(taxed(MEMBERS_MAX + 1))), too_many);
    let too_fine = Err(RowError::invalid("items.amount", "0.001"));
    assert_eq!(made(&draft(vec![item("0.001", &[])])), too_fine);
    let too_fine = Err(RowError::invalid("items.taxItems.amount", "0.001"));
    assert_eq!(made(&draft(vec![item("1", &["0.001"])])), too_fine);
    let nothing = MemoItemDraft::default();
    assert_eq!(made(&draft(vec![nothing])), Err(RowError::missing("items.amount")));
    let half = "46116860184273879.03";
    assert_eq!(made(&draft(vec![item(half, &[])])), Ok(i64::MAX / 2));
    let beyond = made(&draft(vec![item(half, &["0.01"])]));
    assert_eq!(beyond, Err(RowError::invalid("items.amount", "4611686018427387904")));
    assert!(made(&draft(vec![item(half, &[half, half])])).is_err());
}

#[test]
fn a_memo_names_its_account_by_id_by_number_or_by_both() {
    let (one, all) = (account(), asking(Permissions::all()));
    let other = Account { key: AccountKey(2), ..account() };
    let by = |fields: &[(&str, &str)], found: (Option<&Account>, Option<&Account>)| {
        let mut draft = CreditMemoDraft { items: vec![item("1", &[])], ..Default::default() };
        for (name, text) in fields {
            assert!(draft.set(name, Sent::Text(text)));
        }
        decide_credit_memo(&draft, found, &tenant(), &all).map(|memo| memo.account.key)
    };
    let (id, number) = (("accountId", ACCOUNT), ("accountNumber", "A1"));
    let wrong = |(name, text): (&str, &str)| Err(RowError::invalid(name, text));
    assert_eq!(by(&[], (Some(&one), Some(&one))), Err(RowError::missing("accountId")));
    assert_eq!(by(&[id], (Some(&one), None)), Ok(one.key));
    assert_eq!(by(&[id], (None, Some(&one))), wrong(id));
    assert_eq!(by(&[number], (None, Some(&other))), Ok(other.key));
    assert_eq!(by(&[number], (None, None)), wrong(number));
    assert_eq!(by(&[id, number], (Some(&one), Some(&one))), Ok(one.key));
    assert_eq!(by(&[id, number], (Some(&one), Some(&other))), wrong(number));
}

#[test]
fn memos_need_invoice_settlement_and_a_permission() {
    let (owner, draft) = (account(), draft(vec![item("1", &[])]));
    let none = asking(Permissions::NONE);
    assert!(decide_credit_memo(&draft, (Some(&owner), None), &tenant(), &none).is_err());
    let all = asking(Permissions::all());
    let off = Tenant::default();
    assert!(decide_credit_memo(&draft, (Some(&owner), None), &off, &all).is_err());
    let step = StepDraft::of("CM00000001", Step::Post);
    let post = |tenant: &Tenant, asking| {
        let memo = CreditMemo { status: CreditMemoStatus::Draft, ..memo() };
        decide_memo_step(&step, Some(&memo), &[], tenant, asking)
    };
    assert_eq!(post(&tenant(), &all), Ok(Vec::new()));
    assert!(post(&off, &all).is_err() && post(&tenant(), &none).is_err());
}

fn share(fields: &[(&str, &str)], amount: &str) -> ShareDraft {
    let mut share = ShareDraft::default();
    for (name, text) in fields {
        assert!(share.set(name, Sent::Text(text)));
    }
    assert!(share.set("amount", Sent::Number(amount)));
    share
}

fn invoice(key: i64, balance: i64) -> Invoice {
    Invoice {
        key: InvoiceKey(key),
        account: account(),
        number: format!("INV{key}"),
        date: day("2026-01-02"),
        amount: MinorUnits::new(balance),
        balance: MinorUnits::new(balance),
    }
}

fn named(invoice: Invoice) -> NamedInvoice {
    NamedInvoice { by_id: Some(invoice), by_number: None }
}

const BY_ID: [(&str, &str); 1] = [("invoiceId", INVOICE)];

/// What a step moves of a memo of 100.00, of which 20.00 are applied to the invoice of key 7 and
/// 10.00 were refunded.
fn moved(step: Step, invoices: &[NamedInvoice]) -> Result<Vec<(i64, i64)>, RowError> {
    let part =
        MemoPart { key: MemoPartKey(1), invoice: InvoiceKey(7), amount: MinorUnits::new(2_000) };
    let memo = CreditMemo { parts: vec![part], ..memo() };
    let draft = StepDraft::of("CM00000001", step);
    let all = asking(Permissions::all());
    let shares = decide_memo_step(&draft, Some(&memo), invoices, &tenant(), &all)?;
    Ok(shares.into_iter().map(|it| (it.invoice.0, it.amount.units())).collect())
}

#[test]
fn what_is_unapplied_goes_to_invoices_that_ask_for_it() {
    let apply = |amounts: &[&str], balances: &[i64]| {
        let shares = amounts.iter().map(|amount| share(&BY_ID, amount)).collect();
        let invoices = (7..).zip(balances).map(|(key, it)| named(invoice(key, *it)));
        moved(Step::Apply(shares), &invoices.collect::<Vec<_>>())
    };
    assert_eq!(apply(&["40", "30"], &[4_000, 9_000]), Ok(vec![(7, 4_000), (8, 3_000)]));
    assert!(apply(&["40", "30.01"], &[4_000, 9_000]).is_err(), "more than is unapplied");
    assert!(apply(&["40.01"], &[4_000]).is_err(), "more than the invoice asks for");
    assert_eq!(apply(&[], &[]), Err(RowError::missing("invoices")));
    let twice = [named(invoice(7, 9_000)), named(invoice(7, 9_000))];
    let shares = vec![share(&BY_ID, "1"), share(&BY_ID, "1")];
    let wrong = Err(RowError::invalid("invoices.invoiceId", "INV7"));
    assert_eq!(moved(Step::Apply(shares), &twice), wrong);
    let many = |count: usize| {
        let invoices: Vec<_> = (0..count).map(|key| named(invoice(key as i64, 100))).collect();
        moved(Step::Apply(vec![share(&BY_ID, "0.01"); count]), &invoices).map(|it| it.len())
    };
    assert_eq!(many(MEMBERS_MAX), Ok(MEMBERS_MAX));
    assert_eq!(many(MEMBERS_MAX + 1), Err(RowError::too_many("invoices", MEMBERS_MAX)));
}

#[test]
fn what_was_applied_comes_back_where_there_is_room_for_it() {
    let unapply = |amount: &str, invoice: Invoice| {
        moved(Step::Unapply(vec![share(&BY_ID, amount)]), &[named(invoice)])
    };
    assert_eq!(unapply("20", invoice(7, 0)), Ok(vec![(7, 2_000)]));
    assert!(unapply("20.01", invoice(7, 0)).is_err());
    assert!(unapply("0.01", invoice(8, 0)).is_err(), "nothing is applied to that one");
    let full = Invoice { balance: MinorUnits::new(i64::MAX / 2), ..invoice(7, 0) };
    let currency = account().currency;
    let no_room = Err(RowError::balance_full(MinorUnits::new(2_000), currency));
    assert_eq!(unapply("20", full), no_room);
}

#[test]
fn a_share_names_an_invoice_of_the_account_by_id_by_number_or_by_both() {
    let number = ("invoiceNumber", "INV7");
    let apply = |fields: &[(&str, &str)], named: NamedInvoice| {
        moved(Step::Apply(vec![share(fields, "1")]), &[named]).map(|moved| moved[0].0)
    };
    let found = |by_id: Option<i64>, by_number: Option<i64>| {
        let found = |key| invoice(key, 100);
        NamedInvoice { by_id: by_id.map(found), by_number: by_number.map(found) }
    };
    let wrong = |name: &str, text: &str| Err(RowError::invalid(name, text));
    assert_eq!(apply(&[], found(Some(7), None)), Err(RowError::missing("invoices.invoiceId")));
    assert_eq!(apply(&BY_ID, found(Some(7), None)), Ok(7));
    assert_eq!(apply(&BY_ID, found(None, Some(7))), wrong("invoices.invoiceId", INVOICE));
    assert_eq!(apply(&[number], found(None, Some(7))), Ok(7));
    let unknown = wrong("invoices.invoiceNumber", "INV7");
    assert_eq!(apply(&[number], found(Some(7), None)), unknown);
    let both = [BY_ID[0], number];
    assert_eq!(apply(&both, found(Some(7), Some(7))), Ok(7));
    assert_eq!(apply(&both, found(Some(8), Some(7))), unknown);
    let mut of_other = found(Some(7), Some(7));
    let other = Account { key: AccountKey(2), ..account() };
    of_other.by_id.as_mut().unwrap().account = other.clone();
    assert_eq!(apply(&BY_ID, of_other.clone()), wrong("invoices.invoiceId", INVOICE));
    of_other.by_number.as_mut().unwrap().account = other;
    assert_eq!(apply(&[number], of_other), unknown);
}

#[test]
fn a_draft_is_posted_or_given_up_and_only_a_posted_memo_moves() {
    let all = asking(Permissions::all());
    let shares = vec![share(&BY_ID, "1")];
    let invoices = [named(invoice(7, 100))];
    for (step, wanted) in [
        (Step::Post, CreditMemoStatus::Draft),
        (Step::Cancel, CreditMemoStatus::Draft),
        (Step::Apply(shares), CreditMemoStatus::Posted),
    ] {
        let draft = StepDraft::of("CM00000001", step);
        for status in
            [CreditMemoStatus::Draft, CreditMemoStatus::Posted, CreditMemoStatus::Canceled]
        {
            let memo = CreditMemo { status, ..memo() };
            let done = decide_memo_step(&draft, Some(&memo), &invoices, &tenant(), &all);
            assert_eq!(done.is_ok(), status == wanted, "{draft:?} {status:?}");
        }
        let unknown = decide_memo_step(&draft, None, &invoices, &tenant(), &all);
        assert_eq!(unknown, Err(RowError::no_such("CM00000001")));
    }
}

#[test]
fn what_is_unapplied_of_a_processed_payment_goes_to_invoices() {
    let step = |shares: Vec<ShareDraft>, status| {
        let (draft, all) = (StepDraft::of("P-5", Step::Apply(shares)), asking(Permissions::all()));
        let invoices = [named(invoice(7, 9_000))];
        let moved =
            decide_payment_step(&draft, Some(&payment(status)), &invoices, &tenant(), &all)?;
        Ok(moved.into_iter().map(|it| (it.invoice.0, it.amount.units())).collect::<Vec<_>>())
    };
    let shares = || vec![share(&BY_ID, "40")];
    assert_eq!(step(shares(), PaymentStatus::Processed), Ok(vec![(7, 4_000)]));
    assert!(step(vec![share(&BY_ID, "40.01")], PaymentStatus::Processed).is_err());
    let missing = step(Vec::new(), PaymentStatus::Processed);
    assert_eq!(missing, Err(RowError::missing("invoices")));
    let draft = PaymentStatus::Draft;
    assert_eq!(step(shares(), draft), Err(RowError::payment_not_processed(&payment(draft))));
}
