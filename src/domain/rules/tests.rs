//! The rules, one test a rule, and the order in which errors are reported.

use super::*;
use crate::domain::collected::Collected;
use crate::domain::custom_field::{CustomField, CustomFields, CustomName, CustomType};
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::draft::change::{AdjustmentChange, RefundChange};
use crate::domain::draft::fields::Draft as _;
use crate::domain::error_code::ErrorCode;
use crate::domain::facts::{
    AdjustmentKey, AdjustmentSource, Ahead, AskedAdjustment, ExistingAdjustment, ExistingRefund,
    Invoice, PaymentPart, ReopenedInvoice,
};
use crate::domain::id::RefundNumber;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{
    AdjustmentStatus, AdjustmentType, CustomizedObject, MethodStatus, PaymentStatus, PaymentType,
    RefundStatus, SourceType,
};
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
        ahead: Ahead::default(),
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
    payment: Option<Payment>,
    asking: Asking,
}

impl World {
    fn new() -> Self {
        Self {
            tenant: Tenant::default(),
            gateways: vec![Gateway::sandbox()],
            account: Some(account(100_000)),
            method: Some(method(MethodType::CreditCard, Some(OWNER))),
            payment: None,
            asking: Asking {
                version: ApiVersion::major(91),
                permissions: Permission::ALL.into_iter().collect(),
                // In Los Angeles it is still the 21st.
                now: "2026-11-22T05:00:00Z".parse().unwrap(),
                earliest: "2026-11-22T05:00:00Z".parse().unwrap(),
                strict: false,
            },
        }
    }

    fn decide(&self, fields: &[(&str, &str)]) -> Result<Decision, RowError> {
        let draft = draft(fields);
        let names_method = draft.payment_method_id.given().is_some();
        let names_account = draft.account_id.given().is_some();
        let facts = Facts {
            tenant: &self.tenant,
            gateways: &self.gateways,
            account: self.account.clone().filter(|_| names_account),
            method: self.method.clone().filter(|_| names_method),
            payment: self.payment.clone(),
        };
        decide(&draft, &facts, &self.asking)
    }

    fn error(&self, fields: &[(&str, &str)]) -> (ErrorCode, String) {
        let error = self.decide(fields).unwrap_err();
        (error.code, error.message.to_string())
    }
}

fn draft(fields: &[(&str, &str)]) -> RefundDraft {
    let mut draft = RefundDraft::default();
    for (field, text) in fields {
        draft.set(field, text);
    }
    draft
}

const ACCOUNT: (&str, &str) = ("AccountId", "402892c72b9e3319012b9e34b88e0001");
const AMOUNT: (&str, &str) = ("Amount", "10");
const SOURCE: (&str, &str) = ("SourceType", "CreditBalance");
const EXTERNAL: (&str, &str) = ("Type", "External");
const ELECTRONIC: (&str, &str) = ("Type", "Electronic");
const CHECK: (&str, &str) = ("MethodType", "Check");
const METHOD: (&str, &str) = ("PaymentMethodId", METHOD_ID);

/// The two documented examples, with `field` set, changed or added.
fn external_with<'a>(field: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    with(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK], field, text)
}

fn electronic_with<'a>(field: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    with(&[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD], field, text)
}

fn with<'a>(
    fields: &[(&'a str, &'a str)],
    field: &'a str,
    text: &'a str,
) -> Vec<(&'a str, &'a str)> {
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
    let error = world.error(&[("PaymentMethodId", "x"), ("AccountId", "y")]);
    assert_eq!(error, (ErrorCode::InvalidId, "Invalid value for field AccountId: y".to_owned()));
}

#[test]
fn invalid_values_are_told_in_wsdl_order() {
    let world = World::new();
    let wrong = [
        ("Type", "external"),
        ("SourceType", "creditbalance"),
        ("RefundDate", "tomorrow"),
        ("ReasonCode", "No Such Reason"),
        ("MethodType", "Cheque"),
        ("Amount", "ten"),
    ];
    let mut fields = vec![ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK];
    for (field, text) in wrong {
        fields = with(&fields, field, text);
        if field == "SourceType" {
            // Without CreditBalance a payment is required before any value is looked at.
            let error = world.error(&fields);
            assert_eq!(error.1, "Missing required value: PaymentId");
            fields = with(&fields, "SourceType", "CreditBalance");
            continue;
        }
        let expected = format!("Invalid value for field {field}: {text}");
        assert_eq!(world.error(&fields), (ErrorCode::InvalidValue, expected));
    }
}

