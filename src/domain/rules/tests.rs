//! The rules, one test a rule, and the order in which errors are told.

use super::*;
use crate::domain::draft::RefundField;
use crate::domain::error_code::ErrorCode;
use crate::domain::permission::Permissions;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::MethodStatus;
use proptest::prelude::*;

const OWNER: AccountKey = AccountKey(1);
const METHOD_ID: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";

fn method(method_type: MethodType, account: Option<AccountKey>) -> PaymentMethod {
    let status = MethodStatus::Active;
    let id = ObjectId::parse(METHOD_ID).unwrap();
    PaymentMethod { key: MethodKey(7), id, account, method_type, status, gateway: None }
}

fn account(balance: i64) -> Account {
    Account {
        key: OWNER,
        currency: Currency::from_code("USD").unwrap(),
        balance: MinorUnits::new(balance),
        default_method: None,
        gateway: None,
    }
}

/// A world in which both documented examples succeed.
struct World {
    tenant: Tenant,
    gateways: Vec<Gateway>,
    account: Option<Account>,
    method: Option<PaymentMethod>,
    asking: Asking,
}

impl World {
    fn new() -> Self {
        Self {
            tenant: Tenant::default(),
            gateways: vec![Gateway::sandbox()],
            account: Some(account(100_000)),
            method: Some(method(MethodType::CreditCard, Some(OWNER))),
            asking: Asking {
                version: ApiVersion::major(91),
                permissions: Permission::ALL.into_iter().collect(),
                // In Los Angeles it is still the 21st.
                now: "2026-11-22T05:00:00Z".parse().unwrap(),
                strict: false,
            },
        }
    }

    fn decide(&self, fields: &[(RefundField, &str)]) -> Result<Decision, RowError> {
        let draft = draft(fields);
        let names_method = draft.payment_method_id.given().is_some();
        let facts = Facts {
            tenant: &self.tenant,
            gateways: &self.gateways,
            account: self.account.clone(),
            method: self.method.clone().filter(|_| names_method),
            payment: None,
        };
        decide(&draft, &facts, &self.asking)
    }

    fn error(&self, fields: &[(RefundField, &str)]) -> (ErrorCode, String) {
        let error = self.decide(fields).unwrap_err();
        (error.code, error.message)
    }
}

fn draft(fields: &[(RefundField, &str)]) -> RefundDraft {
    let mut draft = RefundDraft::default();
    for (field, text) in fields {
        draft.set(*field, text);
    }
    draft
}

const ACCOUNT: (RefundField, &str) = (RefundField::AccountId, "402892c72b9e3319012b9e34b88e0001");
const AMOUNT: (RefundField, &str) = (RefundField::Amount, "10");
const SOURCE: (RefundField, &str) = (RefundField::SourceType, "CreditBalance");
const EXTERNAL: (RefundField, &str) = (RefundField::Type, "External");
const ELECTRONIC: (RefundField, &str) = (RefundField::Type, "Electronic");
const CHECK: (RefundField, &str) = (RefundField::MethodType, "Check");
const METHOD: (RefundField, &str) = (RefundField::PaymentMethodId, METHOD_ID);

/// The two documented examples, with `field` set, changed or added.
fn external_with(field: RefundField, text: &str) -> Vec<(RefundField, &str)> {
    with(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK], field, text)
}

fn electronic_with(field: RefundField, text: &str) -> Vec<(RefundField, &str)> {
    with(&[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD], field, text)
}

fn with<'a>(
    fields: &[(RefundField, &'a str)],
    field: RefundField,
    text: &'a str,
) -> Vec<(RefundField, &'a str)> {
    let mut all: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != field).collect();
    all.push((field, text));
    all
}

#[test]
fn both_documented_examples_are_decided() {
    let world = World::new();
    let external = world.decide(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]).unwrap();
    assert_eq!(external.amount, MinorUnits::new(1000));
    assert_eq!(external.method_type, MethodType::Check);
    assert_eq!(external.payout, Payout::External);
    assert_eq!(external.refund_date.to_string(), "2026-11-21");
    assert_eq!(external.reason_code.as_deref(), Some("Standard Refund"));
    let electronic = world.decide(&[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD]).unwrap();
    assert_eq!(electronic.method, Some(MethodKey(7)));
    assert_eq!(electronic.payout.refund_type(), RefundType::Electronic);
}

#[test]
fn missing_fields_are_told_one_by_one_in_the_captured_order() {
    let world = World::new();
    let mut fields = Vec::new();
    let steps = [
        ("Type", ELECTRONIC),
        ("Amount", AMOUNT),
        ("PaymentId", SOURCE),
        ("AccountId", ACCOUNT),
        ("PaymentMethodId", METHOD),
    ];
    for (missing, next) in steps {
        let expected = format!("Missing required value: {missing}");
        assert_eq!(world.error(&fields), (ErrorCode::MissingRequiredValue, expected));
        fields.push(next);
    }
    assert!(world.decide(&fields).is_ok());
}

