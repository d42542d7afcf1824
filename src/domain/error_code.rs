//! The ErrorCode enumeration of the WSDL, and since which version a client can know each code.
//!
//! Typed clients throw on a code that their WSDL lacks, so nothing may leave the gateway without
//! passing through [`ErrorCode::for_version`].

use super::version::ApiVersion;
use serde::Serialize;

macro_rules! error_codes {
    ($($variant:ident $name:literal $since:literal $meaning:literal;)+) => {
        /// A code of a row error or a fault, in the order of the WSDL's enumeration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the WSDL.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The first version whose WSDL has the code.
            pub const fn since(self) -> ApiVersion {
                match self { $(Self::$variant => ApiVersion::major($since),)+ }
            }
        }
    };
}

error_codes! {
    ApiDisabled "API_DISABLED" 18 "The API, or this part of it, is switched off.";
    CannotDelete "CANNOT_DELETE" 18 "The object cannot be deleted.";
    CreditCardProcessingFailure "CREDIT_CARD_PROCESSING_FAILURE" 18 "A card was refused.";
    DuplicateValue "DUPLICATE_VALUE" 18 "A value that must be unique is taken.";
    InvalidField "INVALID_FIELD" 18 "The object has no such field.";
    InvalidLogin "INVALID_LOGIN" 18 "Bad credentials; the original says INVALID_VALUE.";
    InvalidSession "INVALID_SESSION" 18 "The session is unknown or has expired.";
    InvalidType "INVALID_TYPE" 18 "The object type is unknown or does not fit the call.";
    InvalidId "INVALID_ID" 18 "An identifier has not the form of one.";
    InvalidValue "INVALID_VALUE" 18 "A value is not acceptable; also the general business code.";
    InvalidVersion "INVALID_VERSION" 18 "The function does not exist in this API version.";
    LockCompetition "LOCK_COMPETITION" 60 "Another request holds what this one needs; retry later.";
    MalformedQuery "MALFORMED_QUERY" 18 "The query string has an error.";
    MaxRecordsExceeded "MAX_RECORDS_EXCEEDED" 18 "The call carries too many objects.";
    MissingRequiredValue "MISSING_REQUIRED_VALUE" 18 "A required value is missing.";
    NoPermission "NO_PERMISSION" 18 "The user's role lacks a permission.";
    ServerUnavailable "SERVER_UNAVAILABLE" 18 "The server cannot do this at the moment.";
    UnknownError "UNKNOWN_ERROR" 18 "No closer code exists in the caller's version.";
    TransactionFailed "TRANSACTION_FAILED" 18 "A transaction or a gateway failed.";
    InvalidTemplate "INVALID_TEMPLATE" 18 "A template is invalid.";
    AccountingPeriodClosed "ACCOUNTING_PERIOD_CLOSED" 19 "The date lies in a closed period.";
    BatchFailError "BATCH_FAIL_ERROR" 19 "A step of a batch failed.";
    PdfQueryError "PDF_QUERY_ERROR" 45 "A document could not be queried.";
    RequestExceededLimit "REQUEST_EXCEEDED_LIMIT" 60 "Too many requests at once; retry later.";
    RequestExceededRate "REQUEST_EXCEEDED_RATE" 60 "Too many requests in a time; retry later.";
    RequestRejected "REQUEST_REJECTED" 60 "The request was rejected.";
    TemporaryError "TEMPORARY_ERROR" 60 "A passing error; retry later.";
    TransactionTerminated "TRANSACTION_TERMINATED" 60 "A heavy operation was ended; do not retry.";
    TransactionTimeout "TRANSACTION_TIMEOUT" 60 "The operation did not finish in time.";
}

impl ErrorCode {
    /// The code as a caller of `version` may see it: one that its WSDL lacks becomes UNKNOWN_ERROR.
    pub fn for_version(self, version: ApiVersion) -> Self {
        if version >= self.since() { self } else { Self::UnknownError }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_newer_than_the_caller_becomes_unknown_error() {
        let code = ErrorCode::RequestExceededLimit;
        assert_eq!(code.for_version(ApiVersion::major(59)), ErrorCode::UnknownError);
        assert_eq!(code.for_version(ApiVersion::major(60)), code);
        assert!(ErrorCode::ALL.iter().all(|code| code.for_version(ApiVersion::LAST) == *code));
    }
}
