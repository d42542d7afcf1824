//! What refunds of credit memos are refused for, with the kind of the
//! error and the name of its field.

use super::*;
use crate::domain::draft::json::Sent;
use crate::domain::draft::refund_details::RateDraft;
use crate::domain::draft::settlement_refunds::{ItemDraft, MemoRefundDraft};
use crate::domain::facts::{Ahead, CreditMemo, MemoLine};
use crate::domain::permission::Permissions;
use crate::domain::row_error::Category;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{CreditMemoStatus, MethodStatus};
use chrono::{DateTime, Utc};

pub(super) const OWNER: AccountKey = AccountKey(1);
pub(super) const METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";
pub(super) const ITEM: &str = "2c92c0f83dfa5201013dfa6656ff0001";
const TAX: &str = "2c92c0f83dfa5201013dfa6656ff0002";

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub(super) fn asking(permissions: Permissions) -> Asking {
    let version = ApiVersion::LAST;
    Asking { version, permissions, now: now(), earliest: now(), strict: false }
}

pub(super) fn account() -> Account {
    Account {
        key: OWNER,
        currency: Currency::from_code("USD").unwrap(),
        balance: MinorUnits::ZERO,
        ahead: Ahead::default(),
        default_method: None,
        gateway: None,
    }
}

pub(super) fn method() -> PaymentMethod {
    PaymentMethod {
        key: MethodKey(1),
        id: ObjectId::parse(METHOD).unwrap(),
        account: Some(OWNER),
        method_type: MethodType::CreditCard,
        status: MethodStatus::Active,
        gateway: None,
    }
}

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn memo() -> CreditMemo {
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

pub(super) fn line(key: i64, id: &str, is_tax: bool) -> MemoLine {
    MemoLine {
        key: MemoLineKey(key),
        id: ObjectId::parse(id).unwrap(),
        memo: MemoKey(1),
        is_tax,
        amount: MinorUnits::new(3_000),
        refunded: MinorUnits::new(1_000),
    }
}

pub(super) fn tenant() -> Tenant {
    Tenant {
        invoice_settlement: true,
        invoice_item_settlement: true,
        home_currency: Currency::from_code("EUR"),
        ..Tenant::default()
    }
}

pub(super) fn memo_draft(fields: &[(&str, &str)]) -> MemoRefundDraft {
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

pub(super) fn item(field: &str, id: &str, amount: &str) -> ItemDraft {
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

pub(super) const EXTERNAL: [(&str, &str); 3] =
    [("type", "External"), ("methodType", "Check"), ("totalAmount", "10.5")];
const ELECTRONIC: [(&str, &str); 3] =
    [("type", "Electronic"), ("paymentMethodId", METHOD), ("totalAmount", "70")];

/// The fields with another value for one of them, or without it where that is empty.
pub(super) fn with<'f>(
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
    for day in ["2026-01-02", "2026-09-21"] {
        let first_or_last = with(&EXTERNAL, ("refundDate", day));
        assert!(of_memo(&memo_draft(&first_or_last), |_, _, _| ()).is_ok(), "{day}");
    }
    // What is missing comes before what is wrong.
    let both = with(&with(&EXTERNAL, ("reasonCode", "No such")), ("totalAmount", ""));
    let error = of_memo(&memo_draft(&both), |_, _, _| ()).unwrap_err();
    assert_eq!((error.category(), error.field()), (Missing, Some("totalAmount")));
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
    let made = |rates: &[RateDraft], switches: (bool, bool)| {
        let mut draft = memo_draft(&EXTERNAL);
        draft.details.custom_rates.extend(rates.iter().cloned());
        of_memo(&draft, |tenant, _, _| {
            (tenant.fx_data, tenant.currency_conversion_exports) = switches;
        })
        .map_err(|error| (error.category(), error.field().map(str::to_owned)))
    };
    let refused = |rates: &[RateDraft], both: bool| made(rates, (both, both));
    let one = [rate("EUR", "0.9")];
    assert!(made(&one, (true, false)).is_ok() && made(&one, (false, true)).is_ok());
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
