//! Credit memos, unapplied payments and refunds of both, over SQLite and over the engine in memory:
//! random histories beside a model that counts money in the plainest way there is.
//!
//! The model says of each step whether it may be done. What must stay true after each: the amount
//! of a memo and of a payment is what is applied, refunded and unapplied; what is owed on an
//! invoice follows from what pays it; both engines have the same rows; and `check` finds nothing.

use super::settlement_model::Model;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::credit_memo::{
    CreditMemoDraft, MemoItemDraft, MemoTaxDraft, ShareDraft, Step as Move, StepDraft,
};
use crate::domain::draft::json::Sent;
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::draft::settlement_refunds::{
    ItemDraft, MemoRefundDraft, PaymentRefundDraft, RefundUpdateDraft,
};
use crate::domain::facts::{
    AccountKey, Gateway, InvoiceKey, MemoKey, MemoLineKey, MemoPartKey, MethodKey, PartKey,
    PaymentKey, Tenant,
};
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permission;
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::MethodType;
use crate::ledger::change::{Changes, Deletable, Delete, Update};
use crate::ledger::engine::Engine;
use crate::ledger::memory::Memory;
use crate::ledger::orders::{Exchange, ExchangeKind, Transcript};
use crate::ledger::record::{DayText, Field as _};
use crate::ledger::records::{
    Account, Balance, Collected, CreditMemo, Invoice, MEMO_LINE_BY_MEMO, MemoLine, MemoPart, Meta,
    MethodRow, Part, Payment, Refund, RefundDetail, RefundLine, User,
};
use crate::ledger::sqlite::audited_store_for_tests;
use crate::ledger::tests::ahead::look_ahead;
use crate::ledger::ticket::Ticket;
use crate::ledger::unit::World;
use crate::ledger::work::naming::{self, Needs};
use crate::ledger::work::{changing, creating, ending};
use crate::ledger::working_set::Shelved;
use crate::ledger::{Batch, Context, Create, Created, Order, RowResult, UserKey};
use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An engine of which it can be asked whether its sums are right.
pub(in crate::ledger) trait Audited {
    /// What does not add up.
    fn problems(&mut self) -> Vec<String>;

    /// What it was asked for since this was called last.
    fn asked_since(&mut self) -> Vec<String> {
        Vec::new()
    }
}

