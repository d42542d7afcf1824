//! What every engine has to hold: one body of tests, run over SQLite, PostgreSQL and the engine in
//! memory, which have to end with the same rows.
//!
//! A model beside them counts money in the plainest way there is. Requests come in batches of
//! random size; some are single transactions of which one row fails, some have a key and come
//! twice, and some transactions are rolled back and done again.

use super::engine::Engine;
use super::memory::Memory;
use super::orders::{Exchange, ExchangeKind, Transcript};
use super::postgres::for_tests as postgres;
use super::records::{Account, AuditRow, Balance, Entry, Inquiry, Method, Refund};
use super::sqlite::store_for_tests;
use super::tests::ahead::look_ahead;
use super::ticket::Ticket;
use super::unit::World;
use super::work::{creating, ending, naming};
use super::working_set::Shelved;
use super::{Batch, Context, Create, Created, Idempotency, Render, UserKey};
use crate::domain::draft::RefundDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft as _;
use crate::domain::facts::{AccountKey, Gateway, MethodKey, Tenant};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permission;
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{MethodStatus, MethodType, RefundStatus};
use crate::ledger::record::ByName;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(super) const ACCOUNTS: i64 = 3;
pub(super) const OPENING: i64 = 1_000;

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    /// Refunds of amounts in minor units, each of an account, external or electronic.
    Create { rows: Vec<(i64, i64, bool)>, is_single: bool, key: Option<u8> },
    /// The gateway's verdict on the refund of a number.
    End { number: i64, approves: bool },
    /// The transaction ends.
    Commit,
    /// The transaction is rolled back, and all of its requests are lost.
    RollBack,
}

fn step() -> impl Strategy<Value = Step> {
    let row = (1..=ACCOUNTS, 1_i64..600, any::<bool>());
    let create = (prop::collection::vec(row, 1..4), any::<bool>(), prop::option::of(0_u8..4));
    prop_oneof![
        6 => create.prop_map(|(rows, is_single, key)| Step::Create { rows, is_single, key }),
        3 => (1_i64..30, any::<bool>())
            .prop_map(|(number, approves)| Step::End { number, approves }),
        2 => Just(Step::Commit),
        1 => Just(Step::RollBack),
    ]
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

pub(super) fn id(kind: char, key: i64) -> ObjectId {
    ObjectId::parse(&format!("4028e6a0000{kind}0000000000000000{key:04}")).unwrap()
}

/// The first keys of methods are those of the ones that every ledger has.
pub(super) const fn method_key(key: i64) -> MethodKey {
    MethodKey(100 + key)
}

pub(super) fn request(
    rows: &[(i64, i64, bool)],
    is_single: bool,
    key: Option<u8>,
    second: i64,
) -> Create {
    let draft = |(account, amount, is_electronic): &(i64, i64, bool)| {
        let mut draft = RefundDraft::default();
        draft.set("AccountId", id('a', *account).as_str());
        draft.set("Amount", &format!("{}.{:02}", amount / 100, amount % 100));
        draft.set("SourceType", "CreditBalance");
        draft.set("Type", if *is_electronic { "Electronic" } else { "External" });
        draft.set("PaymentMethodId", id('b', *account).as_str());
        draft
    };
    let idempotency = key.map(|key| Idempotency {
        key: key.to_string(),
        operation: "create",
        fingerprint: [key; 32],
        at: at(second),
        render: Render::Rows(Box::new(|rows| format!("{rows:?}").into_bytes())),
    });
    let asking = Asking {
        version: ApiVersion::major(91),
        permissions: Permission::ALL.into_iter().collect(),
        now: at(second),
        earliest: at(second),
        strict: false,
    };
    let (user, origin, ticket) = (UserKey(1), Origin::of(FrontDoor::Soap), Ticket::default());
    let drafts = Drafts::Refunds(rows.iter().map(draft).collect());
    Create {
        context: Context { user, origin, asking, ticket },
        batch: Batch { drafts, ordered: BTreeMap::new(), is_single },
        idempotency,
        line_up: None,
    }
}

/// What a history came to: the outcome of each step, and all rows at its end.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    steps: Vec<String>,
    rows: Vec<String>,
    /// How many refunds were acknowledged in transactions that were committed.
    acknowledged: usize,
}