#[test]
fn ids_that_are_no_ids_come_before_everything_else() {
    let world = World::new();
    let error = world.error(&[(RefundField::PaymentMethodId, "x"), (RefundField::AccountId, "")]);
    assert_eq!(error, (ErrorCode::InvalidId, "Invalid value for field AccountId: ".to_owned()));
}

#[test]
fn invalid_values_are_told_in_wsdl_order() {
    let world = World::new();
    let wrong = [
        (RefundField::Type, "external"),
        (RefundField::SourceType, "creditbalance"),
        (RefundField::RefundDate, "tomorrow"),
        (RefundField::ReasonCode, "No Such Reason"),
        (RefundField::MethodType, "Cheque"),
        (RefundField::Amount, "ten"),
    ];
    let mut fields = vec![ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK];
    for (field, text) in wrong {
        fields = with(&fields, field, text);
        if field == RefundField::SourceType {
            // Without CreditBalance a payment is required before any value is looked at.
            let error = world.error(&fields);
            assert_eq!(error.1, "Missing required value: PaymentId");
            fields = with(&fields, RefundField::SourceType, "CreditBalance");
            continue;
        }
        let expected = format!("Invalid value for field {}: {text}", field.name());
        assert_eq!(world.error(&fields), (ErrorCode::InvalidValue, expected));
    }
}

#[test]
fn unknown_things_are_invalid_values() {
    let mut world = World::new();
    world.method = None;
    let error = world.error(&[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD]).1;
    assert_eq!(error, format!("Invalid value for field PaymentMethodId: {METHOD_ID}"));
    world.account = None;
    let error = world.error(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]).1;
    assert!(error.starts_with("Invalid value for field AccountId: 402892c7"));
    let world = World::new();
    let error = world.error(&external_with(RefundField::PaymentId, METHOD_ID)).1;
    assert_eq!(error, format!("Invalid value for field PaymentId: {METHOD_ID}"));
}

#[test]
fn a_refused_value_is_cut_at_64_characters() {
    let long = "é".repeat(100);
    let error = World::new().error(&external_with(RefundField::Amount, &long)).1;
    assert_eq!(error, format!("Invalid value for field Amount: {}", "é".repeat(64)));
}

#[test]
fn texts_have_their_documented_lengths_in_characters() {
    let world = World::new();
    for (field, length) in [
        (RefundField::Comment, 255),
        (RefundField::SoftDescriptor, 35),
        (RefundField::SoftDescriptorPhone, 20),
    ] {
        assert!(world.decide(&external_with(field, &"é".repeat(length))).is_ok(), "{field:?}");
        let error = world.error(&external_with(field, &"é".repeat(length + 1)));
        let expected = "The length of field value is too big.".to_owned();
        assert_eq!(error, (ErrorCode::InvalidValue, expected), "{field:?}");
    }
}

#[test]
fn an_external_refund_needs_a_method_type_from_somewhere() {
    let mut world = World::new();
    let bare = [ACCOUNT, AMOUNT, SOURCE, EXTERNAL];
    let error = world.error(&bare);
    assert_eq!(error.1, "Missing required value: MethodType");
    let decision = world.decide(&with(&bare, METHOD.0, METHOD.1)).unwrap();
    assert_eq!(
        (decision.method_type, decision.method),
        (MethodType::CreditCard, Some(MethodKey(7)))
    );
    let told = with(&with(&bare, METHOD.0, METHOD.1), CHECK.0, CHECK.1);
    assert_eq!(world.decide(&told).unwrap().method_type, MethodType::Check);
    let default = method(MethodType::WireTransfer, None);
    world.account = Some(Account { default_method: Some(default), ..account(1000) });
    assert_eq!(world.decide(&bare).unwrap().method_type, MethodType::WireTransfer);
}

#[test]
fn an_electronic_refund_pays_only_to_an_active_electronic_method_of_the_account() {
    let mut world = World::new();
    let example = [ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD];
    let refused = format!("Invalid value for field PaymentMethodId: {METHOD_ID}");
    let closed = PaymentMethod {
        status: MethodStatus::Closed,
        ..method(MethodType::CreditCard, Some(OWNER))
    };
    let foreign = method(MethodType::CreditCard, Some(AccountKey(2)));
    for wrong in [method(MethodType::Check, None), closed, foreign] {
        world.method = Some(wrong);
        assert_eq!(world.error(&example).1, refused);
    }
    let world = World::new();
    assert!(world.decide(&electronic_with(RefundField::MethodType, "CreditCard")).is_ok());
    let error = world.error(&electronic_with(RefundField::MethodType, "ACH")).1;
    assert_eq!(error, "Invalid value for field MethodType: ACH");
}