/// Regression: a second SourceType was answered with a PaymentId that would be missing.
#[test]
fn a_source_that_comes_twice_is_named_itself() {
    let fields = [ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK, SOURCE];
    let expected = "Invalid value for field SourceType: CreditBalance".to_owned();
    assert_eq!(World::new().error(&fields), (ErrorCode::InvalidValue, expected));
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
    let error = world.error(&external_with("PaymentId", METHOD_ID)).1;
    assert_eq!(error, format!("Invalid value for field PaymentId: {METHOD_ID}"));
}

#[test]
fn a_refused_value_is_cut_at_64_characters() {
    let long = "é".repeat(100);
    let error = World::new().error(&external_with("Amount", &long)).1;
    assert_eq!(error, format!("Invalid value for field Amount: {}", "é".repeat(64)));
}

#[test]
fn texts_have_their_documented_lengths_in_characters() {
    let world = World::new();
    for (field, length) in [("Comment", 255), ("SoftDescriptor", 35), ("SoftDescriptorPhone", 20)] {
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
    let given = with(&with(&bare, METHOD.0, METHOD.1), CHECK.0, CHECK.1);
    assert_eq!(world.decide(&given).unwrap().method_type, MethodType::Check);
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
    assert!(world.decide(&electronic_with("MethodType", "CreditCard")).is_ok());
    let error = world.error(&electronic_with("MethodType", "ACH")).1;
    assert_eq!(error, "Invalid value for field MethodType: ACH");
}

#[test]
fn dates_follow_the_type_the_version_and_the_tenant() {
    let mut world = World::new();
    let date = "RefundDate";
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
    let error = world.error(&external_with("Amount", "0"));
    assert_eq!(error.1, "Invalid value for field Amount: 0");
}

#[test]
fn refunds_of_credit_balances_begin_with_a_version_and_need_no_field_that_they_cannot_have() {
    let mut world = World::new();
    let fields = [ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK];
    world.asking.version = ApiVersion::CREDIT_BALANCE_REFUNDS;
    assert!(world.decide(&fields).is_ok());
    world.asking.version = ApiVersion::major(30);
    assert_eq!(world.error(&fields).1, RowError::version_too_old().message.to_string());
    world.asking.version = ApiVersion::major(91);
    for (is_required, is_advanced) in [(false, true), (true, true)] {
        let field = CustomField {
            object: CustomizedObject::Refund,
            name: CustomName::parse("Channel__c").unwrap(),
            custom_type: CustomType::Boolean,
            is_required,
            is_advanced,
        };
        world.tenant.custom_fields = CustomFields::new(vec![field]);
        assert_eq!(world.decide(&fields).is_err(), is_required);
    }
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
    draft.common.unknown_field = Some("Status".to_owned());
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
        let decision = world.decide(&external_with("Amount", &amount));
        prop_assert_eq!(decision.is_ok(), cents <= balance);
        if let Err(error) = decision {
            prop_assert!(error.message.to_string().contains(&amount));
        }
    }

    #[test]
    fn no_fields_make_the_rules_panic(texts in prop::collection::vec(".{0,40}", 15)) {
        let fields = CustomizedObject::Refund.object().fields().iter();
        let names = fields.filter(|field| field.is_created).map(|field| field.name);
        let fields: Vec<_> = names.zip(texts.iter().map(String::as_str)).collect();
        let _ = World::new().decide(&fields);
    }
}

const PAYMENT: (&str, &str) = ("PaymentId", "4028e6a0000000000000000000000001");
const INVOICES: [&str; 2] =
    ["4028e6a0000000000000000000000011", "4028e6a0000000000000000000000012"];

