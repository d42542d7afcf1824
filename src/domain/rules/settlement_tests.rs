//! What the refunds of credit memos and of unapplied payments are refused for, with the kind of the
//! error and the name of its field.

use super::*;
use crate::domain::draft::json::Sent;
use crate::domain::draft::refund_details::RateDraft;
use crate::domain::draft::settlement_refunds::{
    ItemDraft, MemoRefundDraft, PaymentRefundDraft, RefundUpdateDraft,
};
use crate::domain::facts::{Ahead, CreditMemo, ExistingRefund, MemoLine, PaymentPart};
use crate::domain::id::RefundNumber;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::row_error::Category;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{
    CreditMemoStatus, MethodStatus, PaymentStatus, PaymentType, RefundStatus,
};
use chrono::{DateTime, Utc};

const OWNER: AccountKey = AccountKey(1);
const METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";
const ITEM: &str = "2c92c0f83dfa5201013dfa6656ff0001";
const TAX: &str = "2c92c0f83dfa5201013dfa6656ff0002";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn asking(permissions: Permissions) -> Asking {
    Asking { version: ApiVersion::LAST, permissions, now: now(), strict: false }
}

fn account() -> Account {
    Account {
        key: OWNER,
        currency: Currency::from_code("USD").unwrap(),
        balance: MinorUnits::ZERO,
        ahead: Ahead::default(),
        default_method: None,
        gateway: None,
    }
}

