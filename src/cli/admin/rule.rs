//! `admin rule`: what a sandbox answers to refunds, before what its seed says.

use super::{Call, segment};
use crate::cli::exit::Failure;
use crate::client::Method;
use serde_json::{Map, Value, json};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Add a rule, after those that were added and before those of the seed
    Add(Box<Add>),
    /// List the rules, with how many refunds each still matches
    List(Which),
    /// Take back the rules that were added
    Clear(Which),
}

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The sandbox
    #[arg(long, value_name = "NAME", default_value = "sandbox")]
    gateway: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    which: Which,
    /// Only refunds of this amount
    #[arg(long)]
    amount: Option<String>,
    /// Only refunds to this payment method
    #[arg(long, value_name = "ID")]
    payment_method: Option<String>,
    /// Only so many refunds
    #[arg(long)]
    times: Option<u32>,
    /// What is answered
    #[arg(long)]
    #[arg(value_parser = ["approve", "decline", "drop-before", "drop-after", "garbage", "hang"])]
    answer: String,
    /// The GatewayResponseCode
    #[arg(long)]
    code: Option<String>,
    /// The GatewayResponse
    #[arg(long)]
    text: Option<String>,
    /// How long the answer takes
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
}

/// The call that an action is.
pub(super) fn call(action: Action) -> Result<Call, Failure> {
    let path = |which: &Which| Ok(format!("gateways/{}/rules", segment(&which.gateway)?));
    Ok(match action {
        Action::List(which) => (Method::GET, path(&which)?, Value::Null),
        Action::Clear(which) => (Method::DELETE, path(&which)?, Value::Null),
        Action::Add(add) => (Method::POST, path(&add.which)?, written(*add)),
    })
}

fn written(add: Add) -> Value {
    let Add { which: _, amount, payment_method, times, answer, code, text, delay_ms } = add;
    let parts = [
        ("amount", amount.map(Value::from)),
        ("payment_method", payment_method.map(Value::from)),
        ("times", times.map(Value::from)),
        ("answer", Some(Value::from(answer))),
        ("code", code.map(Value::from)),
        ("text", text.map(Value::from)),
        ("delay_ms", Some(json!(delay_ms))),
    ];
    let said = parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), part?)));
    Value::Object(said.collect::<Map<_, _>>())
}
