//! The life of an electronic refund in the ledger, from its hold to its end.
//!
//! What must stay true: a refund in Processing ends once, by a gateway's verdict or by an operator;
//! its exchanges are only ever added to; and as long as it is open, the ledger knows when it is to
//! be asked about next, so that a process that dies takes nothing with it.

use super::Reply;
use super::trail::Act;
use crate::domain::draft::GatewayOption;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::{SettledAs, Verdict};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::trace::TraceContext;
use crate::domain::vocabulary::RefundStatus;
use chrono::{DateTime, Utc};

/// What a gateway is asked to pay. The refund's id is the key under which it may pay only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The refund, in Processing, its amount held.
    pub refund: RefundId,
    /// The gateway's name.
    pub gateway: String,
    /// The payment method to pay to.
    pub payment_method: ObjectId,
    /// The payment to give back, as the gateway knows it: its ReferenceId, or its PaymentNumber if
    /// it has none. Without one it is a non-referenced refund.
    pub original_payment: Option<String>,
    /// What is known of that payment; gateways on a wire know it themselves.
    pub repaid: Option<Repaid>,
    /// How much.
    pub amount: MinorUnits,
    /// In which currency.
    pub currency: Currency,
    /// Parameters for the gateway.
    pub options: Vec<GatewayOption>,
    /// The trace of the call that it is sent for, where that is known; it is not kept.
    pub trace: Option<TraceContext>,
}

/// A payment that a refund gives back, as it was when the refund was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaid {
    /// The days from its EffectiveDate to the RefundDate.
    pub age_days: i64,
    /// Whether its gateway has settled it.
    pub is_settled: bool,
}

/// What was said to a gateway and what came back, as far as it may be shown: without secrets, and
/// each cut to [`Transcript::BYTES_MAX`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    request: Option<String>,
    response: Option<String>,
}

impl Transcript {
    /// The most bytes that are kept of a request or a response.
    pub const BYTES_MAX: usize = 4096;

    /// Keeps what was sent and received; the caller has taken the secrets out.
    pub fn new(request: Option<&str>, response: Option<&str>) -> Self {
        let cut = |text: &str| {
            let end = text.floor_char_boundary(Self::BYTES_MAX);
            text.get(..end).unwrap_or_default().to_owned()
        };
        Self { request: request.map(cut), response: response.map(cut) }
    }

    /// What was sent.
    pub fn request(&self) -> Option<&str> {
        self.request.as_deref()
    }

    /// What came back.
    pub fn response(&self) -> Option<&str> {
        self.response.as_deref()
    }
}

/// What an exchange with a gateway was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    /// The order to pay.
    Refund,
    /// The question what became of it.
    Inquiry,
    /// An order that its connector declined before it left. Unlike what a gateway says, that is not
    /// true whatever others did meanwhile.
    Unsent {
        /// How many exchanges had brought no verdict when that was decided.
        attempts: u32,
    },
}

impl ExchangeKind {
    /// The name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund | Self::Unsent { .. } => "refund",
            Self::Inquiry => "inquiry",
        }
    }
}

/// One exchange with a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What it was for.
    pub kind: ExchangeKind,
    /// What was sent and received.
    pub transcript: Transcript,
    /// When it was over.
    pub at: DateTime<Utc>,
}

/// What an exchange without a verdict leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The exchange.
    pub exchange: Exchange,
    /// How many exchanges had brought no verdict when this one began.
    pub attempts: u32,
    /// Why there is no verdict, for operators.
    pub why: String,
    /// Set when it is certain that neither this order nor an earlier one ever left.
    pub was_never_sent: bool,
    /// When to ask next; none leaves the refund to an operator.
    pub next: Option<DateTime<Utc>>,
}

/// An order whose refund is in Processing, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOrder {
    /// The order.
    pub order: Order,
    /// When it may have been sent for the first time; none when it certainly never was.
    pub first_sent: Option<DateTime<Utc>>,
    /// How many exchanges brought no verdict.
    pub attempts: u32,
    /// When it is to be asked about next; none when it is not asked about any more.
    pub next: Option<DateTime<Utc>>,
}

/// What of an open order changes as tasks deal with it. A task that finds it changed was overtaken:
/// it had stopped for so long that its lease went to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many exchanges brought no verdict.
    pub attempts: u32,
    /// Whether it is certain that it never left.
    pub is_unsent: bool,
}

impl OpenOrder {
    /// What would show that another task has dealt with it.
    pub const fn seen(&self) -> Seen {
        Seen { attempts: self.attempts, is_unsent: self.first_sent.is_none() }
    }
}

/// An operator's decision about a refund whose gateway gives no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The refund.
    pub refund: RefundId,
    /// What it becomes.
    pub settled_as: SettledAs,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who decided, when, and from where.
    pub act: Act,
    /// The earliest moment that it can be, as long as it is open which clock is right: by it the
    /// refund was asked about for long enough.
    pub at_least: DateTime<Utc>,
}

