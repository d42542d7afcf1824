//! What a batch looks up: a bounded number of look-ups, however many requests it has and whatever
//! they are about.

use crate::domain::draft::RefundDraft;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::change::RefundChange;
use crate::domain::draft::fields::Draft;
use crate::domain::draft::payment::PaymentDraft;
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::facts::{AccountKey, Gateway, MethodKey};
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::money::MinorUnits;
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permission;
use crate::domain::reconciliation::{Rejected, Settlement};
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::MethodType;
use crate::ledger::change::{ChangeResult, Changes, Deletable, Delete, Update};
use crate::ledger::damage::Damage;
use crate::ledger::engine::{Engine, Load};
use crate::ledger::memory::{Asked, Memory};
use crate::ledger::orders::{Exchange, ExchangeKind, Transcript};
use crate::ledger::queue::UseCase;
use crate::ledger::reconciliation::{Reconcile, Reconciliation, RefundName, When};
use crate::ledger::records::{AccountRow, Balance, MethodRow};
use crate::ledger::ticket::Ticket;
use crate::ledger::trail::Act;
use crate::ledger::unit::World;
use crate::ledger::work::naming::{self, Needs};
use crate::ledger::work::{changing, creating, ending, loading, reconciling};
use crate::ledger::writer::{Turns, Writer};
use crate::ledger::{Batch, Context, Create, Created, Idempotency, Render, Reply, UserKey};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use tokio::runtime::{Builder, Runtime};

/// Looks up what a request names, as the writer does for a batch.
pub(in crate::ledger) fn look_ahead<'r, E: Engine>(
    engine: &mut E,
    name: impl FnOnce(&mut Needs<'r>),
) {
    let mut needs = Needs::default();
    name(&mut needs);
    let loaded = engine.work(|unit| loading::load(unit, needs));
    loaded.map_err(|error| error.to_string()).unwrap();
}

/// How many requests a batch has.
const MANY: i64 = 64;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn id(kind: char, key: i64) -> ObjectId {
    ObjectId::parse(&format!("4028e6a0000{kind}0000000000000000{key:04}")).unwrap()
}

fn draft<D: Draft>(fields: &[(&str, &str)]) -> D {
    let mut draft = D::default();
    for (field, text) in fields {
        assert!(draft.set(field, text), "{field}");
    }
    draft
}

/// A writer over a ledger in memory whose turns the test takes, with one account, which has a
/// default method, for each request of a batch.
struct Ledger {
    writer: Writer<Memory>,
    turns: Turns<Memory>,
    asked: Asked,
    runtime: Runtime,
    second: i64,
}

impl Ledger {
    fn new() -> Self {
        let gateways = vec![Gateway::sandbox()];
        let world =
            World { gateways, keeps_events: true, salt: 7, row_salt: 7, ..World::default() };
        let mut memory = Memory::new(world);
        memory.begin().unwrap();
        let seeded = memory.work(|unit| {
            for key in 1..=MANY {
                let (account, units) = (AccountKey(key), MinorUnits::new(1_000));
                unit.insert(AccountRow {
                    default_payment_method: Some(MethodKey(100 + key)),
                    ..AccountRow::active(account, id('a', key), format!("S{key}"), units)
                })?;
                unit.insert(Balance { account, units, newest_entry: None, newest_refund: None })?;
                unit.insert(MethodRow::active(
                    MethodKey(100 + key),
                    id('b', key),
                    Some(account),
                    MethodType::CreditCard,
                ))?;
            }
            Ok(())
        });
        seeded.unwrap();
        memory.flush().unwrap();
        memory.commit().unwrap();
        let asked = memory.asked();
        let load = Load { queue_max: 256, batch_max: 256 };
        let (writer, turns) = Writer::without_thread(memory, load, Damage::default());
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        Self { writer, turns, asked, runtime, second: 0 }
    }

    /// Who asks: each from another address.
    fn context(&mut self) -> Context {
        self.second += 1;
        let last = u8::try_from(self.second % 200).unwrap();
        let address = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        Context {
            user: UserKey(1),
            origin: Origin { address, ..Origin::of(FrontDoor::Soap) },
            asking: Asking {
                version: ApiVersion::major(91),
                permissions: Permission::ALL.into_iter().collect(),
                now: at(self.second),
                earliest: at(self.second),
                strict: false,
            },
            ticket: Ticket::default(),
        }
    }

