//! Webhooks: what each has got, what waits for it, and what it did not take, which can be tried
//! again at once or skipped.
//!
//! What must stay true: what is given up stays in the ledger for as long as its event, and what
//! waits is tried again by itself.

use super::{done, nothing};
use crate::call::Method;
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::words;
use crate::console::{Answered, Console};
use crate::domain::percent::encoded;
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    frame: Frame,
    zone: &'static str,
    webhooks: Vec<Webhook>,
    /// The webhook whose failures are shown.
    name: Option<String>,
    /// The page of that webhook.
    here: String,
    failures: Vec<Failure>,
    next: Option<String>,
}

/// A webhook, as the admin API writes it.
#[derive(Deserialize)]
struct Webhook {
    name: String,
    delivered: u64,
    failed: u64,
    waiting: u64,
    given_up: u64,
}

impl Webhook {
    /// The page of what it did not take.
    fn page(&self) -> String {
        format!("/webhooks/{}", encoded(&self.name))
    }
}

impl Failure {
    /// Whether it is tried in its turn, after an earlier event of its account.
    fn waits(&self) -> bool {
        !self.given_up && self.next_attempt.is_none()
    }
}

/// The webhooks that the admin API lists.
#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

/// A delivery that failed, as the admin API writes it.
#[derive(Deserialize)]
struct Failure {
    sequence: i64,
    kind: String,
    refund: String,
    attempts: u32,
    since: String,
    next_attempt: Option<String>,
    last_error: Option<String>,
    given_up: bool,
}

/// A page of those.
#[derive(Default, Deserialize)]
struct Failures {
    failures: Vec<Failure>,
    next: Option<String>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => page(console, visitor, None).await,
        [name] => page(console, visitor, Some(name)).await,
        [name, decision @ ("retry" | "skip")] => decide(console, visitor, (name, decision)).await,
        _ => Err(nothing()),
    }
}

async fn page(console: &Console, visitor: &Visitor, name: Option<&str>) -> Answered {
    visitor.reads()?;
    let asked = form::query(&visitor.visit, &["cursor"])?;
    let path = (Method::Get, "webhooks", "");
    let Webhooks { webhooks } = console.ask(visitor, path, &Value::Null).await?;
    let name = name.map(|name| {
        let is_it = |webhook: &&Webhook| encoded(&webhook.name) == name;
        webhooks.iter().find(is_it).map(|webhook| webhook.name.clone()).ok_or_else(nothing)
    });
    let name = name.transpose()?;
    let Failures { mut failures, next } = match &name {
        None => Failures::default(),
        Some(name) => {
            let cursor = asked.text("cursor").map(|cursor| ("cursor", cursor.to_owned()));
            let query = form::encoded_pairs(cursor.as_slice());
            let path = format!("webhooks/{}/failures", encoded(name));
            console.ask(visitor, (Method::Get, &path, &query), &Value::Null).await?
        }
    };
    let zone = console.service.tenant().time_zone;
    for failure in &mut failures {
        failure.since = words::local_text(&failure.since, zone);
        let next = failure.next_attempt.take();
        failure.next_attempt = next.map(|next| words::local_text(&next, zone));
    }
    let title = name.as_deref().unwrap_or(Section::Webhooks.title()).to_owned();
    let here = format!("/webhooks/{}", name.as_deref().map(encoded).unwrap_or_default());
    let frame = visitor.frame(console, Some(Section::Webhooks), title);
    let (zone, next) = (zone.name(), next.map(|next| form::encoded_pairs(&[("cursor", next)])));
    answer::page(200, &WebhooksPage { frame, zone, webhooks, name, here, failures, next })
}

/// Has a delivery tried again, or skipped; `name` is as the path has it.
async fn decide(console: &Console, visitor: &Visitor, (name, decision): (&str, &str)) -> Answered {
    visitor.posts()?;
    let form = form::form(&visitor.visit, &["event", "reason"])?;
    let event = form.text("event").ok_or_else(|| Trouble::bad("event: is missing"))?;
    let body = match decision {
        "skip" => json!({ "reason": form.text("reason").unwrap_or_default() }),
        _ => Value::Null,
    };
    let path = format!("webhooks/{name}/failures/{}/{decision}", encoded(event));
    let decided: Value = console.ask(visitor, (Method::Post, &path, ""), &body).await?;
    let notice = match (decision, decided.get("next_attempt")) {
        ("skip", _) => format!("Event {event} is skipped."),
        (_, Some(Value::Null)) => format!("Event {event} is tried after the event before it."),
        _ => format!("Event {event} is being tried again."),
    };
    done(console, visitor, &format!("/webhooks/{name}"), notice)
}