impl Audited for Memory {
    fn problems(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn asked_since(&mut self) -> Vec<String> {
        self.asked().take()
    }
}

/// What a request may look up by itself: how often does not grow with the number of requests.
const ONCE_A_BATCH: [&str; 4] = [
    // The next key of a table, once.
    "newest ",
    // Counters of keys, one a table.
    "find meta by key: 1",
    // Who answers, one a gateway.
    "find audit_source ",
    // The ids of gateways, which are few.
    "find gateway_identity by name: 1",
];

pub(super) const INVOICES: usize = 2;
const OWED: i64 = 500;

/// One step of a history; what is named by a number is the one of that place, if there is one.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Memo { item: i64, tax: i64, is_posted: bool },
    Post { memo: usize, gives_up: bool },
    MoveMemo { memo: usize, invoice: usize, amount: i64, is_apply: bool },
    Payment { amount: i64, is_electronic: bool, applied: Option<(usize, i64)> },
    MovePayment { payment: usize, invoice: usize, amount: i64, is_apply: bool },
    RefundMemo { memo: usize, amount: i64, is_electronic: bool, of_item: Option<bool> },
    RefundPayment { payment: usize, amount: i64, is_electronic: bool, unapplies: bool },
    Verdict { refund: usize, approves: bool },
    Cancel { refund: usize },
    Delete { refund: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (which, amount) = (0_usize..3, 1_i64..300);
    let invoice = 0_usize..INVOICES;
    prop_oneof![
        2 => (1_i64..300, 0_i64..40, any::<bool>())
            .prop_map(|(item, tax, is_posted)| Step::Memo { item, tax, is_posted }),
        1 => (which.clone(), any::<bool>())
            .prop_map(|(memo, gives_up)| Step::Post { memo, gives_up }),
        3 => (which.clone(), invoice.clone(), amount.clone(), any::<bool>()).prop_map(
            |(memo, invoice, amount, is_apply)| {
                Step::MoveMemo { memo, invoice, amount, is_apply }
            }
        ),
        2 => (amount.clone(), any::<bool>(), prop::option::of((invoice.clone(), amount.clone())))
            .prop_map(|(amount, is_electronic, applied)| {
                Step::Payment { amount, is_electronic, applied }
            }),
        3 => (which.clone(), invoice, amount.clone(), any::<bool>()).prop_map(
            |(payment, invoice, amount, is_apply)| {
                Step::MovePayment { payment, invoice, amount, is_apply }
            }
        ),
        4 => (which.clone(), amount.clone(), any::<bool>(), prop::option::of(any::<bool>()))
            .prop_map(|(memo, amount, is_electronic, of_item)| {
                Step::RefundMemo { memo, amount, is_electronic, of_item }
            }),
        4 => (which, amount, any::<bool>(), any::<bool>()).prop_map(
            |(payment, amount, is_electronic, unapplies)| {
                Step::RefundPayment { payment, amount, is_electronic, unapplies }
            }
        ),
        4 => (0_usize..8, any::<bool>())
            .prop_map(|(refund, approves)| Step::Verdict { refund, approves }),
        2 => (0_usize..8).prop_map(|refund| Step::Cancel { refund }),
        1 => (0_usize..8).prop_map(|refund| Step::Delete { refund }),
    ]
}

/// A history under way.
struct History<'e, E: Engine> {
    engine: &'e mut E,
    /// Whether what a request names is looked up before it is decided.
    is_ahead: bool,
    /// What was looked up nevertheless.
    unforeseen: Vec<String>,
    second: i64,
    memos: Vec<ObjectId>,
    payments: Vec<ObjectId>,
    refunds: Vec<RefundNumber>,
    ids: Vec<ObjectId>,
    outcomes: Vec<String>,
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn money(units: i64) -> String {
    format!("{}.{:02}", units / 100, units % 100)
}

fn id(kind: char, key: usize) -> ObjectId {
    ObjectId::parse(&format!("4028e6a0000{kind}0000000000000000{key:04}")).unwrap()
}

fn share(invoice: usize, amount: i64) -> ShareDraft {
    let mut share = ShareDraft::default();
    assert!(share.set("invoiceId", Sent::Text(id('c', invoice).as_str())));
    assert!(share.set("amount", Sent::Number(&money(amount))));
    share
}

impl<E: Engine + Audited> History<'_, E> {
    fn look_ahead<'r>(&mut self, name: impl FnOnce(&mut Needs<'r>)) {
        if self.is_ahead {
            look_ahead(self.engine, name);
            self.engine.asked_since();
        }
    }

    fn note_unforeseen(&mut self, request: &str) {
        if self.is_ahead {
            // The newest refund, before the first of a batch is created.
            let is_create = request.contains("Refunds(") && !request.contains("UpdateDraft");
            let is_newest = |asked: &str| is_create && asked == "find refund_row by number: 1";
            // From the account's newest refund to the one after that which is deleted: each names
            // the next, and however many there are, none is kept in memory.
            let is_walked =
                |asked: &str| request == "delete" && asked == "find refund_row by number: 1";
            let is_bounded = |asked: &String| {
                is_newest(asked)
                    || is_walked(asked)
                    || ONCE_A_BATCH.iter().any(|one| asked.starts_with(one))
            };
            let asked = self.engine.asked_since().into_iter().filter(|asked| !is_bounded(asked));
            self.unforeseen.extend(asked.map(|asked| format!("{asked} ({request})")));
        }
    }

    fn context(&self) -> Context {
        Context {
            user: UserKey(1),
            origin: Origin::of(FrontDoor::Soap),
            asking: Asking {
                version: ApiVersion::LAST,
                permissions: Permission::ALL.into_iter().collect(),
                now: at(self.second),
                earliest: at(self.second),
                strict: false,
            },
            ticket: Ticket::default(),
        }
    }

    fn create(&mut self, drafts: Drafts) -> (RowResult, Vec<Order>) {
        let request = Create {
            context: self.context(),
            batch: Batch { drafts, ordered: BTreeMap::new(), is_single: false },
            idempotency: None,
            line_up: None,
        };
        self.look_ahead(|needs| naming::create(&request, needs));
        let created = self.engine.work(|unit| creating::create(unit, &request));
        self.note_unforeseen(&format!("{:?}", request.batch.drafts));
        match created.map_err(|error| error.to_string()).unwrap() {
            Created::Fresh { mut rows, orders, .. } => (rows.remove(0), orders),
            other => panic!("{other:?}"),
        }
    }

    fn update(&mut self, draft: RefundUpdateDraft) -> RowResult {
        let changes = Changes::SettlementRefunds(vec![draft]);
        let request = Update { context: self.context(), changes };
        self.look_ahead(|needs| naming::update(&request, needs));
        let rows = self.engine.work(|unit| changing::update(unit, &request));
        self.note_unforeseen(&format!("{:?}", request.changes));
        rows.map_err(|error| error.to_string()).unwrap().remove(0)
    }

    fn delete(&mut self, id: ObjectId) -> RowResult {
        let (object, ids) = (Deletable::CanceledRefund, vec![Ok(id)]);
        let request = Delete { context: self.context(), object, ids };
        self.look_ahead(|needs| naming::delete(&request, needs));
        let rows = self.engine.work(|unit| changing::delete(unit, &request));
        self.note_unforeseen("delete");
        rows.map_err(|error| error.to_string()).unwrap().remove(0)
    }

    /// The id of an item of a memo, or of the tax on it.
    fn line(&mut self, memo: usize, is_item: bool) -> ObjectId {
        let key = i64::try_from(memo).unwrap() + 1;
        let lines = self
            .engine
            .work(|unit| unit.all::<MemoLine>(&MEMO_LINE_BY_MEMO, &[MemoKey(key).stored()]));
        let lines = lines.map_err(|error| error.to_string()).unwrap();
        lines.into_iter().find(|line| line.item.is_none() == is_item).unwrap().id
    }

    /// Does a step; whether it was done.
    fn take(&mut self, step: &Step) -> bool {
        self.second += 1;
        let row = match *step {
            Step::Memo { item, tax, is_posted } => {
                let row =
                    self.create(Drafts::CreditMemos(vec![memo_draft(item, tax, is_posted)])).0;
                self.memos.extend(row.iter().map(|saved| saved.id.clone()));
                row
            }
            Step::Post { memo, gives_up } => {
                let step = if gives_up { Move::Cancel } else { Move::Post };
                let draft = StepDraft::of(self.memos[memo].as_str(), step);
                self.create(Drafts::MemoSteps(vec![draft])).0
            }
            Step::MoveMemo { memo, invoice, amount, is_apply } => {
                let draft = StepDraft::of(self.memos[memo].as_str(), moving(is_apply));
                self.create(Drafts::MemoSteps(vec![with(draft, share(invoice, amount))])).0
            }
            Step::MovePayment { payment, invoice, amount, is_apply } => {
                let draft = StepDraft::of(self.payments[payment].as_str(), moving(is_apply));
                self.create(Drafts::PaymentSteps(vec![with(draft, share(invoice, amount))])).0
            }
            Step::Payment { amount, is_electronic, applied } => {
                let draft = payment_draft(amount, is_electronic, applied);
                let row = self.create(Drafts::SettlementPayments(vec![draft])).0;
                self.payments.extend(row.iter().map(|saved| saved.id.clone()));
                row
            }
            Step::RefundMemo { memo, amount, is_electronic, of_item } => {
                let mut draft = MemoRefundDraft::of(self.memos[memo].as_str());
                for (name, value) in refund_fields(amount, is_electronic) {
                    assert!(draft.set(name, Sent::Text(&value)));
                }
                if is_electronic {
                    draft.set("paymentMethodId", Sent::Text(id('b', 1).as_str()));
                }
                if let Some(is_item) = of_item {
                    let line = self.line(memo, is_item);
                    let mut item = ItemDraft::default();
                    let name = if is_item { "creditMemoItemId" } else { "creditTaxItemId" };
                    item.set(name, Sent::Text(line.as_str()));
                    item.set("amount", Sent::Number(&money(amount)));
                    draft.add_item(item);
                }
                self.refund(Drafts::MemoRefunds(vec![draft]), is_electronic)
            }
            Step::RefundPayment { payment, amount, is_electronic, unapplies } => {
                let payment = self.payments[payment].clone();
                let mut draft = match unapplies {
                    true => PaymentRefundDraft::unapplying(payment.as_str()),
                    false => PaymentRefundDraft::of(payment.as_str()),
                };
                for (name, value) in refund_fields(amount, is_electronic) {
                    assert!(draft.set(name, Sent::Text(&value)));
                }
                self.refund(Drafts::PaymentRefunds(vec![draft]), is_electronic)
            }
            Step::Verdict { refund, approves } => return self.verdict(refund, approves),
            Step::Cancel { refund } => {
                let number = self.refunds[refund].to_string();
                self.update(RefundUpdateDraft::cancelling(&number))
            }
            Step::Delete { refund } => self.delete(self.ids[refund].clone()),
        };
        self.outcomes.push(format!("{row:?}"));
        row.is_ok()
    }

    fn refund(&mut self, drafts: Drafts, is_electronic: bool) -> RowResult {
        let (row, orders) = self.create(drafts);
        if let Ok(saved) = &row {
            self.refunds.push(RefundId::parse(saved.id.as_str()).unwrap().number());
            self.ids.push(saved.id.clone());
        }
        assert_eq!(orders.len(), usize::from(is_electronic && row.is_ok()));
        row
    }

    fn verdict(&mut self, refund: usize, approves: bool) -> bool {
        let number = self.refunds[refund];
        let response = Response { code: "1".to_owned(), text: "so".to_owned() };
        let verdict = match approves {
            true => Verdict::Approved {
                reference_id: "T".to_owned(),
                second_reference_id: None,
                response,
            },
            false => Verdict::Declined { response },
        };
        let transcript = Transcript::default();
        let exchange = Exchange { kind: ExchangeKind::Refund, transcript, at: at(self.second) };
        self.look_ahead(|needs| naming::end(number, &verdict, needs));
        let ended = self.engine.work(|unit| ending::end_refund(unit, number, &verdict, &exchange));
        self.note_unforeseen("verdict");
        ended.map_err(|error| error.to_string()).unwrap()
    }

    fn commit(&mut self) {
        self.engine.flush().map_err(|error| error.to_string()).unwrap();
        self.engine.commit().unwrap();
        self.engine.begin().map_err(|error| error.to_string()).unwrap();
    }

    fn shown<R: Shelved + std::fmt::Debug>(&mut self, key: &R::Key) -> Option<R> {
        let row = self.engine.work(|unit| unit.peek::<R>(key));
        row.map_err(|error| error.to_string()).unwrap()
    }

    /// Compares the rows with the model.
    fn compare(&mut self, model: &Model) {
        for (place, memo) in (1_i64..).zip(&model.memos) {
            let row = self.shown::<CreditMemo>(&(MemoKey(place),)).unwrap();
            let applied: i64 = memo.applied.values().sum();
            let found = [row.amount, row.applied, row.refunded, row.unapplied()];
            let expected = [memo.item + memo.tax, applied, memo.refunded, memo.unapplied()];
            assert_eq!(found.map(MinorUnits::units), expected, "{memo:?}");
            assert!(memo.unapplied() >= 0);
        }
        for (place, payment) in (1_i64..).zip(&model.payments) {
            let row = self.shown::<Payment>(&(PaymentKey(place),)).unwrap();
            let applied: i64 = payment.applied.values().sum();
            let found = [row.amount, row.applied, row.refunded, row.unapplied()];
            let expected = [payment.amount, applied, payment.refunded, payment.unapplied()];
            assert_eq!(found.map(MinorUnits::units), expected, "{payment:?}");
            assert!(payment.unapplied() >= 0);
        }
        for (key, owed) in (1_i64..).zip(model.owed) {
            let row = self.shown::<Invoice>(&(InvoiceKey(key),)).unwrap();
            assert_eq!(row.balance.units(), owed);
        }
    }

    fn all_rows(&mut self) -> Vec<String> {
        let mut rows = Vec::new();
        for key in 1..60 {
            rows.push(format!("{:?}", self.shown::<CreditMemo>(&(MemoKey(key),))));
            rows.push(format!("{:?}", self.shown::<MemoLine>(&(MemoLineKey(key),))));
            rows.push(format!("{:?}", self.shown::<MemoPart>(&(MemoPartKey(key),))));
            rows.push(format!("{:?}", self.shown::<Payment>(&(PaymentKey(key),))));
            rows.push(format!("{:?}", self.shown::<Part>(&(PartKey(key),))));
            let number = (RefundNumber::new(key).unwrap(),);
            rows.push(format!("{:?}", self.shown::<Refund>(&number)));
            rows.push(format!("{:?}", self.shown::<RefundDetail>(&number)));
            rows.push(format!("{:?}", self.shown::<RefundLine>(&(key,))));
            let reference = (format!("p-{key:08}"), "sandbox".to_owned());
            rows.push(format!("{:?}", self.shown::<Collected>(&reference)));
        }
        rows.retain(|row| row != "None");
        rows
    }
}