    /// Does requests in one batch; gives what they came to, and what the engine was asked for.
    fn batch<T: Send + 'static>(&mut self, replies: Vec<Reply<T>>) -> (Vec<T>, Vec<String>) {
        self.asked.take();
        let Self { turns, runtime, .. } = self;
        assert!(runtime.block_on(turns.take_next(std::future::ready(()))));
        let asked = self.asked.take();
        let done = replies.into_iter().map(|reply| self.runtime.block_on(reply).unwrap());
        (done.collect(), asked)
    }

    fn create(&mut self, drafts: impl Fn(i64) -> Drafts) -> (Vec<ObjectId>, Vec<String>) {
        let requests = (1..=MANY).map(|key| Create {
            context: self.context(),
            batch: Batch { drafts: drafts(key), ordered: BTreeMap::new(), is_single: false },
            idempotency: Some(Idempotency {
                key: format!("{:?}", (self.second, key)),
                operation: "create",
                fingerprint: [1; 32],
                at: at(self.second),
                render: Render::Rows(Box::new(|rows| format!("{rows:?}").into_bytes())),
            }),
            line_up: None,
        });
        let cases = requests.map(|request| UseCase::new(request, naming::create, creating::create));
        let cases: Vec<_> = cases.collect();
        let replies = cases.into_iter().map(|case| self.writer.submit_case(None, case)).collect();
        let (done, asked) = self.batch(replies);
        let ids = done.into_iter().map(|created| match created {
            Created::Fresh { mut rows, .. } => rows.remove(0).unwrap().id,
            other => panic!("{other:?}"),
        });
        (ids.collect(), asked)
    }

    fn update(&mut self, changes: Vec<Changes>) -> (Vec<Vec<ChangeResult>>, Vec<String>) {
        let changes = changes.into_iter();
        let requests: Vec<_> =
            changes.map(|changes| Update { context: self.context(), changes }).collect();
        let cases =
            requests.into_iter().map(|one| UseCase::new(one, naming::update, changing::update));
        let replies = cases.map(|case| self.writer.submit_case(None, case)).collect();
        self.batch(replies)
    }

    fn delete(&mut self, object: Deletable, ids: &[ObjectId]) -> Vec<String> {
        let requests: Vec<_> = ids
            .iter()
            .map(|id| Delete { context: self.context(), object, ids: vec![Ok(id.clone())] })
            .collect();
        let cases =
            requests.into_iter().map(|one| UseCase::new(one, naming::delete, changing::delete));
        let replies = cases.map(|case| self.writer.submit_case(None, case)).collect();
        let (done, asked) = self.batch(replies);
        assert!(done.iter().flatten().all(Result::is_ok), "{done:?}");
        asked
    }

    fn end(&mut self, ids: &[ObjectId], verdict: &Verdict) -> Vec<String> {
        let numbers = ids.iter().map(|id| RefundId::parse(id.as_str()).unwrap().number());
        let cases = numbers.map(|number| {
            let transcript = Transcript::default();
            let exchange = Exchange { kind: ExchangeKind::Refund, transcript, at: at(500) };
            UseCase::new(
                (number, verdict.clone(), exchange),
                |(number, verdict, _): &(RefundNumber, Verdict, Exchange), needs| {
                    naming::end(*number, verdict, needs);
                },
                |unit, (number, verdict, exchange)| {
                    ending::end_refund(unit, *number, verdict, exchange)
                },
            )
        });
        let replies = cases.map(|case| self.writer.submit_case(None, case)).collect();
        let (done, asked) = self.batch(replies);
        assert!(done.iter().all(|is_ended| *is_ended));
        asked
    }
}

fn refund(key: i64, refund_type: &str) -> Drafts {
    Drafts::Refunds(vec![draft::<RefundDraft>(&[
        ("AccountId", id('a', key).as_str()),
        ("Amount", "1"),
        ("SourceType", "CreditBalance"),
        ("Type", refund_type),
        ("PaymentMethodId", id('b', key).as_str()),
    ])])
}

/// So many times is the engine asked for something, at most.
#[track_caller]
fn assert_at_most(most: usize, asked: &[String]) {
    assert!(asked.len() <= most, "{}: {asked:#?}", asked.len());
}

