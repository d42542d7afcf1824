//! What is answered where a call fails before its rows are decided: by access, by keys, by
//! deadlines, by the state of the ledger, by its body.
//!
//! What must stay true: an unknown outcome is never answered.

use super::access::CHALLENGE;
use super::answer::{Manner, Response};
use super::error::{Reason, Wrong};
use crate::call::{self, CallLimit, Outcome};
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::Category;
use crate::domain::text::Text;
use crate::json::JsonWriter;
use crate::ledger::LedgerError;
use crate::service::create::CreateError;
use crate::service::refusal::{Failure, Refusal};

/// The code of every request whose caller is not known (documented).
const UNKNOWN_CALLER: u32 = 90_000_011;

/// What such a caller reads.
const UNAUTHENTICATED: &str = "Authentication error";

/// The outcome of the call is unknown: it gets no answer.
#[derive(Debug)]
pub(super) struct Unanswered;

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// The call itself, or the rules.
    Refused(Reason),
    /// The use case.
    Failed(Failure),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<CreateError> for Stop {
    fn from(error: CreateError) -> Self {
        Self::Failed(error.into())
    }
}

/// The answer to a call that stopped.
pub(super) fn answer(stop: Stop, manner: &Manner) -> Result<Response, Unanswered> {
    match stop {
        Stop::Refused(reason) => Ok(manner.refuse(&reason)),
        Stop::Failed(Failure::Refused(refusal)) => Ok(of_refusal(refusal, manner)),
        Stop::Failed(Failure::WrongLocator) => {
            let words = Text::new("The query locator is none.", []);
            Ok(manner.refuse(&Reason::of_request(Wrong::Parameter, words)))
        }
        Stop::Failed(Failure::Unknown(why)) => {
            tracing::error!(why, "the outcome is unknown, so no answer is given");
            Err(Unanswered)
        }
    }
}

/// The answer to a call of this path whose caller could not be found.
pub(super) fn of_access(
    failure: Failure,
    manner: &Manner,
    template: &str,
) -> Result<Response, Unanswered> {
    match failure {
        Failure::Refused(Refusal::InvalidSession | Refusal::WrongLogin) => {
            Ok(unauthenticated(manner, template, Text::new(UNAUTHENTICATED, [])))
        }
        other => answer(other.into(), manner),
    }
}

/// A caller who is not known, in the form of the path: the twins have only a message.
pub(super) fn unauthenticated(manner: &Manner, template: &str, text: Text) -> Response {
    let is_twin = template.starts_with("/v1/object/") || template.starts_with("/v1/action/");
    let refused = if is_twin {
        let mut json = JsonWriter::new();
        json.object().name("message").text(&manner.wording.report(&text));
        let outcome = Outcome::Failed(ErrorCode::InvalidSession);
        Response::of(401, json.into_bytes(), outcome)
    } else {
        manner.refuse(&Reason::with_code(Wrong::Unauthenticated, UNKNOWN_CALLER, text))
    };
    refused.with("www-authenticate", CHALLENGE.to_owned())
}

fn of_refusal(refusal: Refusal, manner: &Manner) -> Response {
    let wrong = match refusal {
        Refusal::InvalidSession | Refusal::WrongLogin => {
            return unauthenticated(manner, "", Text::new(UNAUTHENTICATED, []));
        }
        Refusal::MalformedKey => Wrong::Header,
        Refusal::KeyReused => Wrong::KeyReused,
        Refusal::KeyRunning => Wrong::KeyRunning,
        Refusal::TooManyWrongLogins | Refusal::TooManyRequests => Wrong::TooMany,
        Refusal::TooManyLogins
        | Refusal::LedgerUnavailable
        | Refusal::LedgerDamaged
        | Refusal::TooLate
        | Refusal::QueryTooSlow => Wrong::By(Category::Temporary),
    };
    let refused = manner.refuse(&Reason::of_request(wrong, refusal.text()));
    let (retry_after_s, limit) = (refusal.retry_after_s(), CallLimit::of(refusal));
    Response { retry_after_s, limit, ..refused }
}

/// Why a body is refused before it is read.
pub(super) fn of_body(refusal: &call::Refusal) -> Reason {
    let (wrong, words) = match refusal {
        call::Refusal::BodyTooLarge | call::Refusal::InflatedTooLarge => {
            (Wrong::TooLarge, Text::new("The body is too large.", []))
        }
        call::Refusal::BodyTooSlow => (Wrong::TooSlow, Text::new("The body came too slowly.", [])),
        call::Refusal::ContentType(sent) | call::Refusal::ContentEncoding(sent) => {
            let sent: String = sent.chars().take(100).collect();
            let words = Text::new("<type> is not taken here.", [("type", &sent)]);
            (Wrong::MediaType, words)
        }
        call::Refusal::BadGzip => (Wrong::Malformed, Text::new("The body is no gzip.", [])),
        call::Refusal::Overloaded => return Reason::of_request(Wrong::TooMany, too_many()),
    };
    Reason::of_request(wrong, words)
}

/// The text for a call that comes on top of too many.
pub(super) fn too_many() -> Text {
    Refusal::TooManyRequests.text()
}
