//! A ledger that has nothing in it and does as the user name of a login says.

use chrono_tz::Tz;
use refund_gateway::domain::age::Age;
use refund_gateway::domain::draft::refund_details::ObjectKey;
use refund_gateway::domain::event::EventKind;
use refund_gateway::domain::facts::{Gateway, Tenant};
use refund_gateway::domain::id::RefundNumber;
use refund_gateway::domain::lifecycle::Verdict;
use refund_gateway::domain::query::QueryObject;
use refund_gateway::domain::refund_name::RefundName;
use refund_gateway::domain::script::Script;
use refund_gateway::ledger::change::{ChangeResult, Delete, Update};
use refund_gateway::ledger::operator::{
    Change, ChangeRefusal, ListedGateway, ListedUser, Operators,
};
use refund_gateway::ledger::orders::{
    Awaited, Exchange, Note, OpenOrder, OpenStats, Orders, Seen, SettleError, Settlement,
};
use refund_gateway::ledger::outbox::{Attempt, Decided, Decision, Delivery, DeliveryStats, Outbox};
use refund_gateway::ledger::query::{Find, FindError, Page, Queries, Start};
use refund_gateway::ledger::readings::{
    AccountView, AccountsQuery, EntryView, FailedDelivery, Listed, ListedAdjustment, ListedInvoice,
    ListedPayment, ListedRefund, ListedSession, OpenRefund, Readings, RefundCounts, RefundsQuery,
    SessionHandle, SessionPlace, SessionsQuery, Span,
};
use refund_gateway::ledger::reconciliation::{Reconcile, ReconcileResult};
use refund_gateway::ledger::seed::{SeedConflict, SeedPlan, SeedReport};
use refund_gateway::ledger::test_bench::TestBench;
use refund_gateway::ledger::trail::{Act, Trail, TrailPage, TrailQuery};
use refund_gateway::ledger::views::{
    CreditMemoView, ListObjects, ListPage, ListRefunds, MemoItemView, PaymentView, RefundPartView,
    RefundView, Views,
};
use refund_gateway::ledger::{
    AmendedAnswer, Bookkeeping, Create, Created, Damage, Health, Ledger, LedgerError, LedgerStats,
    Reply, Sessions, Settings, StoredClient, StoredSession, StoredToken, TokenHash, User, UserKey,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// See the user names in [`Sessions::find_user`].
pub(super) struct FakeLedger {
    /// Logins of `slow` wait here.
    pub(super) gate: Arc<Semaphore>,
    /// How many logins of `slow` have begun.
    pub(super) slow: Arc<AtomicUsize>,
    pub(super) is_broken: AtomicBool,
    pub(super) probes: AtomicUsize,
    /// How many queries have begun that read as long as they may.
    pub(super) long_reads: AtomicUsize,
}

impl Default for FakeLedger {
    fn default() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            slow: Arc::default(),
            is_broken: AtomicBool::new(false),
            probes: AtomicUsize::new(0),
            long_reads: AtomicUsize::new(0),
        }
    }
}

fn no<T: Send + 'static>() -> Reply<T> {
    Box::pin(std::future::ready(Err(LedgerError::Unavailable("this is a stand-in".to_owned()))))
}

fn yes<T: Send + 'static>(value: T) -> Reply<T> {
    Box::pin(std::future::ready(Ok(value)))
}

type Time = chrono::DateTime<chrono::Utc>;

impl Orders for FakeLedger {
    fn end_refund(&self, _: RefundNumber, _: Verdict, _: Exchange) -> Reply<bool> {
        no()
    }

    fn note_exchange(&self, _: RefundNumber, _: Note) -> Reply<bool> {
        no()
    }

    fn mark_sent(&self, _: RefundNumber, _: Seen, _: Time) -> Reply<bool> {
        no()
    }

    fn open_order(&self, _: RefundNumber) -> Reply<Option<OpenOrder>> {
        yes(None)
    }

    fn due_orders(&self, _: &str, _: Time, _: u32) -> Reply<Vec<OpenOrder>> {
        yes(Vec::new())
    }

    fn wake_orders(&self, _: Time) -> Reply<u64> {
        yes(0)
    }

    fn settle_refund(&self, _: Settlement) -> Reply<Result<RefundNumber, SettleError>> {
        no()
    }

