//! `explain`: everything that a ledger keeps about one refund, beside a running gateway.
//!
//! What must stay true: it only reads; what a client or a gateway wrote is shown without control
//! characters; colour never says anything alone.

use super::admin::Api;
use super::exit::{ExitStatus, Failure, FailureCode};
use super::ledger::Readable;
use super::options::LedgerOptions;
use super::{ledger, terminal};
use crate::client::Method;
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::reconciliation::RefundName;
use crate::ledger::sqlite::SqliteLedger;
use chrono::DateTime;
use chrono_tz::Tz;
use serde_json::Value;
use std::path::PathBuf;

/// Show the story of a refund: who asked for it, what it stood on, and what became of it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its Id or its number: R-00000017, or 17
    #[arg(value_name = "REFUND")]
    refund: String,

    /// Show it as JSON
    #[arg(long)]
    json: bool,

    /// Ask the running gateway whose admin listener is there, instead of reading the ledger
    #[arg(long, value_name = "URL")]
    admin: Option<String>,

    /// The file of that gateway's token [default: the ledger's file with .admin-token at its end]
    #[arg(long, value_name = "FILE", requires = "admin")]
    token_file: Option<PathBuf>,

    #[command(flatten)]
    ledger: LedgerOptions,
}

/// Prints the story.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let Some(name) = RefundName::forgiving(&args.refund) else {
        let message = format!("`{}` is neither the Id nor the number of a refund", args.refund);
        return Err(Failure::with_hint(FailureCode::Usage, message, "such as R-00000017"));
    };
    let story = match &args.admin {
        Some(url) => {
            let api = Api::at(url, args.token_file.as_deref(), args.ledger.ledger.as_ref())?;
            Some(api.call(Method::GET, &format!("refunds/{name}/story"), &Value::Null)?)
        }
        None => match ledger::named_place(args.ledger)? {
            Readable::File(path) => {
                SqliteLedger::story_in_file(&path, name).map_err(ledger::refused)?
            }
            Readable::Server(url) => {
                PostgresLedger::story_at(&url, name).map_err(ledger::on_server)?
            }
        },
    };
    let Some(story) = story else {
        return Err(Failure::new(
            FailureCode::Input,
            format_args!("the ledger has no refund {name}"),
        ));
    };
    if args.json {
        terminal::data(&format!("{story:#}"))?;
    } else {
        for line in lines(&story) {
            terminal::data(&line)?;
        }
    }
    Ok(ExitStatus::Done)
}

/// The story in lines of a name and what it is.
fn lines(story: &Value) -> Vec<String> {
    let zone = text(story, "/time_zone").and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
    let mut page = Page { zone, lines: Vec::new() };
    let is_deleted = story.get("deleted").and_then(Value::as_bool).unwrap_or(false);
    let was = if is_deleted { " (deleted)" } else { "" };
    let number = text(story, "/number").unwrap_or_default();
    page.line("refund", &format!("{number}{was}, times in {zone}"));
    for (name, pointer) in REFUND {
        page.value(name, story.pointer(pointer));
    }
    page.act("asked by", story.get("created"));
    for (name, pointer) in DECISION {
        page.value(name, story.pointer(pointer));
    }
    page.list("entry", story, "/entries", &["kind", "amount", "balance"]);
    page.list("gateway", story, "/exchanges", EXCHANGE);
    page.list("settlement", story, "/settlements", &["event_id", "gateway_state"]);
    page.list("event", story, "/events", &["kind", "sequence"]);
    for change in story.get("changes").and_then(Value::as_array).into_iter().flatten() {
        page.act("later", Some(change));
    }
    page.lines
}

