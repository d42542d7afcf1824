//! The audit as the admin API shows it: who changed what, when, from where, and by which way.

use super::api::Api;
use super::query::Pairs;
use super::readings::{named_refund, read_alone};
use super::talk::{Answered, Wrong, bad, missing, of_ledger, ok};
use crate::domain::moment::moment;
use crate::ledger::trail::TrailQuery;
use hyper::Method;
use serde_json::json;

/// How many records are shown where the query does not say, and at most.
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 1_000;

impl Api {
    /// The newest records that are asked for.
    pub(super) async fn audit(&self, method: &Method, query: &str) -> Result<Answered, Wrong> {
        read_alone(method)?;
        let query = parse(query).map_err(bad)?;
        let page = self.service.ledger().records(query).await.map_err(|error| of_ledger(&error))?;
        Ok(ok(json!({ "records": page.records, "next": page.next })))
    }

    /// The story of a refund, named by its Id or its number.
    pub(super) async fn story(&self, method: &Method, name: &str) -> Result<Answered, Wrong> {
        read_alone(method)?;
        let refund = named_refund(name)?;
        let story = self.service.ledger().story(refund).await.map_err(|error| of_ledger(&error))?;
        story.map(ok).ok_or_else(|| missing(format!("The ledger has no refund {refund}.")))
    }
}

fn parse(query: &str) -> Result<TrailQuery, String> {
    const KEYS: [&str; 8] = ["actor", "object", "id", "from", "until", "before", "cursor", "limit"];
    let pairs = Pairs::parse(query, &KEYS)?;
    let at = |key: &str| {
        let text = pairs.text(key);
        let wrong =
            |text: &str| format!("{key}: `{text}` is no moment such as 2026-01-02T03:04:05Z");
        text.map(|text| moment(text).ok_or_else(|| wrong(text))).transpose()
    };
    Ok(TrailQuery {
        actor: pairs.text("actor").map(str::to_owned),
        object: pairs.text("object").map(str::to_owned),
        id: pairs.text("id").map(str::to_owned),
        from: at("from")?,
        until: at("until")?,
        before: pairs.number("before", 0..=i64::MAX)?.or(pairs.number("cursor", 0..=i64::MAX)?),
        most: pairs.number("limit", 1..=LIMIT_MAX)?.unwrap_or(LIMIT),
    })
}