    fn open_stats(&self) -> Reply<OpenStats> {
        yes(OpenStats::default())
    }

    fn awaited_gateways(&self) -> Reply<Vec<Awaited>> {
        yes(Vec::new())
    }
}

impl Bookkeeping for FakeLedger {
    fn create(&self, _: Create) -> Reply<Created> {
        no()
    }

    fn update(&self, _: Update) -> Reply<Vec<ChangeResult>> {
        no()
    }

    fn delete(&self, _: Delete) -> Reply<Vec<ChangeResult>> {
        no()
    }

    fn reconcile(&self, _: Reconcile) -> Reply<Vec<ReconcileResult>> {
        yes(Vec::new())
    }

    fn load_seed(&self, _: SeedPlan) -> Reply<Result<SeedReport, SeedConflict>> {
        no()
    }

    fn amend_answer(&self, _: AmendedAnswer) -> Reply<bool> {
        yes(false)
    }
}

impl Sessions for FakeLedger {
    fn find_user(&self, username: &str) -> Reply<Option<User>> {
        match username {
            "panics" => panic!("as the test wants it"),
            "unknown" => {
                Box::pin(std::future::ready(Err(LedgerError::Unknown("as wanted".to_owned()))))
            }
            "busy" => Box::pin(std::future::ready(Err(LedgerError::Busy))),
            "slow" => {
                let (gate, slow) = (Arc::clone(&self.gate), Arc::clone(&self.slow));
                Box::pin(async move {
                    slow.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    Ok(None)
                })
            }
            _ => yes(None),
        }
    }

    fn open_session(&self, _: UserKey, _: Time, _: Time) -> Reply<String> {
        no()
    }

    fn find_session(&self, _: TokenHash) -> Reply<Option<StoredSession>> {
        yes(None)
    }

    fn keep_session(&self, _: TokenHash, _: Time) -> Reply<()> {
        no()
    }

    fn find_client(&self, _: &str) -> Reply<Option<StoredClient>> {
        yes(None)
    }

    fn issue_token(&self, _: String, _: Time, _: Time) -> Reply<String> {
        yes(String::new())
    }

    fn find_token(&self, _: TokenHash) -> Reply<Option<StoredToken>> {
        yes(None)
    }
}

impl Queries for FakeLedger {
    /// Queries of invoices read as long as they may; all others find nothing at once.
    fn find(&self, request: Find) -> Reply<Result<Page, FindError>> {
        let Start::Query(query) = request.start else { return no() };
        if query.object != QueryObject::Invoice {
            return yes(Ok(Page { query, rows: vec![], size: 0, next: None, time_zone: Tz::UTC }));
        }
        self.long_reads.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::time::sleep_until(request.deadline.into()).await;
            Ok(Err(FindError::TooSlow))
        })
    }
}

impl Settings for FakeLedger {
    fn tenant(&self) -> Arc<Tenant> {
        Arc::default()
    }

    fn gateways(&self) -> Reply<Vec<(Gateway, Script)>> {
        yes(Vec::new())
    }

    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>> {
        yes(None)
    }

    fn age(&self) -> Reply<Option<Age>> {
        yes(None)
    }

    fn keep_age(&self, _: Age) -> Reply<()> {
        yes(())
    }
}

impl Health for FakeLedger {
    fn probe(&self) -> Reply<()> {
        self.probes.fetch_add(1, Ordering::SeqCst);
        if self.is_broken.load(Ordering::SeqCst) { no() } else { yes(()) }
    }

    fn stats(&self) -> LedgerStats {
        let stats = LedgerStats {
            queued: 3,
            commits: 5,
            committed_requests: 7,
            failures: 11,
            log_bytes: Some(4_096),
            ..LedgerStats::default()
        };
        stats.commit_durations.observe(1.5);
        stats
    }

    fn begin_check(&self) {}

    fn noted(&self) -> Damage {
        Damage::default()
    }
}

impl Ledger for FakeLedger {
    fn test_bench(&self) -> Option<&dyn TestBench> {
        None
    }
}

impl Outbox for FakeLedger {
    fn register_webhooks(&self, _: Vec<String>) -> Reply<()> {
        yes(())
    }