fn moving(is_apply: bool) -> Move {
    if is_apply { Move::Apply(Vec::new()) } else { Move::Unapply(Vec::new()) }
}

fn with(mut draft: StepDraft, share: ShareDraft) -> StepDraft {
    draft.add_share(share);
    draft
}

fn memo_draft(item: i64, tax: i64, is_posted: bool) -> CreditMemoDraft {
    let mut draft = CreditMemoDraft::default();
    assert!(draft.set("accountId", Sent::Text(id('a', 1).as_str())));
    assert!(draft.set("effectiveDate", Sent::Text("2026-01-02")));
    assert!(draft.set("autoPost", Sent::Boolean(is_posted)));
    let mut line = MemoItemDraft::default();
    assert!(line.set("amount", Sent::Number(&money(item))));
    if tax > 0 {
        let mut of_item = MemoTaxDraft::default();
        assert!(of_item.set("amount", Sent::Number(&money(tax))));
        line.taxes.push(of_item);
    }
    draft.items.push(line);
    draft
}

fn payment_draft(
    amount: i64,
    is_electronic: bool,
    applied: Option<(usize, i64)>,
) -> SettlementPaymentDraft {
    let mut draft = SettlementPaymentDraft::default();
    for (name, value) in [
        ("accountId", id('a', 1).as_str()),
        ("amount", &money(amount)),
        ("effectiveDate", "2026-01-02"),
        ("type", if is_electronic { "Electronic" } else { "External" }),
        ("paymentMethodId", id('b', 1).as_str()),
    ] {
        assert!(draft.set(name, Sent::Text(value)), "{name}");
    }
    draft.invoices.extend(applied.map(|(invoice, amount)| share(invoice, amount)));
    draft
}

