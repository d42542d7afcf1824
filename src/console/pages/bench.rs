//! The test bench: faults, the clock, what the payment gateway answers, seeds, snapshots, and a
//! reset. Each form does what the admin API does by the same name. Trials and reports of replays
//! have files of their own.

use super::{done, nothing, reports, trial};
use crate::call::Method;
use crate::console::answer;
use crate::console::envelopes;
use crate::console::frame::Frame;
use crate::console::ordering;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::words::plain;
use crate::console::{Answered, Console, form};
use crate::domain::percent::encoded;
use askama::Template;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The sandbox that is on every ledger.
const SANDBOX: &str = "sandbox";
const HERE: &str = "/bench";
/// What a rule of the sandbox can let it answer.
const ANSWERS: [&str; 6] = ["approve", "decline", "drop-before", "drop-after", "garbage", "hang"];

#[derive(Template)]
#[template(path = "bench.html")]
struct BenchPage {
    frame: Frame,
    clock: Clock,
    faults: Vec<(u64, String)>,
    order: ordering::Offer,
    rules: Vec<String>,
    answers: [&'static str; 6],
    snapshots: Vec<Snapshot>,
    /// A seed that was not taken, and why.
    seed: String,
    why: Option<String>,
}

#[derive(Deserialize)]
struct Clock {
    now: String,
    stands: bool,
}

#[derive(Deserialize)]
struct Snapshot {
    name: String,
    bytes: u64,
    saved: String,
}

#[derive(Deserialize)]
struct Faults {
    faults: Vec<Value>,
}

#[derive(Deserialize)]
struct Rules {
    rules: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Snapshots {
    snapshots: Vec<Snapshot>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    if !console.is_test() {
        return Err(Trouble::missing("The test bench is there on test ledgers alone."));
    }
    match rest {
        [] => page(console, visitor, String::new(), None).await,
        ["try"] => trial::page(console, visitor).await,
        ["seed"] => seed(console, visitor).await,
        ["faults"] => order(console, visitor).await,
        ["replay"] => replay(console, visitor),
        ["reports", rest @ ..] => reports::route(console, visitor, rest).await,
        [what] => change(console, visitor, what).await,
        _ => Err(nothing()),
    }
}

/// What there is at a path of the admin API.
async fn read<T: DeserializeOwned>(
    console: &Console,
    visitor: &Visitor,
    path: &str,
) -> Result<T, Trouble> {
    console.ask(visitor, (Method::Get, path, ""), &Value::Null).await
}

async fn page(
    console: &Console,
    visitor: &Visitor,
    seed: String,
    why: Option<Trouble>,
) -> Answered {
    if why.is_none() {
        visitor.reads()?;
    }
    let faults: Faults = read(console, visitor, "faults").await?;
    let numbered = |fault: &Value| {
        let id = fault.get("id").and_then(Value::as_u64).unwrap_or_default();
        (id, ordering::in_words(fault))
    };
    let rules: Rules = read(console, visitor, &format!("gateways/{SANDBOX}/rules")).await?;
    let snapshots: Snapshots = read(console, visitor, "snapshots").await?;
    let status = why.as_ref().map_or(200, |trouble| trouble.status);
    let page = BenchPage {
        frame: visitor.frame(console, Some(Section::Bench), Section::Bench.title()),
        clock: read(console, visitor, "clock").await?,
        faults: faults.faults.iter().map(numbered).collect(),
        order: ordering::Offer::default(),
        rules: rules.rules.iter().map(rule_in_words).collect(),
        answers: ANSWERS,
        snapshots: snapshots.snapshots,
        seed,
        why: why.map(|trouble| trouble.why),
    };
    answer::page(status, &page)
}

/// A rule of the sandbox, in words.
fn rule_in_words(rule: &Map<String, Value>) -> String {
    let there = rule.iter().filter(|(key, value)| *key != "delay_ms" || **value != json!(0));
    let words: Vec<_> = there.map(|(key, value)| format!("{key} {}", plain(value))).collect();
    words.join(", ")
}

/// Loads a seed; one that is not taken stays in its field, with what is wrong.
async fn seed(console: &Console, visitor: &Visitor) -> Answered {
    visitor.posts()?;
    let pairs = form::form(&visitor.visit, &["toml", "catalogue"])?;
    let is_catalogue = pairs.text("catalogue").is_some();
    let toml = if is_catalogue { envelopes::SEED } else { pairs.text("toml").unwrap_or_default() };
    let body = json!({ "toml": toml });
    let loaded = console.ask(visitor, (Method::Post, "seed", ""), &body).await;
    let count = |loaded: &Value, key: &str| loaded.get(key).map_or(0, |n| n.as_u64().unwrap_or(0));
    match loaded {
        Ok(loaded) => {
            let (added, same) = (count(&loaded, "added"), count(&loaded, "unchanged"));
            let notice = format!("The seed is loaded: {added} new, {same} as they were.");
            done(console, visitor, HERE, notice)
        }
        Err(trouble) => page(console, visitor, toml.to_owned(), Some(trouble)).await,
    }
}

async fn order(console: &Console, visitor: &Visitor) -> Answered {
    visitor.posts()?;
    let pairs = form::form(&visitor.visit, &ordering::KEYS)?;
    let fault = ordering::fault(&pairs)?;
    let id = ordering::order(console, visitor, &fault).await?;
    done(console, visitor, HERE, format!("Fault {id} is ordered."))
}

/// What a form with few fields asks for, and what is said once it is done.
async fn change(console: &Console, visitor: &Visitor, what: &str) -> Answered {
    visitor.posts()?;
    let keys = [
        "id",
        "now",
        "seconds",
        "name",
        "account",
        "keep_sessions",
        "answer",
        "amount",
        "code",
        "times",
    ];
    let pairs = form::form(&visitor.visit, &keys)?;
    let text = |key: &str| pairs.text(key).unwrap_or_default().trim().to_owned();
    let snapshot = || format!("snapshots/{}", encoded(&text("name")));
    let rules = format!("gateways/{SANDBOX}/rules");
    let nothing_more = Value::Null;
    let (call, body, notice) = match what {
        "fault-taken-back" => {
            let path = format!("faults/{}", encoded(&text("id")));
            ((Method::Delete, path), nothing_more, format!("Fault {} is taken back.", text("id")))
        }
        "faults-cleared" => {
            let notice = "No fault is ordered any more.".to_owned();
            ((Method::Delete, "faults".to_owned()), nothing_more, notice)
        }
        "clock-set" => {
            let body = json!({ "now": text("now") });
            ((Method::Put, "clock".to_owned()), body, "The clock stands still.".to_owned())
        }
        "clock-advanced" => {
            let seconds: i64 = text("seconds").parse().map_err(|_| {
                Trouble::bad(format!("seconds: `{}` is no whole number", text("seconds")))
            })?;
            let call = (Method::Post, "clock/advance".to_owned());
            (call, json!({ "seconds": seconds }), format!("The clock moved by {seconds} seconds."))
        }
        "clock-running" => {
            let body = json!({ "running": true });
            ((Method::Put, "clock".to_owned()), body, "The clock runs.".to_owned())
        }
        "snapshot-saved" => {
            let notice = format!("The ledger is saved as {}.", text("name"));
            ((Method::Put, snapshot()), nothing_more, notice)
        }
        "snapshot-loaded" => {
            let notice = format!("The ledger is as it was in {}.", text("name"));
            ((Method::Post, format!("{}/restore", snapshot())), nothing_more, notice)
        }
        "snapshot-dropped" => {
            let notice = format!("The snapshot {} is gone.", text("name"));
            ((Method::Delete, snapshot()), nothing_more, notice)
        }
        "rule-added" => {
            let notice = "The sandbox answers by this rule first.".to_owned();
            ((Method::Post, rules), rule(&pairs)?, notice)
        }
        "rules-cleared" => {
            let notice = "The sandbox answers as its seed says.".to_owned();
            ((Method::Delete, rules), nothing_more, notice)
        }
        "reset" => reset(&text("account"), pairs.text("keep_sessions").is_some()),
        _ => return Err(nothing()),
    };
    let _answered: Value = console.ask(visitor, (call.0, &call.1, ""), &body).await?;
    done(console, visitor, HERE, notice)
}

fn reset(account: &str, keeps_sessions: bool) -> ((Method, String), Value, String) {
    let call = (Method::Post, "reset".to_owned());
    if account.is_empty() {
        let notice = "The ledger is as its seeds say.".to_owned();
        return (call, json!({ "keep_sessions": keeps_sessions }), notice);
    }
    (call, json!({ "account": account }), format!("Account {account} is as its seeds say."))
}

/// The rule that a form says, as the admin API takes it.
fn rule(pairs: &crate::http::Pairs) -> Result<Value, Trouble> {
    let mut rule = Map::new();
    for key in ["answer", "amount", "code"] {
        if let Some(text) = pairs.text(key) {
            rule.insert(key.to_owned(), json!(text.trim()));
        }
    }
    if let Some(times) = pairs.number("times", 1..=1_000_000_u32).map_err(Trouble::bad)? {
        rule.insert("times".to_owned(), json!(times));
    }
    Ok(Value::Object(rule))
}

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    frame: Frame,
    url: String,
    /// Where this listener is, by the name that the browser came by.
    admin: String,
}

/// How captures are replayed against this gateway.
fn replay(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let url = console.inside.public_url().unwrap_or_default();
    let admin = format!("{}://{}", visitor.visit.scheme, visitor.visit.host);
    let frame = visitor.frame(console, Some(Section::Bench), "Replay captures");
    answer::page(200, &ReplayPage { frame, url, admin })
}
