//! `admin fault`: what the next calls are to suffer.

use super::Call;
use crate::client::Method;
use serde_json::{Map, Value, json};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Order a fault; the first that matches a call decides
    Order(Box<Order>),
    /// List the faults that stand
    List,
    /// Take back one fault, or all
    Clear {
        /// The number of the fault
        id: Option<u64>,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Order {
    /// Only calls of this operation
    #[arg(long)]
    operation: Option<String>,
    /// Only calls that are about this account, by its id or that of an object of its own
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// How many calls; 0 until it is taken back
    #[arg(long, default_value_t = 1)]
    times: u32,
    /// How long the call waits first
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
    #[command(flatten)]
    effect: Effect,
}

/// What happens; one of these, or the delay alone.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Effect {
    /// Rows of create, update or delete fail with this ErrorCode, and a text after `=` if any
    #[arg(long, value_name = "CODE[=TEXT]")]
    row: Option<String>,
    /// The call fails with this ErrorCode, and a text after `=` if any
    #[arg(long, value_name = "CODE[=TEXT]")]
    fault: Option<String>,
    /// The connection is closed without an answer, before the work or after it
    #[arg(long, value_parser = ["before", "after"])]
    reset: Option<String>,
    /// The answer is only so many bytes long, and says so
    #[arg(long, value_name = "BYTES")]
    truncate: Option<usize>,
    /// The answer tells its whole length, and the connection is closed after so many bytes
    #[arg(long, value_name = "BYTES")]
    cut_off: Option<usize>,
    /// A page of HTML is answered with this HTTP status, and a text after `=` if any
    #[arg(long, value_name = "STATUS[=TEXT]")]
    html: Option<String>,
    /// The answer has this HTTP status
    #[arg(long, value_name = "STATUS")]
    status: Option<u16>,
}

/// The call that an action is.
pub(super) fn call(action: Action) -> Call {
    match action {
        Action::List => (Method::GET, "faults".to_owned(), Value::Null),
        Action::Clear { id: None } => (Method::DELETE, "faults".to_owned(), Value::Null),
        Action::Clear { id: Some(id) } => (Method::DELETE, format!("faults/{id}"), Value::Null),
        Action::Order(order) => (Method::POST, "faults".to_owned(), written(*order)),
    }
}

fn written(order: Order) -> Value {
    let Order { operation, account, times, delay_ms, effect } = order;
    let mut rule = Map::new();
    rule.insert("times".to_owned(), json!(times));
    rule.insert("delay_ms".to_owned(), json!(delay_ms));
    let error = |text: String| {
        let (code, message) = text.split_once('=').unwrap_or((&text, ""));
        json!({ "code": code, "message": message })
    };
    let page = |text: String| {
        let (status, page) = text.split_once('=').unwrap_or((&text, "<html>ordered</html>"));
        // A status that is no number is for the API to refuse.
        let status = status.parse::<u16>().map_or_else(|_| json!(status), |status| json!(status));
        json!({ "status": status, "text": page })
    };
    let parts = [
        ("operation", operation.map(Value::from)),
        ("account", account.map(Value::from)),
        ("row", effect.row.map(error)),
        ("fault", effect.fault.map(error)),
        ("reset", effect.reset.map(Value::from)),
        ("truncate", effect.truncate.map(Value::from)),
        ("cut_off", effect.cut_off.map(Value::from)),
        ("body", effect.html.map(page)),
        ("status", effect.status.map(Value::from)),
    ];
    rule.extend(parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), part?))));
    Value::Object(rule)
}