/// An electronic payment of 100.00, of which these parts (in cents) pay an invoice each.
fn payment(parts: &[i64]) -> Payment {
    let part = |(at, cents): (usize, &i64)| PaymentPart {
        key: PartKey(10 + i64::try_from(at).unwrap()),
        invoice: InvoiceKey(20 + i64::try_from(at).unwrap()),
        invoice_id: ObjectId::parse(INVOICES[at]).unwrap(),
        invoice_number: format!("INV{at}"),
        amount: MinorUnits::new(*cents),
        refunded: MinorUnits::ZERO,
    };
    Payment {
        key: PaymentKey(5),
        number: "P-1".to_owned(),
        account: account(0),
        payment_type: PaymentType::Electronic,
        status: PaymentStatus::Processed,
        amount: MinorUnits::new(10_000),
        refunded: MinorUnits::ZERO,
        to_credit_balance: MinorUnits::ZERO,
        effective_date: "2026-11-10".parse().unwrap(),
        method: Some(method(MethodType::CreditCard, Some(OWNER))),
        gateway: Some("sandbox".to_owned()),
        reference_id: None,
        collected: Some(Collected { amount: MinorUnits::new(10_000), sent: MinorUnits::ZERO }),
        parts: parts.iter().enumerate().map(part).collect(),
    }
}

impl World {
    /// A world with this payment, in which its refund succeeds.
    fn paid(payment: Payment) -> Self {
        Self { payment: Some(payment), ..Self::new() }
    }
}

/// What a decision takes of which part, in cents.
fn taken(decision: &Decision) -> Vec<(i64, i64)> {
    match &decision.source {
        Source::CreditBalance | Source::CreditMemo { .. } => {
            panic!("{decision:?} is not of a payment")
        }
        Source::Payment { parts, .. } => {
            parts.iter().map(|one| (one.part.0, one.amount.units())).collect()
        }
    }
}

#[test]
fn a_refund_of_a_payment_goes_where_the_money_came_from() {
    let world = World::paid(payment(&[10_000]));
    // The recorded call: no account, no method, no source.
    let decision = world.decide(&[AMOUNT, PAYMENT, ELECTRONIC]).unwrap();
    assert_eq!((decision.account, decision.method), (OWNER, Some(MethodKey(7))));
    assert_eq!(taken(&decision), [(10, 1000)]);
    assert!(world.decide(&[AMOUNT, PAYMENT, ELECTRONIC, METHOD, ACCOUNT]).is_ok());
    let other = ("PaymentMethodId", "2c92c0f83dfa5201013dfa6656ff2b8c");
    let error = world.error(&[AMOUNT, PAYMENT, ELECTRONIC, other]);
    assert_eq!(error.1, format!("Invalid value for field PaymentMethodId: {}", other.1));
    let error = world.error(&[AMOUNT, PAYMENT, EXTERNAL]);
    assert_eq!(error.1, "Missing required value: MethodType");
    let external = world.decide(&[AMOUNT, PAYMENT, EXTERNAL, CHECK]).unwrap();
    assert_eq!((external.method_type, external.method), (MethodType::Check, None));
}

#[test]
fn how_the_method_was_chosen_is_kept() {
    let choice = |world: &World, fields: &[(&str, &str)]| world.decide(fields).unwrap().choice;
    let (new, paid) = (World::new(), World::paid(payment(&[10_000])));
    let named = choice(&new, &[ACCOUNT, AMOUNT, SOURCE, ELECTRONIC, METHOD]);
    let by_type = choice(&new, &[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]);
    assert_eq!((named, by_type), (MethodChoice::Named, MethodChoice::TypeAlone));
    let of_payment = choice(&paid, &[AMOUNT, PAYMENT, ELECTRONIC]);
    let named = choice(&paid, &[AMOUNT, PAYMENT, ELECTRONIC, METHOD, ACCOUNT]);
    assert_eq!((of_payment, named), (MethodChoice::OfPayment, MethodChoice::Named));
}