/// Runs a history; `is_ahead`: what a request names is looked up before it is decided.
fn run<E: Engine>(engine: &mut E, steps: &[Step], is_ahead: bool) -> Outcome {
    let show = |error: E::Error| error.to_string();
    engine.begin().map_err(show).unwrap();
    let (mut outcomes, mut acknowledged, mut in_transaction) = (Vec::new(), 0, 0);
    for (second, step) in (0..).zip(steps) {
        let outcome = match step {
            Step::Create { rows, is_single, key } => {
                let request = request(rows, *is_single, *key, second);
                if is_ahead {
                    look_ahead(engine, |needs| naming::create(&request, needs));
                }
                let created = engine.work(|unit| creating::create(unit, &request));
                match created.map_err(show).unwrap() {
                    Created::Fresh { rows, orders, answer } => {
                        in_transaction += rows.iter().flatten().count();
                        format!("{rows:?} {} {answer:?}", orders.len())
                    }
                    other => format!("{other:?}"),
                }
            }
            Step::End { number, approves } => {
                let number = RefundNumber::new(*number).unwrap();
                let response = Response { code: "1".to_owned(), text: "so".to_owned() };
                let verdict = match approves {
                    true => Verdict::Approved {
                        reference_id: "R".to_owned(),
                        second_reference_id: None,
                        response,
                    },
                    false => Verdict::Declined { response },
                };
                let transcript = Transcript::default();
                let exchange = Exchange { kind: ExchangeKind::Refund, transcript, at: at(second) };
                if is_ahead {
                    look_ahead(engine, |needs| naming::end(number, &verdict, needs));
                }
                let ended =
                    engine.work(|unit| ending::end_refund(unit, number, &verdict, &exchange));
                format!("{:?}", ended.map_err(show).unwrap())
            }
            Step::Commit => {
                acknowledged += std::mem::take(&mut in_transaction);
                engine.flush().map_err(show).unwrap();
                engine.commit().unwrap();
                engine.begin().map_err(show).unwrap();
                String::new()
            }
            Step::RollBack => {
                in_transaction = 0;
                engine.roll_back().map_err(show).unwrap();
                engine.begin().map_err(show).unwrap();
                String::new()
            }
        };
        outcomes.push(outcome);
    }
    engine.flush().map_err(show).unwrap();
    engine.commit().unwrap();
    engine.begin().map_err(show).unwrap();
    let rows = all_rows(engine);
    Outcome { steps: outcomes, rows, acknowledged: acknowledged + in_transaction }
}

fn all_rows<E: Engine>(engine: &mut E) -> Vec<String> {
    let mut rows = Vec::new();
    for key in 1..=ACCOUNTS {
        rows.push(shown::<Balance, E>(engine, &(AccountKey(key),)));
    }
    for number in 1..200 {
        let refund = (RefundNumber::new(number).unwrap(),);
        rows.push(shown::<Refund, E>(engine, &refund));
        rows.push(shown::<Inquiry, E>(engine, &refund));
        rows.push(shown::<Entry, E>(engine, &(number,)));
        rows.push(shown::<AuditRow, E>(engine, &(number,)));
    }
    rows.retain(|row| row != "None");
    rows
}

