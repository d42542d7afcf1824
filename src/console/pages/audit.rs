//! The audit: who changed what, when, from where and by which way.
//!
//! What must stay true: which records are shown is said by the query alone; it only reads.

use super::nothing;
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

/// What records can be filtered by: the keys of the admin API, each with its name on the page and
/// an example.
const FILTERS: [(&str, &str, &str); 5] = [
    ("actor", "User, operator or gateway", ""),
    ("object", "Type", "Refund, User, Session"),
    ("id", "Id or number", "R-00000001"),
    ("from", "From", "2026-01-02T00:00:00Z"),
    ("until", "Until", "2026-01-03T00:00:00Z"),
];

/// How many objects of a record are shown before the others are folded.
const SHOWN: usize = 8;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    zone: &'static str,
    filters: Vec<Filter>,
    records: Vec<Record>,
    /// The query of the next page.
    next: Option<String>,
    is_later: bool,
}

/// A filter, with what it is set to.
struct Filter {
    key: &'static str,
    label: &'static str,
    example: &'static str,
    value: String,
}

/// A record, as the admin API writes it.
#[derive(Deserialize)]
struct Record {
    key: i64,
    at: String,
    actor: String,
    actor_kind: String,
    door: String,
    version: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    operation: String,
    object: String,
    objects: Vec<Object>,
}

impl Record {
    /// The objects that are shown with what became of them.
    fn shown(&self) -> &[Object] {
        self.objects.get(..SHOWN).unwrap_or(&self.objects)
    }

    /// The others, which are only named.
    fn others(&self) -> &[Object] {
        self.objects.get(SHOWN..).unwrap_or_default()
    }
}

/// An object of a record.
#[derive(Deserialize)]
struct Object {
    object: String,
    id: Option<String>,
    number: Option<String>,
    facts: Value,
}

impl Object {
    /// What it is called: its number where it has one.
    fn name(&self) -> &str {
        self.number.as_deref().or(self.id.as_deref()).unwrap_or_default()
    }

    /// The page about it, where there is one.
    fn page(&self) -> Option<String> {
        match self.object.as_str() {
            "Refund" => self.number.as_ref().map(|number| format!("/refunds/{number}")),
            "Account" => self.id.as_ref().map(|id| format!("/accounts/{id}")),
            _ => None,
        }
    }

    /// What became of it, by the names of the facts.
    fn facts(&self) -> Vec<(&str, String)> {
        let facts = self.facts.as_object().into_iter().flatten();
        let facts = facts.filter(|(_, value)| !value.is_null());
        facts.map(|(key, value)| (key.as_str(), words::plain(value))).collect()
    }
}

/// A page of records.
#[derive(Deserialize)]
struct Records {
    records: Vec<Record>,
    next: Option<i64>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => page(console, visitor).await,
        _ => Err(nothing()),
    }
}

async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let keys: Vec<&'static str> = FILTERS.iter().map(|(key, ..)| *key).chain(["before"]).collect();
    let asked = form::query(&visitor.visit, &keys)?;
    let of = |key: &'static str| asked.text(key).map(|value| (key, value.to_owned()));
    let filtered: Vec<_> = FILTERS.iter().filter_map(|(key, ..)| of(key)).collect();
    let query =
        |before| form::encoded_pairs(&filtered.iter().cloned().chain(before).collect::<Vec<_>>());
    let before = of("before");
    let path = (Method::Get, "audit", &*query(before.clone()));
    let Records { mut records, next } = console.ask(visitor, path, &Value::Null).await?;
    let zone = console.service.tenant().time_zone;
    for record in &mut records {
        record.at = words::local_text(&record.at, zone);
    }
    let filter = |(key, label, example): (&'static str, &'static str, &'static str)| Filter {
        key,
        label,
        example,
        value: of(key).map(|(_, value)| value).unwrap_or_default(),
    };
    let page = AuditPage {
        frame: visitor.frame(console, Some(Section::Audit), Section::Audit.title()),
        zone: zone.name(),
        filters: FILTERS.into_iter().map(filter).collect(),
        records,
        next: next.map(|next| query(Some(("before", next.to_string())))),
        is_later: before.is_some(),
    };
    answer::page(200, &page)
}
