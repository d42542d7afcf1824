//! What readers see of credit memos, payments and their refunds, and the answers that are stored.

use super::tests::{ACCOUNT, METHOD, at, options, plan_of};
use super::*;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::credit_memo::{CreditMemoDraft, MemoItemDraft, Step, StepDraft};
use crate::domain::draft::json::Sent;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::draft::settlement_refunds::{
    MemoRefundDraft, PaymentRefundDraft, RefundSettlementDraft, RefundUpdateDraft,
};
use crate::domain::facts::Gateway;
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permission;
use crate::domain::row_error::Category;
use crate::domain::rules::Asking;
use crate::domain::script::Script;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{GatewayState, RefundStatus};
use crate::ledger::change::{Changes, Deletable, Delete, Update};
use crate::ledger::orders::{Exchange, ExchangeKind, Orders, Transcript};
use crate::ledger::seed::SeedPlan;
use crate::ledger::ticket::Ticket;
use crate::ledger::views::{ListObjects, ListRefunds, RefundFilter, RefundSort, View, Views};
use crate::ledger::{
    AmendedAnswer, Batch, Bookkeeping, Context, Create, Created, Idempotency, Render, RowResult,
    UserKey,
};
use std::collections::BTreeMap;

fn context(second: i64) -> Context {
    let asking = Asking {
        version: ApiVersion::LAST,
        permissions: Permission::ALL.into_iter().collect(),
        now: at(second),
        earliest: at(second),
        strict: false,
    };
    let (user, origin, ticket) = (UserKey(1), Origin::of(FrontDoor::Soap), Ticket::default());
    Context { user, origin, asking, ticket }
}

async fn ledger(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::open(path, &options(true)).unwrap();
    let mut plan = plan_of(|account| account.opening = crate::domain::money::MinorUnits::ZERO);
    plan.tenant.push(("invoice_settlement", "true".to_owned()));
    ledger.load_seed(plan).await.unwrap().unwrap();
    ledger
}

async fn created(ledger: &SqliteLedger, second: i64, drafts: Drafts) -> RowResult {
    let batch = Batch { drafts, ordered: BTreeMap::new(), is_single: false };
    let request = Create { context: context(second), batch, idempotency: None, line_up: None };
    match ledger.create(request).await.unwrap() {
        Created::Fresh { mut rows, .. } => rows.remove(0),
        other => panic!("{other:?}"),
    }
}

fn memo() -> Drafts {
    let mut draft = CreditMemoDraft::default();
    for (name, text) in [("accountId", ACCOUNT), ("effectiveDate", "2026-01-02")] {
        assert!(draft.set(name, Sent::Text(text)));
    }
    let mut item = MemoItemDraft::default();
    assert!(item.set("amount", Sent::Number("1000")));
    draft.items.push(item);
    Drafts::CreditMemos(vec![draft])
}

fn payment() -> Drafts {
    let mut draft = SettlementPaymentDraft::default();
    for (name, text) in [
        ("accountId", ACCOUNT),
        ("amount", "1000.00"),
        ("effectiveDate", "2026-01-02"),
        ("type", "Electronic"),
        ("paymentMethodId", METHOD),
    ] {
        assert!(draft.set(name, Sent::Text(text)));
    }
    Drafts::SettlementPayments(vec![draft])
}

fn of_memo(fields: &[(&str, &str)]) -> Drafts {
    let mut draft = MemoRefundDraft::of("CM00000001");
    for (name, text) in fields {
        assert!(draft.set(name, Sent::Text(text)), "{name}");
    }
    assert!(draft.details.set_finance("bankAccountAccountingCode", Sent::Text("B-1")));
    Drafts::MemoRefunds(vec![draft])
}

fn of_payment(amount: &str) -> Drafts {
    let mut draft = PaymentRefundDraft::of("P-00000001");
    for (name, text) in [("type", "Electronic"), ("totalAmount", amount)] {
        assert!(draft.set(name, Sent::Text(text)), "{name}");
    }
    Drafts::PaymentRefunds(vec![draft])
}

const EXTERNAL: [(&str, &str); 4] = [
    ("type", "External"),
    ("methodType", "Check"),
    ("totalAmount", "10"),
    ("SyncDate__NS", "2026-01-02"),
];

fn approved() -> Verdict {
    let response = Response { code: "OK".to_owned(), text: "Approved".to_owned() };
    let reference_id = "T-1".to_owned();
    Verdict::Approved { reference_id, second_reference_id: None, response }
}

fn exchange(second: i64) -> Exchange {
    let transcript = Transcript::default();
    Exchange { kind: ExchangeKind::Refund, transcript, at: at(second) }
}

