//! Which facts each kind of draft has looked up: all that it names, by the name that it has, and
//! nothing else.

use super::settlement_tests::asking;
use super::*;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::credit_memo::{CreditMemoDraft, ShareDraft, Step, StepDraft};
use crate::domain::draft::invoice_adjustment::{InvoiceAdjustmentDraft, ItemAdjustmentDraft};
use crate::domain::draft::payment::{PaymentDraft, PaymentPartDraft};
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::draft::settlement_refunds::{
    ItemDraft, MemoRefundDraft, PaymentRefundDraft, RefundSettlementDraft, UnapplyDraft,
};
use crate::domain::permission::Permissions;

/// An id that ends with this figure.
fn id(figure: u8) -> Field<ObjectId> {
    Field::Given(ObjectId::parse(&format!("402892c72b9e3319012b9e34b88e000{figure}")).unwrap())
}

fn text(text: &str) -> Field<String> {
    Field::Given(text.to_owned())
}

fn named(named: Named<'_>) -> &str {
    match named {
        Named::Id(id) => &id.as_str()[31..],
        Named::Number(number) => number,
    }
}

fn shown(need: Need<'_>) -> String {
    let last = |id: &ObjectId| id.as_str()[31..].to_owned();
    let (what, which) = match need {
        Need::Account(account) => ("account", named(account).to_owned()),
        Need::Payer { account, default_method, on: (_, day) } => {
            let kind = if default_method { "payer by default" } else { "payer" };
            assert!(day.is_none());
            (kind, last(account))
        }
        Need::Holder(number) => ("holder", number.clone()),
        Need::Parent(id) => ("parent", last(id)),
        Need::Method(id) => ("method", last(id)),
        Need::OwnMethod(method_type) => ("own method", method_type.name().to_owned()),
        Need::Payment(payment) => ("payment", named(payment).to_owned()),
        Need::Reference(reference) => ("reference", reference.to_owned()),
        Need::Invoice(invoice) => ("invoice", named(invoice).to_owned()),
        Need::Source(source) => ("source", named(source).to_owned()),
        Need::Line(id) => ("line", last(id)),
        Need::AdjustmentNumber(number) => ("adjustment number", number.clone()),
        Need::CreditMemo { named: memo, lines } => {
            (if lines { "memo by lines" } else { "memo" }, named(memo).to_owned())
        }
        Need::MemoLine(id) => ("memo line", last(id)),
        Need::Gateway(id) => ("gateway", last(id)),
        Need::Settled(key) => ("settled", named(Named::by(key)).to_owned()),
    };
    format!("{what} {which}")
}

fn needs(drafts: &Drafts) -> Vec<String> {
    let (asking, mut all) = (asking(Permissions::all()), Vec::new());
    needs_of_drafts(drafts, &asking, &mut |need| all.push(shown(need)));
    all
}

#[test]
fn adjustments_and_accounts_need_what_they_name() {
    let account = AccountDraft {
        default_method: id(1),
        number: text("A1"),
        parent: id(2),
        ..AccountDraft::default()
    };
    assert_eq!(needs(&Drafts::Accounts(vec![account])), ["method 1", "holder A1", "parent 2"]);
    let adjustment = AdjustmentDraft {
        source_id: id(1),
        source_number: text("S2"),
        account_id: id(3),
        ..AdjustmentDraft::default()
    };
    let found = needs(&Drafts::Adjustments(vec![adjustment.clone(), adjustment]));
    assert_eq!(found, ["source 1", "source S2", "account 3"].repeat(2));
    let whole = InvoiceAdjustmentDraft {
        invoice_id: id(1),
        invoice_number: text("I2"),
        ..InvoiceAdjustmentDraft::default()
    };
    let found = needs(&Drafts::InvoiceAdjustments(vec![whole.clone()]));
    assert_eq!(found, ["invoice 1", "invoice I2"]);
    let item = ItemAdjustmentDraft {
        whole,
        source_id: id(3),
        number: text("N4"),
        ..ItemAdjustmentDraft::default()
    };
    let found = needs(&Drafts::InvoiceItemAdjustments(vec![item]));
    assert_eq!(found, ["invoice 1", "invoice I2", "line 3", "adjustment number N4"]);
}

#[test]
fn payments_and_their_parts_need_what_they_name() {
    let part = PaymentPartDraft { payment_id: id(1), invoice_id: id(2), ..Default::default() };
    assert_eq!(needs(&Drafts::InvoicePayments(vec![part])), ["payment 1", "invoice 2"]);
    let payment = PaymentDraft {
        account_id: id(1),
        method_id: id(2),
        invoice_id: id(3),
        invoice_number: text("I4"),
        reference_id: text("R5"),
        ..PaymentDraft::default()
    };
    let found = needs(&Drafts::Payments(vec![payment]));
    assert_eq!(found, ["account 1", "method 2", "invoice 3", "invoice I4", "reference R5"]);
    let method = MethodDraft { account_id: id(1), ..MethodDraft::default() };
    assert_eq!(needs(&Drafts::PaymentMethods(vec![method])), ["account 1"]);
}