fn refund_fields(amount: i64, is_electronic: bool) -> Vec<(&'static str, String)> {
    let mut fields = vec![("totalAmount", money(amount))];
    match is_electronic {
        true => fields.push(("type", "Electronic".to_owned())),
        false => {
            fields.push(("type", "External".to_owned()));
            fields.push(("methodType", "Check".to_owned()));
        }
    }
    fields
}

fn world() -> World {
    let tenant =
        Tenant { invoice_settlement: true, invoice_item_settlement: true, ..Tenant::default() };
    let gateways = vec![Gateway::sandbox()];
    World { tenant, gateways, salt: 7, row_salt: 7, ..World::default() }
}

const METHOD: MethodKey = MethodKey(101);

fn sqlite() -> impl Engine + Audited + use<> {
    let mut statements = String::new();
    for (key, place) in (1..).zip(0..INVOICES) {
        let id = id('c', place);
        statements.push_str(&format!(
            "insert into invoice (key, id, number, account, date, amount, opening, balance, \
             created_ms, updated_ms) values ({key}, '{id}', 'INV{key}', 1, '2026-01-01', {OWED}, \
             {OWED}, {OWED}, 1, 1);"
        ));
    }
    audited_store_for_tests(world(), &[(id('a', 1), METHOD, id('b', 1))], &statements)
}

