//! `admin journal`: the last exchanges for people, or as JSON.

use super::Api;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::terminal;
use crate::client::Method;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many exchanges, the newest first
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Only those of this operation
    #[arg(long)]
    operation: Option<String>,
    /// Only those in which something was refused
    #[arg(long)]
    failed: bool,
    /// Print JSON with the requests and the answers
    #[arg(long)]
    json: bool,
    /// Forget all exchanges instead
    #[arg(long, conflicts_with_all = ["limit", "operation", "failed", "json"])]
    clear: bool,
}

/// Shows the journal.
pub(super) fn run(api: &Api, args: &Args) -> Result<ExitStatus, Failure> {
    if args.clear {
        super::print(&api.call(Method::DELETE, "journal", &Value::Null)?)?;
        return Ok(ExitStatus::Done);
    }
    let operation = match &args.operation {
        None => String::new(),
        Some(name) => format!("&operation={}", super::segment(name)?),
    };
    let path = format!("journal?limit={}&failed={}{operation}", args.limit, args.failed);
    let told = api.call(Method::GET, &path, &Value::Null)?;
    if args.json {
        super::print(&told)?;
        return Ok(ExitStatus::Done);
    }
    let exchanges = told.get("exchanges").and_then(Value::as_array);
    for exchange in exchanges.into_iter().flatten() {
        for line in lines(exchange) {
            terminal::data(&line)?;
        }
    }
    Ok(ExitStatus::Done)
}

/// An exchange in one line, and a line for each thing that was wrong with it.
fn lines(exchange: &Value) -> Vec<String> {
    let text = |value: &Value, key: &str| match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let word = |key| text(exchange, key);
    let mut lines = vec![format!(
        "#{} {} {} {}: {} (HTTP {})",
        word("id"),
        word("at"),
        word("version"),
        word("operation"),
        word("outcome"),
        word("status"),
    )];
    let list = |key| exchange.get(key).and_then(Value::as_array).into_iter().flatten();
    for rejection in list("rejections") {
        let row = match rejection.get("row").and_then(Value::as_u64) {
            Some(row) => format!("row {row}: "),
            None => String::new(),
        };
        let (code, message) = (text(rejection, "code"), text(rejection, "message"));
        lines.push(format!("    {row}{code}: {message}"));
    }
    let hints = list("near_misses").filter_map(Value::as_str);
    lines.extend(hints.map(|hint| format!("    hint: {hint}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
