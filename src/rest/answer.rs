//! What is answered, before it is an answer of HTTP: a status, a document, and what the log and
//! metrics want to know.

use super::error::{Reason, Wrong};
use super::version::ZuoraVersion;
use crate::call::{Answer, CallFacts, CallLimit, Header, OperationName, Outcome, Refused};
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::Category;
use crate::domain::text::Wording;
use crate::json::JsonWriter;

/// The Content-Type of every document.
pub(super) const JSON: &str = "application/json;charset=utf-8";

/// What is answered to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) outcome: Outcome,
    pub(super) headers: Vec<Header>,
    pub(super) retry_after_s: Option<u32>,
    /// The limit for which it refuses, if it does for one.
    pub(super) limit: Option<CallLimit>,
    /// Whether it is the stored answer to an earlier request.
    pub(super) replayed: bool,
    /// How many refunds were created.
    pub(super) refunds: u32,
}

impl Response {
    /// A document.
    pub(super) fn done(body: Vec<u8>) -> Self {
        Self::of(200, body, Outcome::Ok)
    }

    /// A document with this status.
    pub(super) const fn of(status: u16, body: Vec<u8>, outcome: Outcome) -> Self {
        Self {
            status,
            body,
            outcome,
            headers: Vec::new(),
            retry_after_s: None,
            limit: None,
            replayed: false,
            refunds: 0,
        }
    }

    /// An answer that was kept for a key, made now or by an earlier request.
    pub(super) fn kept(status: u16, body: Vec<u8>, is_done: bool) -> Self {
        let outcome = if is_done { Outcome::Ok } else { Outcome::Failed(ErrorCode::InvalidValue) };
        Self::of(status, body, outcome)
    }

    /// The answer to `operation`.
    pub(super) fn into_answer(self, operation: OperationName, facts: CallFacts) -> Answer {
        Answer {
            headers: self.headers,
            retry_after_s: self.retry_after_s,
            limit: self.limit,
            replayed: self.replayed,
            refunds: self.refunds,
            row_errors: facts.rows_failed,
            facts: Box::new(facts),
            ..Answer::new(self.status, (JSON, self.body), operation, self.outcome)
        }
    }

    /// The same with a header more.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push(Header { name, value });
        self
    }
}

/// How the v1 operations say no.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) version: ZuoraVersion,
    /// The id of the request, 32 hex characters.
    pub(super) request_id: String,
    pub(super) wording: Wording,
}

impl Manner {
    /// The request id as a UUID is written.
    pub(super) fn uuid(&self) -> String {
        let part = |from, to| self.request_id.get(from..to).unwrap_or("0");
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// The refusal of a v1 operation.
    pub(super) fn refuse(&self, reason: &Reason) -> Response {
        let status = reason.wrong.status(self.version);
        Response::of(status, self.document(reason), outcome(reason.wrong))
    }

    /// The document of such a refusal.
    pub(super) fn document(&self, reason: &Reason) -> Vec<u8> {
        let process = self.request_id.get(16..).unwrap_or("0000000000000000").to_uppercase();
        let mut json = JsonWriter::new();
        json.object().name("success").bool(false).name("processId").text(&process);
        json.name("requestId").text(&self.uuid()).name("reasons").list().object();
        json.name("code").number(reason.code());
        json.name("message").text(&self.wording.report(&reason.message));
        json.into_bytes()
    }
}

/// What a refusal is to log and metrics.
const fn outcome(wrong: Wrong) -> Outcome {
    Outcome::Failed(match wrong {
        Wrong::By(Category::Permission) => ErrorCode::NoPermission,
        Wrong::By(Category::Missing) => ErrorCode::MissingRequiredValue,
        Wrong::By(Category::UnknownField) => ErrorCode::InvalidField,
        Wrong::By(Category::NotFound) | Wrong::NoPath => {
            return Outcome::Refused(Refused::NotFound);
        }
        Wrong::By(Category::Locked) | Wrong::KeyRunning => ErrorCode::LockCompetition,
        Wrong::By(Category::Limit) | Wrong::TooMany => ErrorCode::RequestExceededRate,
        Wrong::By(Category::Internal | Category::Integration) => ErrorCode::UnknownError,
        Wrong::By(Category::Temporary) => ErrorCode::RequestExceededLimit,
        Wrong::TooSlow => ErrorCode::TransactionTimeout,
        Wrong::Unauthenticated => ErrorCode::InvalidSession,
        Wrong::Method => return Outcome::Refused(Refused::WrongMethod),
        Wrong::MediaType | Wrong::TooLarge | Wrong::Malformed | Wrong::Header => {
            return Outcome::Refused(Refused::Client);
        }
        Wrong::By(Category::Invalid | Category::Rule) | Wrong::Parameter | Wrong::KeyReused => {
            ErrorCode::InvalidValue
        }
    })
}