#[test]
fn a_part_of_which_nothing_is_left_is_none() {
    let mut paid = payment(&[4000, 6000]);
    paid.refunded = MinorUnits::new(4000);
    paid.parts[0].refunded = MinorUnits::new(4000);
    let decision = World::paid(paid).decide(&[AMOUNT, PAYMENT, ELECTRONIC]).unwrap();
    assert_eq!(taken(&decision), [(11, 1000)]);
}

#[test]
fn an_account_beside_a_payment_must_be_its_own() {
    let mut world = World::paid(payment(&[]));
    world.account = Some(Account { key: AccountKey(2), ..account(0) });
    let refused = format!("Invalid value for field AccountId: {}", ACCOUNT.1);
    assert_eq!(world.error(&[ACCOUNT, AMOUNT, PAYMENT, EXTERNAL, CHECK]).1, refused);
    assert!(world.decide(&[AMOUNT, PAYMENT, EXTERNAL, CHECK]).is_ok());
}

#[test]
fn what_a_gateway_cannot_refund_is_to_be_recorded_as_external() {
    let paid = payment(&[]);
    let external = Payment { payment_type: PaymentType::External, ..paid.clone() };
    let closed = PaymentMethod {
        status: MethodStatus::Closed,
        ..method(MethodType::CreditCard, Some(OWNER))
    };
    let closed = Payment { method: Some(closed), ..paid.clone() };
    let retired = Payment { gateway: Some("gone".to_owned()), ..paid };
    for payment in [external, closed, retired] {
        let world = World::paid(payment);
        let (code, text) = world.error(&[AMOUNT, PAYMENT, ELECTRONIC]);
        assert_eq!(code, ErrorCode::InvalidValue);
        assert!(text.ends_with("Record an External refund instead."), "{text}");
        assert!(world.decide(&[AMOUNT, PAYMENT, EXTERNAL, CHECK]).is_ok());
    }
}

#[test]
fn a_payment_gives_back_what_is_left_of_it_and_only_while_it_counts() {
    let mut paid = payment(&[6000]);
    paid.refunded = MinorUnits::new(1000);
    paid.parts[0].refunded = MinorUnits::new(1000);
    paid.to_credit_balance = MinorUnits::new(3000);
    let world = World::paid(paid.clone());
    let of = |amount| [("Amount", amount), PAYMENT, EXTERNAL, CHECK];
    assert_eq!(
        world.error(&of("60.01")).1,
        "The refund amount 60.01 is greater than the refundable amount 60.00 of the payment P-1."
    );
    // The invoice's part first, and then what pays no invoice.
    assert_eq!(taken(&world.decide(&of("60")).unwrap()), [(10, 5000)]);
    for status in [PaymentStatus::Canceled, PaymentStatus::Voided] {
        let world = World::paid(Payment { status, ..paid.clone() });
        let expected = format!("The payment P-1 is {}.", status.name());
        assert_eq!(world.error(&of("1")).1, expected);
    }
}

#[test]
fn no_refund_is_earlier_than_its_payment() {
    let world = World::paid(payment(&[]));
    for (day, works) in [("2026-11-09", false), ("2026-11-10", true), ("2026-11-21", true)] {
        let date = ("RefundDate", day);
        assert_eq!(world.decide(&[AMOUNT, PAYMENT, EXTERNAL, CHECK, date]).is_ok(), works, "{day}");
    }
}

