//! Ordering a fault by a form: what the form offers, and what it says to the admin API.
//!
//! What must stay true: the rules of a fault are those of the admin API alone; here is only how a
//! form writes them.

use super::Console;
use super::exchange::Exchange;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::words::plain;
use crate::call::{Method, OperationName};
use crate::domain::error_code::ErrorCode;
use crate::http::Pairs;
use serde_json::{Map, Value, json};

/// The keys of the form.
pub(super) const KEYS: [&str; 10] = [
    "operation",
    "account",
    "kind",
    "code",
    "message",
    "status",
    "bytes",
    "delay_ms",
    "skip",
    "times",
];

/// What can happen to a call, and how the form says it.
const KINDS: [(&str, &str); 8] = [
    ("row", "each row fails with the code"),
    ("fault", "the call fails with the code"),
    ("reset-before", "no answer, and nothing is done"),
    ("reset-after", "done, but no answer"),
    ("truncate", "done, the answer is truncated"),
    ("cut_off", "done, the answer is cut off"),
    ("page", "a page of HTML, such as a proxy's"),
    ("none", "only the wait or the status"),
];

/// What the page in the place of an answer says.
const PAGE: &str = "<html><body><h1>Bad Gateway</h1></body></html>";

/// What the form begins with.
pub(super) struct Offer {
    pub(super) operations: Vec<&'static str>,
    pub(super) kinds: [(&'static str, &'static str); 8],
    pub(super) codes: Vec<&'static str>,
    pub(super) operation: String,
    pub(super) account: String,
    pub(super) kind: &'static str,
    pub(super) code: String,
    pub(super) message: String,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            operations: OperationName::named().map(OperationName::name).collect(),
            kinds: KINDS,
            codes: ErrorCode::ALL.iter().map(|code| code.name()).collect(),
            operation: "create".to_owned(),
            account: String::new(),
            kind: "row",
            code: "TRANSACTION_FAILED".to_owned(),
            message: String::new(),
        }
    }
}

impl Offer {
    /// The fault that the next call like this one would meet.
    pub(super) fn like(call: &Exchange) -> Self {
        let mut offer = Self { operation: call.operation.clone(), ..Self::default() };
        let why = call.rejections.first();
        let has_rows =
            OperationName::from_name(&call.operation).is_some_and(OperationName::has_rows);
        offer.kind = match why {
            Some(why) if why.row.is_none() => "fault",
            None if !has_rows => "fault",
            _ => "row",
        };
        if let Some(why) = why {
            (offer.code, offer.message) = (why.code.clone(), why.message.clone());
        }
        offer
    }
}

/// The fault that a form says, as the admin API takes it.
pub(super) fn fault(pairs: &Pairs) -> Result<Value, Trouble> {
    let mut fault = Map::new();
    let mut put = |key: &str, value: Value| fault.insert(key.to_owned(), value);
    for key in ["operation", "account"] {
        if let Some(text) = pairs.text(key) {
            put(key, json!(text.trim()));
        }
    }
    let number = |key: &str| pairs.number(key, 0..=999_999_999_u32).map_err(Trouble::bad);
    for key in ["delay_ms", "skip", "times", "status"] {
        if let Some(number) = number(key)? {
            put(key, json!(number));
        }
    }
    let error = || match pairs.text("message") {
        Some(message) => {
            json!({ "code": pairs.text("code").unwrap_or_default(), "message": message })
        }
        None => json!({ "code": pairs.text("code").unwrap_or_default() }),
    };
    let bytes = || number("bytes").map(|bytes| json!(bytes.unwrap_or(100)));
    let _before = match pairs.text("kind").unwrap_or("none") {
        "row" => put("row", error()),
        "fault" => put("fault", error()),
        "reset-before" => put("reset", json!("before")),
        "reset-after" => put("reset", json!("after")),
        "truncate" => put("truncate", bytes()?),
        "cut_off" => put("cut_off", bytes()?),
        "page" => {
            let status = number("status")?.unwrap_or(502);
            put("body", json!({ "status": status, "text": PAGE }));
            fault.remove("status")
        }
        "none" => None,
        other => return Err(Trouble::bad(format!("kind: there is no `{other}`"))),
    };
    Ok(Value::Object(fault))
}

/// Orders a fault; its number.
pub(super) async fn order(
    console: &Console,
    visitor: &Visitor,
    fault: &Value,
) -> Result<u64, Trouble> {
    let ordered: Value = console.ask(visitor, (Method::Post, "faults", ""), fault).await?;
    Ok(ordered.get("id").and_then(Value::as_u64).unwrap_or_default())
}

/// A fault that stands, in words.
pub(super) fn in_words(fault: &Value) -> String {
    let text = |key: &str| fault.get(key).map(plain);
    let operation = text("operation").unwrap_or_else(|| "any operation".to_owned());
    let mut words = vec![operation];
    if let Some(account) = text("account") {
        words.push(format!("of account {account}"));
    }
    let error = |key: &str| fault.get(key).and_then(|error| error.get("code")).map(plain);
    let effects = [
        error("row").map(|code| format!("rows fail with {code}")),
        error("fault").map(|code| format!("fails with {code}")),
        text("reset").map(|when| format!("connection closed {when} the work")),
        text("truncate").map(|bytes| format!("answer truncated to {bytes} bytes")),
        text("cut_off").map(|bytes| format!("answer cut off after {bytes} bytes")),
        fault.get("body").map(|_| "another body is answered".to_owned()),
        text("status").map(|status| format!("HTTP {status}")),
        text("delay_ms").filter(|ms| ms != "0").map(|ms| format!("after {ms} ms")),
        text("skip").map(|skip| format!("{skip} calls pass first")),
    ];
    words.extend(effects.into_iter().flatten());
    words.push(match fault.get("times").and_then(Value::as_u64) {
        Some(0) | None => "until it is taken back".to_owned(),
        Some(1) => "once".to_owned(),
        Some(times) => format!("{times} times"),
    });
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<Value, Trouble> {
        fault(&Pairs::parse(query, &KEYS).unwrap())
    }

    #[test]
    fn a_form_says_what_the_admin_api_takes() {
        for (query, expected) in [
            (
                "operation=create&kind=row&code=LOCK_COMPETITION&times=3&message=",
                json!({ "operation": "create", "times": 3, "row": { "code": "LOCK_COMPETITION" } }),
            ),
            ("kind=reset-after&skip=2", json!({ "reset": "after", "skip": 2 })),
            ("kind=cut_off&bytes=7", json!({ "cut_off": 7 })),
            ("kind=page&status=503", json!({ "body": { "status": 503, "text": PAGE } })),
            ("kind=none&delay_ms=10", json!({ "delay_ms": 10 })),
        ] {
            assert_eq!(of(query), Ok(expected), "{query}");
        }
        assert!(of("kind=explode").unwrap_err().why.contains("explode"));
        assert!(of("kind=row&times=x").unwrap_err().why.contains("times"));
    }

    #[test]
    fn a_fault_is_said_in_words() {
        let fault = json!({ "operation": "create", "times": 1, "delay_ms": 0,
            "row": { "code": "TRANSACTION_FAILED" } });
        assert_eq!(in_words(&fault), "create, rows fail with TRANSACTION_FAILED, once");
        assert_eq!(
            in_words(&json!({ "times": 0, "status": 503 })),
            "any operation, HTTP 503, until it is taken back"
        );
    }
}