fn shown<R: Shelved + std::fmt::Debug, E: Engine>(engine: &mut E, key: &R::Key) -> String {
    let row = engine.work(|unit| unit.peek::<R>(key));
    format!("{:?}", row.map_err(|error| error.to_string()).unwrap())
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

/// The accounts and methods that every history begins with.
fn seed<E: Engine>(engine: &mut E) {
    engine.begin().map_err(|error| error.to_string()).unwrap();
    let seeded = engine.work(|unit| {
        for key in 1..=ACCOUNTS {
            unit.insert(Account {
                key: AccountKey(key),
                id: id('a', key),
                number: format!("A{key}"),
                currency: Currency::from_code("USD").unwrap(),
                default_payment_method: None,
                gateway: None,
                opening: MinorUnits::new(OPENING),
                opened: None,
            })?;
            unit.insert(Balance {
                account: AccountKey(key),
                units: MinorUnits::new(OPENING),
                newest_entry: None,
                newest_refund: None,
            })?;
            unit.insert(Method {
                key: method_key(key),
                id: id('b', key),
                account: Some(AccountKey(key)),
                method_type: ByName(MethodType::CreditCard),
                status: ByName(MethodStatus::Active),
                gateway: None,
            })?;
        }
        Ok(())
    });
    seeded.map_err(|error| error.to_string()).unwrap();
    engine.flush().map_err(|error| error.to_string()).unwrap();
    engine.commit().unwrap();
}

/// Opening and entries make every balance; every refund took its amount once, and gave it back once
/// if it ended in Error; an account's refunds lead from each to the one before. There are as many
/// as were acknowledged.
pub(super) fn check_money<E: Engine>(engine: &mut E, acknowledged: usize) {
    let show = |error: E::Error| error.to_string();
    let mut sums = BTreeMap::from_iter((1..=ACCOUNTS).map(|key| (AccountKey(key), OPENING)));
    let mut taken: BTreeMap<RefundNumber, i64> = BTreeMap::new();
    for key in 1.. {
        let entry = engine.work(|unit| unit.peek::<Entry>(&(key,))).map_err(show).unwrap();
        let Some(entry) = entry else { break };
        let sum = sums.get_mut(&entry.account).unwrap();
        *sum += entry.delta.units();
        assert!(*sum >= 0);
        assert_eq!(entry.balance.units(), *sum);
        *taken.entry(entry.refund.unwrap()).or_default() += entry.delta.units();
    }
    let mut refunds = 0;
    for (account, sum) in sums {
        let balance = engine.work(|unit| unit.peek::<Balance>(&(account,)));
        let balance = balance.map_err(show).unwrap().unwrap();
        assert_eq!(balance.units.units(), sum);
        let mut next = balance.newest_refund;
        while let Some(number) = next {
            let refund = engine.work(|unit| unit.peek::<Refund>(&(number,)));
            let refund = refund.map_err(show).unwrap().unwrap();
            assert_eq!(refund.account, account);
            let is_back = refund.status == RefundStatus::Error;
            let expected = if is_back { 0 } else { -refund.amount.units() };
            assert_eq!(taken.get(&number), Some(&expected), "{refund:?}");
            assert!(refund.previous < next);
            refunds += 1;
            next = refund.previous;
        }
    }
    assert_eq!((taken.len(), refunds), (acknowledged, acknowledged));
}

fn memory() -> Memory {
    let mut memory = Memory::new(world());
    seed(&mut memory);
    memory
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_engine_ends_with_the_same_rows(steps in prop::collection::vec(step(), 1..40)) {
        let accounts: Vec<_> =
            (1..=ACCOUNTS).map(|key| (id('a', key), method_key(key), id('b', key))).collect();
        let (mut sqlite, mut memory) = (store_for_tests(world(), &accounts, OPENING), memory());
        let found = run(&mut sqlite, &steps, true);
        let expected = run(&mut memory, &steps, false);
        prop_assert_eq!(&found, &expected);
        check_money(&mut sqlite, found.acknowledged);
        check_money(&mut memory, expected.acknowledged);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn postgresql_ends_with_the_same_rows(
        steps in prop::collection::vec(step(), 1..40),
        is_ahead: bool,
    ) {
        let accounts: Vec<_> =
            (1..=ACCOUNTS).map(|key| (id('a', key), method_key(key), id('b', key))).collect();
        let Some(mut store) = postgres::store_for_tests(world(), &accounts, OPENING) else {
            return Ok(());
        };
        let found = run(&mut store, &steps, is_ahead);
        let expected = run(&mut memory(), &steps, false);
        prop_assert_eq!(&found, &expected);
        check_money(&mut store, found.acknowledged);
    }
}
