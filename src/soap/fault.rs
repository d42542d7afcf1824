//! Every fault: when a call fails as a whole, with which code, type, HTTP status and text.
//!
//! A fault means that nothing happened. The texts of faults stand here (those of row errors stand
//! in the domain, those of refused use cases in the service); docs/FAULTS.md is checked against
//! all. Only two of them were ever recorded from the original: the failed login, and the one about
//! concurrent requests is documented. The others follow their pattern.

mod catalogue;
mod causes;
mod encode;
mod kin;

pub use catalogue::{FaultEntry, catalogue};
pub(super) use encode::{Looks, encode, encode_as};

use super::security::SECURITY;
use crate::call::{CallLimit, Outcome, Refused};
use crate::domain::error_code::ErrorCode;
use crate::domain::text::Text;
use crate::service::Refusal;
use std::fmt;

/// How much of a caller's text a fault repeats, in characters.
const SHOWN_CHARS_MAX: usize = 64;
/// The same of a namespace, which is longer where it is one of a standard.
const NAMESPACE_CHARS_MAX: usize = 256;

/// The element in a fault's detail: the WSDL's types that extend ApiFault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultType {
    /// Of login alone.
    LoginFault,
    /// The type of an object is wrong or missing.
    InvalidTypeFault,
    /// Of delete: something is wrong with the ids.
    InvalidValueFault,
    /// Of query alone: something is wrong with the query string.
    MalformedQueryFault,
    /// A query locator is none, or is not good any more.
    InvalidQueryLocatorFault,
    /// Everything else.
    UnexpectedErrorFault,
}

impl FaultType {
    /// The name of the element and of its type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoginFault => "LoginFault",
            Self::InvalidTypeFault => "InvalidTypeFault",
            Self::InvalidValueFault => "InvalidValueFault",
            Self::MalformedQueryFault => "MalformedQueryFault",
            Self::InvalidQueryLocatorFault => "InvalidQueryLocatorFault",
            Self::UnexpectedErrorFault => "UnexpectedErrorFault",
        }
    }
}

/// What stands as the fault's code, outside the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// An error code of the API; sending the same again is of no use.
    Sender,
    /// An error code of the API; the same may succeed later.
    Receiver,
    /// SOAP's own code for what is no proper message.
    Client,
    /// SOAP's own code for an envelope of another version.
    VersionMismatch,
    /// SOAP's own code for a header that must be understood and is not.
    MustUnderstand,
}

macro_rules! caller_text {
    ($place:literal) => {
        String
    };
}

macro_rules! faults {
    ($($variant:ident $(($($value:ident: $place:literal),+))? $class:ident $code:ident $kind:ident
        $status:literal $text:expr, $cause:literal;)+) => {
        /// Why a call failed as a whole. A variant's values are the caller's texts that it repeats.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $cause] $variant $(($(caller_text!($place)),+))?,)+
        }

        impl Fault {
            /// The code in the detail, before it is mapped to the caller's version.
            pub const fn code(&self) -> ErrorCode {
                match self { $(Self::$variant { .. } => ErrorCode::$code,)+ }
            }

            /// The element in the detail.
            pub const fn fault_type(&self) -> FaultType {
                match self { $(Self::$variant { .. } => FaultType::$kind,)+ }
            }

            /// What stands as the fault's code.
            pub const fn class(&self) -> FaultClass {
                match self { $(Self::$variant { .. } => FaultClass::$class,)+ }
            }

            /// The HTTP status.
            pub const fn status(&self) -> u16 {
                match self { $(Self::$variant { .. } => $status,)+ }
            }

            /// The text that the caller gets.
            pub fn text(&self) -> Text {
                match self {
                    $(Self::$variant $(($($value),+))? => {
                        Text::new($text, [$($(($place, $value.as_str())),+)?])
                    })+
                }
            }

            /// What brings it about.
            const fn cause(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $cause,)+ }
            }

            /// Every fault, with the names of places where a caller's texts would stand.
            fn samples() -> Vec<Self> {
                vec![$(Self::$variant $(($(concat!("<", $place, ">").to_owned()),+))?,)+]
            }
        }
    };
}

