//! Trying a call: an envelope of the catalogue, changed as wanted, sent to the public listener.

use crate::call::Method;
use crate::console::answer;
use crate::console::body::{self, In, Shown};
use crate::console::envelopes::{self, Envelope};
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console, form};
use crate::domain::secret::without_secrets;
use crate::http::{Pairs, Trial, Tried};
use crate::ledger::readings::ROWS_MAX;
use askama::Template;

/// What stands for a session in an envelope.
const SESSION: &str = "{{session}}";
/// Where calls go unless another path is given.
const PATH: &str = "/apps/services/a/91.0";
/// The type of what is sent.
const XML: &str = "text/xml; charset=utf-8";
const KEYS: [&str; 5] = ["envelope", "text", "path", "user", "key"];

#[derive(Template)]
#[template(path = "trial.html")]
struct TrialPage {
    frame: Frame,
    envelopes: &'static [Envelope],
    /// The name of the envelope that was begun with.
    chosen: String,
    about: &'static str,
    text: String,
    path: String,
    user: String,
    users: Vec<String>,
    key: String,
    tried: Option<Outcome>,
}

/// What came of a call.
struct Outcome {
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Shown,
    /// Why there is no answer.
    why: Option<String>,
}

/// Shows an envelope, or sends one and shows the answer.
pub(super) async fn page(console: &Console, visitor: &Visitor) -> Answered {
    let is_sent = visitor.visit.method == Method::Post;
    let pairs = match visitor.visit.method {
        Method::Get => form::query(&visitor.visit, &KEYS)?,
        _ => form::form(&visitor.visit, &KEYS)?,
    };
    let users = console.service.ledger().users(None, ROWS_MAX).await?;
    let users: Vec<_> = users.rows.into_iter().map(|user| user.username).collect();
    let first = users.first().cloned().unwrap_or_default();
    let text = |key: &str| pairs.text(key).unwrap_or_default();
    let chosen = pairs.text("envelope").map(|name| {
        let missing = || Trouble::missing(format!("The catalogue has no envelope {name} here."));
        envelopes::named(name).ok_or_else(missing)
    });
    let chosen = chosen.transpose()?.or(envelopes::ALL.first());
    let mut page = TrialPage {
        frame: visitor.frame(console, Some(Section::Bench), "Try a call"),
        envelopes: envelopes::ALL,
        chosen: chosen.map_or("", |one| one.name).to_owned(),
        about: chosen.map_or("", |one| one.about),
        text: match is_sent {
            true => text("text").to_owned(),
            false => chosen.map_or("", |one| one.text).to_owned(),
        },
        path: pairs.text("path").unwrap_or(PATH).to_owned(),
        user: pairs.text("user").unwrap_or(&first).to_owned(),
        users,
        key: text("key").to_owned(),
        tried: None,
    };
    if is_sent {
        let sent = send(console, &page, &pairs).await?;
        page.tried = Some(sent);
    }
    answer::page(200, &page)
}

async fn send(console: &Console, page: &TrialPage, pairs: &Pairs) -> Result<Outcome, Trouble> {
    if !page.path.starts_with('/') || !page.path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Trouble::bad("path: begins with a slash and has no blanks"));
    }
    let mut text = page.text.replace("\r\n", "\n");
    if text.contains(SESSION) {
        let opened = console.service.session_of_user(&page.user).await;
        let opened = opened.map_err(|error| Trouble::new(409, error.to_string()))?;
        let missing = || Trouble::bad(format!("user: there is no `{}`", page.user));
        text = text.replace(SESSION, &opened.ok_or_else(missing)?);
    }
    let key = pairs.text("key").map(|key| ("idempotency-key", key.to_owned()));
    let (path, content_type) = (page.path.clone(), XML.to_owned());
    let headers = key.into_iter().collect();
    let trial = Trial { path, content_type, headers, body: text.into() };
    Ok(match console.inside.send(trial).await {
        Ok(Tried { status, headers, body }) => {
            let body = body::shown(&without_secrets(&body), None);
            Outcome { status: Some(status), headers, body, why: None }
        }
        Err(why) => {
            Outcome { status: None, headers: Vec::new(), body: Shown::default(), why: Some(why) }
        }
    })
}
