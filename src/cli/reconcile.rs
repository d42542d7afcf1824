//! `reconcile`: what gateways settled or rejected, told to the ledger of a gateway that is not
//! running.
//!
//! What must stay true: every row is told what came of it; a row that cannot be read keeps no other
//! from its turn.

use super::config::Config;
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::options::LedgerOptions;
use super::values::Moment;
use super::{ledger, terminal};
use crate::domain::reconciliation::{Rejected, Settlement};
use crate::ledger::Ledger;
use crate::ledger::reconciliation::{
    Reconcile, ReconcileResult, Reconciled, Reconciliation, RefundName, TEXT_CHARS_MAX,
};
use crate::ledger::sqlite::{OpenMode, SqliteLedger};
use crate::service::clock::Clock;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// How many events one transaction takes.
const AT_ONCE: usize = 200;

/// Tell the ledger what gateways settled or rejected after all
///
/// FILE is CSV with a header. Its columns are refund (an Id or a RefundNumber) and state (settled
/// or failed), and if you like at (RFC 3339), reason and event_id. An event that was told before
/// changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A CSV file of events
    #[arg(value_name = "FILE.csv", required_unless_present = "id", conflicts_with = "id")]
    file: Option<PathBuf>,

    /// The Id or the RefundNumber of one refund
    #[arg(long, requires = "state")]
    id: Option<String>,

    /// What its gateway says
    #[arg(long, requires = "id")]
    state: Option<State>,

    /// When that was [default: now]
    #[arg(long, value_name = "RFC3339", requires = "id")]
    at: Option<Moment>,

    /// Why, in the gateway's words
    #[arg(long, value_name = "TEXT", requires = "id")]
    reason: Option<String>,

    /// The event's own id, under which it counts once
    #[arg(long, value_name = "TEXT", requires = "id")]
    event_id: Option<String>,

    /// What becomes of the money of refunds that failed [default: as configured, else
    /// update-fields]
    #[arg(long)]
    rejected: Option<OnRejection>,

    #[command(flatten)]
    ledger: LedgerOptions,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Settled,
    Failed,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OnRejection {
    UpdateFields,
    PutBack,
}

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    refund: String,
    state: State,
    at: Option<String>,
    reason: Option<String>,
    event_id: Option<String>,
}

/// An event, or why it is none, with what it is called to the user.
type Told = (String, Result<Reconciliation, String>);

/// Does what is asked.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let configured = Config::read(args.ledger.config.as_deref())?.written.reconciliation;
    let rejected = match args.rejected {
        None => configured.rejected,
        Some(OnRejection::UpdateFields) => Rejected::UpdateFields,
        Some(OnRejection::PutBack) => Rejected::PutBack,
    };
    let events = match (args.file, args.id, args.state) {
        (Some(file), ..) => read(&file)?,
        (None, Some(refund), Some(state)) => {
            let Args { reason, event_id, .. } = args;
            let at = args.at.map(|at| at.to_string());
            let row = Row { refund, state, at, reason, event_id };
            let event = event(row).map_err(|why| Failure::new(FailureCode::Usage, why))?;
            vec![(event.refund.to_string(), Ok(event))]
        }
        (None, ..) => Vec::new(),
    };
    let ledger = ledger::open_named(args.ledger, OpenMode::Existing)?;
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let refused = runtime.block_on(tell(&ledger, events, rejected))?;
    if refused > 0 {
        terminal::note(&format!("{refused} events were refused and changed nothing"));
        return Ok(ExitStatus::Differed);
    }
    Ok(ExitStatus::Done)
}

