//! `admin journal`: the last exchanges for people, or as JSON; and whether calls were what a test
//! expects.

use super::Api;
use crate::cli::exit::{ExitStatus, Failure, FailureCode};
use crate::cli::terminal;
use crate::client::Method;
use crate::domain::percent::encoded;
use serde_json::{Map, Value, json};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// How many exchanges, the newest first, at most 1000
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    filter: Filter,
    /// Print JSON with the requests and the answers
    #[arg(long)]
    json: bool,
    /// Forget all exchanges instead, or those of the filters
    #[arg(long, conflicts_with_all = ["limit", "json"])]
    clear: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Check that there were so many calls with these fields; 1 where there were not
    Verify(Box<Verify>),
}

/// Which exchanges are meant.
#[derive(Debug, clap::Args)]
struct Filter {
    /// Only those of this operation
    #[arg(long)]
    operation: Option<String>,
    /// Only those with this outcome: ok, ordered, withheld, or the code of a fault or of a row
    #[arg(long)]
    outcome: Option<String>,
    /// Only those in which something was refused
    #[arg(long)]
    failed: bool,
    /// Only those that are about this account, by its id or that of an object of its own
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only those of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only those with this Idempotency-Key
    #[arg(long)]
    key: Option<String>,
    /// Only those that name this refund, by its id or its number
    #[arg(long, value_name = "ID|NUMBER")]
    refund: Option<String>,
}

/// What is expected.
#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    filter: Filter,
    /// Only objects of this type
    #[arg(long = "type", value_name = "TYPE")]
    object: Option<String>,
    /// A field and its value, compared as a number if it is one; without a value, that the field is
    /// absent or empty; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// So many calls, no more and no less
    #[arg(long, value_name = "N", conflicts_with_all = ["at_least", "at_most"])]
    exactly: Option<u64>,
    /// So many calls or more [default: 1, if no number is given]
    #[arg(long, value_name = "N")]
    at_least: Option<u64>,
    /// So many calls or fewer
    #[arg(long, value_name = "N")]
    at_most: Option<u64>,
    /// Print what the API answers
    #[arg(long)]
    json: bool,
}

fn field(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    parts.ok_or_else(|| format!("`{text}` is no field and value, such as Amount=10"))
}

/// Shows the journal, or verifies what is in it.
pub(super) fn run(api: &Api, args: Args) -> Result<ExitStatus, Failure> {
    if let Some(Action::Verify(expected)) = args.action {
        return verify(api, *expected);
    }
    let filter = args.filter.query();
    if args.clear {
        let path = format!("journal?{filter}");
        super::print(&api.call(Method::DELETE, &path, &Value::Null)?)?;
        return Ok(ExitStatus::Done);
    }
    let path = format!("journal?limit={}&bodies={}&{filter}", args.limit, args.json);
    let reported = api.call(Method::GET, &path, &Value::Null)?;
    if args.json {
        super::print(&reported)?;
        return Ok(ExitStatus::Done);
    }
    let exchanges = reported.get("exchanges").and_then(Value::as_array);
    for exchange in exchanges.into_iter().flatten() {
        for line in lines(exchange) {
            terminal::data(&line)?;
        }
    }
    note_dropped(&reported);
    Ok(ExitStatus::Done)
}

impl Filter {
    fn pairs(self) -> impl Iterator<Item = (&'static str, Value)> {
        let texts = [
            ("operation", self.operation),
            ("outcome", self.outcome),
            ("account", self.account),
            ("user", self.user),
            ("key", self.key),
            ("refund", self.refund),
        ];
        let failed = self.failed.then_some(("failed", Value::from(true)));
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, Value::from(text?))));
        texts.chain(failed)
    }

    fn query(self) -> String {
        let pair = |(key, value): (&str, Value)| match value {
            Value::String(text) => format!("{key}={}", encoded(&text)),
            other => format!("{key}={other}"),
        };
        self.pairs().map(pair).collect::<Vec<_>>().join("&")
    }
}

