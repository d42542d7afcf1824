//! Why there is no page, and the page that says so.
//!
//! What must stay true: what is said names what was wrong, with its words, and holds no secret.

use super::answer;
use super::frame::Frame;
use crate::http::Page;
use crate::ledger::LedgerError;
use askama::Template;
use serde_json::Value;

/// Why a request gets no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: u16,
    /// A sentence.
    pub(super) why: String,
    /// The methods that are right, where the method was wrong.
    pub(super) allow: Option<&'static str>,
}

impl Trouble {
    pub(super) fn new(status: u16, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), allow: None }
    }

    /// What was asked for is wrong.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::new(400, why)
    }

    /// What was asked for may not be done.
    pub(super) fn forbidden(why: impl Into<String>) -> Self {
        Self::new(403, why)
    }

    /// There is nothing here.
    pub(super) fn missing(why: impl Into<String>) -> Self {
        Self::new(404, why)
    }

    /// The path takes other methods.
    pub(super) fn wrong_method(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(405, format!("This takes {allow}.")) }
    }

    /// Something failed that should not.
    pub(super) fn internal(why: impl Into<String>) -> Self {
        Self::new(500, why)
    }

    /// What the admin API said, unless it did what was asked for.
    pub(super) fn unless_done((status, value): (u16, Value)) -> Result<Value, Self> {
        if status < 400 {
            return Ok(value);
        }
        let why = value.get("error").and_then(Value::as_str).unwrap_or("it was refused");
        Err(Self::new(status, why))
    }

    /// What the status says, in a word or two.
    fn title(&self) -> &'static str {
        match self.status {
            400 => "That cannot be read",
            401 => "Log in first",
            403 => "Not allowed",
            404 => "Nothing here",
            405 => "Another method is needed",
            409 => "That cannot be done now",
            413 => "Too much",
            415 => "No form",
            429 => "Too many attempts",
            503 => "Not now",
            _ => "That failed",
        }
    }

    /// The page, in a frame whose title is its own.
    pub(super) fn page(&self, frame: Frame) -> Page {
        let frame = Frame { title: self.title().to_owned(), ..frame };
        let page = TroublePage { frame, status: self.status, why: &self.why };
        let page = answer::page(self.status, &page)
            .unwrap_or_else(|_| answer::sentence(self.status, &self.why));
        match self.allow {
            Some(allow) => answer::with(page, "allow", allow.to_owned()),
            None => page,
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        let status = if matches!(error, LedgerError::Unknown(_)) { 500 } else { 503 };
        Self::new(status, error.to_string())
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'t> {
    frame: Frame,
    status: u16,
    why: &'t str,
}
