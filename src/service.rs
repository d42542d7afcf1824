//! The use cases, the same for every front door: log in, use a session, create, change and delete
//! objects, find them.
//!
//! No wire format enters this room: it takes typed requests and gives typed results. A use case
//! ends in the ledger; what this room keeps in memory (sessions in use, keys in progress) can be
//! lost at any moment without harm.

pub mod ageing;
mod amending;
pub mod change;
pub mod clock;
mod connectors;
pub mod create;
pub mod deadline;
mod drain;
mod electronic;
pub mod faults;
pub mod idempotency;
mod leases;
pub mod login;
mod login_guard;
mod nodes;
pub mod oauth;
pub mod operation;
mod outcome_writes;
mod passing;
pub mod password;
pub mod query;
pub mod reconciliation;
pub mod refusal;
mod request_ids;
pub mod resolver;
pub mod retention;
pub mod seed;
pub mod session;
#[cfg(test)]
mod simulation;
mod steady;
pub mod test_bench;
pub mod test_clock;
mod traces;
pub mod webhooks;

use crate::domain::facts::Tenant;
use crate::domain::id::ObjectId;
use crate::domain::origin::Origin;
use crate::domain::permission::Permissions;
use crate::domain::text::Wording;
use crate::domain::version::ApiVersion;
use crate::ledger::{Ledger, LedgerError, Orgs, UserKey};
use crate::processor::Processor;
use clock::Clock;
use connectors::Processors;
use deadline::Deadline;
use drain::{Drain, InFlight};
use faults::Faults;
use idempotency::RunningKeys;
use leases::Leases;
use login_guard::LoginGuard;
use outcome_writes::OutcomeWrites;
use parking_lot::Mutex;
use password::HashMemory;
use reconciliation::ReconciliationSettings;
pub use refusal::{Failure, Refusal};
use request_ids::RequestIds;
use resolver::GatewayCounters;
use retention::EventSettings;
use serde::{Deserialize, Serialize};
use session::SessionCache;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use test_bench::Seeds;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use traces::Traces;
use webhooks::Receiver;

/// How the use cases behave; every value has a bound and a default. What is skipped here is an
/// option of its own, and stands in a configuration file beside the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// How long a session lives without being used, in minutes: 15 to 480.
    pub session_idle_minutes: u32,
    /// By how many minutes a start lets things get older at most, however long ago the last end is
    /// by the machine's clock: 0 to 720.
    pub clock_gap_minutes: u32,
    /// How many passwords are hashed at once; each takes 19 MiB.
    pub password_hashes_max: usize,
    /// How long a login waits for its turn, in milliseconds.
    pub login_wait_ms: u64,
    /// How many wrong passwords for one user from one address close that pair; 0 closes none.
    pub login_wrong_max: usize,
    /// Within how many minutes.
    pub login_wrong_minutes: u32,
    /// For how many seconds, the right password too.
    pub login_refused_s: u32,
    /// How many wrong passwords a minute may come from one address; 0 is any number.
    pub login_wrong_per_minute_max: usize,
    /// How long `create` waits for payment gateways, in milliseconds.
    pub gateway_wait_ms: u64,
    /// Whether what looks like the number of a card is masked in requests before they are read,
    /// outside of the fields that are made for one.
    pub mask_card_numbers: bool,
    /// Whether a field that a caller may not send is an error instead of being ignored.
    #[serde(skip)]
    pub strict: bool,
    /// Whether useSingleTransaction means something: all rows of a create, or none.
    #[serde(skip)]
    pub single_transaction: bool,
    /// A field of Refund that carries the idempotency key of clients that cannot set a header.
    #[serde(skip)]
    pub idempotency_field: Option<String>,
    /// What the SOAP front door reads and what it passes over.
    #[serde(skip)]
    pub soap: SoapSettings,
    /// How many calls the REST front door takes.
    #[serde(skip)]
    pub rest: RestSettings,
    /// Other words for the texts of errors and faults.
    #[serde(skip)]
    pub wording: Wording,
    /// What is done about refunds that their gateways reject after all.
    #[serde(skip)]
    pub reconciliation: ReconciliationSettings,
    /// What is kept of what happens to refunds.
    #[serde(skip)]
    pub events: EventSettings,
}

/// What the SOAP front door reads and what it passes over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoapSettings {
    /// Whether WS-Security headers are passed over, also those that must be understood.
    pub ignore_wsse: bool,
}

/// How many calls the REST front door takes, over all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestSettings {
    /// How many calls may be under way at once.
    pub concurrent_calls_max: usize,
    /// How many calls may come in a minute.
    pub calls_per_minute_max: u64,
    /// How many calls may come in an hour.
    pub calls_per_hour_max: u64,
    /// How many calls may come in a day.
    pub calls_per_day_max: u64,
}

