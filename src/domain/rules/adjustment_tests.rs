//! What adjustments of credit balances may name, and on which days: each rule by a draft that meets
//! it and one that does not. And what refunds and adjustments have in common.

use super::paying_tests::{ACCOUNT, invoice, payment};
use super::settlement_tests::{account, asking, day, method};
use super::*;
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::draft::change::{AdjustmentChange, Change};
use crate::domain::draft::fields::Draft as _;
use crate::domain::facts::{
    AdjustmentKey, AdjustmentSource, Ahead, AskedAdjustment, ExistingAdjustment, Invoice,
};
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::{
    AdjustmentStatus, AdjustmentType, PaymentStatus, TransferredToAccounting,
};

const UP: (&str, &str) = ("Type", "Increase");
const DOWN: (&str, &str) = ("Type", "Decrease");
const ID: (&str, &str) = ("SourceTransactionId", "402892c72b9e3319012b9e34b88e0007");
const NUMBER: (&str, &str) = ("SourceTransactionNumber", "INV7");

type Fields<'f> = &'f [(&'static str, &'static str)];

/// A negative invoice of 10.00, of this key.
fn owed(key: i64) -> FoundSource {
    FoundSource::Invoice(Box::new(invoice(key, -1_000)))
}

struct World {
    tenant: Tenant,
    by_id: Option<FoundSource>,
    by_number: Option<FoundSource>,
    account: Option<AccountKey>,
}

impl World {
    fn of(by_id: Option<FoundSource>, by_number: Option<FoundSource>) -> Self {
        Self { tenant: Tenant::default(), by_id, by_number, account: Some(AccountKey(1)) }
    }

    /// What an adjustment of 10.00 with these fields becomes.
    fn adjust(&self, fields: Fields<'_>) -> Result<AdjustmentDecision, RowError> {
        let mut draft = AdjustmentDraft::default();
        for (name, text) in [&[("Amount", "10")], fields].concat() {
            assert!(draft.set(name, text), "{name}");
        }
        let facts = AdjustmentFacts {
            tenant: &self.tenant,
            by_id: self.by_id.clone(),
            by_number: self.by_number.clone(),
            account: self.account,
        };
        decide_adjustment(&draft, &facts, &asking(Permissions::all()))
    }

    fn is_refused(&self, fields: Fields<'_>, (name, text): (&str, &str)) {
        assert_eq!(self.adjust(fields), Err(RowError::invalid(name, text)), "{fields:?}");
    }
}

#[test]
fn the_source_is_named_by_id_by_number_or_by_both() {
    let both = World::of(Some(owed(7)), Some(owed(7)));
    let made = both.adjust(&[UP, ID, NUMBER]).unwrap();
    assert_eq!(made.source, AdjustmentSource::Invoice(InvoiceKey(7)));
    let by_number = World::of(None, Some(owed(8)));
    let made = by_number.adjust(&[UP, NUMBER]).unwrap();
    assert_eq!(made.source, AdjustmentSource::Invoice(InvoiceKey(8)));
    World::of(None, None).is_refused(&[UP, NUMBER], NUMBER);
    World::of(Some(owed(7)), None).is_refused(&[UP, ID, NUMBER], NUMBER);
    World::of(Some(owed(7)), Some(owed(8))).is_refused(&[UP, ID, NUMBER], NUMBER);
    World::of(None, Some(owed(7))).is_refused(&[UP, ID, NUMBER], ID);
    let missing = both.adjust(&[UP]);
    assert_eq!(missing, Err(RowError::missing("SourceTransactionId")));
    let of_payment = FoundSource::Payment(Box::new(payment(PaymentStatus::Processed)));
    let made = World::of(Some(of_payment), None).adjust(&[UP, ID]).unwrap();
    assert_eq!(made.source, AdjustmentSource::Payment(PaymentKey(5)));
    assert_eq!((made.account, made.amount.units()), (AccountKey(1), 1_000));
}

#[test]
fn an_account_that_is_named_is_the_sources() {
    let mut world = World::of(Some(owed(7)), None);
    assert!(world.adjust(&[UP, ID, ACCOUNT]).is_ok());
    world.account = Some(AccountKey(2));
    world.is_refused(&[UP, ID, ACCOUNT], ACCOUNT);
    assert!(world.adjust(&[UP, ID]).is_ok(), "what is not named does not count");
    world.account = None;
    world.is_refused(&[UP, ID, ACCOUNT], ACCOUNT);
    world.by_id = None;
    world.account = Some(AccountKey(2));
    world.is_refused(&[UP, ID, ACCOUNT], ID);
}