faults! {
    WrongLogin Sender InvalidValue LoginFault 500
        Refusal::WrongLogin.template(),
        "login with an unknown user name or a wrong password (recorded)";
    LoginWithout(field: "Field") Sender MissingRequiredValue LoginFault 500
        "Missing required value: <Field>",
        "login without username or password";
    InvalidSession Sender InvalidSession UnexpectedErrorFault 500
        Refusal::InvalidSession.template(),
        "no session, or one that is unknown or has expired";
    WrongToken Sender InvalidLogin UnexpectedErrorFault 500
        "The UsernameToken of the WS-Security header is refused: user name and password do not \
         match.",
        "a call without a session, whose UsernameToken has an unknown user name or a wrong \
         password";
    TokenWithout(field: "Field") Sender MissingRequiredValue UnexpectedErrorFault 500
        "The UsernameToken of the WS-Security header has no <Field>.",
        "a call without a session, whose UsernameToken lacks Username or Password";
    TokenPassword(kind: "Type") Sender InvalidLogin UnexpectedErrorFault 500
        "A UsernameToken with <Type> cannot be checked, because passwords are kept only as hashes. \
         Send PasswordText, or log in and send a SessionHeader.",
        "a call without a session, whose UsernameToken holds a PasswordDigest";
    SeveralTokens Client InvalidValue UnexpectedErrorFault 500
        "The WS-Security header has more than one UsernameToken.",
        "a call without a session and with two logins in its WS-Security headers";
    UnsupportedVersion(version: "version") Sender InvalidVersion UnexpectedErrorFault 500
        "API version <version> is not supported. Versions 18.0 to 150.0 are.",
        "the version in the path is not served";
    OperationNotAvailable(operation: "operation") Sender ApiDisabled UnexpectedErrorFault 500
        "The operation <operation> is not available.",
        "an operation of the WSDL that this gateway does not serve";
    NoObjects Sender MissingRequiredValue UnexpectedErrorFault 500
        "Missing required value: zObjects",
        "create or update without zObjects, or with one that is nil";
    TooManyObjects Sender MaxRecordsExceeded UnexpectedErrorFault 500
        "A call can carry at most 50 zObjects.",
        "create or update with more than 50 zObjects";
    TypeMissing Sender InvalidType InvalidTypeFault 500
        "Missing xsi:type on zObjects.",
        "create or update with a zObjects that does not say its type";
    TypeUnknown(name: "Type") Sender InvalidType InvalidTypeFault 500
        "Invalid type: <Type>",
        "create, update or delete with a type that the WSDL of the version does not have";
    TypeMisspelt(name: "Type", near: "near") Sender InvalidType InvalidTypeFault 500
        "Invalid type: <Type>. Did you mean <near>?",
        "the same, where a type of the WSDL is spelt much like it";
    TypeNotKept(name: "Type") Sender InvalidType InvalidTypeFault 500
        "This gateway does not keep objects of the type <Type>.",
        "create, update or delete with a type of the original's that this gateway knows nothing of";
    TypesMixed Sender InvalidType InvalidTypeFault 500
        "All zObjects of a call must have one type.",
        "create, update or delete with objects of two types";
    TypeNotCreatable(name: "Type") Sender InvalidType InvalidTypeFault 500
        "create does not support the type <Type>.",
        "create with a type of the WSDL that this gateway does not create";
    TypeNotUpdatable(name: "Type") Sender InvalidType InvalidTypeFault 500
        "update does not support the type <Type>.",
        "update with a type of the WSDL that this gateway does not change";
    DeleteWithoutType Sender MissingRequiredValue InvalidTypeFault 500
        "Missing required value: type",
        "delete without a type, or with an empty one";
    NoIds Sender MissingRequiredValue InvalidValueFault 500
        "Missing required value: ids",
        "delete without ids, or with one that is nil";
    TooManyIds Sender MaxRecordsExceeded InvalidValueFault 500
        "A call can carry at most 50 ids.",
        "delete with more than 50 ids";
    NoQuery Sender MissingRequiredValue MalformedQueryFault 500
        "Missing required value: queryString",
        "query without a queryString, or with an empty one";
    MalformedQuery(place: "where") Sender MalformedQuery MalformedQueryFault 500
        "You have an error in your ZOQL syntax: <where>",
        "a query that ZOQL's grammar does not allow, over 200 conditions or 10,000 characters, or \
         with an operator that does not fit (observed, up to the colon)";
    QueryType(object: "Object") Sender InvalidType MalformedQueryFault 500
        "invalid type for query: <Object>",
        "a query of an object that is unknown or cannot be queried";
    QueryTypeMisspelt(object: "Object", near: "near") Sender InvalidType MalformedQueryFault 500
        "invalid type for query: <Object>. Did you mean <near>?",
        "the same, where an object that can be queried is spelt much like it";
    QueryTypeNotKept(object: "Object") Sender InvalidType MalformedQueryFault 500
        "This gateway does not keep objects of the type <Object>.",
        "a query of an object of the original's that this gateway knows nothing of";
    QueryField(object: "Object", field: "field") Sender InvalidField MalformedQueryFault 500
        "invalid field for query: <Object>.<field>",
        "a query with a field that the object does not have in the version of the path, or that \
         cannot be queried (observed)";
    QueryFieldMisspelt(object: "Object", field: "field", near: "near")
        Sender InvalidField MalformedQueryFault 500
        "invalid field for query: <Object>.<field>. Did you mean <near>?",
        "the same, where a field that can be queried differs by a letter or two";
    QueryValue(field: "Field", value: "value") Sender InvalidValue MalformedQueryFault 500
        "Invalid value for field <Field>: <value>",
        "a query that compares a field with what cannot be one of its values";
    NoLocator Sender MissingRequiredValue InvalidQueryLocatorFault 500
        "Missing required value: queryLocator",
        "queryMore without a queryLocator, or with an empty one";
    WrongLocator(value: "value") Sender InvalidValue InvalidQueryLocatorFault 500
        "Invalid value for field queryLocator: <value>",
        "queryMore with a locator that is none, is another user's, was not used for 15 minutes, or \
         finds an object that the version of the path does not have";
    QueryTooSlow Receiver TransactionTimeout UnexpectedErrorFault 500
        Refusal::QueryTooSlow.template(),
        "the deadline of the request came before the query's end";
    NotWellFormed(why: "why") Client InvalidValue UnexpectedErrorFault 500
        "The request is not well-formed XML: <why>",
        "the body is no XML 1.0 with namespaces, or its bytes are not in their encoding";
    Doctype Client InvalidValue UnexpectedErrorFault 500
        "A DOCTYPE is not allowed.",
        "the request has a DOCTYPE, which SOAP forbids";
    ProcessingInstruction Client InvalidValue UnexpectedErrorFault 500
        "Processing instructions are not allowed.",
        "the request has a processing instruction, which SOAP forbids";
    OverLimit(limit: "limit") Client InvalidValue UnexpectedErrorFault 500
        "The request is larger than the limit: <limit>",
        "the document is over a limit: xml depth, xml elements, xml attributes, xml \
         attributes in all, xml namespaces, xml name length, xml text length";
    NotAnEnvelope Client InvalidValue UnexpectedErrorFault 500
        "The request is not a SOAP envelope.",
        "the document is no Envelope with one Body";
    NoOperation Client InvalidValue UnexpectedErrorFault 500
        "The Body has no operation.",
        "the Body is empty";
    SeveralOperations Client InvalidValue UnexpectedErrorFault 500
        "The Body has more than one operation.",
        "a second operation in the Body; one request is one call";
    UnknownOperation(operation: "operation") Client InvalidValue UnexpectedErrorFault 500
        "Unknown operation: <operation>",
        "an operation that the WSDL of the version does not have, or in a foreign namespace";
    OperationMisspelt(operation: "operation", near: "near")
        Client InvalidValue UnexpectedErrorFault 500
        "Unknown operation: <operation>. Did you mean <near>?",
        "the same, where an operation of the WSDL is spelt much like it";
    Reference Client InvalidValue UnexpectedErrorFault 500
        "href references are not supported.",
        "an operation, object or field that only refers to another element";
    VersionMismatch VersionMismatch InvalidValue UnexpectedErrorFault 500
        "The envelope namespace is not SOAP 1.1 or 1.2.",
        "an Envelope in another namespace";
    NotUnderstood(header: "header", namespace: "namespace")
        MustUnderstand InvalidValue UnexpectedErrorFault 500
        "The header <header> is not understood.",
        "an unknown header that must be understood";
    SecurityNotProcessed(element: "element", namespace: "namespace")
        MustUnderstand InvalidValue UnexpectedErrorFault 500
        "The WS-Security element <element> is not processed here. Only UsernameToken is.",
        "a WS-Security header that must be understood and signs, encrypts or brings another token";
    MalformedKey Client InvalidValue UnexpectedErrorFault 400
        Refusal::MalformedKey.template(),
        "create with an Idempotency-Key header that is no key";
    KeyReused Sender DuplicateValue UnexpectedErrorFault 422
        Refusal::KeyReused.template(),
        "create with the Idempotency-Key of a request that asked for something else";
    KeyRunning Receiver LockCompetition UnexpectedErrorFault 409
        Refusal::KeyRunning.template(),
        "create with the Idempotency-Key of a request that has not ended yet";
    TooManyRequests Receiver RequestExceededLimit UnexpectedErrorFault 429
        Refusal::TooManyRequests.template(),
        "the queue to the ledger is full, or too many requests are under way (documented)";
    LedgerUnavailable Receiver ServerUnavailable UnexpectedErrorFault 500
        Refusal::LedgerUnavailable.template(),
        "the ledger could not be written, and the rollback is certain";
    LedgerDamaged Receiver ServerUnavailable UnexpectedErrorFault 500
        Refusal::LedgerDamaged.template(),
        "a value that is stored is damaged, or was found damaged before";
    TooManyLogins Receiver ServerUnavailable UnexpectedErrorFault 500
        Refusal::TooManyLogins.template(),
        "login that waited too long for its turn";
    TooManyWrongLogins Receiver RequestExceededRate UnexpectedErrorFault 429
        Refusal::TooManyWrongLogins.template(),
        "a login or UsernameToken after 10 wrong passwords for its user from its address, or after \
         100 a minute from its address, whether the password is right or not";
    TooLate Receiver TransactionTimeout UnexpectedErrorFault 500
        Refusal::TooLate.template(),
        "the deadline of the request came before its transaction began";
    NotProcessed Receiver UnknownError UnexpectedErrorFault 500
        "The request could not be processed. Nothing was done.",
        "the gateway is being stopped, or has a defect";
    BodyTooLarge(limit: "limit") Client InvalidValue UnexpectedErrorFault 413
        "The request is larger than the limit: <limit>",
        "the body is over a limit: body bytes, inflated bytes";
    BodyTooSlow Client InvalidValue UnexpectedErrorFault 408
        "The request did not arrive in time. Nothing was done.",
        "the body was not there by its deadline";
    ContentType(name: "type") Client InvalidValue UnexpectedErrorFault 415
        "The content type <type> is not supported.",
        "a content type that is not that of XML";
    ContentEncoding(encoding: "encoding") Client InvalidValue UnexpectedErrorFault 415
        "The content encoding <encoding> is not supported.",
        "a content encoding other than gzip";
    BadGzip Client InvalidValue UnexpectedErrorFault 400
        "The request is not valid gzip.",
        "the content encoding is gzip, and the body is not";
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(out)
    }
}

