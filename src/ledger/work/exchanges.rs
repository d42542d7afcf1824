//! Orders to gateways: when each is asked about next, and every exchange about it.

use crate::domain::facts::PaymentKey;
use crate::domain::id::RefundNumber;
use crate::domain::schedule::FRESH;
use crate::domain::vocabulary::GatewayState;
use crate::ledger::Repaid;
use crate::ledger::books::BooksError;
use crate::ledger::orders::{Note, Seen, Transcript};
use crate::ledger::records::{self, INQUIRIES, Inquiry, Payment, Refund};
use crate::ledger::unit::Unit;
use chrono::{DateTime, NaiveDate, Utc};

/// What an exchange was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It brought an order or an inquiry to a gateway.
    Gateway(crate::ledger::orders::ExchangeKind),
    /// A gateway reported a settlement.
    Settlement,
    /// An operator decided.
    Operator,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Gateway(kind) => kind.name(),
            Self::Settlement => "settlement",
            Self::Operator => "operator",
        }
    }
}

/// An exchange as it is kept.
pub struct Kept<'a> {
    /// What it was for.
    pub purpose: Purpose,
    /// Where the refund stands with its gateway after it.
    pub state: GatewayState,
    /// The gateway's code.
    pub code: Option<&'a str>,
    /// The gateway's reason, or the operator's.
    pub text: Option<&'a str>,
    /// The gateway's id of the refund.
    pub reference_id: Option<&'a str>,
    /// What was sent and received.
    pub transcript: Option<&'a Transcript>,
    /// Who decided, where no gateway did.
    pub operator: Option<&'a str>,
    /// The record of the act that it belongs to.
    pub audit: Option<i64>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Has every gateway asked at this moment about its refunds in Processing, also about those that
/// were left to an operator; how many those are.
pub fn wake(unit: &mut Unit<'_>, at: DateTime<Utc>) -> Result<u64, BooksError> {
    let inquiries: Vec<Inquiry> = unit.all(&INQUIRIES, &[])?;
    for inquiry in &inquiries {
        unit.change::<Inquiry>(&(inquiry.refund,), |inquiry| inquiry.next_ms = Some(at))?;
    }
    Ok(u64::try_from(inquiries.len()).unwrap_or(u64::MAX))
}

/// Adds an exchange to the history of a refund.
pub fn keep(unit: &mut Unit<'_>, number: RefundNumber, kept: &Kept<'_>) -> Result<(), BooksError> {
    let refund: Refund = unit.existing(&(number,))?;
    let key = unit.next_key::<records::Exchange>()?;
    let text = |text: Option<&str>| text.map(str::to_owned);
    unit.insert(records::Exchange {
        key,
        refund: number,
        gateway: refund.gateway.unwrap_or_default(),
        kind: kept.purpose.name().to_owned(),
        gateway_state: kept.state.name().to_owned(),
        reason_code: text(kept.code),
        reason_text: text(kept.text),
        reference_id: text(kept.reference_id),
        request: text(kept.transcript.and_then(Transcript::request)),
        response: text(kept.transcript.and_then(Transcript::response)),
        operator: text(kept.operator),
        audit: kept.audit,
        at_ms: kept.at,
    })
}

/// Writes down, in the transaction of its hold, that an order goes to its gateway now, which is not
/// before `earliest`.
pub(super) fn begin_order(
    unit: &mut Unit<'_>,
    refund: RefundNumber,
    created: DateTime<Utc>,
    earliest: DateTime<Utc>,
) -> Result<(), BooksError> {
    let (first_sent_ms, next_ms) = (Some(earliest.min(created)), Some(created + FRESH));
    unit.insert(Inquiry { refund, first_sent_ms, attempts: 0, next_ms })
}

/// How many exchanges about a refund in Processing brought no verdict; none when it has ended.
pub(super) fn attempts(
    unit: &mut Unit<'_>,
    number: RefundNumber,
) -> Result<Option<u32>, BooksError> {
    let inquiry = unit.get::<Inquiry>(&(number,))?;
    Ok(inquiry.map(|inquiry| u32::try_from(inquiry.attempts).unwrap_or(u32::MAX)))
}

/// Keeps an exchange without a verdict; false when the refund has ended, or another exchange was
/// noted since this one began: what this one knew (that the order never left) may be wrong by now.
pub fn note(unit: &mut Unit<'_>, number: RefundNumber, note: &Note) -> Result<bool, BooksError> {
    if attempts(unit, number)? != Some(note.attempts) {
        return Ok(false);
    }
    unit.change::<Inquiry>(&(number,), |inquiry| {
        inquiry.attempts += 1;
        inquiry.next_ms = note.next;
        if note.was_never_sent {
            inquiry.first_sent_ms = None;
        }
    })?;
    let kept = Kept {
        purpose: Purpose::Gateway(note.exchange.kind),
        state: GatewayState::MarkedForSubmission,
        code: None,
        text: Some(&note.why),
        reference_id: None,
        transcript: Some(&note.exchange.transcript),
        operator: None,
        audit: None,
        at: note.exchange.at,
    };
    keep(unit, number, &kept)?;
    Ok(true)
}

/// Notes that an order is sent again; false when its refund has ended or is not as it was seen.
pub fn mark_sent(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    seen: Seen,
    at: DateTime<Utc>,
) -> Result<bool, BooksError> {
    let is_unsent = unit.get::<Inquiry>(&(number,))?.map(|one| one.first_sent_ms.is_none());
    let attempts = attempts(unit, number)?;
    if (attempts, is_unsent) != (Some(seen.attempts), Some(seen.is_unsent)) {
        return Ok(false);
    }
    unit.change::<Inquiry>(&(number,), |inquiry| {
        inquiry.first_sent_ms = inquiry.first_sent_ms.or(Some(at));
    })?;
    Ok(true)
}

/// What the order of a new refund carries of the payment that it gives back.
pub(super) fn repaid(
    unit: &mut Unit<'_>,
    payment: Option<PaymentKey>,
    refund_day: NaiveDate,
) -> Result<Option<Repaid>, BooksError> {
    let Some(payment) = payment else { return Ok(None) };
    let payment: Payment = unit.existing(&(payment,))?;
    let age_days = (refund_day - payment.effective_date.0).num_days();
    Ok(Some(Repaid { age_days, is_settled: payment.is_settled }))
}
