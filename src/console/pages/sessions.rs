//! Sessions of users at the front doors and OAuth tokens: who is logged in, and the end of one.
//!
//! What must stay true: each is shown by its handle, which opens nothing.

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
use chrono_tz::Tz;
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

/// A session or a token, as the admin API writes it.
#[derive(Deserialize)]
struct Session {
    handle: String,
    user: String,
    /// The OAuth client of a token.
    client: Option<String>,
    last_used: Option<String>,
    issued: Option<String>,
    ends: Option<String>,
}

impl Session {
    /// What it is, in a word.
    fn kind(&self) -> &'static str {
        if self.client.is_some() { "token" } else { "session" }
    }

    /// With its moments in a zone.
    fn in_zone(self, zone: Tz) -> Self {
        let local = |at: Option<String>| at.map(|at| words::local_text(&at, zone));
        let (last_used, issued, ends) =
            (local(self.last_used), local(self.issued), local(self.ends));
        Self { last_used, issued, ends, ..self }
    }
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
    let Sessions { sessions, next } = console.ask(visitor, path, &Value::Null).await?;
    let zone = console.service.tenant().time_zone;
    let sessions = sessions.into_iter().map(|session| session.in_zone(zone)).collect();
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
    done(console, visitor, "/sessions", format!("{handle} has ended."))
}