fn memory() -> Memory {
    let mut memory = Memory::new(world());
    memory.begin().unwrap();
    let seeded = memory.work(|unit| {
        let key = AccountKey(1);
        unit.insert(Account {
            key,
            id: id('a', 1),
            number: "A1".to_owned(),
            currency: Currency::from_code("USD").unwrap(),
            default_payment_method: None,
            gateway: None,
            opening: MinorUnits::ZERO,
            opened: None,
        })?;
        let units = MinorUnits::ZERO;
        unit.insert(Balance { account: key, units, newest_entry: None, newest_refund: None })?;
        unit.insert(MethodRow::active(METHOD, id('b', 1), Some(key), MethodType::CreditCard))?;
        let user = UserKey(1);
        // As in a new ledger of SQLite, because outcomes show it.
        let user_id = ObjectId::parse(&format!("{:032x}", 1)).unwrap();
        unit.insert(User { key: user, id: user_id, username: "demo".to_owned() })?;
        for (key, place) in (1..).zip(0..INVOICES) {
            unit.insert(Invoice {
                key: InvoiceKey(key),
                id: id('c', place),
                number: format!("INV{key}"),
                account: AccountKey(1),
                date: DayText(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()),
                amount: MinorUnits::new(OWED),
                opening: MinorUnits::new(OWED),
                balance: MinorUnits::new(OWED),
                created_ms: at(0),
                updated_ms: at(0),
                custom: None,
            })?;
        }
        let count = "last_key_payment_method".to_owned();
        unit.insert(Meta { key: count, value: METHOD.0.to_string() })
    });
    seeded.unwrap();
    memory.flush().unwrap();
    memory.commit().unwrap();
    memory
}