    fn collect(&self, _: &str, _: Option<Vec<EventKind>>, _: Time) -> Reply<bool> {
        yes(false)
    }

    fn due(&self, _: &str, _: Time, _: usize) -> Reply<Vec<Delivery>> {
        yes(Vec::new())
    }

    fn note_attempt(&self, _: &str, _: (i64, u32), _: Attempt, _: Time) -> Reply<()> {
        yes(())
    }

    fn decide_delivery(&self, _: (&str, i64), _: Decision, _: Time, _: Act) -> Reply<Decided> {
        yes(Ok(None))
    }

    fn remove_events(&self, _: Time, _: Vec<String>) -> Reply<bool> {
        yes(false)
    }

    fn delivery_stats(&self, _: &str) -> Reply<DeliveryStats> {
        yes(DeliveryStats::default())
    }
}

impl Views for FakeLedger {
    fn refund(&self, _: ObjectKey) -> Reply<Option<RefundView>> {
        yes(None)
    }

    fn refund_part(&self, _: ObjectKey) -> Reply<Option<RefundPartView>> {
        yes(None)
    }

    fn refunds(&self, _: ListRefunds) -> Reply<ListPage<RefundView>> {
        yes(ListPage { rows: Vec::new(), has_more: false })
    }

    fn credit_memo(&self, _: ObjectKey) -> Reply<Option<CreditMemoView>> {
        yes(None)
    }

    fn credit_memo_items(&self, _: ObjectKey) -> Reply<Option<Vec<MemoItemView>>> {
        yes(None)
    }

    fn credit_memos(&self, _: ListObjects) -> Reply<ListPage<CreditMemoView>> {
        yes(ListPage { rows: Vec::new(), has_more: false })
    }

    fn payment(&self, _: ObjectKey) -> Reply<Option<PaymentView>> {
        yes(None)
    }

    fn payments(&self, _: ListObjects) -> Reply<ListPage<PaymentView>> {
        yes(ListPage { rows: Vec::new(), has_more: false })
    }
}

impl Trail for FakeLedger {
    fn records(&self, _: TrailQuery) -> Reply<TrailPage> {
        yes(TrailPage::default())
    }

    fn story(&self, _: RefundName) -> Reply<Option<serde_json::Value>> {
        yes(None)
    }
}

impl Operators for FakeLedger {
    fn change(&self, _: Change, _: Act) -> Reply<Result<bool, ChangeRefusal>> {
        yes(Ok(false))
    }

    fn users(&self, _: Option<String>, _: u32) -> Reply<Listed<ListedUser, String>> {
        yes(Listed { rows: Vec::new(), next: None })
    }

    fn all_gateways(&self) -> Reply<Vec<ListedGateway>> {
        yes(Vec::new())
    }
}

/// There is nothing to look through.
macro_rules! nothing {
    ($($name:ident($($argument:ty),*) -> $found:ty = $nothing:expr;)+) => {
        $(fn $name(&self $(, _: $argument)*) -> Reply<$found> {
            yes($nothing)
        })+
    };
}

fn empty<T, P>() -> Listed<T, P> {
    Listed { rows: Vec::new(), next: None }
}

impl Readings for FakeLedger {
    nothing! {
        list_accounts(AccountsQuery) -> Listed<AccountView> = empty();
        show_account(ObjectKey) -> Option<AccountView> = None;
        list_entries(ObjectKey, Span) -> Option<Listed<EntryView>> = None;
        list_adjustments(ObjectKey, Span) -> Option<Listed<ListedAdjustment>> = None;
        list_invoices(ObjectKey, Span) -> Option<Listed<ListedInvoice>> = None;
        list_payments(ObjectKey, Span) -> Option<Listed<ListedPayment>> = None;
        list_refunds(RefundsQuery) -> Listed<ListedRefund> = empty();
        show_refund(RefundName) -> Option<ListedRefund> = None;
        count_refunds() -> RefundCounts = RefundCounts::default();
        list_open(Span) -> Listed<OpenRefund> = empty();
        list_sessions(SessionsQuery) -> Listed<ListedSession, SessionPlace> = empty();
        end_session(SessionHandle, Act) -> bool = false;
        list_failed_deliveries(&str, Span) -> Listed<FailedDelivery> = empty();
    }
}
