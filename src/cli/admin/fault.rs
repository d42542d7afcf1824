//! `admin fault`: faults that are injected into the next calls.

use super::Call;
use crate::cli::exit::{Failure, FailureCode};
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
    /// How many calls that match pass first
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip: u32,
    /// How many calls; 0 until it is taken back
    #[arg(long, default_value_t = 1)]
    times: u32,
    /// How long the call waits first
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
    /// The answer has this HTTP status
    #[arg(long, value_name = "STATUS", conflicts_with_all = ["html", "reset"])]
    status: Option<u16>,
    /// The answer has this header; may be given several times
    #[arg(long, value_name = "NAME: VALUE", conflicts_with = "reset", value_parser = header)]
    header: Vec<(String, String)>,
    #[command(flatten)]
    effect: Effect,
}

/// What happens; one of these, or none.
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
    /// The answer states its whole length, and the connection is closed after so many bytes
    #[arg(long, value_name = "BYTES")]
    cut_off: Option<usize>,
    /// A page of HTML is answered with this HTTP status, and a text after `=` if any
    #[arg(long, value_name = "STATUS[=TEXT]")]
    html: Option<String>,
}

/// A header as the command line writes it.
fn header(text: &str) -> Result<(String, String), String> {
    let parts =
        text.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    parts.ok_or_else(|| format!("`{text}` is no header, such as `Retry-After: 5`"))
}

/// The call that an action is.
pub(super) fn call(action: Action) -> Result<Call, Failure> {
    Ok(match action {
        Action::List => (Method::GET, "faults".to_owned(), Value::Null),
        Action::Clear { id: None } => (Method::DELETE, "faults".to_owned(), Value::Null),
        Action::Clear { id: Some(id) } => (Method::DELETE, format!("faults/{id}"), Value::Null),
        Action::Order(order) => (Method::POST, "faults".to_owned(), written(*order)?),
    })
}

fn written(order: Order) -> Result<Value, Failure> {
    let Order { operation, account, skip, times, delay_ms, status, header, effect } = order;
    let mut rule = Map::new();
    rule.insert("skip".to_owned(), json!(skip));
    rule.insert("times".to_owned(), json!(times));
    rule.insert("delay_ms".to_owned(), json!(delay_ms));
    let error = |text: String| {
        let (code, message) = text.split_once('=').unwrap_or((&text, ""));
        json!({ "code": code, "message": message })
    };
    let parts = [
        ("operation", operation.map(Value::from)),
        ("account", account.map(Value::from)),
        ("row", effect.row.map(error)),
        ("fault", effect.fault.map(error)),
        ("reset", effect.reset.map(Value::from)),
        ("truncate", effect.truncate.map(Value::from)),
        ("cut_off", effect.cut_off.map(Value::from)),
        ("body", effect.html.as_deref().map(page).transpose()?),
        ("status", status.map(Value::from)),
        ("headers", headers(header)?),
    ];
    rule.extend(parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), part?))));
    Ok(Value::Object(rule))
}

/// A page with its status, which stands before the text.
fn page(text: &str) -> Result<Value, Failure> {
    let (status, page) = text.split_once('=').unwrap_or((text, "<html>ordered</html>"));
    let Ok(status) = status.parse::<u16>() else {
        let message = format!("--html: `{status}` is no HTTP status, such as 502");
        return Err(Failure::new(FailureCode::Usage, message));
    };
    Ok(json!({ "status": status, "text": page }))
}

/// The headers as an object, which can hold none of them twice.
fn headers(pairs: Vec<(String, String)>) -> Result<Option<Value>, Failure> {
    let mut headers = Map::new();
    for (name, value) in pairs {
        if headers.insert(name.clone(), Value::from(value)).is_some() {
            let message = format!("--header: {name} is there twice");
            return Err(Failure::new(FailureCode::Usage, message));
        }
    }
    Ok((!headers.is_empty()).then_some(Value::Object(headers)))
}
