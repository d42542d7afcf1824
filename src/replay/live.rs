//! A captured request made live: with a session of now, a password that is known, and the names of
//! the replay's own objects.
//!
//! A capture whose answer says that the session was invalid, or that the login failed, is sent as
//! it is: that is what it shows.

use super::carried::Carried;
use super::compare::{LIMITS, operation, operation_name};
use super::error::ReplayError;
use super::exchange::{Exchange, Nature};
use super::placeholder;
use super::raw::{View, pattern};
use super::secret::escaped;
use super::session::Sessions;
use crate::client::Connection;
use crate::xml::{ElementRef, decode, parse};
use regex::bytes::Regex;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// Stands for the password of the user that a login names.
pub(super) const PASSWORD: &str = "{{password}}";

static SESSION: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&["session"]));
static CREDENTIALS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&["username", "password"]));

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Login,
    Other,
}

/// The body to send for an exchange.
pub(super) async fn request(
    exchange: &Exchange,
    sessions: &Sessions,
    carried: &Carried,
    connection: &mut Connection,
) -> Result<Vec<u8>, ReplayError> {
    let captured = &exchange.request;
    let outcome = Expected::of(exchange.expected.as_deref());
    let view = View::of(captured);
    let edits = match call(captured) {
        Call::Login if outcome == Expected::Answer => logged_in(exchange, &view, sessions)?,
        Call::Other if outcome != Expected::InvalidSession => {
            with_session(exchange, &view, sessions, carried, connection).await?
        }
        Call::Login | Call::Other => Vec::new(),
    };
    let body = if edits.is_empty() { captured.clone() } else { view.with(&edits) };
    let mut filled = Vec::new();
    for placeholder in placeholder::find(&body) {
        let session = sessions.of(placeholder.user.as_deref(), connection).await?;
        filled.push((placeholder, session));
    }
    let body = if filled.is_empty() { body } else { placeholder::fill(&body, &filled) };
    Ok(match carried.replaced(&body) {
        Cow::Borrowed(_) => body,
        Cow::Owned(replaced) => replaced,
    })
}

fn call(request: &[u8]) -> Call {
    let is_login = operation_name(request).is_some_and(|name| name == "login");
    if is_login { Call::Login } else { Call::Other }
}

/// The captured session becomes the one that its login got, else one of the first user.
async fn with_session(
    exchange: &Exchange,
    view: &View<'_>,
    sessions: &Sessions,
    carried: &Carried,
    connection: &mut Connection,
) -> Result<Vec<(Range<usize>, String)>, ReplayError> {
    let mut edits = Vec::new();
    if exchange.nature == Nature::Written {
        return Ok(edits);
    }
    for text in view.texts(SESSION.as_ref()) {
        let captured = view.said(&text.at);
        if captured.is_empty() || captured.starts_with("{{session") {
            continue;
        }
        let live = match carried.session(&captured) {
            Some(live) => live.to_owned(),
            None => sessions.of(None, connection).await?,
        };
        edits.push((text.at, live));
    }
    Ok(edits)
}

/// A login with the password that is known for its user, else as the first user.
fn logged_in(
    exchange: &Exchange,
    view: &View<'_>,
    sessions: &Sessions,
) -> Result<Vec<(Range<usize>, String)>, ReplayError> {
    let texts = view.texts(CREDENTIALS.as_ref());
    let of = |name: &str| texts.iter().find(|text| text.element == name);
    let (Some(username), Some(password)) = (of("username"), of("password")) else {
        return Ok(Vec::new());
    };
    let is_placeholder = view.said(&password.at) == PASSWORD;
    if exchange.nature == Nature::Written && !is_placeholder {
        return Ok(Vec::new());
    }
    let name = view.said(&username.at);
    let Some(known) = sessions.credentials_for(&name) else {
        if is_placeholder {
            return Err(Sessions::nobody_told(Some(&name)));
        }
        return Ok(Vec::new());
    };
    let mut edits = vec![
        (username.at.clone(), escaped(&known.username)),
        (password.at.clone(), escaped(&known.password)),
    ];
    edits.sort_by_key(|(at, _)| at.start);
    Ok(edits)
}

/// What the capture says became of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Answer,
    Fault,
    InvalidSession,
}

impl Expected {
    fn of(answer: Option<&[u8]>) -> Self {
        let Some(text) = answer.and_then(|answer| decode(answer, None).ok()) else {
            return Self::Answer;
        };
        let Ok(document) = parse(&text, &LIMITS) else { return Self::Answer };
        match operation(document.root()) {
            Some(fault) if fault.local() == "Fault" => {
                let is_about_session = has_text(fault, "INVALID_SESSION");
                if is_about_session { Self::InvalidSession } else { Self::Fault }
            }
            _ => Self::Answer,
        }
    }
}

fn has_text(element: ElementRef<'_>, code: &str) -> bool {
    element.text().trim().ends_with(code) || element.children().any(|child| has_text(child, code))
}

/// The sessions of both answers to a login.
pub(super) fn sessions_of(expected: &[u8], actual: &[u8]) -> Option<(String, String)> {
    let session = |answer: &[u8]| {
        let view = View::of(answer);
        let text = view.texts(SESSION.as_ref()).into_iter().next()?;
        let session = view.said(&text.at);
        (!session.is_empty()).then_some(session)
    };
    Some((session(expected)?, session(actual)?))
}
