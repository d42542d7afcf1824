//! One refund: what it is, its whole story as a time line, and settling it by hand.
//!
//! What must stay true: the story is that of `explain`; what a client or a gateway wrote is text;
//! settling is the use case of the admin API and of the command line.

use super::done;
use crate::call::Method;
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::refund_rows::RefundRow;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::words::{colour, local_text};
use crate::console::{Answered, Console};
use askama::Template;
use chrono_tz::Tz;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "story.html")]
struct StoryPage {
    frame: Frame,
    number: String,
    status: String,
    colour: &'static str,
    is_deleted: bool,
    zone: &'static str,
    account: Option<(String, String)>,
    facts: Vec<(&'static str, String)>,
    moments: Vec<Moment>,
    /// Whether it can be settled by hand.
    is_open: bool,
}

/// Something that happened.
struct Moment {
    /// When, as the ledger writes it, by which moments are ordered.
    order: String,
    at: String,
    what: String,
    details: Vec<(String, String)>,
}

/// What is said of a refund beside its state, by the place in its story.
const FACTS: [(&str, &str); 15] = [
    ("Id", "/facts/refund/id"),
    ("Amount", "/facts/refund/amount"),
    ("Currency", "/facts/refund/currency"),
    ("Type", "/facts/refund/type"),
    ("Drawn on", "/facts/refund/source_type"),
    ("Payment", "/facts/refund/payment/number"),
    ("Refund date", "/facts/refund/refund_date"),
    ("The source had", "/decision/source_before"),
    ("Then it had", "/decision/source_after"),
    ("Paid by", "/facts/refund/method_type"),
    ("Payment method", "/facts/refund/payment_method"),
    ("Chosen as", "/decision/method_choice"),
    ("Gateway", "/facts/refund/gateway"),
    ("Gateway state", "/facts/refund/gateway_state"),
    ("Reference", "/facts/refund/reference_id"),
];

/// The page of a refund.
pub(super) async fn page(console: &Console, visitor: &Visitor, name: &str) -> Answered {
    visitor.reads()?;
    let story = story(console, visitor, name).await?;
    let zone = console.service.tenant().time_zone;
    let number = text(&story, "/number").to_owned();
    let status = text(&story, "/facts/refund/status").to_owned();
    let account = Some(text(&story, "/facts/account/id")).filter(|id| !id.is_empty());
    let number_of_account = text(&story, "/facts/account/number");
    let account = account.map(|id| (id.to_owned(), number_of_account.to_owned()));
    let row = row(console, visitor, &number).await;
    let written = row.iter().flat_map(|row| {
        [
            ("Comment", &row.comment),
            ("Reason code", &row.reason_code),
            ("Gateway response", &row.gateway_response),
            ("Created by", &row.created_by),
        ]
    });
    let written = written.filter_map(|(name, text)| Some((name, text.clone()?)));
    let fact = |(name, place): (&'static str, &str)| Some((name, plain(story.pointer(place)?)?));
    let is_deleted = story.get("deleted").and_then(Value::as_bool).unwrap_or_default();
    let title = format!("Refund {number}");
    let page = StoryPage {
        frame: visitor.frame(console, Some(Section::Refunds), title),
        colour: colour(&status),
        is_open: status == "Processing" && !is_deleted,
        is_deleted,
        zone: zone.name(),
        account,
        facts: FACTS.into_iter().filter_map(fact).chain(written).collect(),
        moments: moments(&story, zone),
        number,
        status,
    };
    answer::page(200, &page)
}

/// Settles a refund by hand.
pub(super) async fn settle(console: &Console, visitor: &Visitor, name: &str) -> Answered {
    visitor.posts()?;
    let fields = form::form(&visitor.visit, &["status", "reason"])?;
    let status = fields.text("status").unwrap_or_default().to_owned();
    let reason = fields.text("reason").unwrap_or_default();
    let story = story(console, visitor, name).await?;
    let (id, number) = (text(&story, "/facts/refund/id"), text(&story, "/number"));
    let path = format!("refunds/{id}/settle");
    let body = json!({ "status": status, "reason": reason });
    console.ask::<Value>(visitor, (Method::Post, &path, ""), &body).await?;
    done(console, visitor, &format!("/refunds/{number}"), format!("{number} is settled: {status}."))
}

async fn story(console: &Console, visitor: &Visitor, name: &str) -> Result<Value, Trouble> {
    let path = format!("refunds/{name}/story");
    console.ask(visitor, (Method::Get, &path, ""), &Value::Null).await
}

/// The refund as lists have it; none of one that was deleted.
async fn row(console: &Console, visitor: &Visitor, number: &str) -> Option<RefundRow> {
    let path = format!("refunds/{number}");
    console.ask(visitor, (Method::Get, &path, ""), &Value::Null).await.ok()
}

/// All that happened, in its order.
fn moments(story: &Value, zone: Tz) -> Vec<Moment> {
    let list = |place: &str| story.pointer(place).and_then(Value::as_array).into_iter().flatten();
    let mut moments: Vec<Moment> = Vec::new();
    let created = story.get("created").filter(|record| record.is_object());
    moments.extend(created.map(|record| of_record("Asked for", record, zone)));
    moments.extend(list("/entries").map(|one| moment("Balance moved", one, zone, &["at"])));
    moments.extend(list("/exchanges").map(|one| moment("Gateway asked", one, zone, &["at"])));
    moments.extend(list("/events").map(|one| moment("Event written", one, zone, &["at"])));
    let changed =
        |record| of_record(&format!("Later: {}", text(record, "/operation")), record, zone);
    moments.extend(list("/changes").map(changed));
    moments.sort_by(|one, other| one.order.cmp(&other.order));
    let settled = list("/settlements");
    moments.extend(settled.map(|one| moment("Settlement file", one, zone, &[])));
    moments
}

/// What a record of the audit says.
fn of_record(what: &str, record: &Value, zone: Tz) -> Moment {
    const SAID_ALREADY: [&str; 5] = ["at", "key", "actor_kind", "operation", "object"];
    let mut moment = moment(what, record, zone, &SAID_ALREADY);
    let facts = record.pointer("/objects/0/facts").and_then(Value::as_object);
    let scalars = facts.into_iter().flatten().filter(|(_, value)| !value.is_object());
    moment.details.extend(scalars.filter_map(|(key, value)| Some((spoken(key), plain(value)?))));
    moment
}

/// A moment with every value that it has, but for some.
fn moment(what: &str, item: &Value, zone: Tz, without: &[&str]) -> Moment {
    let order = item.get("at").and_then(Value::as_str).unwrap_or_default().to_owned();
    let values = item.as_object().into_iter().flatten();
    let values = values.filter(|(key, _)| !without.contains(&key.as_str()));
    let details = values.filter_map(|(key, value)| Some((spoken(key), plain(value)?))).collect();
    Moment { at: local_text(&order, zone), order, what: what.to_owned(), details }
}

fn spoken(key: &str) -> String {
    key.replace('_', " ")
}

fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

/// A value as text; none where there is nothing to show.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
