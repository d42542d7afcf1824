//! One history of accounts, payment methods and payments, over SQLite, PostgreSQL and the engine in
//! memory, each request in a transaction of its own and all in one: it comes to the same each
//! time, because a request sees what those before it left, written or not.

use super::change::{Changes, Deletable, Delete, Update};
use super::engine::Engine;
use super::memory::Memory;
use super::postgres::for_tests as postgres;
use super::records::{Account, AccountRow, Balance, Meta, MethodRow, Payment};
use super::sqlite::store_for_tests;
use super::tests::ahead::look_ahead;
use super::ticket::Ticket;
use super::unit::World;
use super::work::{changing, creating, naming};
use super::working_set::Shelved;
use super::{Batch, Context, Create, Created, RowResult, UserKey};
use crate::domain::draft::RefundDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft;
use crate::domain::draft::payment::{PaymentChange, PaymentDraft};
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::facts::{AccountKey, Gateway, MethodKey, PaymentKey, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permission;
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use chrono::DateTime;
use std::collections::BTreeMap;

/// A history under way. Whether each request is committed before the next is where two differ.
struct History<'e, E: Engine> {
    engine: &'e mut E,
    is_each_alone: bool,
    /// Whether what a request names is looked up before it is decided.
    is_ahead: bool,
    second: i64,
    outcomes: Vec<String>,
}

fn draft<D: Draft>(fields: &[(&str, &str)]) -> D {
    let mut draft = D::default();
    for (field, text) in fields {
        assert!(draft.set(field, text), "{field}");
    }
    draft
}

impl<E: Engine> History<'_, E> {
    fn asking(&mut self) -> Asking {
        self.second += 1;
        let now = DateTime::from_timestamp(1_790_000_000 + self.second, 0).unwrap();
        Asking {
            version: ApiVersion::major(91),
            permissions: Permission::ALL.into_iter().collect(),
            now,
            earliest: now,
            strict: false,
        }
    }

    /// Notes the rows of a request, and gives the ids of those that were done.
    fn note(&mut self, rows: &[RowResult]) -> Vec<String> {
        if self.is_each_alone {
            self.engine.flush().map_err(|error| error.to_string()).unwrap();
            self.engine.commit().unwrap();
            self.engine.begin().map_err(|error| error.to_string()).unwrap();
        }
        self.outcomes.push(format!("{rows:?}"));
        rows.iter().flatten().map(ToString::to_string).collect()
    }

    fn context(&mut self) -> Context {
        let (user, origin, ticket) = (UserKey(1), Origin::of(FrontDoor::Soap), Ticket::default());
        Context { user, origin, asking: self.asking(), ticket }
    }

    fn create(&mut self, drafts: Drafts, is_single: bool) -> Vec<String> {
        let request = Create {
            context: self.context(),
            batch: Batch { drafts, ordered: BTreeMap::new(), is_single },
            idempotency: None,
            line_up: None,
        };
        if self.is_ahead {
            look_ahead(self.engine, |needs| naming::create(&request, needs));
        }
        let created = self.engine.work(|unit| creating::create(unit, &request));
        match created.map_err(|error| error.to_string()).unwrap() {
            Created::Fresh { rows, .. } => self.note(&rows),
            other => panic!("{other:?}"),
        }
    }

    fn update(&mut self, changes: Changes) -> Vec<String> {
        let request = Update { context: self.context(), changes };
        if self.is_ahead {
            look_ahead(self.engine, |needs| naming::update(&request, needs));
        }
        let rows = self.engine.work(|unit| changing::update(unit, &request));
        let rows = rows.map_err(|error| error.to_string()).unwrap();
        self.note(&rows)
    }

    fn delete(&mut self, object: Deletable, ids: &[&String]) -> Vec<String> {
        let ids = ids.iter().map(|id| Ok(ObjectId::parse(id).unwrap())).collect();
        let request = Delete { context: self.context(), object, ids };
        if self.is_ahead {
            look_ahead(self.engine, |needs| naming::delete(&request, needs));
        }
        let rows = self.engine.work(|unit| changing::delete(unit, &request));
        let rows = rows.map_err(|error| error.to_string()).unwrap();
        self.note(&rows)
    }

    fn accounts(&mut self) {
        let account =
            |number| draft(&[("Name", "N"), ("Currency", "USD"), ("AccountNumber", number)]);
        let unnumbered = draft(&[("Name", "N"), ("Currency", "USD"), ("Notes", "kept")]);
        let made = self.create(Drafts::Accounts(vec![account("X"), unnumbered]), false);
        let [two, one] = made.as_slice() else { panic!("{made:?}") };
        let change = |fields: &[(&str, &str)]| Changes::Accounts(vec![draft(fields)]);
        assert_eq!(self.update(change(&[("Id", one), ("ParentId", two), ("Notes", "n")])).len(), 1);
        // A circle, and a parent.
        assert!(self.update(change(&[("Id", two), ("ParentId", one)])).is_empty());
        assert!(self.delete(Deletable::Account, &[two]).is_empty());
        // Two accounts swap their numbers in one request.
        let number = |id: &String, number| draft(&[("Id", id), ("AccountNumber", number)]);
        let swap = vec![number(two, "T"), number(one, "X"), number(two, "Y"), number(two, "X")];
        assert_eq!(self.update(Changes::Accounts(swap)).len(), 3);
        // One row fails, so that none is made.
        let twice = Drafts::Accounts(vec![account("Z"), account("Z")]);
        assert!(self.create(twice, true).is_empty());
        let cash = draft::<MethodDraft>(&[("AccountId", one), ("Type", "Cash")]);
        let methods = self.create(Drafts::PaymentMethods(vec![cash]), false);
        let [method] = methods.as_slice() else { panic!("{methods:?}") };
        assert!(self.delete(Deletable::Account, &[one]).is_empty());
        assert_eq!(self.delete(Deletable::PaymentMethod, &[method]).len(), 1);
        // The one below goes first.
        assert_eq!(self.delete(Deletable::Account, &[one, two]).len(), 2);
        let again = self.create(Drafts::Accounts(vec![account("X")]), false);
        assert!(!made.contains(&again[0]));
    }

    fn payments(&mut self) {
        let account = draft(&[("Name", "N"), ("Currency", "USD"), ("Status", "Active")]);
        let made = self.create(Drafts::Accounts(vec![account]), false);
        let account = &made[0];
        let cash = draft::<MethodDraft>(&[("AccountId", account), ("Type", "Cash")]);
        let method = self.create(Drafts::PaymentMethods(vec![cash]), false);
        let refund = || {
            draft::<RefundDraft>(&[
                ("AccountId", account),
                ("Amount", "4"),
                ("Type", "External"),
                ("MethodType", "Cash"),
                ("SourceType", "CreditBalance"),
            ])
        };
        assert!(self.create(Drafts::Refunds(vec![refund()]), false).is_empty());
        let payment = draft::<PaymentDraft>(&[
            ("AccountId", account),
            ("Amount", "10"),
            ("AppliedCreditBalanceAmount", "7"),
            ("EffectiveDate", "2026-01-02"),
            ("PaymentMethodId", &method[0]),
            ("Status", "Processed"),
            ("Type", "External"),
        ]);
        let paid = self.create(Drafts::Payments(vec![payment]), false);
        assert_eq!(paid.len(), 1);
        assert_eq!(self.create(Drafts::Refunds(vec![refund(), refund()]), false).len(), 1);
        let comment = draft::<PaymentChange>(&[("Id", &paid[0]), ("Comment", "c")]);
        assert_eq!(self.update(Changes::Payments(vec![comment])).len(), 1);
        let cancel = draft::<PaymentChange>(&[("Id", &paid[0]), ("Status", "Canceled")]);
        assert!(self.update(Changes::Payments(vec![cancel])).is_empty());
        assert!(self.delete(Deletable::PaymentMethod, &[&method[0]]).is_empty());
        assert!(self.delete(Deletable::Account, &[account]).is_empty());
    }
}

