//! A ledger that follows a script: one user, one session, and creates that come to what a test
//! says.

use super::{NEW_SESSION, PASSWORD_HASH, SESSION};
use crate::domain::age::Age;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::event::EventKind;
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::permission::Permissions;
use crate::domain::refund_name::RefundName;
use crate::ledger::change::{ChangeResult, Delete, Update};
use crate::ledger::operator::{Change, ChangeRefusal, ListedGateway, ListedUser, Operators};
use crate::ledger::orders::{
    Awaited, Exchange, Note, OpenOrder, OpenStats, Orders, Seen, SettleError, Settlement,
};
use crate::ledger::outbox::{Attempt, Decided, Decision, Delivery, DeliveryStats, Outbox};
use crate::ledger::query::{Find, FindError, Page, Queries};
use crate::ledger::readings::{
    AccountView, AccountsQuery, EntryView, FailedDelivery, Listed, ListedAdjustment, ListedInvoice,
    ListedPayment, ListedRefund, ListedSession, OpenRefund, Readings, RefundCounts, RefundsQuery,
    SessionHandle, SessionPlace, SessionsQuery, Span,
};
use crate::ledger::reconciliation::{Reconcile, ReconcileResult};
use crate::ledger::seed::{SeedConflict, SeedPlan, SeedReport};
use crate::ledger::test_bench::TestBench;
use crate::ledger::trail::{Act, Trail, TrailPage, TrailQuery};
use crate::ledger::views::{
    CreditMemoView, ListObjects, ListPage, ListRefunds, MemoItemView, PaymentView, RefundPartView,
    RefundView, Views,
};
use crate::ledger::{
    AmendedAnswer, Bookkeeping, Create, Created, Damage, Health, Ledger, LedgerError, LedgerStats,
    Render, Reply, RowResult, Saved, Sessions, Settings, StoredClient, StoredSession, StoredToken,
    TokenHash, User, UserKey,
};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

/// How the ledger answers a create.
pub(super) enum Script {
    /// Every row is a refund.
    Succeed,
    /// Exactly these rows.
    Rows(Vec<RowResult>),
    /// It was done before.
    Replay,
    KeyReused,
    Fail(LedgerError),
    /// It never begins.
    Hang,
}

pub(super) struct ScriptedLedger {
    pub(super) script: Script,
    pub(super) asked: Mutex<Vec<Asked>>,
}

/// What a create asked the ledger for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) drafts: Drafts,
    pub(super) key: Option<String>,
    pub(super) fingerprint: Option<[u8; 32]>,
}

fn ready<T: Send + 'static>(result: Result<T, LedgerError>) -> Reply<T> {
    Box::pin(async move { result })
}

pub(super) fn user() -> User {
    User {
        key: UserKey(1),
        id: ObjectId::parse("0197f3a2c4d870000000000000000001").expect("id"),
        username: "demo@example.com".to_owned(),
        password_hash: PASSWORD_HASH.clone(),
        permissions: Permissions::by_default(),
        orgs: None,
    }
}

pub(super) fn refund(number: i64) -> Saved {
    RefundId::new(1_700_000_000_000, 7, RefundNumber::new(number).expect("number")).into()
}

impl Orders for ScriptedLedger {
    fn end_refund(&self, _: RefundNumber, _: Verdict, _: Exchange) -> Reply<bool> {
        ready(Ok(true))
    }

    fn note_exchange(&self, _: RefundNumber, _: Note) -> Reply<bool> {
        ready(Ok(true))
    }

    fn mark_sent(&self, _: RefundNumber, _: Seen, _: DateTime<Utc>) -> Reply<bool> {
        ready(Ok(true))
    }

    fn open_order(&self, _: RefundNumber) -> Reply<Option<OpenOrder>> {
        ready(Ok(None))
    }

    fn due_orders(&self, _: &str, _: DateTime<Utc>, _: u32) -> Reply<Vec<OpenOrder>> {
        ready(Ok(Vec::new()))
    }

    fn wake_orders(&self, _: DateTime<Utc>) -> Reply<u64> {
        ready(Ok(0))
    }

    fn settle_refund(&self, _: Settlement) -> Reply<Result<RefundNumber, SettleError>> {
        ready(Err(LedgerError::Busy))
    }

    fn open_stats(&self) -> Reply<OpenStats> {
        ready(Ok(OpenStats::default()))
    }

    fn awaited_gateways(&self) -> Reply<Vec<Awaited>> {
        ready(Ok(Vec::new()))
    }
}

