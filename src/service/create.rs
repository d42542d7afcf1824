//! Creating objects: drafts go to the ledger as one batch, and electronic refunds on to gateways.
//!
//! Once the ledger has begun, its outcome is awaited and told; a deadline only takes back what has
//! not begun. A caller with an idempotency key gets the stored answer, byte for byte.

use super::deadline::Deadline;
use super::{Caller, Service};
use crate::domain::access::{Object, Operation};
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::canonical::canonical;
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, source_of};
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::RefundType;
use crate::ledger::ticket::Ticket;
use crate::ledger::{
    Create, Created, Idempotency, LedgerError, LineUp, Render, RowResult, UserKey,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

/// The longest idempotency key, in characters.
const KEY_CHARS_MAX: usize = 255;

/// An idempotency key: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key in `text`, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }

    /// The characters of the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key, what else tells requests apart, and how the answer is made.
pub struct Once {
    /// The caller's key.
    pub key: IdempotencyKey,
    /// What the front door adds to the fingerprint: whatever shapes the answer's bytes.
    pub shape: String,
    /// Makes the answer.
    pub render: Render,
}

/// A call to create objects.
pub struct CreateCall {
    /// Who asks.
    pub caller: Caller,
    /// Through which version.
    pub version: ApiVersion,
    /// For what, in order.
    pub drafts: Drafts,
    /// Whether the caller wants all of them or none (useSingleTransaction).
    pub wants_single: bool,
    /// Rows, from 0, that are to fail so because a tester ordered it.
    pub ordered: BTreeMap<usize, RowError>,
    /// Set when the caller wants it done once, however often it is sent.
    pub once: Option<Once>,
    /// Until when the work must have begun.
    pub deadline: Deadline,
}

/// What the caller is to be told.
#[derive(Debug)]
pub enum CreateAnswer {
    /// One result a draft, in order.
    Rows(Vec<RowResult>),
    /// The bytes that [`Once::render`] made, now or earlier.
    Stored {
        /// The answer.
        bytes: Vec<u8>,
        /// What it tells; nothing if it was made by an earlier request.
        rows: Option<Vec<RowResult>>,
    },
}

/// Why there is no answer. Unless it is [`LedgerError::Unknown`], nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The key belongs to a request with other content.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// A request with this key has not ended yet.
    #[error("a request with this idempotency key is still running")]
    KeyRunning,
    /// The deadline came before the work began.
    #[error("the request did not start in time")]
    TooLate,
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(LedgerError),
}

impl From<LedgerError> for CreateError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Withdrawn => Self::TooLate,
            other => Self::Ledger(other),
        }
    }
}

/// The keys whose requests are running in this process.
#[derive(Debug, Default, Clone)]
pub struct RunningKeys(Arc<Mutex<HashSet<(UserKey, String)>>>);

/// Keeps a key marked as running until it is dropped.
struct RunningKey {
    keys: RunningKeys,
    entry: (UserKey, String),
}

impl RunningKeys {
    fn start(&self, user: UserKey, key: &str) -> Option<RunningKey> {
        let entry = (user, key.to_owned());
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(entry.clone()).then(|| RunningKey { keys: self.clone(), entry })
    }
}

impl Drop for RunningKey {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.entry);
    }
}

impl Service {
    /// Creates objects from drafts, each on its own, and tells the results in their order.
    ///
    /// The work goes on when the caller goes away: what is queued for the ledger is done in any
    /// case, and where gateways have to be asked afterwards, a task of its own does it.
    pub async fn create(self: &Arc<Self>, call: CreateCall) -> Result<CreateAnswer, CreateError> {
        let (ticket, deadline) = (Ticket::default(), call.deadline.clone());
        let asks_gateways = may_ask_gateways(&call.drafts);
        if !asks_gateways {
            // What a call keeps while it waits is much, and would be moved about with each future
            // that holds it.
            let work = Box::pin(Arc::clone(self).create_to_the_end(call, ticket.clone()));
            return begun_by(&deadline, &ticket, work).await;
        }
        let accounts = call.drafts.accounts().into_iter().flatten().cloned().collect();
        let work = Arc::clone(self).create_to_the_end(call, ticket.clone());
        let lost = || LedgerError::Unknown("the request's task ended early".to_owned());
        let task = self.spawn("create", accounts, work);
        let task = async { task.await.ok().flatten().ok_or_else(lost)? };
        begun_by(&deadline, &ticket, task).await
    }

