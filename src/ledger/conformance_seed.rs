//! A seed and what follows it (operators, sessions, webhooks, refunds), over SQLite, PostgreSQL and
//! the engine in memory, in one transaction and in many: it comes to the same rows each time.

use super::engine::Engine;
use super::memory::Memory;
use super::operator::{Change, GatewaySetting, UserChange};
use super::outbox::{Attempt, Decision};
use super::postgres::for_tests as postgres;
use super::records::{
    Account, AccountRow, AuditObject, Balance, Collected, CustomFieldRow, Delivery, EventRow,
    GatewayRow, Inquiry, Invoice, Line, Meta, MethodRow, OperatorValue, Part, Payment, SessionRow,
    TenantSetting, UserRow, Webhook,
};
use super::seed::{
    SeedAccount, SeedInvoice, SeedItem, SeedPart, SeedPayment, SeedPaymentMethod, SeedPlan,
    SeedUser,
};
use super::seeding;
use super::sqlite::store_for_tests;
use super::ticket::Ticket;
use super::trail::Act;
use super::unit::{Unit, World};
use super::work::{creating, delivering, drawing, exchanges, operating, sessions, undelivered};
use super::working_set::Shelved;
use super::{Batch, Context, Create, UserKey};
use crate::domain::custom_field::{CustomField, CustomName, CustomType};
use crate::domain::draft::RefundDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft as _;
use crate::domain::facts::{AccountKey, Gateway, InvoiceKey, MethodKey, PartKey, PaymentKey};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::invoicing::LineKey;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::rules::Asking;
use crate::domain::script::{Script, Switches};
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{CustomizedObject, MethodStatus, MethodType, PaymentType};
use crate::ledger::books::BooksError;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn id(kind: char, number: usize) -> ObjectId {
    ObjectId::parse(&format!("4028e6a0000{kind}{number:020}")).unwrap()
}

const ACCOUNTS: usize = 1_100;

/// More accounts than are written out at once, and some of everything else.
pub(super) fn plan(opening: i64) -> SeedPlan {
    let day = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
    let account = |number| SeedAccount {
        id: id('a', number),
        number: format!("S{number}"),
        name: "One".to_owned(),
        currency: Currency::from_code("USD").unwrap(),
        opening: MinorUnits::new(opening),
        opened: (number == 1).then_some(day),
        default_payment_method: (number.is_multiple_of(2)).then(|| id('b', number)),
        gateway: (number == 2).then(|| "cards".to_owned()),
    };
    let method = |number| SeedPaymentMethod {
        id: id('b', number),
        account: Some(id('a', number)),
        method_type: MethodType::CreditCard,
        name: Some("Card".to_owned()),
        status: MethodStatus::Active,
        gateway: None,
    };
    let item = SeedItem { id: None, name: None, amount: 90.into(), tax: Some(10.into()) };
    let invoice = SeedInvoice {
        id: id('1', 1),
        number: "I-1".to_owned(),
        account: id('a', 2),
        date: day,
        amount: 100.into(),
        balance: 40.into(),
        items: vec![item],
    };
    let payment = |number| SeedPayment {
        id: id('2', number),
        number: format!("P-{number}"),
        account: id('a', 2),
        payment_type: PaymentType::Electronic,
        amount: 50.into(),
        effective_date: day,
        payment_method: Some(id('b', 2)),
        gateway: None,
        reference_id: None,
        is_settled: true,
        applied: vec![SeedPart { invoice: "I-1".to_owned(), amount: Decimal::new(2_500, 2) }],
    };
    let gateway = Gateway { name: "cards".to_owned(), ..Gateway::sandbox() };
    let switches = Switches { refund_window_days: Some(90), ..Switches::default() };
    SeedPlan {
        at: at(0),
        tenant: vec![("time_zone", "Asia/Tokyo".to_owned()), ("default_gateway", "cards".into())],
        users: vec![SeedUser {
            username: "two".to_owned(),
            password_hash: Some("hash".to_owned()),
            permissions: Permissions::by_default(),
            orgs: Some(vec!["north".to_owned(), "south".to_owned()]),
        }],
        gateways: vec![(gateway, Script { switches, ..Script::default() })],
        accounts: (1..=ACCOUNTS).map(account).collect(),
        payment_methods: (1..=ACCOUNTS).map(method).collect(),
        invoices: vec![invoice].into(),
        payments: (1..3).map(payment).collect(),
        custom_fields: vec![CustomField {
            object: CustomizedObject::Refund,
            name: CustomName::parse("Case__c").unwrap(),
            custom_type: CustomType::String { length: 20 },
            is_required: false,
            is_advanced: false,
        }],
        act: Some(Act::of_start(at(0))),
        ..SeedPlan::default()
    }
}

struct History<'e, E: Engine> {
    engine: &'e mut E,
    is_each_alone: bool,
    outcomes: Vec<String>,
}