impl Fault {
    /// The name under which metrics count the fault: SOAP's own code, or the API's.
    pub const fn outcome(&self) -> Outcome {
        match self.class() {
            FaultClass::Sender | FaultClass::Receiver => Outcome::Failed(self.code()),
            FaultClass::Client => Outcome::Refused(Refused::Client),
            FaultClass::VersionMismatch => Outcome::Refused(Refused::VersionMismatch),
            FaultClass::MustUnderstand => Outcome::Refused(Refused::MustUnderstand),
        }
    }

    /// The limit of the service for which it refuses, if it is for one.
    pub const fn limit(&self) -> Option<CallLimit> {
        CallLimit::of(match self {
            Self::TooManyRequests => Refusal::TooManyRequests,
            Self::TooManyWrongLogins => Refusal::TooManyWrongLogins,
            Self::TooLate => Refusal::TooLate,
            Self::QueryTooSlow => Refusal::QueryTooSlow,
            _ => return None,
        })
    }

    /// After how many seconds the caller may try again.
    pub const fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooManyRequests => Refusal::TooManyRequests.retry_after_s(),
            Self::TooManyWrongLogins => Refusal::TooManyWrongLogins.retry_after_s(),
            _ => None,
        }
    }
}

impl Fault {
    /// The header that was not understood: its local name and its namespace, if both are known in
    /// full.
    fn header_not_understood(&self) -> Option<(&str, &str)> {
        let header = match self {
            Self::NotUnderstood(local, namespace) => (local.as_str(), namespace.as_str()),
            Self::SecurityNotProcessed(_, namespace) => (SECURITY, namespace.as_str()),
            _ => return None,
        };
        let is_whole = |text: &str, most: usize| text.chars().count() < most;
        Some(header).filter(|(local, namespace)| {
            is_whole(local, SHOWN_CHARS_MAX) && is_whole(namespace, NAMESPACE_CHARS_MAX)
        })
    }
}