fn method() -> PaymentMethod {
    PaymentMethod {
        key: MethodKey(1),
        id: ObjectId::parse(METHOD).unwrap(),
        account: Some(OWNER),
        method_type: MethodType::CreditCard,
        status: MethodStatus::Active,
        gateway: None,
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn memo() -> CreditMemo {
    CreditMemo {
        key: MemoKey(1),
        number: "CM00000001".to_owned(),
        account: account(),
        date: day("2026-01-02"),
        status: CreditMemoStatus::Posted,
        amount: MinorUnits::new(10_000),
        applied: MinorUnits::new(2_000),
        refunded: MinorUnits::new(1_000),
        parts: Vec::new(),
        refunded_lines: 0,
    }
}

fn line(key: i64, id: &str, is_tax: bool) -> MemoLine {
    MemoLine {
        key: MemoLineKey(key),
        id: ObjectId::parse(id).unwrap(),
        memo: MemoKey(1),
        is_tax,
        amount: MinorUnits::new(3_000),
        refunded: MinorUnits::new(1_000),
    }
}

fn tenant() -> Tenant {
    Tenant {
        invoice_settlement: true,
        invoice_item_settlement: true,
        home_currency: Currency::from_code("EUR"),
        ..Tenant::default()
    }
}

fn memo_draft(fields: &[(&str, &str)]) -> MemoRefundDraft {
    let mut draft = MemoRefundDraft::of("CM00000001");
    for (name, text) in fields {
        let value = match (*name, *text) {
            (_, "") => Sent::Null,
            ("totalAmount", text) => Sent::Number(text),
            (_, text) => Sent::Text(text),
        };
        assert!(draft.set(name, value), "{name}");
    }
    draft
}

fn item(field: &str, id: &str, amount: &str) -> ItemDraft {
    let mut item = ItemDraft::default();
    assert!(item.set(field, Sent::Text(id)) && item.set("amount", Sent::Number(amount)));
    item
}

/// What is decided of a draft beside a world that `change` changes.
fn of_memo(
    draft: &MemoRefundDraft,
    change: impl FnOnce(&mut Tenant, &mut Option<CreditMemo>, &mut PaymentMethod),
) -> Result<Decision, RowError> {
    let (mut tenant, mut memo, mut method) = (tenant(), Some(memo()), method());
    change(&mut tenant, &mut memo, &mut method);
    let find = |item: &ItemDraft| match item.item_id.given() {
        Some(_) => Some(line(1, ITEM, false)),
        None => item.tax_item_id.given().map(|_| line(2, TAX, true)),
    };
    let facts = MemoRefundFacts {
        tenant: &tenant,
        gateways: &[Gateway::sandbox()],
        memo,
        method: draft.payment_method_id.given().map(|_| method),
        gateway: None,
        lines: draft.items.iter().map(find).collect(),
    };
    decide_memo_refund(draft, &facts, &asking(Permissions::all()))
}

const EXTERNAL: [(&str, &str); 3] =
    [("type", "External"), ("methodType", "Check"), ("totalAmount", "10.5")];
const ELECTRONIC: [(&str, &str); 3] =
    [("type", "Electronic"), ("paymentMethodId", METHOD), ("totalAmount", "70")];

/// The fields with another value for one of them, or without it where that is empty.
fn with<'f>(
    fields: &[(&'f str, &'f str)],
    (name, text): (&'f str, &'f str),
) -> Vec<(&'f str, &'f str)> {
    let others = fields.iter().copied().filter(|(other, _)| *other != name);
    others.chain([(name, text)]).collect()
}

#[test]
fn a_refund_of_a_memo_takes_what_is_unapplied() {
    let external = of_memo(&memo_draft(&EXTERNAL), |_, _, _| ()).unwrap();
    assert_eq!((external.amount, external.payout), (MinorUnits::new(1050), Payout::External));
    assert_eq!(external.source_before, MinorUnits::new(7_000));
    assert_eq!(external.reason_code.as_deref(), Some("Standard Refund"));
    let electronic = of_memo(&memo_draft(&ELECTRONIC), |_, _, _| ()).unwrap();
    assert_eq!(
        (electronic.amount, electronic.method),
        (MinorUnits::new(7_000), Some(MethodKey(1)))
    );
    assert!(matches!(electronic.payout, Payout::Electronic { original_payment: None, .. }));
}

#[test]
fn each_error_of_a_memo_refund_has_its_kind_and_its_field() {
    use Category::{Invalid, Missing, Rule};
    for (fields, change, kind, field) in [
        (&EXTERNAL, ("type", ""), Missing, Some("type")),
        (&EXTERNAL, ("type", "external"), Invalid, Some("type")),
        (&EXTERNAL, ("totalAmount", ""), Missing, Some("totalAmount")),
        (&EXTERNAL, ("totalAmount", "0.105"), Invalid, Some("totalAmount")),
        (&EXTERNAL, ("totalAmount", "0"), Invalid, Some("totalAmount")),
        (&EXTERNAL, ("totalAmount", "1e400"), Invalid, Some("totalAmount")),
        (&EXTERNAL, ("totalAmount", "70.01"), Rule, None),
        (&EXTERNAL, ("methodType", ""), Missing, Some("methodType")),
        (&EXTERNAL, ("paymentMethodId", METHOD), Invalid, Some("paymentMethodId")),
        (&EXTERNAL, ("gatewayId", METHOD), Invalid, Some("gatewayId")),
        (&EXTERNAL, ("refundDate", "2026-01-01"), Invalid, Some("refundDate")),
        (&EXTERNAL, ("refundDate", "2026-09-23"), Invalid, Some("refundDate")),
        (&EXTERNAL, ("refundDate", "2026-02-30"), Invalid, Some("refundDate")),
        (&EXTERNAL, ("reasonCode", "No such"), Invalid, Some("reasonCode")),
        (&ELECTRONIC, ("paymentMethodId", ""), Missing, Some("paymentMethodId")),
        (&ELECTRONIC, ("methodType", "CreditCard"), Invalid, Some("methodType")),
        (&ELECTRONIC, ("refundDate", "2026-02-03"), Invalid, Some("refundDate")),
        (&ELECTRONIC, ("gatewayId", METHOD), Invalid, Some("gatewayId")),
        (&ELECTRONIC, ("totalAmount", "70.01"), Rule, None),
    ] {
        let error = of_memo(&memo_draft(&with(fields, change)), |_, _, _| ()).unwrap_err();
        assert_eq!((error.category(), error.field()), (kind, field), "{change:?}: {error}");
    }
    // Empty texts are absent: beside Electronic, an empty methodType is legal.
    let mut empty = memo_draft(&ELECTRONIC);
    assert!(empty.set("methodType", Sent::Text("")));
    assert!(of_memo(&empty, |_, _, _| ()).is_ok());
    let last = with(&EXTERNAL, ("refundDate", "2026-09-21"));
    assert!(of_memo(&memo_draft(&last), |_, _, _| ()).is_ok());
}

#[test]
fn the_world_forbids_a_memo_refund_in_its_own_order() {
    let good = memo_draft(&ELECTRONIC);
    let kind = |error: RowError| (error.category(), error.message.to_string());
    let off = of_memo(&good, |tenant, memo, _| {
        (tenant.invoice_settlement, *memo) = (false, None);
    });
    let (category, text) = kind(off.unwrap_err());
    assert_eq!(category, Category::Permission);
    assert!(text.contains("Invoice Settlement"), "{text}");
    let none = kind(of_memo(&memo_draft(&[]), |_, memo, _| *memo = None).unwrap_err());
    assert_eq!(none, (Category::NotFound, "Cannot find entity by key: 'CM00000001'.".to_owned()));
    for status in [CreditMemoStatus::Draft, CreditMemoStatus::Canceled] {
        let error = of_memo(&good, |_, memo, _| {
            memo.as_mut().unwrap().status = status;
        });
        assert_eq!(error.unwrap_err().category(), Category::Rule);
    }
    for change in [
        |method: &mut PaymentMethod| method.account = Some(AccountKey(2)),
        |method: &mut PaymentMethod| method.status = MethodStatus::Closed,
        |method: &mut PaymentMethod| method.method_type = MethodType::Check,
    ] {
        let error = of_memo(&good, |_, _, method| change(method)).unwrap_err();
        assert_eq!(error.field(), Some("paymentMethodId"), "{error}");
    }
}

#[test]
fn items_make_the_amount_and_need_their_feature() {
    let draft = |items: &[ItemDraft], total| {
        let mut draft = memo_draft(&with(&EXTERNAL, ("totalAmount", total)));
        draft.items.extend(items.iter().cloned());
        draft
    };
    let (of_item, of_tax) = ("creditMemoItemId", "creditTaxItemId");
    let both = [item(of_item, ITEM, "20"), item(of_tax, TAX, "5")];
    let good = of_memo(&draft(&both, "25"), |_, _, _| ()).unwrap();
    let Source::CreditMemo { lines, .. } = good.source else { panic!("{:?}", good.source) };
    assert_eq!(lines.iter().map(|line| line.amount.units()).collect::<Vec<_>>(), [2_000, 500]);
    let refused = |items: &[ItemDraft], total| {
        let error = of_memo(&draft(items, total), |_, _, _| ()).unwrap_err();
        (error.category(), error.field().map(str::to_owned))
    };
    let field = |name: &str| Some(name.to_owned());
    assert_eq!(refused(&both, "24"), (Category::Rule, field("items")));
    assert_eq!(refused(&[item(of_item, ITEM, "20.01")], "20.01"), (Category::Rule, None));
    let twice = [item(of_item, ITEM, "1"), item(of_item, ITEM, "1")];
    assert_eq!(refused(&twice, "2"), (Category::Invalid, field("items.creditMemoItemId")));
    let none = [ItemDraft::default()];
    assert_eq!(refused(&none, "2"), (Category::Missing, field("items.amount")));
    let many = vec![item(of_item, ITEM, "1"); 1_001];
    assert_eq!(refused(&many, "2"), (Category::Invalid, field("items")));
    let off = of_memo(&draft(&both, "25"), |tenant, _, _| tenant.invoice_item_settlement = false);
    let off = off.unwrap_err();
    assert_eq!((off.category(), off.field()), (Category::Permission, Some("items")));
    let full = of_memo(&draft(&[item(of_item, ITEM, "1")], "1"), |_, memo, _| {
        memo.as_mut().unwrap().refunded_lines = 15_000;
    });
    // This item was refunded in part before, so that it is counted already.
    assert!(full.is_ok());
}

#[test]
fn rates_are_of_the_tenants_currencies_and_at_most_two() {
    let rate = |currency: &str, rate: &str| {
        let mut draft = RateDraft::default();
        draft.set("currency", Sent::Text(currency));
        draft.set("customFxRate", Sent::Number(rate));
        draft
    };
    let refused = |rates: &[RateDraft], both: bool| {
        let mut draft = memo_draft(&EXTERNAL);
        draft.details.custom_rates.extend(rates.iter().cloned());
        of_memo(&draft, |tenant, _, _| {
            (tenant.fx_data, tenant.currency_conversion_exports) = (both, both);
        })
        .map_err(|error| (error.category(), error.field().map(str::to_owned)))
    };
    let one = [rate("EUR", "0.9")];
    assert_eq!(refused(&one, false).unwrap().detail.unwrap().rates.len(), 1);
    let field = |name: &str| Some(name.to_owned());
    assert_eq!(refused(&one, true).unwrap_err(), (Category::Invalid, field("customRates")));
    for (rates, name) in [
        (vec![rate("GBP", "1")], "customRates.currency"),
        (vec![rate("EUR", "1"), rate("EUR", "1")], "customRates.currency"),
        (vec![rate("EUR", "0")], "customRates.customFxRate"),
        (vec![rate("EUR", "1"); 3], "customRates"),
    ] {
        assert_eq!(refused(&rates, false).unwrap_err(), (Category::Invalid, field(name)));
    }
    let mut rateless = RateDraft::default();
    rateless.set("currency", Sent::Text("EUR"));
    let missing = refused(&[rateless], false).unwrap_err();
    assert_eq!(missing, (Category::Missing, field("customRates.customFxRate")));
}

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
        payment: Some(payment()),
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