impl<E: Engine> History<'_, E> {
    fn work<T: std::fmt::Debug>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
    ) {
        let done = self.engine.work(work).map_err(|error| error.to_string()).unwrap();
        self.outcomes.push(format!("{done:?}"));
        if self.is_each_alone {
            self.commit();
        }
    }

    fn commit(&mut self) {
        self.engine.flush().map_err(|error| error.to_string()).unwrap();
        self.engine.commit().unwrap();
        self.engine.begin().map_err(|error| error.to_string()).unwrap();
    }

    fn refused(&mut self, plan: SeedPlan) {
        self.commit();
        let loaded = self.engine.work(|unit| seeding::load(unit, plan));
        let conflict = loaded.map_err(|error| error.to_string()).unwrap().unwrap_err();
        self.outcomes.push(conflict.to_string());
        self.engine.roll_back().map_err(|error| error.to_string()).unwrap();
        self.engine.begin().map_err(|error| error.to_string()).unwrap();
    }

    fn change(&mut self, change: &Change) {
        self.work(|unit| operating::change(unit, change, &Act::of_start(at(1))));
    }

    fn refunds(&mut self) {
        let mut draft = RefundDraft::default();
        for (field, text) in [
            ("AccountId", id('a', 2).as_str()),
            ("Amount", "4"),
            ("SourceType", "CreditBalance"),
            ("Type", "Electronic"),
        ] {
            assert!(draft.set(field, text), "{field}");
        }
        let asking = Asking {
            version: ApiVersion::major(91),
            permissions: Permission::ALL.into_iter().collect(),
            now: at(2),
            earliest: at(2),
            strict: false,
        };
        let (user, origin, ticket) = (UserKey(1), Origin::of(FrontDoor::Soap), Ticket::default());
        let drafts = Drafts::Refunds(vec![draft.clone(), draft]);
        let request = Create {
            context: Context { user, origin, asking, ticket },
            batch: Batch { drafts, ordered: BTreeMap::new(), is_single: false },
            idempotency: None,

            line_up: None,
        };
        self.work(|unit| creating::create(unit, &request));
    }

    fn deliveries(&mut self) {
        let again = Attempt::Again { next: at(9), why: "busy".to_owned() };
        for (event, attempt) in [(1, again), (1, Attempt::Delivered)] {
            self.work(|unit| delivering::collect(unit, "hook", None, at(3)));
            self.work(|unit| delivering::note_attempt(unit, "hook", (event, 0), &attempt, at(4)));
        }
        let hooks = ["hook".to_owned()];
        self.work(|unit| delivering::remove_events(unit, at(5), &hooks));
        let given_up = Attempt::GivenUp { why: "gone".to_owned() };
        self.work(|unit| delivering::note_attempt(unit, "hook", (2, 0), &given_up, at(6)));
        let act = Act::of_start(at(6));
        let decide = |unit: &mut Unit<'_>, event, decision: &Decision| {
            undelivered::decide(unit, ("hook", event), decision, at(6), &act)
        };
        self.work(|unit| decide(unit, 2, &Decision::Retry));
        self.work(|unit| delivering::note_attempt(unit, "hook", (2, 1), &given_up, at(6)));
        self.refunds();
        self.work(|unit| delivering::remove_events(unit, at(7), &hooks));
        self.work(|unit| delivering::collect(unit, "other", Some(&[]), at(7)));
    }
}

fn world() -> World {
    let gateways = vec![Gateway::sandbox()];
    World {
        gateways,
        keeps_events: true,
        id_seed: Some(5),
        salt: 7,
        row_salt: 7,
        ..World::default()
    }
}

fn run<E: Engine>(mut engine: E, is_each_alone: bool) -> Vec<String> {
    engine.begin().map_err(|error| error.to_string()).unwrap();
    let mut history = History { engine: &mut engine, is_each_alone, outcomes: Vec::new() };
    history.work(|unit| seeding::load(unit, plan(1_000)));
    assert_eq!(history.outcomes, ["Ok(SeedReport { added: 2208, unchanged: 0 })"]);
    history.work(|unit| seeding::load(unit, plan(1_000)));
    history.refused(plan(2_000));
    let tenant = |value: &str| Change::Tenant { key: "default_gateway", value: value.to_owned() };
    history.change(&tenant("card"));
    history.change(&tenant("sandbox"));
    let setting = GatewaySetting::RefundWindowDays(None);
    history.change(&Change::Gateway { name: "cards".to_owned(), setting });
    let user = |change| Change::User { username: "two".to_owned(), change };
    let token = at(1);
    history.work(|unit| sessions::open(unit, UserKey(2), token, at(-900)));
    history.change(&user(UserChange::SetPassword("other".to_owned())));
    history.change(&user(UserChange::Grant(Permissions::all())));
    history.work(|unit| sessions::open(unit, UserKey(2), at(1), at(-900)));
    // The operator's word holds.
    history.work(|unit| seeding::load(unit, plan(1_000)));
    history.work(drawing::request_seed);
    history.work(|unit| delivering::register(unit, &["hook".to_owned()]));
    history.refunds();
    history.work(|unit| exchanges::wake(unit, at(3)));
    history.deliveries();
    history.commit();
    let mut outcomes = history.outcomes;
    outcomes.extend(rows(&mut engine));
    outcomes
}