/// The start of a caller's text, for a fault to repeat.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// The start of a namespace that a caller named.
pub(super) fn shown_namespace(text: &str) -> String {
    text.chars().take(NAMESPACE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::version::ApiVersion;

    #[test]
    fn the_text_about_versions_names_those_that_are_served() {
        let text = Fault::UnsupportedVersion("17.0".to_owned()).to_string();
        let served = format!("Versions {} to {} are.", ApiVersion::FIRST, ApiVersion::LAST);
        assert_eq!(text, format!("API version 17.0 is not supported. {served}"));
    }

    #[test]
    fn a_refusal_of_a_use_case_has_its_code_text_and_wait_as_a_fault() {
        for refusal in Refusal::ALL {
            let fault = Fault::from(*refusal);
            assert_eq!(fault.code(), refusal.code(), "{refusal:?}");
            assert_eq!(fault.to_string(), refusal.template());
            assert_eq!(fault.retry_after_s(), refusal.retry_after_s());
        }
    }

    #[test]
    fn a_text_of_the_caller_is_cut() {
        assert_eq!(shown(&"é".repeat(65)), "é".repeat(64));
        assert_eq!(shown("Refund"), "Refund");
    }

    #[test]
    fn only_what_may_succeed_later_is_the_receivers_fault() {
        for fault in Fault::samples() {
            let text = fault.to_string();
            let later = text.contains("Nothing was done.") || text.contains("later.");
            let is_receiver = fault.class() == FaultClass::Receiver;
            assert!(later || !is_receiver, "{text}");
        }
    }
}