impl Bookkeeping for ScriptedLedger {
    fn create(&self, request: Create) -> Reply<Created> {
        self.asked.lock().expect("lock").push(Asked {
            drafts: request.batch.drafts.clone(),
            key: request.idempotency.as_ref().map(|once| once.key.clone()),
            fingerprint: request.idempotency.as_ref().map(|once| once.fingerprint),
        });
        let rows = match &self.script {
            Script::Succeed => match &request.batch.drafts {
                Drafts::Refunds(drafts) => (1..).zip(drafts).map(|(n, _)| Ok(refund(n))).collect(),
                other => panic!("{other:?}"),
            },
            Script::Rows(rows) => rows.clone(),
            Script::Replay => return ready(Ok(Created::Replayed(b"<stored/>".to_vec()))),
            Script::KeyReused => return ready(Ok(Created::KeyReused)),
            Script::Fail(error) => return ready(Err(error.clone())),
            Script::Hang => return Box::pin(std::future::pending()),
        };
        let answer = request.idempotency.map(|once| match once.render {
            Render::Rows(render) => render(&rows),
            Render::Views(_) => panic!("SOAP shows rows"),
        });
        ready(Ok(Created::Fresh { rows, orders: Vec::new(), answer }))
    }

    fn update(&self, _: Update) -> Reply<Vec<ChangeResult>> {
        ready(Ok(Vec::new()))
    }

    fn delete(&self, _: Delete) -> Reply<Vec<ChangeResult>> {
        ready(Ok(Vec::new()))
    }

    fn reconcile(&self, _: Reconcile) -> Reply<Vec<ReconcileResult>> {
        ready(Ok(Vec::new()))
    }

    fn load_seed(&self, _: SeedPlan) -> Reply<Result<SeedReport, SeedConflict>> {
        ready(Err(LedgerError::Busy))
    }

    fn amend_answer(&self, _: AmendedAnswer) -> Reply<bool> {
        ready(Ok(false))
    }
}

impl Sessions for ScriptedLedger {
    fn find_user(&self, username: &str) -> Reply<Option<User>> {
        ready(Ok(Some(user()).filter(|user| user.username == username)))
    }

    fn open_session(&self, _: UserKey, _: DateTime<Utc>, _: DateTime<Utc>) -> Reply<String> {
        ready(Ok(NEW_SESSION.to_owned()))
    }

    fn find_session(&self, token: TokenHash) -> Reply<Option<StoredSession>> {
        let known: TokenHash = Sha256::digest(SESSION.as_bytes()).into();
        let session = StoredSession { user: user(), last_used: DateTime::UNIX_EPOCH };
        ready(Ok(Some(session).filter(|_| token == known)))
    }

    fn keep_session(&self, _: TokenHash, _: DateTime<Utc>) -> Reply<()> {
        ready(Ok(()))
    }

    fn find_client(&self, _: &str) -> Reply<Option<StoredClient>> {
        ready(Ok(None))
    }

    fn issue_token(&self, _: String, _: DateTime<Utc>, _: DateTime<Utc>) -> Reply<String> {
        ready(Ok(String::new()))
    }

    fn find_token(&self, _: TokenHash) -> Reply<Option<StoredToken>> {
        ready(Ok(None))
    }
}

impl Queries for ScriptedLedger {
    fn find(&self, _: Find) -> Reply<Result<Page, FindError>> {
        ready(Ok(Err(FindError::TooSlow)))
    }
}

impl Settings for ScriptedLedger {
    fn tenant(&self) -> Arc<Tenant> {
        Arc::default()
    }

    fn gateways(&self) -> Reply<Vec<(Gateway, crate::domain::script::Script)>> {
        ready(Ok(Vec::new()))
    }

    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>> {
        ready(Ok(None))
    }

    fn age(&self) -> Reply<Option<Age>> {
        ready(Ok(None))
    }

    fn keep_age(&self, _: Age) -> Reply<()> {
        ready(Ok(()))
    }
}

impl Health for ScriptedLedger {
    fn probe(&self) -> Reply<()> {
        ready(Ok(()))
    }

    fn stats(&self) -> LedgerStats {
        LedgerStats::default()
    }

    fn begin_check(&self) {}

    fn noted(&self) -> Damage {
        Damage::default()
    }
}

impl Ledger for ScriptedLedger {
    fn test_bench(&self) -> Option<&dyn TestBench> {
        None
    }
}

