//! When a payment of Invoice Settlement may be made: what it needs, which methods it may use, and
//! at which gateway it is.

use super::settlement_tests::{METHOD, OWNER, account, asking, method, tenant, with};
use super::*;
use crate::domain::draft::json::Sent;
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::permission::Permissions;
use crate::domain::row_error::Category;
use crate::domain::vocabulary::MethodStatus;

type Fields<'f> = &'f [(&'f str, &'f str)];

const EXTERNAL: [(&str, &str); 5] = [
    ("accountId", "402892c72b9e3319012b9e34b88e0001"),
    ("amount", "10"),
    ("effectiveDate", "2026-09-21"),
    ("type", "External"),
    ("paymentMethodId", METHOD),
];

/// The key of the method and the gateway of a payment, else the kind of the error and its field.
type Made = Result<(Option<MethodKey>, Option<String>), (Category, Option<String>)>;

fn made(fields: Fields<'_>, change: impl FnOnce(&mut PaymentMethod)) -> Made {
    let mut draft = SettlementPaymentDraft::default();
    for (name, text) in fields.iter().filter(|(_, text)| !text.is_empty()) {
        let value = if *name == "amount" { Sent::Number(text) } else { Sent::Text(text) };
        assert!(draft.set(name, value), "{name}");
    }
    let mut method = method();
    change(&mut method);
    let facts = SettlementPaymentFacts {
        tenant: &tenant(),
        gateways: &[Gateway::sandbox()],
        by_id: Some(account()),
        by_number: None,
        method: Some(method),
        gateway: None,
        invoices: Vec::new(),
        known: Vec::new(),
    };
    let decided = decide_settlement_payment(&draft, &facts, &asking(Permissions::all()));
    let (payment, _) =
        decided.map_err(|error| (error.category(), error.field().map(str::to_owned)))?;
    assert_eq!((payment.account.key, payment.amount.units()), (OWNER, 1_000));
    Ok((payment.method, payment.gateway.map(str::to_owned)))
}

fn refused(kind: Category, field: &str) -> Made {
    Err((kind, Some(field.to_owned())))
}

fn electronic() -> Vec<(&'static str, &'static str)> {
    with(&EXTERNAL, ("type", "Electronic"))
}

#[test]
fn a_payment_needs_its_amount_its_day_and_its_type() {
    assert_eq!(made(&EXTERNAL, |_| ()), Ok((Some(MethodKey(1)), None)));
    for name in ["amount", "effectiveDate", "type"] {
        let missing = made(&with(&EXTERNAL, (name, "")), |_| ());
        assert_eq!(missing, refused(Category::Missing, name));
    }
}

#[test]
fn a_payment_is_in_the_currency_of_its_account() {
    let of = |currency| made(&with(&EXTERNAL, ("currency", currency)), |_| ());
    assert!(of("USD").is_ok());
    assert_eq!(of("EUR"), refused(Category::Invalid, "currency"));
}

#[test]
fn only_an_external_payment_is_by_a_type_of_methods_alone() {
    let missing = || refused(Category::Missing, "paymentMethodId");
    let unnamed = with(&EXTERNAL, ("paymentMethodId", ""));
    assert_eq!(made(&unnamed, |_| ()), missing());
    let by_type = with(&unnamed, ("paymentMethodType", "Check"));
    assert_eq!(made(&by_type, |_| ()), Ok((Some(MethodKey(1)), None)));
    assert_eq!(made(&with(&by_type, ("type", "Electronic")), |_| ()), missing());
}

#[test]
fn a_method_is_active_the_accounts_and_of_a_type_that_can_pay() {
    let wrong = || refused(Category::Invalid, "paymentMethodId");
    for fields in [EXTERNAL.to_vec(), electronic()] {
        assert!(made(&fields, |_| ()).is_ok());
        assert_eq!(made(&fields, |method| method.account = Some(AccountKey(2))), wrong());
        assert_eq!(made(&fields, |method| method.status = MethodStatus::Closed), wrong());
        assert!(made(&fields, |method| method.account = None).is_ok());
    }
    let check = |method: &mut PaymentMethod| method.method_type = MethodType::Check;
    assert!(made(&EXTERNAL, check).is_ok());
    assert_eq!(made(&electronic(), check), wrong());
}

#[test]
fn an_electronic_payment_is_at_a_gateway_and_no_other_is() {
    assert_eq!(made(&electronic(), |_| ()), Ok((Some(MethodKey(1)), Some("sandbox".to_owned()))));
    let named = with(&EXTERNAL, ("gatewayId", METHOD));
    assert_eq!(made(&named, |_| ()), refused(Category::Invalid, "gatewayId"));
}
