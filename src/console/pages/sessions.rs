//! Sessions of users at the front doors: who is logged in, and the end of a session.
//!
//! What must stay true: a session is shown by its handle, which opens nothing.

use super::{done, nothing};
use crate::call::Method;
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::visitor::Visitor;
use crate::console::words;
use crate::console::{Answered, Console};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    zone: &'static str,
    user: String,
    sessions: Vec<Session>,
    /// The query of the next page.
    next: Option<String>,
    is_later: bool,
}

/// A session, as the admin API writes it.
#[derive(Deserialize)]
struct Session {
    handle: String,
    user: String,
    last_used: String,
}

/// A page of sessions.
#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Session>,
    next: Option<String>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => page(console, visitor).await,
        [handle, "end"] => end(console, visitor, handle).await,
        _ => Err(nothing()),
    }
}

async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let asked = form::query(&visitor.visit, &["user", "cursor"])?;
    let of = |key: &'static str| asked.text(key).map(|value| (key, value.to_owned()));
    let (user, cursor) = (of("user"), of("cursor"));
    let query =
        |cursor| form::encoded_pairs(&user.iter().cloned().chain(cursor).collect::<Vec<_>>());
    let path = (Method::Get, "sessions", &*query(cursor.clone()));
    let Sessions { mut sessions, next } = console.ask(visitor, path, &Value::Null).await?;
    let zone = console.service.tenant().time_zone;
    for session in &mut sessions {
        session.last_used = words::local_text(&session.last_used, zone);
    }
    let next = next.map(|next| query(Some(("cursor", next))));
    let frame = visitor.frame(console, Some(Section::Sessions), Section::Sessions.title());
    let (is_later, zone) = (cursor.is_some(), zone.name());
    let user = user.map(|(_, name)| name).unwrap_or_default();
    answer::page(200, &SessionsPage { frame, zone, user, sessions, next, is_later })
}

async fn end(console: &Console, visitor: &Visitor, handle: &str) -> Answered {
    visitor.posts()?;
    form::form(&visitor.visit, &[])?;
    let path = format!("sessions/{handle}");
    console.ask::<Value>(visitor, (Method::Delete, &path, ""), &Value::Null).await?;
    done(console, visitor, "/sessions", format!("The session {handle} has ended."))
}