#[test]
fn an_adjustment_is_of_today_or_of_a_later_day_where_the_tenant_lets_it() {
    const TODAY: (&str, &str) = ("AdjustmentDate", "2026-09-21");
    const TOMORROW: (&str, &str) = ("AdjustmentDate", "2026-09-22");
    const YESTERDAY: (&str, &str) = ("AdjustmentDate", "2026-09-20");
    let mut world = World::of(Some(owed(7)), None);
    assert!(world.adjust(&[UP, ID, TODAY]).is_ok());
    world.is_refused(&[UP, ID, TOMORROW], TOMORROW);
    world.tenant.future_dated_adjustments = true;
    assert!(world.adjust(&[UP, ID, TODAY]).is_ok());
    assert_eq!(world.adjust(&[UP, ID, TOMORROW]).unwrap().adjustment_date, day("2026-09-22"));
    world.is_refused(&[UP, ID, YESTERDAY], YESTERDAY);
    let of_payment = FoundSource::Payment(Box::new(payment(PaymentStatus::Processed)));
    let paid = World { by_id: Some(of_payment), ..World::of(None, None) };
    let paid = World { tenant: world.tenant.clone(), ..paid };
    assert!(paid.adjust(&[UP, ID, TODAY]).is_ok());
    paid.is_refused(&[UP, ID, TOMORROW], TOMORROW);
    let mut later = invoice(7, -1_000);
    later.date = day("2026-09-23");
    let mut later = World { by_id: Some(FoundSource::Invoice(Box::new(later))), ..world };
    later.is_refused(&[UP, ID, TOMORROW], TOMORROW);
    let on_its_day = ("AdjustmentDate", "2026-09-23");
    assert!(later.adjust(&[UP, ID, on_its_day]).is_ok());
    let FoundSource::Invoice(asks) = later.by_id.as_mut().unwrap() else { panic!("an invoice") };
    (asks.balance, asks.account.balance) = (MinorUnits::new(1_000), MinorUnits::new(1_000));
    assert!(later.adjust(&[DOWN, ID, TOMORROW]).is_ok(), "a decrease may be earlier");
}

/// A balance of 10.00, of which 6.00 come only on the 23rd.
fn poor_before() -> Account {
    let mut ahead = Ahead::default();
    ahead.add(day("2026-09-23"), MinorUnits::new(600));
    Account { balance: MinorUnits::new(1_000), ahead, ..account() }
}

#[test]
fn what_leaves_a_balance_is_there_on_its_day() {
    let on = |amount, text: &str| {
        check_day("refund", &poor_before(), MinorUnits::new(amount), day(text)).is_ok()
    };
    assert!(on(400, "2026-09-22") && !on(401, "2026-09-22"));
    assert!(on(1_000, "2026-09-23") && !on(1_001, "2026-09-23"));
    let mut world = World::of(None, None);
    world.tenant.future_dated_adjustments = true;
    let asks = Invoice { account: poor_before(), ..invoice(7, 1_000) };
    world.by_id = Some(FoundSource::Invoice(Box::new(asks)));
    let decrease = |date| world.adjust(&[DOWN, ID, ("AdjustmentDate", date)]).is_ok();
    assert!(!decrease("2026-09-22") && decrease("2026-09-23"));
}

fn asked(adjustment_type: AdjustmentType, account: Account) -> AskedAdjustment {
    AskedAdjustment {
        key: AdjustmentKey(1),
        account,
        adjustment_type,
        amount: MinorUnits::new(1_000),
        adjustment_date: day("2026-09-22"),
        status: AdjustmentStatus::Processed,
        source: AdjustmentSource::Invoice(InvoiceKey(7)),
    }
}