/// All rows that the history may have touched.
fn rows<E: Engine>(engine: &mut E) -> Vec<String> {
    let mut rows = Vec::new();
    for key in 0..=i64::try_from(ACCOUNTS).unwrap() {
        rows.push(shown::<Account>(engine, &(AccountKey(key),)));
        rows.push(shown::<AccountRow>(engine, &(AccountKey(key),)));
        rows.push(shown::<Balance>(engine, &(AccountKey(key),)));
        rows.push(shown::<MethodRow>(engine, &(MethodKey(5 + key),)));
    }
    for key in 0..12 {
        rows.push(shown::<UserRow>(engine, &(UserKey(key),)));
        rows.push(shown::<Invoice>(engine, &(InvoiceKey(key),)));
        rows.push(shown::<Line>(engine, &(LineKey(key),)));
        rows.push(shown::<Payment>(engine, &(PaymentKey(key),)));
        rows.push(shown::<Part>(engine, &(PartKey(key),)));
        rows.push(shown::<AuditObject>(engine, &(key,)));
        rows.push(shown::<EventRow>(engine, &(key,)));
        rows.push(shown::<Delivery>(engine, &("hook".to_owned(), key)));
        let refund = RefundNumber::new(key + 1).unwrap();
        rows.push(shown::<Inquiry>(engine, &(refund,)));
    }
    for reference in ["p-1", "p-2"] {
        rows.push(shown::<Collected>(engine, &(reference.to_owned(), "cards".to_owned())));
    }
    for name in ["hook", "other", "request_id_counter", "session_counter"] {
        rows.push(shown::<Webhook>(engine, &(name.to_owned(),)));
        rows.push(shown::<Meta>(engine, &(name.to_owned(),)));
    }
    for key in ["time_zone", "default_gateway"] {
        rows.push(shown::<TenantSetting>(engine, &(key.to_owned(),)));
        rows.push(shown::<OperatorValue>(engine, &("tenant".to_owned(), key.to_owned())));
    }
    rows.push(shown::<GatewayRow>(engine, &("cards".to_owned(),)));
    rows.push(shown::<CustomFieldRow>(engine, &("Refund".to_owned(), "Case__c".to_owned())));
    let sessions = engine.work(|unit| {
        unit.all::<SessionRow>(
            &super::records::SESSION_BY_USER,
            &[super::record::Field::stored(&UserKey(2))],
        )
    });
    rows.push(format!("{:?}", sessions.map_err(|error| error.to_string()).unwrap()));
    rows.retain(|row| row != "None");
    rows
}

fn shown<R: Shelved + std::fmt::Debug>(engine: &mut impl Engine, key: &R::Key) -> String {
    let row = engine.work(|unit| unit.peek::<R>(key));
    format!("{:?}", row.map_err(|error| error.to_string()).unwrap())
}

/// An engine in memory with the user and the method keys that a new ledger of SQLite has here.
fn memory() -> Memory {
    let mut memory = Memory::new(world());
    memory.begin().unwrap();
    let seeded = memory.work(|unit| {
        unit.insert(UserRow {
            key: UserKey(1),
            id: ObjectId::parse(&format!("{:032x}", 1)).unwrap(),
            username: "demo".to_owned(),
            password_hash: String::new(),
            permissions: Permissions::NONE,
            is_disabled: false,
            permissions_said: Permissions::from_bits(63),
            permissions_by_operator: Permissions::NONE,
            orgs: None,
        })?;
        for (key, built_in) in (1..).zip(["Check", "Cash", "WireTransfer", "Other"]) {
            unit.insert(MethodRow::active(
                MethodKey(key),
                id('c', usize::try_from(key).unwrap()),
                None,
                MethodType::from_name(built_in).unwrap(),
            ))?;
        }
        Ok(())
    });
    seeded.unwrap();
    memory.flush().unwrap();
    memory.commit().unwrap();
    memory
}

/// What the objects of a seed name is looked up for many of them at once.
#[test]
fn a_seed_looks_up_its_objects_together() {
    let mut memory = memory();
    let asked = memory.asked();
    let mut load = || {
        memory.begin().unwrap();
        let report = memory.work(|unit| seeding::load(unit, plan(1_000))).unwrap().unwrap();
        memory.flush().unwrap();
        memory.commit().unwrap();
        (report, asked.take().len())
    };
    let (first, lookups) = load();
    assert!(first.added > 2_000 && lookups < 60, "{lookups}");
    let (again, lookups) = load();
    assert!(again.unchanged > 2_000 && lookups < 60, "{lookups}");
}

#[test]
fn a_seed_and_what_follows_comes_to_the_same_on_every_engine() {
    let first = run(store_for_tests(world(), &[], 0), true);
    assert!(first.iter().any(|row| row.contains("is `10.00` in the ledger")));
    let check = |other: Vec<String>| {
        let differs = first.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differs, None);
        assert_eq!(first.len(), other.len());
    };
    check(run(store_for_tests(world(), &[], 0), false));
    check(run(memory(), true));
    check(run(memory(), false));
    for is_each_alone in [true, false] {
        let Some(store) = postgres::store_for_tests(world(), &[], 0) else { return };
        check(run(store, is_each_alone));
    }
}