/// Prints what became of an expectation, and what came close to it.
fn verify(api: &Api, expected: Verify) -> Result<ExitStatus, Failure> {
    let prints_json = expected.json;
    let reported = api.call(Method::POST, "journal/verify", &expectation(expected)?)?;
    let is_verified = reported.get("verified").and_then(Value::as_bool).unwrap_or(false);
    if prints_json {
        super::print(&reported)?;
    } else {
        for line in verdict(&reported, is_verified) {
            terminal::data(&line)?;
        }
        note_dropped(&reported);
    }
    Ok(if is_verified { ExitStatus::Done } else { ExitStatus::Differed })
}

fn expectation(expected: Verify) -> Result<Value, Failure> {
    let Verify { filter, object, fields, exactly, at_least, at_most, json: _ } = expected;
    let mut written: Map<String, Value> =
        filter.pairs().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut wanted = Map::new();
    for (name, value) in fields {
        let value = if value.is_empty() { Value::Null } else { Value::from(value) };
        if wanted.insert(name.clone(), value).is_some() {
            let message = format!("--field: {name} is there twice");
            return Err(Failure::new(FailureCode::Usage, message));
        }
    }
    let bounds = [("exactly", exactly), ("at_least", at_least), ("at_most", at_most)];
    let count =
        bounds.into_iter().filter_map(|(key, number)| Some((key.to_owned(), json!(number?))));
    let count: Map<String, Value> = count.collect();
    let parts = [
        ("type", object.map(Value::from)),
        ("fields", (!wanted.is_empty()).then_some(Value::Object(wanted))),
        ("count", (!count.is_empty()).then_some(Value::Object(count))),
    ];
    written.extend(parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), part?))));
    Ok(Value::Object(written))
}

fn verdict(reported: &Value, is_verified: bool) -> Vec<String> {
    let matched = reported.get("matched").and_then(Value::as_u64).unwrap_or(0);
    let calls =
        if matched == 1 { "1 call matches".to_owned() } else { format!("{matched} calls match") };
    let verdict = if is_verified { "verified" } else { "not verified" };
    let mut lines = vec![format!("{verdict}: {calls}, {} expected", word(reported, "expected"))];
    if !is_verified {
        let numbers = list(reported, "exchanges").map(|id| format!("#{id}")).collect::<Vec<_>>();
        if !numbers.is_empty() {
            lines.push(format!("    these match: {}", numbers.join(" ")));
        }
    }
    for miss in list(reported, "near_misses") {
        let differs: Vec<String> = list(miss, "differs")
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect();
        lines.push(format!("    near miss #{}: {}", word(miss, "id"), differs.join("; ")));
    }
    lines
}

/// Says that the journal does not know everything, if that is so.
fn note_dropped(reported: &Value) {
    let dropped = reported.get("dropped").and_then(Value::as_u64).unwrap_or(0);
    if dropped > 0 {
        terminal::note(&format!(
            "{dropped} older exchanges were dropped; http.journal_exchanges_max and \
             http.journal_bytes_max bound the journal"
        ));
    }
}

fn word(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// An exchange in one line, and a line for each thing that was wrong with it.
fn lines(exchange: &Value) -> Vec<String> {
    let part = |key| word(exchange, key);
    let mut lines = vec![format!(
        "#{} {} {} {}: {} (HTTP {})",
        part("id"),
        part("at"),
        part("version"),
        part("operation"),
        part("outcome"),
        part("status"),
    )];
    for rejection in list(exchange, "rejections") {
        let row = match rejection.get("row").and_then(Value::as_u64) {
            Some(row) => format!("row {row}: "),
            None => String::new(),
        };
        let (code, message) = (word(rejection, "code"), word(rejection, "message"));
        lines.push(format!("    {row}{code}: {message}"));
    }
    let hints = list(exchange, "near_misses").filter_map(Value::as_str);
    lines.extend(hints.map(|hint| format!("    hint: {hint}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_shown_with_all_that_was_wrong() {
        let exchange = json!({
            "id": 7, "at": "2026-01-02T03:04:05Z", "version": "91.0", "operation": "create",
            "outcome": "ok", "status": 200,
            "rejections": [{ "row": 2, "code": "INVALID_VALUE", "message": "no" }],
            "near_misses": ["row 2: there is no field X"],
        });
        assert_eq!(
            lines(&exchange),
            [
                "#7 2026-01-02T03:04:05Z 91.0 create: ok (HTTP 200)",
                "    row 2: INVALID_VALUE: no",
                "    hint: row 2: there is no field X",
            ]
        );
    }
}
