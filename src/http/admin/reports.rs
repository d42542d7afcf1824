//! Reports of replays: testers hand them over, and the console shows them.
//!
//! What must stay true: what is no report is refused by what is wrong with it, so that whatever is
//! kept can be shown; and none is kept on a ledger that is not for testing.

use super::api::{Api, NOTHING};
use super::talk::{Answered, Wrong, bad, from_json_with, missing, ok, wrong_method};
use crate::http::reports::Report;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// The keys of a report whose values are lists.
const LISTS: [&str; 8] = [
    "replayed",
    "cases",
    "cases[].differences",
    "cases[].differences[].diff",
    "cases[].differences[].objects",
    "cases[].steps",
    "cases[].steps[].checks",
    "cases[].steps[].notes",
];

impl Api {
    pub(super) fn reports(
        &self,
        method: &Method,
        rest: &[&str],
        body: &Bytes,
    ) -> Result<Answered, Wrong> {
        self.need_test_ledger()?;
        match (method, rest) {
            (&Method::GET, []) => Ok(ok(json!({ "reports": self.reports.all() }))),
            (&Method::POST, []) => {
                let report: Report =
                    from_json_with(body, &LISTS).map_err(|wrong| no_report(&wrong))?;
                let id = self.reports.add(report, body.clone());
                Ok((StatusCode::CREATED, json!({ "id": id })))
            }
            (&Method::GET, [id]) => {
                let text = id.parse().ok().and_then(|number| self.reports.text(number));
                let report = text.and_then(|text| serde_json::from_slice(&text).ok());
                let mut report: Map<String, Value> =
                    report.ok_or_else(|| missing(format!("There is no report {id}.")))?;
                report.insert("id".to_owned(), id.parse::<u64>().unwrap_or_default().into());
                Ok(ok(Value::Object(report)))
            }
            (_, []) => Err(wrong_method("GET, HEAD, POST")),
            (_, [_]) => Err(wrong_method("GET, HEAD")),
            _ => Err(missing(NOTHING)),
        }
    }
}

/// What is wrong with a body, of which it is said what it should be.
fn no_report(wrong: &Wrong) -> Wrong {
    bad(format!("This is no report of a replay: {}", wrong.why))
}