/// Runs a history beside the model; gives its outcomes and rows.
fn run<E: Engine + Audited>(
    mut engine: E,
    steps: &[Step],
    is_ahead: bool,
) -> (Vec<String>, Vec<String>) {
    engine.begin().map_err(|error| error.to_string()).unwrap();
    let mut model = Model { owed: [OWED; INVOICES], ..Model::default() };
    let mut history = History {
        engine: &mut engine,
        is_ahead,
        unforeseen: Vec::new(),
        second: 0,
        memos: Vec::new(),
        payments: Vec::new(),
        refunds: Vec::new(),
        ids: Vec::new(),
        outcomes: Vec::new(),
    };
    for (place, step) in steps.iter().enumerate() {
        let Some(expected) = model.take(step) else { continue };
        let done = history.take(step);
        assert_eq!(done, expected, "{place}: {step:?} {:?}", history.outcomes.last());
        if place % 4 == 0 {
            history.commit();
        }
        history.compare(&model);
    }
    history.commit();
    history.compare(&model);
    assert_eq!(history.unforeseen, Vec::<String>::new());
    let (rows, outcomes) = (history.all_rows(), history.outcomes);
    assert_eq!(engine.problems(), Vec::<String>::new());
    (outcomes, rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_cent_of_memos_and_payments_is_where_the_model_has_it(
        steps in prop::collection::vec(step(), 1..50),
    ) {
        let (of_sqlite, of_memory) = (run(sqlite(), &steps, true), run(memory(), &steps, true));
        prop_assert_eq!(&run(memory(), &steps, false), &of_memory);
        prop_assert_eq!(of_sqlite.0, of_memory.0);
        // What only SQLite has of an invoice is its own; everything else is the same.
        prop_assert_eq!(of_sqlite.1, of_memory.1);
    }
}
