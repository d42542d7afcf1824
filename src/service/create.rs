//! Creating objects: drafts go to the ledger as one batch, and electronic refunds on to gateways.
//!
//! Once the ledger has begun, its outcome is awaited and returned; a deadline only takes back what
//! has not begun. A caller with an idempotency key gets the stored answer, byte for byte.

use super::amending::{Amending, refresh};
use super::deadline::Deadline;
use super::idempotency::{Once, fingerprint};
use super::nodes::{KeyHeld, of_key};
use super::{CallContext, Service};
use crate::domain::access::{Object, Operation};
use crate::domain::draft::batch::Drafts;
use crate::domain::id::{ObjectId, RefundId};
use crate::domain::rules::{Asking, source_of};
use crate::domain::vocabulary::{RefundType, SourceType};
use crate::ledger::ticket::Ticket;
use crate::ledger::{
    Batch, Create, Created, Ended, Idempotency, LedgerError, LineUp, Number, RowResult, Saved,
};
use std::pin::pin;
use std::sync::Arc;

/// What the caller is to get.
#[derive(Debug)]
pub enum CreateAnswer {
    /// One result a draft, in order.
    Rows(Vec<RowResult>),
    /// The bytes that [`Once::render`] made, now or earlier.
    Stored {
        /// The answer.
        bytes: Vec<u8>,
        /// The results in it; nothing if it was made by an earlier request.
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

impl From<KeyHeld> for CreateError {
    fn from(held: KeyHeld) -> Self {
        match held {
            KeyHeld::ByAnother => Self::KeyRunning,
            KeyHeld::Unknown(error) => Self::Ledger(error),
        }
    }
}

impl Service {
    /// Creates objects from drafts, each on its own, and returns the results in their order; with
    /// `once`, however often the call is sent.
    ///
    /// The work goes on when the caller goes away: what is queued for the ledger is done in any
    /// case, and where gateways have to be asked afterwards, a task of its own does it.
    ///
    /// # Errors
    /// Why there is no result. Unless it is [`LedgerError::Unknown`], nothing was done.
    pub async fn create(
        self: &Arc<Self>,
        call: CallContext,
        batch: Batch,
        once: Option<Once>,
    ) -> Result<CreateAnswer, CreateError> {
        let (ticket, deadline) = (Ticket::default(), call.deadline.clone());
        let asks_gateways = may_ask_gateways(&batch.drafts);
        let accounts: Vec<ObjectId> = match asks_gateways {
            true => batch.drafts.accounts().into_iter().flatten().cloned().collect(),
            false => Vec::new(),
        };
        let work = Arc::clone(self).create_to_the_end(call, batch, once, ticket.clone());
        if !asks_gateways {
            // What a call keeps while it waits is much, and would be moved about with each future
            // that holds it.
            return begun_by(&deadline, &ticket, Box::pin(work)).await;
        }
        let lost = || LedgerError::Unknown("the request's task ended early".to_owned());
        let task = self.spawn("create", accounts, work);
        let task = async { task.await.ok().flatten().ok_or_else(lost)? };
        begun_by(&deadline, &ticket, task).await
    }

    async fn create_to_the_end(
        self: Arc<Self>,
        call: CallContext,
        batch: Batch,
        once: Option<Once>,
        ticket: Ticket,
    ) -> Result<CreateAnswer, CreateError> {
        let context = self.context(&call, ticket);
        let once = once.filter(|_| may_do_any(&batch.drafts, &context.asking));
        let running = match &once {
            None => None,
            Some(once) => {
                let running = self.running_keys.start(context.user, once);
                Some(running.ok_or(CreateError::KeyRunning)?)
            }
        };
        let may_amend = |once: &&Once| once.is_amended() && may_ask_gateways(&batch.drafts);
        let claim = once.as_ref().filter(may_amend).map(|once| of_key(context.user, once));
        let held = match claim {
            Some(claim) => self.hold(claim).await?,
            None => None,
        };
        let mut amending = None;
        let user = context.user;
        let idempotency = match once {
            None => None,
            Some(once) => Some(Idempotency {
                fingerprint: {
                    let fingerprint = fingerprint(&batch.drafts, &once.shape)?;
                    amending = Amending::of(user, &once, fingerprint);
                    fingerprint
                },
                key: once.key.into_text(),
                operation: once.scope.name(),
                at: self.clock.aged(),
                render: once.render,
            }),
        };
        let batch =
            Batch { is_single: batch.is_single && self.settings.single_transaction, ..batch };
        let processors = Arc::clone(&self.processors);
        let line_up: Option<LineUp> = Some(Arc::new(move |orders| processors.line_up(orders)));
        let request = Create { context, batch, idempotency, line_up };
        let answer = match self.ledger.create(request).await? {
            Created::KeyReused => return Err(CreateError::KeyReused),
            Created::Replayed(bytes) => CreateAnswer::Stored { bytes, rows: None },
            Created::Fresh { mut rows, orders, answer } => {
                if let Some(trace) = &call.caller.origin.trace {
                    self.traces.note(trace, rows.iter().flatten().filter_map(refund_of));
                }
                let has_asked = !orders.is_empty();
                let ended = self.pay(orders, call.deadline.at()).await;
                note_ended(&mut rows, ended);
                if has_asked {
                    refresh(self.ledger.as_ref(), &mut rows).await;
                }
                match (answer, amending.filter(|_| has_asked)) {
                    (None, _) => CreateAnswer::Rows(rows),
                    (Some(bytes), None) => CreateAnswer::Stored { bytes, rows: Some(rows) },
                    (Some(bytes), Some(amending)) => {
                        let bytes = amending.amend(self.ledger.as_ref(), &rows, bytes).await?;
                        CreateAnswer::Stored { bytes, rows: Some(rows) }
                    }
                }
            }
        };
        drop((running, held));
        Ok(answer)
    }
}

/// The refund that a row made, if it made one.
fn refund_of(saved: &Saved) -> Option<RefundId> {
    matches!(saved.number, Some(Number::Refund(_))).then(|| RefundId::parse(saved.id.as_str()))?
}

/// Notes of the refunds that their gateways have ended how they did.
fn note_ended(rows: &mut [RowResult], ended: Vec<(RefundId, Ended)>) {
    for (id, ended) in ended {
        let number = Some(Number::Refund(id.number()));
        if let Some(saved) = rows.iter_mut().flatten().find(|saved| saved.number == number) {
            saved.ended = Some(Box::new(ended));
        }
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
        Drafts::MemoRefunds(drafts) => {
            drafts.iter().any(|draft| draft.details.refund_type.given() == electronic)
        }
        Drafts::PaymentRefunds(drafts) => {
            drafts.iter().any(|draft| draft.details.refund_type.given() == electronic)
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
        Drafts::InvoicePayments(_) | Drafts::PaymentSteps(_) => may(Object::InvoicePayment),
        Drafts::Payments(_) | Drafts::SettlementPayments(_) => may(Object::Payment),
        Drafts::PaymentMethods(_) => may(Object::PaymentMethod),
        Drafts::CreditMemos(_) | Drafts::MemoSteps(_) => may(Object::CreditMemo),
        Drafts::MemoRefunds(_) => may(Object::Refund(SourceType::CreditMemo, RefundType::External)),
        Drafts::PaymentRefunds(drafts) => drafts.iter().any(|draft| {
            let wanted = draft.details.refund_type.given();
            wanted.is_none_or(|one| may(Object::Refund(SourceType::Payment, *one)))
        }),
        // Any permission for refunds is enough, whatever the refund draws on.
        Drafts::RefundSettlements(_) => {
            asking.may(Operation::Update, Object::Refund(SourceType::Payment, RefundType::External))
        }
    }
}
