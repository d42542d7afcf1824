//! What refunds of unapplied payments, and changes of refunds, are refused for.

use super::settlement_tests::{
    EXTERNAL, ITEM, account, asking, day, memo, memo_draft, method, tenant, with,
};
use super::*;
use crate::domain::draft::json::Sent;
use crate::domain::draft::settlement_refunds::{PaymentRefundDraft, RefundUpdateDraft};
use crate::domain::facts::{ExistingRefund, PaymentPart};
use crate::domain::id::RefundNumber;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::row_error::Category;
use crate::domain::vocabulary::{PaymentStatus, PaymentType, RefundStatus};

fn payment() -> Payment {
    Payment {
        key: PaymentKey(1),
        number: "P-00000001".to_owned(),
        account: account(),
        payment_type: PaymentType::Electronic,
        status: PaymentStatus::Processed,
        amount: MinorUnits::new(8_000),
        refunded: MinorUnits::new(1_000),
        to_credit_balance: MinorUnits::ZERO,
        effective_date: day("2026-01-02"),
        method: Some(method()),
        gateway: Some("sandbox".to_owned()),
        reference_id: None,
        collected: Some(crate::domain::collected::Collected {
            amount: MinorUnits::new(8_000),
            sent: MinorUnits::new(5_000),
        }),
        parts: vec![PaymentPart {
            key: PartKey(1),
            invoice: InvoiceKey(1),
            invoice_id: ObjectId::parse(ITEM).unwrap(),
            invoice_number: "INV1".to_owned(),
            amount: MinorUnits::new(5_000),
            refunded: MinorUnits::ZERO,
        }],
    }
}

fn of_payment(
    draft: PaymentRefundDraft,
    fields: &[(&str, &str)],
    permissions: Permissions,
) -> Result<UnappliedRefund, RowError> {
    of(payment(), draft, fields, permissions)
}

fn of(
    payment: Payment,
    mut draft: PaymentRefundDraft,
    fields: &[(&str, &str)],
    permissions: Permissions,
) -> Result<UnappliedRefund, RowError> {
    for (name, text) in fields {
        assert!(draft.set(name, Sent::Text(text)), "{name}");
    }
    let facts = PaymentRefundFacts {
        tenant: &tenant(),
        gateways: &[Gateway::sandbox()],
        payment: Some(payment),
        invoices: Vec::new(),
    };
    decide_payment_refund(&draft, &facts, &asking(permissions))
}

#[test]
fn only_what_is_unapplied_of_a_payment_is_refunded_unless_it_is_unapplied_first() {
    let all = Permissions::all();
    let plain = || PaymentRefundDraft::of("P-00000001");
    let electronic = [("type", "Electronic"), ("totalAmount", "20")];
    let good = of_payment(plain(), &electronic, all).unwrap();
    assert_eq!((good.refund.amount, good.unapplied.len()), (MinorUnits::new(2_000), 0));
    assert_eq!(good.refund.choice, MethodChoice::OfPayment);
    let over = of_payment(plain(), &with(&electronic, ("totalAmount", "20.01")), all);
    assert_eq!(over.unwrap_err().category(), Category::Rule);
    let unapplying = || PaymentRefundDraft::unapplying("P-00000001");
    let some = of_payment(unapplying(), &electronic, all).unwrap();
    assert_eq!(some.unapplied[0].amount, MinorUnits::new(2_000));
    let external = [("type", "External"), ("methodType", "Check")];
    let whole = of_payment(unapplying(), &external, all).unwrap();
    assert_eq!(whole.refund.amount, MinorUnits::new(7_000));
    assert_eq!(whole.unapplied[0].amount, MinorUnits::new(5_000));
    assert_eq!(of_payment(plain(), &external, all).unwrap_err().field(), Some("totalAmount"));
    // The gateway was asked for 50 of 80 before, whatever became of those refunds here.
    let sent = of_payment(unapplying(), &[("type", "Electronic")], all).unwrap_err();
    assert_eq!(sent.category(), Category::Rule);
}