/// What each of many creates names is looked up for all of them at once.
#[test]
fn a_batch_of_creates_looks_up_as_much_as_one() {
    let mut ledger = Ledger::new();
    let (ids, first) = ledger.create(|key| refund(key, "External"));
    assert_eq!(ids.len(), 64);
    assert!(first.contains(&"find account_row by id: 64".to_owned()), "{first:#?}");
    assert!(first.contains(&"find balance by account: 64".to_owned()), "{first:#?}");
    assert_at_most(14, &first);
    let (_, again) = ledger.create(|key| refund(key, "External"));
    assert!(again.contains(&"find entry_row by key: 64".to_owned()), "{again:#?}");
    assert_at_most(14, &again);
    let accounts =
        |_| Drafts::Accounts(vec![draft::<AccountDraft>(&[("Name", "N"), ("Currency", "USD")])]);
    assert_at_most(9, &ledger.create(accounts).1);
    let methods = |key| {
        let account = id('a', key);
        Drafts::PaymentMethods(vec![draft::<MethodDraft>(&[
            ("AccountId", account.as_str()),
            ("Type", "Cash"),
        ])])
    };
    assert_at_most(10, &ledger.create(methods).1);
}

#[test]
fn verdicts_settlements_changes_and_deletions_look_up_together() {
    let mut ledger = Ledger::new();
    let (ids, held) = ledger.create(|key| refund(key, "Electronic"));
    assert_at_most(15, &held);
    let (declined, approved) = ids.split_at(32);
    let response = Response { code: "1".to_owned(), text: "so".to_owned() };
    let asked = ledger.end(declined, &Verdict::Declined { response: response.clone() });
    assert_at_most(14, &asked);
    let (reference_id, second_reference_id) = ("T".to_owned(), None);
    let verdict = Verdict::Approved { reference_id, second_reference_id, response };
    assert_at_most(14, &ledger.end(approved, &verdict));
    let events = approved.iter().map(|id| Reconciliation {
        refund: RefundName::Id(RefundId::parse(id.as_str()).unwrap()),
        settlement: Settlement::Failed,
        at: When::Moment(at(600)),
        reason: None,
        event_id: Some(id.to_string()),
    });
    let act = Act::of_start(at(600));
    let request = Reconcile { events: events.collect(), rejected: Rejected::PutBack, act };
    let case = UseCase::new(request, naming::reconcile, reconciling::reconcile);
    let reply = ledger.writer.submit_case(None, case);
    let (done, asked) = ledger.batch(vec![reply]);
    assert!(done.iter().flatten().all(Result::is_ok), "{done:?}");
    assert_at_most(15, &asked);
    let changes = ids.iter().map(|id| {
        let fields = [("Id", id.as_str()), ("TransferredToAccounting", "Yes")];
        Changes::Refunds(vec![draft::<RefundChange>(&fields)])
    });
    let (_, asked) = ledger.update(changes.collect());
    assert_at_most(10, &asked);
}

#[test]
fn payments_and_their_refunds_look_up_together() {
    let mut ledger = Ledger::new();
    let payment = |key| {
        Drafts::Payments(vec![draft::<PaymentDraft>(&[
            ("AccountId", id('a', key).as_str()),
            ("Amount", "10"),
            ("AppliedCreditBalanceAmount", "7"),
            ("EffectiveDate", "2026-01-02"),
            ("PaymentMethodId", id('b', key).as_str()),
            ("Status", "Processed"),
            ("Type", "External"),
        ])])
    };
    let (payments, asked) = ledger.create(payment);
    assert_at_most(18, &asked);
    assert_eq!(payments.len(), 64);
    let methods: Vec<_> = (1..=MANY).map(|key| id('b', key)).collect();
    let (_, asked) = ledger.update(
        methods
            .iter()
            .map(|id| {
                let fields = [("Id", id.as_str()), ("PaymentMethodStatus", "Closed")];
                Changes::PaymentMethods(vec![draft::<MethodDraft>(&fields)])
            })
            .collect(),
    );
    assert_at_most(10, &asked);
    let accounts =
        |_| Drafts::Accounts(vec![draft::<AccountDraft>(&[("Name", "N"), ("Currency", "USD")])]);
    let (accounts, _) = ledger.create(accounts);
    assert_at_most(16, &ledger.delete(Deletable::Account, &accounts));
}
