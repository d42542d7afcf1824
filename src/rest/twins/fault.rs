//! Why a call to a twin is refused as a whole, and the two forms in which that is written.
//!
//! Codes are those of SOAP's faults for the same; forms are those that clients of the vendor's API
//! parse.

use crate::call::Outcome;
use crate::catalogue::Object;
use crate::catalogue::vendor::object_not_kept;
use crate::domain::draft::batch::{IDS_MAX, OBJECTS_MAX};
use crate::domain::error_code::ErrorCode;
use crate::domain::query::QueryError;
use crate::domain::text::{Text, Wording};
use crate::domain::toml_text::{slip, suggest};
use crate::json::JsonWriter;
use crate::rest::answer::Response;
use crate::rest::error::Reason;

/// How much of a caller's text is repeated, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Why a call is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rest) enum Fault {
    /// The body is no JSON document.
    Body(Text),
    /// The query of the URL cannot be read.
    Parameters(Text),
    /// The document is no object.
    NoObject,
    /// There is no `type`, or it is no text.
    NoType,
    /// No object that this gateway keeps has this type.
    UnknownType(String),
    /// The original has objects of this type, and this gateway keeps none.
    NotKept(&'static str),
    /// Objects of this type cannot be created, or not be changed.
    TypeStays(String),
    /// There are no objects, or a null is among them.
    NoObjects,
    /// There are more objects than a call may have.
    TooManyObjects,
    /// There are no ids, or one that is no text.
    NoIds,
    /// There are more ids than a call may have.
    TooManyIds,
    /// An object has a field that its type lacks, and the caller wants that refused.
    UnknownField,
    /// There is no query string, or no locator.
    NoQuery,
    /// The query string is wrong.
    Query(QueryError),
    /// The object of the query is none.
    QueryType(String),
    /// The locator is none, or is not good any more.
    WrongLocator(String),
    /// There is no object of this id.
    NotFound,
    /// A tester ordered it.
    Ordered(ErrorCode, Text),
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// The objects that calls may name.
fn object_names() -> impl Iterator<Item = &'static str> {
    Object::ALL.iter().map(|object| object.name())
}

impl Fault {
    /// A body that cannot be read.
    pub(super) fn of_body(reason: Reason) -> Self {
        Self::Body(reason.message)
    }

    /// A type that is none.
    pub(super) fn unknown_type(name: &str) -> Self {
        object_not_kept(name).map_or_else(|| Self::UnknownType(shown(name)), Self::NotKept)
    }

    /// An object that nothing can be found of.
    pub(super) fn query_type(name: &str) -> Self {
        object_not_kept(name).map_or_else(|| Self::QueryType(shown(name)), Self::NotKept)
    }

    /// A locator that is none.
    pub(super) fn wrong_locator(text: &str) -> Self {
        Self::WrongLocator(shown(text))
    }

    const fn code(&self) -> ErrorCode {
        match self {
            Self::Ordered(code, _) => *code,
            Self::Body(_) | Self::Parameters(_) | Self::NoObject => ErrorCode::InvalidValue,
            Self::NoType | Self::NoObjects | Self::NoIds | Self::NoQuery => {
                ErrorCode::MissingRequiredValue
            }
            Self::UnknownType(_) | Self::NotKept(_) | Self::TypeStays(_) | Self::QueryType(_) => {
                ErrorCode::InvalidType
            }
            Self::TooManyObjects | Self::TooManyIds => ErrorCode::MaxRecordsExceeded,
            Self::UnknownField | Self::Query(QueryError::Field { .. }) => ErrorCode::InvalidField,
            Self::Query(QueryError::Syntax(_)) => ErrorCode::MalformedQuery,
            Self::Query(QueryError::Value { .. }) | Self::WrongLocator(_) | Self::NotFound => {
                ErrorCode::InvalidValue
            }
        }
    }

    fn text(&self) -> Text {
        let most = |most: usize| most.to_string();
        match self {
            Self::Body(text) | Self::Parameters(text) | Self::Ordered(_, text) => text.clone(),
            Self::NoObject => Text::new("The body must be a JSON object.", []),
            Self::NoType => Text::new("Missing required value: type", []),
            Self::UnknownType(name) => match suggest(name, object_names()) {
                Some(near) => Text::new(
                    "There is no object type <Type>. Did you mean <near>?",
                    [("Type", name), ("near", near)],
                ),
                None => Text::new("There is no object type <Type>.", [("Type", name)]),
            },
            Self::NotKept(name) => Text::new(
                "This gateway does not keep objects of the type <Type>.",
                [("Type", *name)],
            ),
            Self::TypeStays(name) => {
                Text::new("Objects of type <Type> cannot be created or changed.", [("Type", name)])
            }
            Self::NoObjects => Text::new("Missing required value: objects", []),
            Self::TooManyObjects => {
                let most = most(OBJECTS_MAX);
                Text::new("A call may carry at most <most> objects.", [("most", &most)])
            }
            Self::NoIds => Text::new("Missing required value: ids", []),
            Self::TooManyIds => {
                let most = most(IDS_MAX);
                Text::new("A call may carry at most <most> ids.", [("most", &most)])
            }
            Self::UnknownField => Text::new("Error - unrecognised fields", []),
            Self::NoQuery => Text::new("Missing required value: queryString", []),
            Self::Query(QueryError::Syntax(error)) => Text::verbatim(error.to_string()),
            Self::Query(QueryError::Field { object, field }) => {
                let values = [("Object", object.as_str()), ("field", field.as_str())];
                Text::new("invalid field for query: <Object>.<field>", values)
            }
            Self::Query(QueryError::Value { field, value }) => {
                let value = shown(value);
                let values = [("Field", field.as_str()), ("value", &value)];
                Text::new("The value <value> does not fit <Field>.", values)
            }
            Self::QueryType(name) => match slip(name, object_names()) {
                Some(near) => Text::new(
                    "There is no object <Type> to query. Did you mean <near>?",
                    [("Type", name), ("near", near)],
                ),
                None => Text::new("There is no object <Type> to query.", [("Type", name)]),
            },
            Self::WrongLocator(text) => {
                Text::new("The query locator <value> is none.", [("value", text)])
            }
            Self::NotFound => Text::new("There is no object of this id.", []),
        }
    }

    /// The answer of an action.
    pub(super) fn of_action(&self, wording: &Wording) -> Response {
        let mut json = JsonWriter::new();
        json.object().name("FaultCode").text(self.code().name());
        json.name("FaultMessage").text(&wording.report(&self.text()));
        self.respond(json)
    }

    /// The answer of an operation on one object.
    pub(super) fn of_object(&self, wording: &Wording) -> Response {
        let mut json = JsonWriter::new();
        json.object();
        match self {
            Self::NotFound => {
                json.name("records").object().close().name("size").number(0);
                json.name("done").bool(true);
            }
            Self::UnknownField => {
                json.name("message").text(&wording.report(&self.text()));
            }
            _ => {
                json.name("Success").bool(false).name("Errors").list().object();
                json.name("Code").text(self.code().name());
                json.name("Message").text(&wording.report(&self.text()));
            }
        }
        self.respond(json)
    }

    fn respond(&self, json: JsonWriter) -> Response {
        let status = if *self == Self::NotFound { 404 } else { 400 };
        Response::of(status, json.into_bytes(), Outcome::Failed(self.code()))
    }
}