fn problems(path: &Path) -> Vec<String> {
    SqliteLedger::audit_file(path).unwrap().findings.problems
}

#[tokio::test]
async fn a_memo_and_a_payment_are_refunded_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger(&path).await;
    let saved = created(&ledger, 1, memo()).await.unwrap();
    assert_eq!(saved.number.unwrap().to_string(), "CM00000001");
    let draft = created(&ledger, 2, of_memo(&EXTERNAL)).await.unwrap_err();
    assert_eq!(draft.category(), Category::Rule, "{draft}");
    let post = StepDraft::of("CM00000001", Step::Post);
    created(&ledger, 3, Drafts::MemoSteps(vec![post])).await.unwrap();
    created(&ledger, 4, of_memo(&EXTERNAL)).await.unwrap();
    created(&ledger, 5, payment()).await.unwrap();
    let second = created(&ledger, 6, of_payment("10")).await.unwrap();

    let first = ledger.refund(ObjectKey::of("R-00000001")).await.unwrap().unwrap();
    assert_eq!(first.credit_memo_id, Some(saved.id.clone()));
    assert_eq!((first.payment_id, first.gateway_id), (None, None));
    assert_eq!(first.gateway_state, GatewayState::NotSubmitted);
    assert_eq!(first.notes["bankAccountAccountingCode"], "B-1");
    assert_eq!(first.notes["SyncDate__NS"], "2026-01-02");
    let key = ObjectKey::Id(second.id);
    let held = ledger.refund(key.clone()).await.unwrap().unwrap();
    assert_eq!(held.status, RefundStatus::Processing);
    assert_eq!(held.marked_for_submission_on, Some(held.created_date));
    assert_eq!(held.payment_number.as_deref(), Some("P-00000001"));
    assert_eq!(held.gateway_number.as_deref(), Some("PG-00000001"));
    assert!(held.payment_method_snapshot_id.is_some());
    let number = crate::domain::id::RefundNumber::new(2).unwrap();
    assert!(ledger.end_refund(number, approved(), exchange(9)).await.unwrap());
    let done = ledger.refund(key).await.unwrap().unwrap();
    assert_eq!((done.status, done.submitted_on), (RefundStatus::Processed, Some(at(9))));
    assert_eq!(done.reference_id.as_deref(), Some("T-1"));

    let memo = ledger.credit_memo(ObjectKey::Id(saved.id)).await.unwrap().unwrap();
    assert_eq!((memo.refunded.units(), memo.unapplied.units()), (1_000, 99_000));
    let items = ledger.credit_memo_items(ObjectKey::of("CM00000001")).await.unwrap().unwrap();
    assert_eq!((items.len(), items[0].amount.units()), (1, 100_000));
    let paid = ledger.payment(ObjectKey::of("P-00000001")).await.unwrap().unwrap();
    assert_eq!((paid.refunded.units(), paid.unapplied.units()), (1_000, 99_000));
    let part = ledger.refund_part(ObjectKey::of("R-00000001")).await.unwrap().unwrap();
    assert_eq!((part.amount.units(), part.credit_memo_id), (1_000, Some(memo.id)));
    assert!(ledger.refund(ObjectKey::of("R-00000009")).await.unwrap().is_none());
    assert!(ledger.refund(ObjectKey::of("nothing")).await.unwrap().is_none());
    let list = ListObjects { page: 1, page_size: 1, ..ListObjects::default() };
    assert_eq!(ledger.credit_memos(list.clone()).await.unwrap().rows.len(), 1);
    let none = ListObjects { status: Some("Draft".to_owned()), ..list };
    assert!(ledger.payments(none).await.unwrap().rows.is_empty());
    assert_eq!(problems(&path), Vec::<String>::new());
    drop(ledger);
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    assert!(ledger.refund(ObjectKey::of("R-00000001")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_seeded_gateway_has_the_next_number_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger(&path).await;
    let gateway = Gateway { name: "other".to_owned(), ..Gateway::sandbox() };
    let gateways = vec![(gateway, Script::default())];
    ledger.load_seed(SeedPlan { gateways, ..SeedPlan::default() }).await.unwrap().unwrap();
    let connection = Connection::open(&path).unwrap();
    let select = "select number from gateway_identity where name = 'other'";
    let number: String = connection.query_row(select, [], |row| row.get(0)).unwrap();
    assert_eq!(number, "PG-00000002");
}

#[tokio::test]
async fn refunds_are_listed_by_filter_order_and_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger(&path).await;
    created(&ledger, 1, memo()).await.unwrap();
    let post = StepDraft::of("CM00000001", Step::Post);
    created(&ledger, 1, Drafts::MemoSteps(vec![post])).await.unwrap();
    created(&ledger, 1, payment()).await.unwrap();
    for (second, amount) in (2..).zip(["10", "30", "20"]) {
        let fields =
            EXTERNAL.map(|(name, text)| (name, if name == "totalAmount" { amount } else { text }));
        created(&ledger, second, of_memo(&fields)).await.unwrap();
    }
    created(&ledger, 9, of_payment("20")).await.unwrap();
    let numbers = async |list: ListRefunds| {
        let page = ledger.refunds(list).await.unwrap();
        let digits = |number: &str| number.trim_start_matches("R-").parse::<i64>().unwrap();
        let numbers: Vec<i64> = page.rows.iter().map(|row| digits(&row.number)).collect();
        (numbers, page.has_more)
    };
    let all = || ListRefunds { page: 1, page_size: 20, ..ListRefunds::default() };
    assert_eq!(numbers(all()).await, (vec![4, 3, 2, 1], false));
    let paged = |page| ListRefunds { page, page_size: 3, ..ListRefunds::default() };
    assert_eq!(numbers(paged(1)).await, (vec![4, 3, 2], true));
    assert_eq!(numbers(paged(2)).await, (vec![1], false));
    let sorted = |sort: &[(RefundSort, bool)]| ListRefunds { sort: sort.to_vec(), ..all() };
    assert_eq!(numbers(sorted(&[(RefundSort::Amount, false)])).await.0, [1, 4, 3, 2]);
    assert_eq!(numbers(sorted(&[(RefundSort::CreatedDate, false)])).await.0, [1, 2, 3, 4]);
    let filtered = |filter| ListRefunds { filters: vec![filter], ..all() };
    for (filter, expected) in [
        (RefundFilter::AccountId(Some(ACCOUNT.to_owned())), vec![4, 3, 2, 1]),
        (RefundFilter::Amount(rust_decimal::Decimal::from(20)), vec![4, 3]),
        (RefundFilter::PaymentId(None), vec![3, 2, 1]),
        (RefundFilter::Status(Some("Processing".to_owned())), vec![4]),
        (RefundFilter::Number(Some("R-00000002".to_owned())), vec![2]),
        (RefundFilter::Type(Some("External".to_owned())), vec![3, 2, 1]),
        (RefundFilter::MethodType(Some("Check".to_owned())), vec![3, 2, 1]),
        (RefundFilter::CreatedDate(at(3)), vec![2]),
        (RefundFilter::AccountId(None), vec![]),
    ] {
        assert_eq!(numbers(filtered(filter.clone())).await.0, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_refund_is_changed_reconciled_cancelled_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger(&path).await;
    created(&ledger, 1, payment()).await.unwrap();
    created(&ledger, 2, of_payment("10")).await.unwrap();
    let number = crate::domain::id::RefundNumber::new(1).unwrap();
    assert!(ledger.end_refund(number, approved(), exchange(3)).await.unwrap());
    let mut settle = RefundSettlementDraft::of("R-00000001");
    for (name, text) in
        [("action", "settle"), ("payoutId", "PO-1"), ("gatewayReconciliationStatus", "paid")]
    {
        assert!(settle.set(name, Sent::Text(text)));
    }
    created(&ledger, 4, Drafts::RefundSettlements(vec![settle])).await.unwrap();
    let refund = async || ledger.refund(ObjectKey::of("R-00000001")).await.unwrap().unwrap();
    let settled = refund().await;
    assert_eq!((settled.gateway_state, settled.settled_on), (GatewayState::Settled, Some(at(4))));
    assert_eq!(settled.payout_id.as_deref(), Some("PO-1"));
    let update = async |second, draft| {
        let changes = Changes::SettlementRefunds(vec![draft]);
        let request = Update { context: context(second), changes };
        ledger.update(request).await.unwrap().remove(0)
    };
    let mut change = RefundUpdateDraft::of("R-00000001");
    for (name, text) in [("comment", "mine"), ("Origin__NS", "here")] {
        assert!(change.set(name, Sent::Text(text)));
    }
    assert!(change.set_finance("transferredToAccounting", Sent::Text("Yes")));
    update(5, change).await.unwrap();
    let changed = refund().await;
    assert_eq!((changed.comment.as_deref(), &*changed.notes["Origin__NS"]), (Some("mine"), "here"));
    assert_eq!(changed.transferred_to_accounting, "Yes");
    let id = changed.id;
    let delete = async || {
        let (object, ids) = (Deletable::CanceledRefund, vec![Ok(id.clone())]);
        let request = Delete { context: context(7), object, ids };
        ledger.delete(request).await.unwrap().remove(0)
    };
    assert!(delete().await.is_err());
    update(6, RefundUpdateDraft::cancelling("R-00000001")).await.unwrap();
    assert_eq!(refund().await.cancelled_on, Some(at(6)));
    let paid = ledger.payment(ObjectKey::of("P-00000001")).await.unwrap().unwrap();
    assert_eq!(paid.unapplied.units(), 100_000);
    delete().await.unwrap();
    assert!(ledger.refund(ObjectKey::Id(id.clone())).await.unwrap().is_none());
    assert_eq!(problems(&path), Vec::<String>::new());
}

#[tokio::test]
async fn a_stored_answer_shows_what_was_made_and_is_amended_once_its_gateway_has_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger(&path).await;
    created(&ledger, 1, payment()).await.unwrap();
    let request = || {
        let view = |row: &RowResult| row.as_ref().ok()?.view.clone();
        let render: crate::ledger::RenderViews = Arc::new(move |rows| match view(&rows[0]) {
            Some(View::Refund(view)) => Some(view.status.name().as_bytes().to_vec()),
            other => panic!("{other:?}"),
        });
        let idempotency = Some(Idempotency {
            key: "k".to_owned(),
            operation: "create",
            fingerprint: [1; 32],
            at: context(2).asking.now,
            render: Render::Views(render),
        });
        let drafts = of_payment("10");
        let batch = Batch { drafts, ordered: BTreeMap::new(), is_single: false };
        Create { context: context(2), batch, idempotency, line_up: None }
    };
    let Created::Fresh { answer: Some(answer), .. } = ledger.create(request()).await.unwrap()
    else {
        panic!("the first request must be fresh and stored");
    };
    assert_eq!(answer, b"Processing");
    let amended = |fingerprint| AmendedAnswer {
        user: UserKey(1),
        operation: "create",
        key: "k".to_owned(),
        fingerprint,
        answer: b"Processed".to_vec(),
    };
    assert!(!ledger.amend_answer(amended([2; 32])).await.unwrap());
    let again = ledger.create(request()).await.unwrap();
    assert!(matches!(again, Created::Replayed(bytes) if bytes == b"Processing"));
    assert!(ledger.amend_answer(amended([1; 32])).await.unwrap());
    let again = ledger.create(request()).await.unwrap();
    assert!(matches!(again, Created::Replayed(bytes) if bytes == b"Processed"));
}

#[tokio::test]
async fn an_audit_finds_money_of_memos_and_payments_that_does_not_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = ledger(&path).await;
    created(&ledger, 1, memo()).await.unwrap();
    created(&ledger, 2, payment()).await.unwrap();
    let post = StepDraft::of("CM00000001", Step::Post);
    created(&ledger, 3, Drafts::MemoSteps(vec![post])).await.unwrap();
    created(&ledger, 4, of_memo(&EXTERNAL)).await.unwrap();
    drop(ledger);
    assert_eq!(problems(&path), Vec::<String>::new());
    let connection = Connection::open(&path).unwrap();
    let overdrawn = connection.execute("update credit_memo set refunded = 100001", []);
    assert!(overdrawn.unwrap_err().to_string().contains("never_more_than_it_is_worth"));
    assert!(connection.execute("update payment set applied = 100001", []).is_err());
    for (change, undo, problem) in [
        (
            "update credit_memo set refunded = refunded - 1",
            "update credit_memo set refunded = refunded + 1",
            "credit memo CM00000001: what is refunded of it is not what its refunds took",
        ),
        (
            "update credit_memo set applied = 1",
            "update credit_memo set applied = 0",
            "credit memo CM00000001: what is applied of it is not what its parts are",
        ),
        (
            "update payment set applied = 1",
            "update payment set applied = 0",
            "payment P-00000001: what is applied of it is not what is left of its parts",
        ),
        (
            "update credit_memo_line set amount = amount - 1",
            "update credit_memo_line set amount = amount + 1",
            "credit memo CM00000001: its items and taxes do not add up to its amount",
        ),
        (
            "update refund_detail set credit_memo = null",
            "update refund_detail set credit_memo = 1",
            "refund R-00000001: its credit memo does not fit it, or is another account's",
        ),
    ] {
        connection.execute(change, []).unwrap();
        assert!(problems(&path).contains(&problem.to_owned()), "{change}: {:?}", problems(&path));
        connection.execute(undo, []).unwrap();
        assert_eq!(problems(&path), Vec::<String>::new(), "{undo}");
    }
}