fn world() -> World {
    World {
        tenant: Tenant::default(),
        gateways: vec![Gateway::sandbox()],
        keeps_events: true,
        salt: 7,
        row_salt: 7,
        ..World::default()
    }
}

fn shown<R: Shelved + std::fmt::Debug>(engine: &mut impl Engine, key: &R::Key) -> String {
    let row = engine.work(|unit| unit.peek::<R>(key));
    format!("{:?}", row.map_err(|error| error.to_string()).unwrap())
}

fn run<E: Engine>(mut engine: E, is_each_alone: bool, is_ahead: bool) -> Vec<String> {
    let engine = &mut engine;
    engine.begin().map_err(|error| error.to_string()).unwrap();
    let (second, outcomes) = (0, Vec::new());
    let mut history = History { engine, is_each_alone, is_ahead, second, outcomes };
    history.accounts();
    history.payments();
    let History { engine, mut outcomes, .. } = history;
    engine.flush().map_err(|error| error.to_string()).unwrap();
    engine.commit().unwrap();
    engine.begin().map_err(|error| error.to_string()).unwrap();
    for key in 1..10 {
        outcomes.push(shown::<AccountRow>(engine, &(AccountKey(key),)));
        outcomes.push(shown::<Account>(engine, &(AccountKey(key),)));
        outcomes.push(shown::<Balance>(engine, &(AccountKey(key),)));
        outcomes.push(shown::<Payment>(engine, &(PaymentKey(key),)));
        // The first are those that SQLite's schema makes.
        outcomes.push(shown::<MethodRow>(engine, &(MethodKey(4 + key),)));
    }
    for name in ["last_key_account", "last_number_account", "last_key_payment"] {
        outcomes.push(shown::<Meta>(engine, &(name.to_owned(),)));
    }
    outcomes
}

/// An engine in memory with the method keys taken that SQLite's schema takes.
fn memory() -> Memory {
    let mut memory = Memory::new(world());
    memory.begin().unwrap();
    let count = Meta { key: "last_key_payment_method".to_owned(), value: "4".to_owned() };
    memory.work(|unit| unit.insert(count)).unwrap();
    memory.flush().unwrap();
    memory.commit().unwrap();
    memory
}

#[test]
fn a_request_sees_what_those_before_it_left_written_or_not() {
    let first = run(memory(), true, false);
    for (is_each_alone, is_ahead) in [(false, false), (true, true), (false, true)] {
        assert_eq!(run(memory(), is_each_alone, is_ahead), first);
        assert_eq!(run(store_for_tests(world(), &[], 0), is_each_alone, is_ahead), first);
    }
    assert_eq!(run(store_for_tests(world(), &[], 0), true, false), first);
    for (is_each_alone, is_ahead) in [(true, false), (false, false), (true, true)] {
        let Some(store) = postgres::store_for_tests(world(), &[], 0) else { return };
        assert_eq!(run(store, is_each_alone, is_ahead), first);
    }
}