impl Outbox for ScriptedLedger {
    fn register_webhooks(&self, _: Vec<String>) -> Reply<()> {
        ready(Ok(()))
    }

    fn collect(&self, _: &str, _: Option<Vec<EventKind>>, _: DateTime<Utc>) -> Reply<bool> {
        ready(Ok(false))
    }

    fn due(&self, _: &str, _: DateTime<Utc>, _: usize) -> Reply<Vec<Delivery>> {
        ready(Ok(Vec::new()))
    }

    fn note_attempt(&self, _: &str, _: (i64, u32), _: Attempt, _: DateTime<Utc>) -> Reply<()> {
        ready(Ok(()))
    }

    fn decide_delivery(
        &self,
        _: (&str, i64),
        _: Decision,
        _: DateTime<Utc>,
        _: Act,
    ) -> Reply<Decided> {
        ready(Err(LedgerError::Busy))
    }

    fn remove_events(&self, _: DateTime<Utc>, _: Vec<String>) -> Reply<bool> {
        ready(Ok(false))
    }

    fn delivery_stats(&self, _: &str) -> Reply<DeliveryStats> {
        ready(Ok(DeliveryStats::default()))
    }
}

impl Views for ScriptedLedger {
    fn refund(&self, _: ObjectKey) -> Reply<Option<RefundView>> {
        ready(Ok(None))
    }

    fn refund_part(&self, _: ObjectKey) -> Reply<Option<RefundPartView>> {
        ready(Ok(None))
    }

    fn refunds(&self, _: ListRefunds) -> Reply<ListPage<RefundView>> {
        ready(Ok(ListPage { rows: Vec::new(), has_more: false }))
    }

    fn credit_memo(&self, _: ObjectKey) -> Reply<Option<CreditMemoView>> {
        ready(Ok(None))
    }

    fn credit_memo_items(&self, _: ObjectKey) -> Reply<Option<Vec<MemoItemView>>> {
        ready(Ok(None))
    }

    fn credit_memos(&self, _: ListObjects) -> Reply<ListPage<CreditMemoView>> {
        ready(Ok(ListPage { rows: Vec::new(), has_more: false }))
    }

    fn payment(&self, _: ObjectKey) -> Reply<Option<PaymentView>> {
        ready(Ok(None))
    }

    fn payments(&self, _: ListObjects) -> Reply<ListPage<PaymentView>> {
        ready(Ok(ListPage { rows: Vec::new(), has_more: false }))
    }
}

impl Trail for ScriptedLedger {
    fn records(&self, _: TrailQuery) -> Reply<TrailPage> {
        ready(Ok(TrailPage::default()))
    }

    fn story(&self, _: RefundName) -> Reply<Option<serde_json::Value>> {
        ready(Ok(None))
    }
}

impl Operators for ScriptedLedger {
    fn change(&self, _: Change, _: Act) -> Reply<Result<bool, ChangeRefusal>> {
        ready(Ok(Ok(false)))
    }

    fn users(&self, _: Option<String>, _: u32) -> Reply<Listed<ListedUser, String>> {
        ready(Err(LedgerError::Busy))
    }

    fn all_gateways(&self) -> Reply<Vec<ListedGateway>> {
        ready(Ok(Vec::new()))
    }
}

/// Nothing is looked through here.
macro_rules! busy {
    ($($name:ident($($argument:ty),*) -> $found:ty;)+) => {
        $(fn $name(&self $(, _: $argument)*) -> Reply<$found> {
            ready(Err(LedgerError::Busy))
        })+
    };
}

impl Readings for ScriptedLedger {
    busy! {
        list_accounts(AccountsQuery) -> Listed<AccountView>;
        show_account(ObjectKey) -> Option<AccountView>;
        list_entries(ObjectKey, Span) -> Option<Listed<EntryView>>;
        list_adjustments(ObjectKey, Span) -> Option<Listed<ListedAdjustment>>;
        list_invoices(ObjectKey, Span) -> Option<Listed<ListedInvoice>>;
        list_payments(ObjectKey, Span) -> Option<Listed<ListedPayment>>;
        list_refunds(RefundsQuery) -> Listed<ListedRefund>;
        show_refund(RefundName) -> Option<ListedRefund>;
        count_refunds() -> RefundCounts;
        list_open(Span) -> Listed<OpenRefund>;
        list_sessions(SessionsQuery) -> Listed<ListedSession, SessionPlace>;
        end_session(SessionHandle, Act) -> bool;
        list_failed_deliveries(&str, Span) -> Listed<FailedDelivery>;
    }
}