#[test]
fn each_type_needs_its_permission() {
    let only = |permission| [permission].into_iter().collect::<Permissions>();
    let electronic = [("type", "Electronic"), ("totalAmount", "1")];
    let draft = || PaymentRefundDraft::of("P-00000001");
    let refused = of_payment(draft(), &electronic, only(Permission::ExternalRefund));
    assert_eq!(refused.unwrap_err().category(), Category::Permission);
    assert!(of_payment(draft(), &electronic, only(Permission::ElectronicRefund)).is_ok());
    let facts = MemoRefundFacts {
        tenant: &tenant(),
        gateways: &[],
        memo: Some(memo()),
        method: None,
        gateway: None,
        lines: Vec::new(),
    };
    let memo = memo_draft(&EXTERNAL);
    let with = |permission| decide_memo_refund(&memo, &facts, &asking(only(permission)));
    assert!(with(Permission::CreditMemoRefund).is_ok());
    let refused = with(Permission::ExternalRefund).unwrap_err();
    assert!(refused.message.to_string().contains("credit-memo-refund"), "{refused}");
}

#[test]
fn a_refund_is_changed_cancelled_and_deleted_by_its_state() {
    let refund = |status, refund_type, source_type| ExistingRefund {
        number: RefundNumber::new(1).unwrap(),
        refund_type,
        status,
        source_type,
        payment: None,
        is_compensated: false,
        currency: Currency::from_code("USD").unwrap(),
        invoices: Vec::new(),
    };
    let asking = asking(Permissions::all());
    let of = |status| refund(status, RefundType::External, SourceType::CreditMemo);
    let cancel = |refund: &ExistingRefund| {
        let draft = RefundUpdateDraft::cancelling("R-00000001");
        decide_settlement_update(&draft, Some(refund), &tenant(), &asking)
    };
    let delete =
        |refund: &ExistingRefund| decide_settlement_deletion("R-00000001", Some(refund), &asking);
    assert!(cancel(&of(RefundStatus::Processed)).unwrap().cancels);
    for status in [RefundStatus::Processing, RefundStatus::Error, RefundStatus::Canceled] {
        assert!(cancel(&of(status)).is_err());
    }
    for status in [RefundStatus::Processing, RefundStatus::Error, RefundStatus::Processed] {
        assert_eq!(delete(&of(status)).unwrap_err().category(), Category::Rule);
    }
    assert!(delete(&of(RefundStatus::Canceled)).is_ok());
    let of_balance =
        refund(RefundStatus::Processed, RefundType::External, SourceType::CreditBalance);
    assert!(cancel(&of_balance).is_err() && delete(&of_balance).is_err());
    let mut change = RefundUpdateDraft::of("R-00000001");
    change.set("referenceId", Sent::Text("x"));
    let electronic = refund(RefundStatus::Processed, RefundType::Electronic, SourceType::Payment);
    let update = |refund| decide_settlement_update(&change, Some(refund), &tenant(), &asking);
    assert_eq!(update(&electronic).unwrap_err().field(), Some("referenceId"));
    let external = update(&of(RefundStatus::Processed)).unwrap();
    assert_eq!(external.reference_id, Some(Some("x".to_owned())));
    let none = decide_settlement_update(&change, None, &tenant(), &asking).unwrap_err();
    assert_eq!(none.category(), Category::NotFound);
}

#[test]
fn what_is_unapplied_first_comes_from_one_invoice_after_another() {
    let (mut paid, first) = (payment(), payment().parts[0].clone());
    let part = |key, amount| PaymentPart {
        key: PartKey(key),
        invoice: InvoiceKey(key),
        amount: MinorUnits::new(amount),
        ..first.clone()
    };
    paid.parts = vec![part(1, 3_000), part(2, 2_000)];
    let taken = |total| {
        let fields = [("type", "External"), ("methodType", "Check"), ("totalAmount", total)];
        let draft = PaymentRefundDraft::unapplying("P-00000001");
        let made = of(paid.clone(), draft, &fields, Permissions::all()).unwrap();
        let shares = made.unapplied.iter().map(|one| (one.invoice.0, one.amount.units()));
        shares.collect::<Vec<_>>()
    };
    assert_eq!(taken("30"), [(1, 3_000)]);
    assert_eq!(taken("40"), [(1, 3_000), (2, 1_000)]);
}

#[test]
fn a_write_off_is_made_where_it_is_wanted() {
    let fields = [("type", "External"), ("methodType", "Check"), ("totalAmount", "10")];
    let made = |is_wanted| {
        let mut draft = PaymentRefundDraft::unapplying("P-00000001");
        draft.unapply.as_mut().unwrap().write_off = Field::Given(is_wanted);
        of_payment(draft, &fields, Permissions::all()).unwrap().write_off
    };
    assert_eq!(made(false), None);
    let wanted = made(true).unwrap();
    assert_eq!(wanted.date, day("2026-09-21"));
    assert_eq!(wanted.reason_code.as_deref(), Some("Standard Refund"));
    assert!(!wanted.comment.is_empty());
}