#[test]
fn what_an_adjustment_brought_is_taken_back_while_it_is_there() {
    let cancel = |adjustment: AskedAdjustment| {
        let mut change = AdjustmentChange::default();
        assert!(change.set("Id", ID.1) && change.set("Status", "Canceled"));
        let existing = ExistingAdjustment::Asked(adjustment);
        let (tenant, all) = (Tenant::default(), asking(Permissions::all()));
        let update = decide_adjustment_update(&change, Some(&existing), &tenant, &all);
        update.map(|update| update.cancels)
    };
    let rich = Account { balance: MinorUnits::new(1_000), ..account() };
    assert_eq!(cancel(asked(AdjustmentType::Increase, rich)), Ok(true));
    assert!(cancel(asked(AdjustmentType::Increase, poor_before())).is_err());
    let brim = i64::MAX / 2;
    let full = |balance| Account { balance: MinorUnits::new(balance), ..account() };
    assert_eq!(cancel(asked(AdjustmentType::Decrease, full(brim - 1_000))), Ok(true));
    let no_room = Err(RowError::balance_full(MinorUnits::new(1_000), account().currency));
    assert_eq!(cancel(asked(AdjustmentType::Decrease, full(brim - 999))), no_room);
}

#[test]
fn a_change_of_an_adjustment_is_what_it_says() {
    let existing = ExistingAdjustment::Asked(asked(AdjustmentType::Increase, account()));
    let (tenant, all) = (Tenant::default(), asking(Permissions::all()));
    let mut change = AdjustmentChange::default();
    for (name, text) in [
        ("Id", ID.1),
        ("Comment", "c"),
        ("ReasonCode", "Other"),
        ("TransferredToAccounting", "Yes"),
    ] {
        assert!(change.set(name, text), "{name}");
    }
    let update = decide_adjustment_update(&change, Some(&existing), &tenant, &all).unwrap();
    let (comment, reason) = ("c".to_owned(), "Other".to_owned());
    assert_eq!(update.comment, Change::To(&comment));
    assert_eq!(update.reason_code, Change::To(&reason));
    let yes = TransferredToAccounting::Yes;
    assert_eq!(update.transferred_to_accounting, Change::To(&yes));
    assert!(!update.cancels);
    let mut unknown = AdjustmentChange::default();
    assert!(unknown.set("Id", ID.1) && unknown.set("ReasonCode", "Because"));
    let refused = decide_adjustment_update(&unknown, Some(&existing), &tenant, &all).map(drop);
    assert_eq!(refused, Err(RowError::invalid("ReasonCode", "Because")));
    let of_refund = ExistingAdjustment::OfRefund;
    let mut plain = AdjustmentChange::default();
    assert!(plain.set("Id", ID.1));
    let refused = decide_adjustment_update(&plain, Some(&of_refund), &tenant, &all).map(drop);
    assert_eq!(refused, Err(RowError::decrease_of_refund_is_final()));
}

#[test]
fn choices_of_a_method_keep_their_names_and_codes() {
    let given: Vec<_> = MethodChoice::ALL.iter().map(|one| (one.code(), one.name())).collect();
    assert_eq!(given, [(0, "named"), (1, "default"), (2, "payment"), (3, "type")]);
    for choice in MethodChoice::ALL {
        assert_eq!(MethodChoice::from_code(choice.code()), Some(choice));
    }
    assert_eq!((MethodChoice::from_code(4), MethodChoice::from_code(-1)), (None, None));
}

#[test]
fn a_gateway_that_is_not_known_keeps_its_name_and_takes_nothing() {
    let known = [Gateway::sandbox()];
    assert_eq!(*gateway_named("sandbox", &known), known[0]);
    let unknown = gateway_named("other", &known).into_owned();
    assert_eq!((unknown.name.as_str(), unknown.active), ("other", false));
    let named = PaymentMethod { gateway: Some("own".to_owned()), ..method() };
    let of_account = Account { gateway: Some("account".to_owned()), ..account() };
    let tenant = Tenant::default();
    assert_eq!(gateway_of(&named, &of_account, &tenant), "own");
    assert_eq!(gateway_of(&method(), &of_account, &tenant), "account");
    assert_eq!(gateway_of(&method(), &account(), &tenant), "sandbox");
}

#[test]
fn parameters_for_the_gateway_go_with_the_order() {
    let mut draft = RefundDraft::default();
    assert_eq!(options_of(&draft), []);
    let option = GatewayOption { name: "channel".to_owned(), value: "phone".to_owned() };
    draft.set_gateway_options(vec![option.clone()]);
    assert_eq!(options_of(&draft), [option]);
}