impl Default for RestSettings {
    fn default() -> Self {
        Self {
            concurrent_calls_max: 1_024,
            calls_per_minute_max: 6_000_000,
            calls_per_hour_max: 360_000_000,
            calls_per_day_max: 8_640_000_000,
        }
    }
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            session_idle_minutes: 15,
            clock_gap_minutes: 60,
            password_hashes_max: 2,
            login_wait_ms: 10_000,
            login_wrong_max: 10,
            login_wrong_minutes: 15,
            login_refused_s: 60,
            login_wrong_per_minute_max: 100,
            gateway_wait_ms: 10_000,
            mask_card_numbers: true,
            strict: false,
            single_transaction: false,
            idempotency_field: None,
            soap: SoapSettings::default(),
            rest: RestSettings::default(),
            wording: Wording::default(),
            reconciliation: ReconciliationSettings::default(),
            events: EventSettings::default(),
        }
    }
}

/// A call that its front door has understood, beside what it asks for.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// Who makes it.
    pub caller: Caller,
    /// Through which version of the API.
    pub version: ApiVersion,
    /// Until when its work must have begun.
    pub deadline: Deadline,
}

/// Who makes a call, once the session is known to be good.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user's key in the ledger.
    pub user: UserKey,
    /// The user's id, as clients see it.
    pub user_id: ObjectId,
    /// The user's name, which is also its e-mail address.
    pub username: Arc<str>,
    /// What the user may do.
    pub permissions: Permissions,
    /// The orgs that the user may name; none where nothing says any.
    pub orgs: Option<Orgs>,
    /// Where this call comes from.
    pub origin: Origin,
}

/// The use cases over one ledger.
pub struct Service {
    ledger: Arc<dyn Ledger>,
    processors: Arc<Processors>,
    clock: Clock,
    settings: ServiceSettings,
    sessions: SessionCache,
    login_guard: LoginGuard,
    hashing: Arc<Semaphore>,
    hash_memory: Arc<HashMemory>,
    tokens: oauth::TokenCache,
    query_turns: query::Turns,
    running_keys: RunningKeys,
    request_ids: RequestIds,
    seeds: Seeds,
    faults: Faults,
    drain: Drain,
    /// Held while a test ledger or a part of it is replaced.
    bench_turn: AsyncMutex<()>,
    is_ending: AtomicBool,
    outcome_writes: OutcomeWrites,
    leases: Leases,
    gateway_counters: GatewayCounters,
    traces: Traces,
    /// The webhooks that events are delivered to, once that has begun.
    receivers: Mutex<Vec<Arc<Receiver>>>,
}

impl Service {
    /// The use cases over `ledger`, with a sandbox for each of its gateways.
    pub async fn start(
        ledger: Arc<dyn Ledger>,
        clock: Clock,
        settings: ServiceSettings,
    ) -> Result<Arc<Self>, LedgerError> {
        Self::start_with(ledger, clock, settings, Vec::new()).await
    }

    /// As [`Service::start`], with connectors to the configured gateways beside the sandboxes, by
    /// their names.
    pub async fn start_with(
        ledger: Arc<dyn Ledger>,
        clock: Clock,
        settings: ServiceSettings,
        connectors: Vec<(String, Arc<dyn Processor>)>,
    ) -> Result<Arc<Self>, LedgerError> {
        let processors = Arc::new(Processors::new(ledger.gateways().await?, connectors));
        let request_ids = RequestIds::new(ledger.begin_request_ids().await?);
        let service = Arc::new(Self {
            ledger,
            processors,
            clock,
            sessions: SessionCache::new(Duration::from_secs(
                u64::from(settings.session_idle_minutes) * 60,
            )),
            login_guard: LoginGuard::new(&settings),
            hashing: Arc::new(Semaphore::new(settings.password_hashes_max.max(1))),
            hash_memory: Arc::default(),
            tokens: oauth::TokenCache::default(),
            query_turns: query::Turns::default(),
            settings,
            running_keys: RunningKeys::default(),
            request_ids,
            seeds: Seeds::default(),
            faults: Faults::default(),
            drain: Drain::default(),
            bench_turn: AsyncMutex::default(),
            is_ending: AtomicBool::new(false),
            outcome_writes: OutcomeWrites::default(),
            leases: Leases::default(),
            gateway_counters: GatewayCounters::default(),
            traces: Traces::default(),
            receivers: Mutex::default(),
        });
        service.start_keeping_age();
        service.start_following_nodes();
        service.start_resolver().await?;
        Ok(service)
    }

    /// Does what a caller asks for, `what`, which names these accounts. None: a tester replaced the
    /// ledger meanwhile, and nothing of it reaches the one that came after.
    pub async fn perform<T>(
        &self,
        what: &'static str,
        accounts: Vec<ObjectId>,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let in_flight = match self.ledger.test_bench() {
            None => InFlight::unseen(),
            Some(_) => self.drain.enter(what, accounts).await,
        };
        in_flight.until_cut(work).await
    }

    /// The settings in force.
    pub fn settings(&self) -> &ServiceSettings {
        &self.settings
    }

    /// The clock that every use case reads.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The faults that testers ordered.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The tenant's settings and the fields that it declared for its objects.
    pub fn tenant(&self) -> Arc<Tenant> {
        self.ledger.tenant()
    }

    /// The ledger, for those who report on it.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }
}