    async fn create_to_the_end(
        self: Arc<Self>,
        call: CreateCall,
        ticket: Ticket,
    ) -> Result<CreateAnswer, CreateError> {
        let asking = self.asking(&call.caller, call.version);
        let (user, origin) = (call.caller.user, call.caller.origin.clone());
        let once = call.once.filter(|_| may_do_any(&call.drafts, &asking));
        let running = match &once {
            None => None,
            Some(once) => {
                let running = self.running_keys.start(user, &once.key.0);
                Some(running.ok_or(CreateError::KeyRunning)?)
            }
        };
        let idempotency = match once {
            None => None,
            Some(once) => Some(Idempotency {
                fingerprint: fingerprint(&call.drafts, &once.shape)?,
                key: once.key.0,
                operation: "create",
                render: once.render,
            }),
        };
        let is_single = call.wants_single && self.settings.single_transaction;
        let (drafts, ordered) = (call.drafts, call.ordered);
        let processors = Arc::clone(&self.processors);
        let line_up: Option<LineUp> = Some(Arc::new(move |orders| processors.line_up(orders)));
        let request = Create {
            user,
            origin,
            asking,
            drafts,
            ordered,
            is_single,
            idempotency,
            ticket,
            line_up,
        };
        let answer = match self.ledger.create(request).await? {
            Created::KeyReused => return Err(CreateError::KeyReused),
            Created::Replayed(bytes) => CreateAnswer::Stored { bytes, rows: None },
            Created::Fresh { rows, orders, answer } => {
                self.pay(orders, call.deadline.at()).await;
                match answer {
                    None => CreateAnswer::Rows(rows),
                    Some(bytes) => CreateAnswer::Stored { bytes, rows: Some(rows) },
                }
            }
        };
        drop(running);
        Ok(answer)
    }
}

/// The outcome of `work`, unless its ticket can still be withdrawn at the deadline.
pub(super) async fn begun_by<T, E: From<LedgerError>>(
    deadline: &Deadline,
    ticket: &Ticket,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut work = pin!(work);
    if let Some(ended) = deadline.bound(work.as_mut()).await {
        return ended;
    }
    if ticket.withdraw() { Err(LedgerError::Withdrawn.into()) } else { work.await }
}

/// Whether a gateway may have to be asked for any of the drafts.
fn may_ask_gateways(drafts: &Drafts) -> bool {
    let electronic = Some(&RefundType::Electronic);
    match drafts {
        Drafts::Refunds(drafts) => {
            drafts.iter().any(|draft| draft.refund_type.given() == electronic)
        }
        _ => false,
    }
}

/// Whether the caller may do any of what the drafts ask for. If not, a key is not even looked up:
/// every row will be refused, now as at any other time, and a stored answer is not theirs to see.
fn may_do_any(drafts: &Drafts, asking: &Asking) -> bool {
    let may = |object| asking.may(Operation::Create, object);
    match drafts {
        Drafts::Refunds(drafts) => drafts.iter().any(|draft| {
            let wanted = draft.refund_type.given();
            wanted.is_none_or(|one| may(Object::Refund(source_of(draft), *one)))
        }),
        Drafts::Adjustments(_) => may(Object::CreditBalanceAdjustment),
        Drafts::Accounts(_) => may(Object::Account),
        Drafts::InvoiceAdjustments(_) => may(Object::InvoiceAdjustment),
        Drafts::InvoiceItemAdjustments(_) => may(Object::InvoiceItemAdjustment),
        Drafts::InvoicePayments(_) => may(Object::InvoicePayment),
        Drafts::Payments(_) => may(Object::Payment),
        Drafts::PaymentMethods(_) => may(Object::PaymentMethod),
    }
}

/// What a request asks for, whatever its prefixes, field order and session. Each part is hashed
/// behind its length, so that no two lists run together into the same one.
fn fingerprint(drafts: &Drafts, shape: &str) -> Result<[u8; 32], LedgerError> {
    let unreadable = |error: serde_json::Error| LedgerError::Unavailable(error.to_string());
    let fields = canonical(drafts).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    };
    add(shape);
    for (name, value) in &fields {
        add(name);
        add(value);
    }
    Ok(hash.finalize().into())
}