impl Settlement {
    /// The longest reason, in characters.
    pub const REASON_CHARS_MAX: usize = 500;

    /// The reason without the blanks around it, or what is wrong with it.
    pub fn checked_reason(text: &str) -> Result<String, String> {
        let reason = text.trim();
        if (1..=Self::REASON_CHARS_MAX).contains(&reason.chars().count()) {
            return Ok(reason.to_owned());
        }
        Err(format!("the reason has 1 to {} characters", Self::REASON_CHARS_MAX))
    }
}

/// Why an operator may not settle a refund. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// No refund has this id.
    #[error("the ledger has no refund {0}")]
    NoRefund(RefundId),
    /// It has ended already, or never was with a gateway.
    #[error("{number} is {}, and only a refund in Processing can be settled", .status.name())]
    NotOpen {
        /// Its RefundNumber.
        number: RefundNumber,
        /// Where it stands.
        status: RefundStatus,
    },
    /// Its gateway is still being asked.
    #[error(
        "{number} is asked about until {}; only then can it be settled{}",
        until.to_rfc3339(),
        by_the_age_alone(*until, *clock, *aged)
    )]
    TooEarly {
        /// Its RefundNumber.
        number: RefundNumber,
        /// When it can be settled.
        until: DateTime<Utc>,
        /// What the machine's clock says.
        clock: DateTime<Utc>,
        /// The earlier of that and the moment by which the ledger has things get old.
        aged: DateTime<Utc>,
    },
    /// A call is waiting for its gateway's answer, which may be a verdict.
    #[error("{number} is being asked about at this moment; try again when that is over")]
    BeingAsked {
        /// Its RefundNumber.
        number: RefundNumber,
    },
}

/// Why it is too early by the ledger's age where the machine's clock has passed the moment.
fn by_the_age_alone(until: DateTime<Utc>, clock: DateTime<Utc>, aged: DateTime<Utc>) -> String {
    if clock < until {
        return String::new();
    }
    let minutes = ((until - aged).num_seconds() + 59) / 60;
    format!(
        ". The clock has passed that, but after a stop or a jump of the clock the time counts that \
         the gateway has run, and by that it is {} h {} min away",
        minutes / 60,
        minutes % 60,
    )
}

/// What is in Processing, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenStats {
    /// How many refunds are in Processing.
    pub open: u64,
    /// How many of them only an operator can end.
    pub left_to_operators: u64,
    /// When the oldest was created.
    pub oldest: Option<DateTime<Utc>>,
}

/// The refunds in Processing at one gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The gateway.
    pub gateway: String,
    /// How many there are.
    pub open: u64,
    /// How many of them are not asked about any more.
    pub left_to_operators: u64,
}

/// What the ledger does for refunds that are with a gateway.
pub trait Orders: Send + Sync {
    /// Ends a refund in Processing as the gateway's verdict says, and keeps the exchange that
    /// brought it; false when it had ended before, or when an order was declined unsent that
    /// another task has dealt with since, in which cases nothing is written.
    fn end_refund(&self, number: RefundNumber, verdict: Verdict, exchange: Exchange)
    -> Reply<bool>;

    /// Keeps an exchange without a verdict; false when the refund has ended, or another exchange
    /// was noted since this one began, in which cases nothing is written.
    fn note_exchange(&self, number: RefundNumber, note: Note) -> Reply<bool>;

    /// Notes, before it happens, that an order is sent (again); false when it must not be, because
    /// the refund has ended, or because it is not as it was `seen` any more: another task has sent
    /// or asked about it since.
    fn mark_sent(&self, number: RefundNumber, seen: Seen, at: DateTime<Utc>) -> Reply<bool>;

    /// The order of a refund, if it is in Processing.
    fn open_order(&self, number: RefundNumber) -> Reply<Option<OpenOrder>>;

    /// At most `most` orders of a gateway that are to be asked about by `until`, the longest due
    /// first; also what was planned by a clock that has gone back since.
    fn due_orders(&self, gateway: &str, until: DateTime<Utc>, most: u32) -> Reply<Vec<OpenOrder>>;

    /// Makes every order in Processing due at `at`; says how many there are.
    fn wake_orders(&self, at: DateTime<Utc>) -> Reply<u64>;

    /// Ends a refund by an operator's hand, once, and only when its gateway is not asked any more.
    fn settle_refund(&self, settlement: Settlement) -> Reply<Result<RefundNumber, SettleError>>;

    /// What is in Processing.
    fn open_stats(&self) -> Reply<OpenStats>;

    /// The gateways that refunds in Processing are with. It reads every one of them.
    fn awaited_gateways(&self) -> Reply<Vec<Awaited>>;
}
