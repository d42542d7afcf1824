//! Settings: each that this process runs with, with its value and where that came from, and those
//! of the tenant, which the ledger holds.
//!
//! What must stay true: it only reads; in the place of a secret stands where that came from.

use super::nothing;
use crate::call::Method;
use crate::console::answer;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::visitor::Visitor;
use crate::console::words;
use crate::console::{Answered, Console, ShownSetting};
use askama::Template;
use serde_json::{Map, Value};

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'c> {
    frame: Frame,
    settings: &'c [ShownSetting],
    /// Names and values.
    tenant: Vec<(String, String)>,
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
    let path = (Method::Get, "tenant", "");
    let tenant: Map<String, Value> = console.ask(visitor, path, &Value::Null).await?;
    let tenant = tenant.into_iter().map(|(key, value)| (key, shown(&value))).collect();
    let frame = visitor.frame(console, Some(Section::Settings), Section::Settings.title());
    answer::page(200, &SettingsPage { frame, settings: &console.settings, tenant })
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => words::plain(other),
    }
}
