//! Refunds: the list with its filters, and the way to the others: the export, one refund's story,
//! its settling by hand.
//!
//! What must stay true: which refunds are shown is said by the query alone, so that an address can
//! be kept and passed on; what a filter may be is what the admin API says.

use super::{export, nothing, story};
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::refund_rows::{RefundRow, listed};
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use crate::domain::vocabulary::{RefundStatus, RefundType, SourceType};
use crate::http::REFUND_FILTERS;
use askama::Template;

#[derive(Template)]
#[template(path = "refunds.html")]
struct RefundsPage {
    frame: Frame,
    label: &'static str,
    zone: &'static str,
    choices: Vec<Choice>,
    fields: Vec<TextField>,
    refunds: Vec<RefundRow>,
    /// The query of the filters alone.
    filters: String,
    /// The query of the next page.
    next: Option<String>,
    /// Whether the page is not the first.
    is_later: bool,
}

/// A filter of a closed set.
struct Choice {
    key: &'static str,
    label: &'static str,
    options: Vec<(&'static str, bool)>,
}

/// A filter that is written.
struct TextField {
    key: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
}

/// The pages of refunds.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => list(console, visitor).await,
        ["export.csv"] => export::csv(console, visitor, &Filters::of(visitor)?.query).await,
        [name] => story::page(console, visitor, name).await,
        [name, "settle"] => story::settle(console, visitor, name).await,
        _ => Err(nothing()),
    }
}

/// What a query asks for.
struct Filters {
    pairs: Vec<(&'static str, String)>,
    /// The same as a query, without what is empty.
    query: String,
    cursor: Option<String>,
}

impl Filters {
    fn of(visitor: &Visitor) -> Result<Self, Trouble> {
        visitor.reads()?;
        let keys: Vec<&'static str> = REFUND_FILTERS.into_iter().chain(["cursor"]).collect();
        let asked = form::query(&visitor.visit, &keys)?;
        let value = |key: &'static str| Some((key, asked.text(key)?.to_owned()));
        let pairs: Vec<_> = REFUND_FILTERS.into_iter().filter_map(value).collect();
        let query = form::encoded_pairs(&pairs);
        Ok(Self { pairs, query, cursor: asked.text("cursor").map(str::to_owned) })
    }

    fn value(&self, key: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| *known == key);
        found.map_or("", |(_, value)| value.as_str())
    }

    fn choice<T: Copy>(
        &self,
        (key, label): (&'static str, &'static str),
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Choice {
        let options = all.iter().map(|one| (name(*one), name(*one) == self.value(key))).collect();
        Choice { key, label, options }
    }

    fn field(&self, key: &'static str, label: &'static str, kind: &'static str) -> TextField {
        TextField { key, label, kind, value: self.value(key).to_owned() }
    }
}

async fn list(console: &Console, visitor: &Visitor) -> Answered {
    let filters = Filters::of(visitor)?;
    let with_cursor = |cursor: &str| {
        let cursor = form::encoded_pairs(&[("cursor", cursor.to_owned())]);
        [filters.query.as_str(), cursor.as_str()].join("&").trim_start_matches('&').to_owned()
    };
    let query = filters.cursor.as_deref().map_or_else(|| filters.query.clone(), with_cursor);
    let found = listed(console, visitor, &query).await?;
    let frame = visitor.frame(console, Some(Section::Refunds), Section::Refunds.title());
    let page = RefundsPage {
        frame,
        label: "Refunds, the newest first",
        zone: console.service.tenant().time_zone.name(),
        choices: vec![
            filters.choice(("status", "State"), RefundStatus::ALL, RefundStatus::name),
            filters.choice(("type", "Type"), RefundType::ALL, RefundType::name),
            filters.choice(("source_type", "Drawn on"), SourceType::ALL, SourceType::name),
        ],
        fields: vec![
            filters.field("account", "Account (id or number)", "text"),
            filters.field("gateway", "Gateway", "text"),
            filters.field("from", "From day", "date"),
            filters.field("to", "To day", "date"),
            filters.field("amount_min", "Amount from", "text"),
            filters.field("amount_max", "Amount to", "text"),
        ],
        refunds: found.refunds,
        next: found.next.as_deref().map(with_cursor),
        is_later: filters.cursor.is_some(),
        filters: filters.query,
    };
    answer::page(200, &page)
}