#[test]
fn refunds_need_their_account_their_method_and_their_payment() {
    let refund = RefundDraft {
        account_id: id(1),
        payment_method_id: id(2),
        payment_id: id(3),
        source_type: Field::Given(SourceType::Payment),
        ..RefundDraft::default()
    };
    let found = needs(&Drafts::Refunds(vec![refund]));
    assert_eq!(found, ["payer 1", "method 2", "payment 3"]);
    let plain = RefundDraft { account_id: id(1), ..RefundDraft::default() };
    assert_eq!(needs(&Drafts::Refunds(vec![plain])), ["payer by default 1"]);
}

fn shares() -> Vec<ShareDraft> {
    let by_id = ShareDraft { invoice_id: id(8), ..ShareDraft::default() };
    let by_number = ShareDraft { invoice_number: text("I9"), ..ShareDraft::default() };
    vec![by_id, by_number]
}

const SHARED: [&str; 2] = ["invoice 8", "invoice I9"];

#[test]
fn steps_need_their_target_and_the_invoices_of_their_shares() {
    let applied = [Step::Apply(shares()), Step::Unapply(shares())];
    for step in applied {
        let step = StepDraft::of("X1", step);
        let found = needs(&Drafts::MemoSteps(vec![step.clone()]));
        assert_eq!(found, [&["memo X1"], &SHARED[..]].concat());
        let found = needs(&Drafts::PaymentSteps(vec![step]));
        assert_eq!(found, [&["payment X1"], &SHARED[..]].concat());
    }
    for step in [Step::Post, Step::Cancel] {
        let found = needs(&Drafts::MemoSteps(vec![StepDraft::of("X1", step)]));
        assert_eq!(found, ["memo X1"]);
    }
}

#[test]
fn memos_and_payments_of_invoice_settlement_need_what_they_name() {
    let memo = CreditMemoDraft {
        account_id: id(1),
        account_number: text("A2"),
        ..CreditMemoDraft::default()
    };
    assert_eq!(needs(&Drafts::CreditMemos(vec![memo])), ["account 1", "account A2"]);
    let payment = SettlementPaymentDraft {
        account_id: id(1),
        account_number: text("A2"),
        payment_method_id: id(3),
        payment_method_type: Field::Given(MethodType::Check),
        gateway_id: id(4),
        reference_id: text("R5"),
        invoices: shares(),
        ..SettlementPaymentDraft::default()
    };
    let of = |payment| needs(&Drafts::SettlementPayments(vec![payment]));
    let found = of(payment.clone());
    let named = ["account 1", "account A2", "method 3", "gateway 4", "reference R5"];
    assert_eq!(found, [&named[..], &SHARED[..]].concat());
    let by_type = SettlementPaymentDraft { payment_method_id: Field::Absent, ..payment };
    assert_eq!(of(by_type)[2], "own method Check");
    assert!(of(SettlementPaymentDraft::default()).is_empty());
}

#[test]
fn refunds_of_invoice_settlement_need_what_they_name() {
    let memo = MemoRefundDraft {
        gateway_id: id(1),
        payment_method_id: id(2),
        ..MemoRefundDraft::of("CM1")
    };
    let found = needs(&Drafts::MemoRefunds(vec![memo.clone()]));
    assert_eq!(found, ["memo CM1", "method 2", "gateway 1"]);
    let of_item = ItemDraft { item_id: id(3), tax_item_id: id(5), ..ItemDraft::default() };
    let of_tax = ItemDraft { tax_item_id: id(4), ..ItemDraft::default() };
    let by_lines = MemoRefundDraft { items: vec![of_item, of_tax], ..memo };
    let found = needs(&Drafts::MemoRefunds(vec![by_lines]));
    assert_eq!(found[0], "memo by lines CM1");
    assert_eq!(found[3..], ["memo line 3", "memo line 4"]);
    let payment = PaymentRefundDraft::of("402892c72b9e3319012b9e34b88e0001");
    assert_eq!(needs(&Drafts::PaymentRefunds(vec![payment.clone()])), ["payment 1"]);
    let unapply = Some(UnapplyDraft { invoices: shares(), ..UnapplyDraft::default() });
    let found = needs(&Drafts::PaymentRefunds(vec![PaymentRefundDraft { unapply, ..payment }]));
    assert_eq!(found, [&["payment 1"], &SHARED[..]].concat());
    let settled = RefundSettlementDraft::of("R-1");
    assert_eq!(needs(&Drafts::RefundSettlements(vec![settled])), ["settled R-1"]);
    assert_eq!(named(Named::by(&ObjectKey::of("R-1"))), "R-1");
}
