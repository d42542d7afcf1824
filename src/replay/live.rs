//! A captured request made live: with a session of now, a password that is known, and the names of
//! the replay's own objects.
//!
//! A capture whose answer says that the session was invalid, or that the login failed, is sent as
//! it is: that is what it shows.

use super::blanks::{self, Blank, Values};
use super::carried::Carried;
use super::compare::{LIMITS, operation};
use super::error::ReplayError;
use super::exchange::Exchange;
use super::placeholder;
use super::raw::{View, pattern};
use super::scrub::{NO_PASSWORD, NO_SESSION};
use super::secret::escaped;
use super::session::Sessions;
use super::subject::Subject;
use crate::client::{Connection, Method, Request};
use crate::xml::{ElementRef, decode, parse};
use regex::bytes::Regex;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// A user that certainly does not exist.
const NOBODY: &str = "nobody@example.invalid";

/// Stands for the password of the user that a login names.
pub(super) const PASSWORD: &str = "{{password}}";

static SESSION: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&["session"]));
static CREDENTIALS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&["username", "password"]));

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Login,
    /// It brings a UsernameToken of WS-Security instead of a session.
    WithToken,
    Other,
}

/// A request on its way.
pub(super) enum Ready {
    /// What is sent.
    Request(Box<Request>),
    /// It cannot be sent, and why.
    Lacking(String),
}

/// What a request is made live with.
pub(super) struct Means<'m> {
    pub(super) sessions: &'m Sessions,
    pub(super) carried: &'m Carried,
    /// What blanks were given as.
    pub(super) values: &'m Values,
    /// The path of the endpoint, which takes the place of every path of SOAP.
    pub(super) path: Option<&'m str>,
}

/// Edits of a request, in their order.
type Edits = Vec<(Range<usize>, String)>;

/// The request to send for an exchange.
pub(super) async fn request(
    exchange: &Exchange,
    means: &Means<'_>,
    connection: &mut Connection,
) -> Result<Ready, ReplayError> {
    let Means { sessions, carried, values, path } = means;
    let value = |name: &str| values.get(name).or_else(|| carried.blank(name)).map(str::to_owned);
    let filled = blanks::filled(&exchange.request, value);
    let captured = filled.as_deref().unwrap_or(&exchange.request);
    let outcome = Expected::of(exchange.expected.as_deref());
    let view = View::of(captured);
    let edits = match (call(captured, &view), outcome) {
        (Call::Login, Expected::Answer) => logged_in(&view, means)?,
        (Call::Login, _) | (_, Expected::Unauthorized) => wrong_words(&view),
        (Call::WithToken, _) => logged_in(&view, means)?,
        (Call::Other, _) => with_session(&view, means, connection).await?,
    };
    let is_left = |blank: &Blank| {
        let is_edited = edits.iter().any(|(at, _)| at.contains(&blank.at.start));
        !is_edited && values.get(&blank.name).is_none()
    };
    let left = blanks::once(blanks::find(&view).into_iter().filter(is_left));
    if !left.is_empty() {
        return Ok(Ready::Lacking(blanks::missing(&left)));
    }
    let body = if edits.is_empty() { captured.to_vec() } else { view.with(&edits) };
    let mut filled = Vec::new();
    for placeholder in placeholder::find(&body) {
        let session = sessions.of(placeholder.user.as_deref(), connection).await?;
        filled.push((placeholder, session));
    }
    let body = if filled.is_empty() { body } else { placeholder::fill(&body, &filled) };
    let body = match carried.replaced(&body) {
        Cow::Borrowed(_) => body,
        Cow::Owned(replaced) => replaced,
    };
    Ok(Ready::Request(Box::new(Request {
        method: Method::POST,
        path: path.unwrap_or_else(|| exchange.rules.path()).to_owned(),
        headers: exchange.rules.request_headers(),
        body: body.into(),
    })))
}

fn call(request: &[u8], view: &View<'_>) -> Call {
    if Subject::of(request).operation.is_some_and(|name| name == "login") {
        return Call::Login;
    }
    let texts = view.texts(CREDENTIALS.as_ref());
    let brings = |name: &str| texts.iter().any(|text| text.element == name);
    let is_with_token = brings("username") && brings("password");
    if is_with_token { Call::WithToken } else { Call::Other }
}

/// What was refused is sent as it is; words that are certainly wrong take the place of blanks.
fn wrong_words(view: &View<'_>) -> Edits {
    let blanks = blanks::find(view);
    let holds_blank = |at: &Range<usize>| blanks.iter().any(|blank| at.contains(&blank.at.start));
    let word = |element: &str| match element {
        "session" => NO_SESSION,
        "password" => NO_PASSWORD,
        _ => NOBODY,
    };
    let texts = [SESSION.as_ref(), CREDENTIALS.as_ref()];
    let texts = texts.into_iter().flat_map(|pattern| view.texts(pattern));
    let mut edits: Edits = texts
        .filter(|text| holds_blank(&text.at))
        .map(|text| (text.at, word(&text.element).to_owned()))
        .collect();
    edits.sort_by_key(|(at, _)| at.start);
    edits
}

/// The captured session becomes the one that its login got, else one of the first user. One that
/// was given for a blank stays.
async fn with_session(
    view: &View<'_>,
    means: &Means<'_>,
    connection: &mut Connection,
) -> Result<Edits, ReplayError> {
    let mut edits = Vec::new();
    let blanks = blanks::find(view);
    for text in view.texts(SESSION.as_ref()) {
        let captured = view.said(&text.at);
        let is_kept = captured.is_empty() || captured.starts_with("{{session");
        if is_kept || means.values.has_value(&captured) {
            continue;
        }
        let blank = blanks.iter().find(|blank| text.at.contains(&blank.at.start));
        let reported = blank.map_or(captured, |blank| blanks::any(&blank.name));
        let live = match means.carried.session(&reported) {
            Some(live) => live.to_owned(),
            None => means.sessions.of(None, connection).await?,
        };
        edits.push((text.at, live));
    }
    Ok(edits)
}

/// A login with the password that is known for its user, else as the first user. One that is right
/// as it is, or was given for a blank, stays.
fn logged_in(view: &View<'_>, means: &Means<'_>) -> Result<Edits, ReplayError> {
    let texts = view.texts(CREDENTIALS.as_ref());
    let of = |name: &str| texts.iter().find(|text| text.element == name);
    let (Some(username), Some(password)) = (of("username"), of("password")) else {
        return Ok(Vec::new());
    };
    let (name, word) = (view.said(&username.at), view.said(&password.at));
    if means.values.has_value(&word) {
        return Ok(Vec::new());
    }
    let Some(known) = means.sessions.credentials_for(&name) else {
        if word == PASSWORD {
            return Err(Sessions::nobody_told(Some(&name)));
        }
        return Ok(Vec::new());
    };
    if known.username == name && known.password == word {
        return Ok(Vec::new());
    }
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
    /// The session or the UsernameToken was refused.
    Unauthorized,
}

impl Expected {
    fn of(answer: Option<&[u8]>) -> Self {
        let Some(text) = answer.and_then(|answer| decode(answer, None).ok()) else {
            return Self::Answer;
        };
        let Ok(document) = parse(&text, &LIMITS) else { return Self::Answer };
        match operation(document.root()) {
            Some(fault) if fault.local() == "Fault" => {
                let is_unauthorized =
                    ["INVALID_SESSION", "INVALID_LOGIN"].iter().any(|code| has_text(fault, code));
                if is_unauthorized { Self::Unauthorized } else { Self::Fault }
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