#[test]
fn dates_follow_the_type_the_version_and_the_tenant() {
    let mut world = World::new();
    let date = RefundField::RefundDate;
    for (text, external, electronic) in [
        ("2026-11-21", true, true),
        ("2026-11-20", true, false),
        ("2026-11-22", false, false),
        ("2026-11-21T10:00:00", false, false),
    ] {
        assert_eq!(world.decide(&external_with(date, text)).is_ok(), external, "{text}");
        assert_eq!(world.decide(&electronic_with(date, text)).is_ok(), electronic, "{text}");
    }
    world.asking.version = ApiVersion::major(68);
    assert!(world.decide(&external_with(date, "2026-11-21T10:00:00")).is_ok());
    world.tenant.future_dated_adjustments = true;
    assert!(world.decide(&external_with(date, "2027-01-01")).is_ok());
    assert!(world.decide(&electronic_with(date, "2027-01-01")).is_err());
}

#[test]
fn switches_and_version_come_after_values_and_before_permission() {
    let mut world = World::new();
    let example = [ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK];
    world.asking.permissions = Permissions::from_bits(0);
    assert_eq!(world.error(&example).0, ErrorCode::NoPermission);
    world.asking.version = ApiVersion::major(30);
    assert_eq!(world.error(&example).0, ErrorCode::InvalidVersion);
    world.tenant.credit_balance = false;
    assert_eq!(world.error(&example).1, "The Credit Balance feature is not enabled.");
    world.tenant.invoice_settlement = true;
    assert!(world.error(&example).1.contains("Invoice Settlement"));
    let error = world.error(&external_with(RefundField::Amount, "0"));
    assert_eq!(error.1, "Invalid value for field Amount: 0");
}

#[test]
fn each_type_needs_its_own_permission() {
    let mut world = World::new();
    world.asking.permissions = [Permission::CreditBalanceExternalRefund].into_iter().collect();
    assert!(world.decide(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]).is_ok());
    let error = world.error(&[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD]);
    assert_eq!(error.1, "The user lacks the permission credit-balance-electronic-refund.");
}

#[test]
fn the_gateway_is_the_methods_then_the_accounts_then_the_tenants() {
    let named = |name: &str| Gateway { name: name.to_owned(), ..Gateway::sandbox() };
    let mut world = World::new();
    world.gateways = ["sandbox", "a", "b"].map(named).to_vec();
    let example = [ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD];
    let gateway = |world: &World| match world.decide(&example).unwrap().payout {
        Payout::Electronic { gateway, .. } => gateway,
        Payout::External => unreachable!("the example is electronic"),
    };
    assert_eq!(gateway(&world), "sandbox");
    world.account = Some(Account { gateway: Some("a".to_owned()), ..account(1000) });
    assert_eq!(gateway(&world), "a");
    let method = method(MethodType::CreditCard, Some(OWNER));
    world.method = Some(PaymentMethod { gateway: Some("b".to_owned()), ..method });
    assert_eq!(gateway(&world), "b");
}

#[test]
fn a_gateway_that_cannot_pay_refuses_electronic_refunds_only() {
    let able = Gateway::sandbox();
    let unable = [
        (Gateway { active: false, ..able.clone() }, "is not active"),
        (Gateway { non_referenced_refunds: false, ..able.clone() }, "non-referenced refunds"),
        (Gateway { method_types: Some(vec![MethodType::Ach]), ..able }, "method type CreditCard"),
    ];
    for (gateway, words) in unable {
        let mut world = World::new();
        world.gateways = vec![gateway];
        let error = world.error(&[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD]);
        assert_eq!(error.0, ErrorCode::InvalidValue);
        assert!(error.1.contains(words), "{}", error.1);
        assert!(world.decide(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]).is_ok());
    }
}

#[test]
fn a_field_that_may_not_be_sent_is_an_error_only_when_strict() {
    let mut world = World::new();
    let mut draft = draft(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]);
    draft.unknown_field = Some("Status".to_owned());
    let decide_now = |world: &World| {
        let (tenant, gateways) = (&world.tenant, world.gateways.as_slice());
        let account = world.account.clone();
        let facts = Facts { tenant, gateways, account, method: None, payment: None };
        decide(&draft, &facts, &world.asking)
    };
    assert!(decide_now(&world).is_ok());
    world.asking.strict = true;
    assert_eq!(decide_now(&world).unwrap_err().code, ErrorCode::InvalidField);
}

proptest! {
    #[test]
    fn never_more_than_the_balance(balance in 0_i64..=20_000, cents in 1_i64..=20_000) {
        let mut world = World::new();
        world.account = Some(account(balance));
        let amount = Currency::from_code("USD").unwrap().format(MinorUnits::new(cents));
        let decision = world.decide(&external_with(RefundField::Amount, &amount));
        prop_assert_eq!(decision.is_ok(), cents <= balance);
        if let Err(error) = decision {
            prop_assert!(error.message.contains(&amount));
        }
    }

    #[test]
    fn no_fields_make_the_rules_panic(texts in prop::collection::vec(".{0,40}", 12)) {
        let texts = texts.iter().map(String::as_str);
        let fields: Vec<_> = RefundField::ALL.into_iter().zip(texts).collect();
        let _ = World::new().decide(&fields);
    }
}
