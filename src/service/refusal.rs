//! Why a use case did nothing, in the words that every front door reports.
//!
//! What must stay true: a refusal means that nothing happened. Where that is not certain there is
//! no refusal but [`Failure::Unknown`], and the caller gets no answer.

use super::create::CreateError;
use super::login::LoginError;
use super::query::QueryFailure;
use super::session::SessionError;
use crate::domain::error_code::ErrorCode;
use crate::domain::text::Text;
use crate::ledger::LedgerError;
use crate::ledger::query::FindError;

macro_rules! refusals {
    ($($(#[$doc:meta])+ $variant:ident $code:ident $retry:tt $text:literal;)+) => {
        /// Why a use case did nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])+ $variant,)+
        }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code of the API, before it is mapped to the caller's version.
            pub const fn code(self) -> ErrorCode {
                match self { $(Self::$variant => ErrorCode::$code,)+ }
            }

            /// The text, in English.
            pub const fn template(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// After how many seconds the caller may try again, where that is known.
            pub const fn retry_after_s(self) -> Option<u32> {
                match self { $(Self::$variant => refusals!(@retry $retry),)+ }
            }
        }
    };
    (@retry -) => { None };
    (@retry $seconds:literal) => { Some($seconds) };
}

refusals! {
    /// The session is unknown or has expired, or there is none.
    InvalidSession InvalidSession -
        "Invalid session. Log in again.";
    /// User name and password do not match.
    WrongLogin InvalidValue -
        "Invalid login. User name and password do not match.";
    /// Too many wrong passwords came for the user from its address, or from the address.
    TooManyWrongLogins RequestExceededRate 60
        "Too many wrong passwords came. This one was not looked at. Try again later.";
    /// The login waited too long for its turn.
    TooManyLogins ServerUnavailable -
        "The server is busy with other logins. Nothing was done.";
    /// What was sent as an idempotency key is none.
    MalformedKey InvalidValue -
        "The Idempotency-Key must be 1 to 255 visible ASCII characters.";
    /// The idempotency key belongs to a request that asked for something else.
    KeyReused DuplicateValue -
        "The Idempotency-Key belongs to another request.";
    /// A request with the idempotency key has not ended yet.
    KeyRunning LockCompetition -
        "A request with this Idempotency-Key is still running. Retry later.";
    /// The queue to the ledger is full, or too many requests are under way (documented).
    TooManyRequests RequestExceededLimit 120
        "The total number of concurrent requests has exceeded the limit allowed by the system. \
         Please resubmit your request later.";
    /// The ledger could not be written, and the rollback is certain.
    LedgerUnavailable ServerUnavailable -
        "The ledger cannot be written at the moment. Nothing was done.";
    /// What is stored is damaged, so that nothing is written until a backup was restored.
    LedgerDamaged ServerUnavailable -
        "The ledger is damaged, and an operator has to restore it. Nothing was done.";
    /// The deadline of the request came before its transaction began.
    TooLate TransactionTimeout -
        "The request did not start in time. Nothing was done.";
    /// The deadline of the request came before the end of its query.
    QueryTooSlow TransactionTimeout -
        "The query did not end in time. Nothing was done.";
}

impl Refusal {
    /// The text, to be put into the words of the configuration.
    pub fn text(self) -> Text {
        Text::new(self.template(), [])
    }
}

/// Why a use case has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was done, and this is why.
    Refused(Refusal),
    /// A query locator is none, or is not good any more. Nothing was done.
    WrongLocator,
    /// It is unknown what was done, so the caller must get no answer; why, for the log.
    Unknown(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Busy => Refusal::TooManyRequests.into(),
            LedgerError::Withdrawn => Refusal::TooLate.into(),
            LedgerError::Unavailable(why) => {
                tracing::error!(why, "the ledger cannot be written");
                Refusal::LedgerUnavailable.into()
            }
            LedgerError::Damaged(why) => {
                tracing::error!(why, "the ledger is damaged");
                Refusal::LedgerDamaged.into()
            }
            LedgerError::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid => Refusal::InvalidSession.into(),
            SessionError::Ledger(error) => error.into(),
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Mismatch => Refusal::WrongLogin.into(),
            LoginError::Refused => Refusal::TooManyWrongLogins.into(),
            LoginError::Busy => Refusal::TooManyLogins.into(),
            LoginError::Ledger(error) => error.into(),
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::KeyReused => Refusal::KeyReused.into(),
            CreateError::KeyRunning => Refusal::KeyRunning.into(),
            CreateError::TooLate => Refusal::TooLate.into(),
            CreateError::Ledger(error) => error.into(),
        }
    }
}

impl From<QueryFailure> for Failure {
    fn from(failure: QueryFailure) -> Self {
        match failure {
            QueryFailure::Find(FindError::NoLocator) => Self::WrongLocator,
            QueryFailure::Find(FindError::TooSlow) => Refusal::QueryTooSlow.into(),
            QueryFailure::Ledger(error) => error.into(),
        }
    }
}