#[test]
fn a_part_of_several_invoices_has_to_be_told() {
    let mut world = World::paid(payment(&[6000, 3000]));
    let of = |amount| [("Amount", amount), PAYMENT, EXTERNAL, CHECK];
    let error = world.error(&of("10"));
    assert_eq!(error.1, "Missing required value: RefundInvoicePaymentData");
    assert_eq!(taken(&world.decide(&of("100")).unwrap()), [(10, 6000), (11, 3000)]);
    world.asking.version = ApiVersion::major(63);
    assert!(world.error(&of("10")).1.ends_with("before API version 64.0."));
    let given = |parts: &[(&str, &str)]| {
        let mut draft = draft(&of("10"));
        for (invoice, amount) in parts {
            draft.add_part(invoice, amount);
        }
        let facts = Facts {
            tenant: &world.tenant,
            gateways: &world.gateways,
            account: None,
            method: None,
            payment: world.payment.clone(),
        };
        decide(&draft, &facts, &world.asking).map_err(|error| error.message.to_string())
    };
    let [one, two] = INVOICES;
    assert_eq!(taken(&given(&[(two, "4"), (one, "6.00")]).unwrap()), [(11, 400), (10, 600)]);
    let wrong = [
        (vec![(one, "9.99")], "add up to 9.99, and the refund amount is 10.00."),
        (vec![(one, "5"), (one, "5")], "Invalid value for field InvoiceId: 4028e6a"),
        (vec![(METHOD_ID, "10")], "Invalid value for field InvoiceId: 2c92c0f8"),
        (vec![(two, "30.01")], "refundable amount 30.00 of the invoice INV1."),
        (vec![(one, "")], "Missing required value: RefundAmount"),
        (vec![("", "10")], "Missing required value: InvoiceId"),
        (vec![(one, "0")], "Invalid value for field RefundAmount: 0"),
        (vec![(one, "1.001")], "Invalid value for field RefundAmount: 1.001"),
    ];
    for (parts, words) in wrong {
        let error = given(&parts).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn under_invoice_settlement_only_payments_are_refunded() {
    let mut world = World::paid(payment(&[]));
    world.tenant.invoice_settlement = true;
    world.tenant.credit_balance = false;
    assert!(world.decide(&[AMOUNT, PAYMENT, EXTERNAL, CHECK]).is_ok());
    assert!(world.error(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]).1.contains("Settlement"));
}

#[test]
fn refunds_of_payments_need_permissions_of_their_own() {
    let mut world = World::paid(payment(&[]));
    world.asking.permissions = [Permission::ExternalRefund].into_iter().collect();
    assert!(world.decide(&[AMOUNT, PAYMENT, EXTERNAL, CHECK]).is_ok());
    let error = world.error(&[AMOUNT, PAYMENT, ELECTRONIC]);
    assert_eq!(error.1, "The user lacks the permission electronic-refund.");
    let error = world.error(&[ACCOUNT, AMOUNT, SOURCE, EXTERNAL, CHECK]);
    assert_eq!(error.1, "The user lacks the permission credit-balance-external-refund.");
}

/// An adjustment of 10.00 with these fields, from what the world's sources are.
fn adjust(
    world: &World,
    source: Option<FoundSource>,
    fields: &[(&str, &str)],
) -> Result<AdjustmentDecision, String> {
    let mut draft = AdjustmentDraft::default();
    draft.set("Amount", "10.00");
    for (name, value) in fields {
        draft.set(name, value);
    }
    let tenant = &world.tenant;
    let facts = AdjustmentFacts { tenant, by_id: source, by_number: None, account: None };
    decide_adjustment(&draft, &facts, &world.asking).map_err(|error| error.message.to_string())
}

fn invoice(balance: i64) -> FoundSource {
    let (key, balance) = (InvoiceKey(20), MinorUnits::new(balance));
    let (date, number) = ("2026-11-21".parse().unwrap(), "INV".to_owned());
    let (account, amount) = (account(1500), balance);
    FoundSource::Invoice(Box::new(Invoice { key, account, number, date, amount, balance }))
}

const FROM: (&str, &str) = ("SourceTransactionId", INVOICES[0]);
const UP: (&str, &str) = ("Type", "Increase");
const DOWN: (&str, &str) = ("Type", "Decrease");

#[test]
fn credit_is_never_made_from_nothing() {
    let world = World::new();
    assert_eq!(adjust(&world, None, &[]).unwrap_err(), "Missing required value: Type");
    let without = adjust(&world, None, &[UP]).unwrap_err();
    assert_eq!(without, "Missing required value: SourceTransactionId");
    let unknown = adjust(&world, None, &[UP, FROM]).unwrap_err();
    assert_eq!(unknown, format!("Invalid value for field SourceTransactionId: {}", FROM.1));
    let over = "You cannot transfer an amount greater than the invoice balance. \
                Please update and try again.";
    for (balance, kind, works) in [
        (-1000, UP, true),
        (-999, UP, false),
        (1000, UP, false),
        (1000, DOWN, true),
        (999, DOWN, false),
        (-1000, DOWN, false),
    ] {
        let decision = adjust(&world, Some(invoice(balance)), &[kind, FROM]);
        assert_eq!(decision.is_ok(), works, "{balance} {kind:?}: {decision:?}");
        if let Err(error) = decision {
            assert_eq!(error, over);
        }
    }
}

#[test]
fn a_decrease_is_at_most_the_balance() {
    let more = [DOWN, FROM, ("ReasonCode", "Other")];
    let mut draft = AdjustmentDraft::default();
    draft.set("Amount", "15.01");
    for (name, value) in more {
        draft.set(name, value);
    }
    let world = World::new();
    let tenant = &world.tenant;
    let facts =
        AdjustmentFacts { tenant, by_id: Some(invoice(9000)), by_number: None, account: None };
    let error = decide_adjustment(&draft, &facts, &world.asking).unwrap_err().message.to_string();
    assert_eq!(error, "The adjustment amount 15.01 is greater than the credit balance 15.00.");
}

#[test]
fn an_overpayment_becomes_credit_but_what_pays_an_invoice_does_not() {
    let world = World::new();
    let source = |part| Some(FoundSource::Payment(Box::new(payment(&[part]))));
    assert!(adjust(&world, source(9000), &[UP, FROM]).is_ok());
    let error = adjust(&world, source(9001), &[UP, FROM]).unwrap_err();
    assert!(error.contains("10.00 is greater than the unapplied amount 9.99"), "{error}");
    let error = adjust(&world, source(0), &[DOWN, FROM]).unwrap_err();
    assert_eq!(error, format!("Invalid value for field SourceTransactionId: {}", FROM.1));
}

#[test]
fn adjustments_follow_the_switches_the_permission_and_the_calendar() {
    let mut world = World::new();
    let now = |world: &World, more: &[(&'static str, &'static str)]| {
        adjust(world, Some(invoice(-1000)), &[&[UP, FROM], more].concat())
    };
    let decision = now(&world, &[]).unwrap();
    assert_eq!(decision.adjustment_date.to_string(), "2026-11-21");
    assert_eq!(decision.reason_code.as_deref(), Some("Standard Refund"));
    let error = now(&world, &[("ReasonCode", "Because")]).unwrap_err();
    assert_eq!(error, "Invalid value for field ReasonCode: Because");
    assert!(now(&world, &[("AdjustmentDate", "2026-11-20")]).is_err());
    let tomorrow = [("AdjustmentDate", "2026-11-22")];
    let error = now(&world, &tomorrow).unwrap_err();
    assert_eq!(error, "Invalid value for field AdjustmentDate: 2026-11-22");
    world.tenant.future_dated_adjustments = true;
    assert!(now(&world, &tomorrow).is_ok());
    world.asking.permissions = Permissions::from_bits(0);
    let error = now(&world, &[]).unwrap_err();
    assert_eq!(error, "The user lacks the permission credit-balance-adjustment.");
    world.tenant.credit_balance = false;
    assert_eq!(now(&world, &[]).unwrap_err(), "The Credit Balance feature is not enabled.");
    world.tenant.invoice_settlement = true;
    assert!(now(&world, &[]).unwrap_err().contains("Invoice Settlement"));
}

/// What becomes of a wish to cancel an adjustment that a client asked for.
fn cancel(world: &World, asked: AskedAdjustment) -> Result<bool, String> {
    let mut change = AdjustmentChange::default();
    change.set("Id", METHOD_ID);
    change.set("Status", "Canceled");
    let existing = ExistingAdjustment::Asked(asked);
    let decision = decide_adjustment_update(&change, Some(&existing), &world.tenant, &world.asking);
    decision.map(|update| update.cancels).map_err(|error| error.message.to_string())
}

#[test]
fn an_adjustment_is_cancelled_as_the_documents_say() {
    let mut world = World::new();
    let asked = AskedAdjustment {
        key: AdjustmentKey(1),
        account: account(1000),
        adjustment_type: AdjustmentType::Increase,
        amount: MinorUnits::new(1000),
        adjustment_date: "2026-11-21".parse().unwrap(),
        status: AdjustmentStatus::Processed,
        source: AdjustmentSource::Invoice(InvoiceKey(1)),
    };
    assert_eq!(cancel(&world, asked.clone()), Ok(true));
    let spent = AskedAdjustment { account: account(999), ..asked.clone() };
    let error = cancel(&world, spent.clone()).unwrap_err();
    assert_eq!(error, "The adjustment amount 10.00 is greater than the credit balance 9.99.");
    let decrease = AskedAdjustment { adjustment_type: AdjustmentType::Decrease, ..spent };
    assert_eq!(cancel(&world, decrease), Ok(true));
    let of_payment =
        AskedAdjustment { source: AdjustmentSource::Payment(PaymentKey(1)), ..asked.clone() };
    let error = cancel(&world, of_payment).unwrap_err();
    assert_eq!(error, "An increase from an overpayment cannot be canceled.");
    let twice = AskedAdjustment { status: AdjustmentStatus::Canceled, ..asked.clone() };
    assert_eq!(cancel(&world, twice).unwrap_err(), "Invalid value for field Status: Canceled");
    world.asking.permissions = [Permission::CreditBalanceAdjustment].into_iter().collect();
    let error = cancel(&world, asked).unwrap_err();
    assert_eq!(error, "The user lacks the permission cancel-credit-balance-adjustment.");
}

#[test]
fn a_refund_of_a_credit_balance_is_final() {
    let world = World::new();
    let refund = ExistingRefund {
        number: RefundNumber::new(1).unwrap(),
        refund_type: RefundType::External,
        status: RefundStatus::Processed,
        source_type: SourceType::CreditBalance,
        payment: None,
        is_compensated: false,
        currency: Currency::from_code("USD").unwrap(),
        invoices: Vec::new(),
    };
    let update = |refund: &ExistingRefund, status| {
        let mut change = RefundChange::default();
        change.set("Id", METHOD_ID);
        change.set("Status", status);
        let decision = decide_refund_update(&change, Some(refund), &world.tenant, &world.asking);
        decision.map(|update| update.cancels).map_err(|error| error.message.to_string())
    };
    let id = ObjectId::parse(METHOD_ID).unwrap();
    let delete = |refund: &ExistingRefund| {
        decide_refund_deletion(&id, Some(refund), &world.asking).map_err(|error| error.code)
    };
    let error = update(&refund, "Canceled").unwrap_err();
    assert_eq!(error, "A refund of a credit balance cannot be canceled.");
    assert_eq!(delete(&refund), Err(ErrorCode::CannotDelete));
    let source_type = SourceType::Payment;
    let of_payment = ExistingRefund { source_type, payment: Some(PaymentKey(1)), ..refund };
    assert_eq!(update(&of_payment, "Canceled"), Ok(true));
    assert_eq!(delete(&of_payment), Ok(()));
    assert_eq!(
        update(&of_payment, "Processed").unwrap_err(),
        "Invalid value for field Status: Processed"
    );
    let (balance, amount) = (MinorUnits::new(9), MinorUnits::new(10));
    let invoices = vec![ReopenedInvoice { number: "INV".to_owned(), balance, amount }];
    let settled = ExistingRefund { invoices, ..of_payment.clone() };
    assert!(update(&settled, "Canceled").unwrap_err().contains("the invoice INV does not cover"));
    assert_eq!(delete(&settled), Err(ErrorCode::InvalidValue));
    let compensated = ExistingRefund { is_compensated: true, ..settled.clone() };
    assert!(update(&compensated, "Canceled").unwrap_err().contains("money was put back"));
    assert_eq!(delete(&compensated), Ok(()));
    for status in [RefundStatus::Processing, RefundStatus::Error, RefundStatus::Canceled] {
        let refund = ExistingRefund { status, ..settled.clone() };
        assert!(update(&refund, "Canceled").unwrap_err().contains(status.name()));
        assert_eq!(delete(&refund).is_ok(), status != RefundStatus::Processing);
    }
}