const REFUND: [(&str, &str); 12] = [
    ("id", "/facts/refund/id"),
    ("account", "/facts/account/number"),
    ("account id", "/facts/account/id"),
    ("amount", "/facts/refund/amount"),
    ("currency", "/facts/refund/currency"),
    ("type", "/facts/refund/type"),
    ("source", "/facts/refund/source_type"),
    ("payment", "/facts/refund/payment/number"),
    ("status", "/facts/refund/status"),
    ("gateway state", "/facts/refund/gateway_state"),
    ("refund date", "/facts/refund/refund_date"),
    ("created", "/facts/refund/created"),
];
const DECISION: [(&str, &str); 7] = [
    ("source had", "/decision/source_before"),
    ("then had", "/decision/source_after"),
    ("paid by", "/facts/refund/method_type"),
    ("method", "/facts/refund/payment_method"),
    ("chosen as", "/decision/method_choice"),
    ("by gateway", "/facts/refund/gateway"),
    ("reference", "/facts/refund/reference_id"),
];
const EXCHANGE: &[&str] =
    &["kind", "gateway", "gateway_state", "code", "reason", "reference_id", "operator"];

struct Page {
    zone: Tz,
    lines: Vec<String>,
}

impl Page {
    fn line(&mut self, name: &str, value: &str) {
        self.lines.push(format!("{name:<14} {}", shown(value)));
    }

    /// A value, a moment in the tenant's zone; nothing where there is none.
    fn value(&mut self, name: &str, value: Option<&Value>) {
        let page = match value {
            None | Some(Value::Null) => return,
            Some(Value::String(text)) => self.local(text),
            Some(other) => other.to_string(),
        };
        self.line(name, &page);
    }

    /// Who did something, when, from where, and by which way.
    fn act(&mut self, name: &str, record: Option<&Value>) {
        let Some(record) = record.filter(|record| record.is_object()) else {
            if name == "asked by" {
                self.line(name, "not recorded: the ledger is older than its audit");
            }
            return;
        };
        let part =
            |label: &str, key: &str| text(record, key).map(|value| format!("{label}{value}"));
        let at = text(record, "/at").map(|at| self.local(at)).unwrap_or_default();
        let parts = [
            Some(at),
            part("", "/operation"),
            part("by ", "/actor"),
            part("through ", "/door"),
            part("version ", "/version"),
            part("from ", "/address"),
            part("request ", "/request_id"),
            part("key ", "/idempotency_key"),
        ];
        let mut line = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let facts = record.pointer("/objects/0/facts").and_then(Value::as_object);
        if let Some(facts) = facts.filter(|facts| !facts.is_empty() && name == "later") {
            let scalars = facts.iter().filter(|(_, value)| !value.is_object() && !value.is_null());
            let fact = |(key, value): (&String, &Value)| format!("{key}={}", plain(value));
            let scalars: Vec<_> = scalars.map(fact).collect();
            line = format!("{line}: {}", scalars.join(" ")).trim_end_matches(": ").to_owned();
        }
        self.line(name, &line);
    }

    fn list(&mut self, name: &str, story: &Value, pointer: &str, keys: &[&str]) {
        let items = story.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        let lines: Vec<String> = items
            .map(|item| {
                let at = item.get("at").and_then(Value::as_str).map(|at| self.local(at));
                let values = keys.iter().filter_map(|key| item.get(*key));
                let values = values.filter(|value| !value.is_null()).map(plain);
                at.into_iter().chain(values).collect::<Vec<_>>().join("  ")
            })
            .collect();
        for line in lines {
            self.line(name, &line);
        }
    }

    /// A moment in the tenant's zone; any other text as it is.
    fn local(&self, text: &str) -> String {
        let is_moment = text.ends_with('Z') && text.contains('T');
        let moment = DateTime::parse_from_rfc3339(text).ok().filter(|_| is_moment);
        moment.map_or_else(
            || text.to_owned(),
            |moment| moment.with_timezone(&self.zone).format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        )
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text without what would end a line or steer a terminal.
fn shown(text: &str) -> String {
    let escape = |one: char| -> String {
        if one.is_control() { one.escape_unicode().collect() } else { one.into() }
    };
    text.chars().map(escape).collect()
}