/// Tells the events in their order and prints what came of each; says how many were refused.
async fn tell(
    ledger: &SqliteLedger,
    events: Vec<Told>,
    rejected: Rejected,
) -> Result<usize, Failure> {
    let progress = ProgressBar::new(u64::try_from(events.len()).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events, {eta} left");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut refused = 0;
    let print = |name: &str, told: &str| {
        progress.inc(1);
        progress.suspend(|| terminal::data(&format!("{name}: {told}")))
    };
    for batch in events.chunks(AT_ONCE) {
        let good: Vec<_> = batch.iter().filter_map(|(_, event)| event.clone().ok()).collect();
        let results = ledger.reconcile(Reconcile { events: good, rejected }).await;
        let results = results.or_fail(FailureCode::Runtime, "writing to the ledger")?;
        let mut results = results.into_iter();
        for (name, event) in batch {
            let result = match event {
                Ok(_) => results.next().map_or_else(|| Err("lost".to_owned()), told),
                Err(why) => Err(why.clone()),
            };
            match result {
                Ok(told) => print(name, &told)?,
                Err(why) => {
                    refused += 1;
                    print(name, &format!("refused: {why}"))?;
                }
            }
        }
    }
    progress.finish_and_clear();
    Ok(refused)
}

/// What came of an event, for people.
fn told(result: ReconcileResult) -> Result<String, String> {
    let Reconciled { refund, gateway_state, has_changed, was_put_back } =
        result.map_err(|error| error.to_string())?;
    let (number, state) = (refund.number(), gateway_state.name());
    Ok(match (has_changed, was_put_back) {
        (false, _) => format!("{number} stays {state}; nothing new"),
        (true, false) => format!("{number} is {state} now"),
        (true, true) => format!("{number} is {state} now, and its money was put back"),
    })
}

fn read(path: &Path) -> Result<Vec<Told>, Failure> {
    let shown = path.display();
    let unreadable = |error: csv::Error| {
        Failure::new(FailureCode::Input, format!("{shown} cannot be read: {error}"))
    };
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.trim(csv::Trim::All).from_path(path).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let known = ["refund", "state", "at", "reason", "event_id"];
    if let Some(unknown) = headers.iter().find(|name| !known.contains(name)) {
        let message = format!("{shown}: unknown column `{unknown}`; known are {known:?}");
        return Err(Failure::new(FailureCode::Input, message));
    }
    for needed in ["refund", "state"] {
        if !headers.iter().any(|name| name == needed) {
            let message = format!("{shown}: the first line names no column `{needed}`");
            return Err(Failure::new(FailureCode::Input, message));
        }
    }
    let mut events = Vec::new();
    for record in reader.records() {
        let (line, row) = match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                (line, record.deserialize(Some(&headers)))
            }
            Err(error) => match error.position().map(csv::Position::line) {
                Some(line) => (line, Err(error)),
                None => return Err(unreadable(error)),
            },
        };
        let event = row.map_err(|error: csv::Error| why(&error)).and_then(event);
        events.push((format!("line {line}"), event));
    }
    Ok(events)
}

/// What is wrong with a row, without its place, which is told beside it.
fn why(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} fields, and the first line has {expected_len}")
        }
        _ => error.to_string(),
    }
}

fn event(row: Row) -> Result<Reconciliation, String> {
    let refund = RefundName::parse(&row.refund);
    let refund = refund.ok_or_else(|| {
        format!("`{}` is neither the Id nor the RefundNumber of a refund", row.refund)
    })?;
    let at = match row.at.filter(|at| !at.is_empty()) {
        None => Clock::system().now(),
        Some(at) => at.parse::<Moment>().map_err(|error| format!("at: {error}"))?.0,
    };
    Ok(Reconciliation {
        refund,
        settlement: match row.state {
            State::Settled => Settlement::Settled,
            State::Failed => Settlement::Failed,
        },
        at,
        reason: text("reason", row.reason)?,
        event_id: text("event_id", row.event_id)?,
    })
}

/// A text that is not too long; a blank one is none.
fn text(name: &str, text: Option<String>) -> Result<Option<String>, String> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
        return Err(format!("{name} has more than {TEXT_CHARS_MAX} characters"));
    }
    Ok(text)
}
