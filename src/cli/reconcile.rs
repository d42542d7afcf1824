//! `reconcile`: what gateways settled or rejected, reported to the ledger of a gateway that is
//! stopped, or to the gateway that runs on it.
//!
//! What must stay true: what came of every row is printed; a row that cannot be read keeps no other
//! from its turn.

use super::config::Config;
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::options::LedgerOptions;
use super::{admin, ledger, operation, operator, terminal};
use crate::domain::number::saturated;
use crate::domain::reconciliation::Rejected;
use crate::ledger::Ledger;
use crate::ledger::opening::OpenMode;
use crate::ledger::reconciliation::{Reconcile, ReconcileResult, Reconciled};
use crate::service::clock::Clock;
use crate::service::reconciliation::WrittenEvent;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// How many events one transaction takes.
const AT_ONCE: usize = 200;

/// Report to the ledger what gateways settled or rejected after all
///
/// FILE is CSV with a header. Its columns are refund (an Id or a RefundNumber) and state (settled
/// or failed), and if you like at (RFC 3339, or a day of the tenant's), reason and event_id. An
/// event that was reported before changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,

    /// What becomes of the money of refunds that failed [default: as configured, else
    /// update-fields]
    #[arg(long)]
    rejected: Option<OnRejection>,

    #[command(flatten)]
    ledger: LedgerOptions,
}

/// The events: a file of them, or one.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// A CSV file of events
    #[arg(value_name = "FILE.csv", required_unless_present = "id", conflicts_with = "id")]
    file: Option<PathBuf>,

    /// The Id or the RefundNumber of one refund
    #[arg(long, requires = "state")]
    id: Option<String>,

    /// What its gateway says
    #[arg(long, requires = "id", value_parser = ["settled", "failed"])]
    state: Option<String>,

    /// When that was [default: now]
    #[arg(long, value_name = "RFC3339|DAY", requires = "id")]
    at: Option<String>,

    /// Why, in the gateway's words
    #[arg(long, value_name = "TEXT", requires = "id")]
    reason: Option<String>,

    /// The event's own id, under which it counts once
    #[arg(long, value_name = "TEXT", requires = "id")]
    event_id: Option<String>,
}

impl Input {
    /// The events as they are written, with what each is called to the user.
    pub(super) fn read(self) -> Result<Vec<Row>, Failure> {
        match (self.file, self.id, self.state) {
            (Some(file), ..) => read(&file),
            (None, Some(refund), Some(state)) => {
                let (at, reason, event_id) = (self.at, self.reason, self.event_id);
                let name = refund.clone();
                Ok(vec![(name, Ok(WrittenEvent { refund, state, at, reason, event_id }))])
            }
            (None, ..) => Ok(Vec::new()),
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OnRejection {
    UpdateFields,
    PutBack,
}

/// What an event is called to the user, and it, or why it cannot be read.
pub(super) type Row = (String, Result<WrittenEvent, String>);

/// Does what is asked.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let configured = Config::read(args.ledger.config.as_deref())?.written.reconciliation;
    let rejected = match args.rejected {
        None => configured.rejected,
        Some(OnRejection::UpdateFields) => Rejected::UpdateFields,
        Some(OnRejection::PutBack) => Rejected::PutBack,
    };
    let rows = args.input.read()?;
    match ledger::open_named(args.ledger.clone(), OpenMode::Existing) {
        Ok(ledger) => report_stopped(ledger.as_ref(), &rows, rejected),
        Err(refused) => match operation::running(&args.ledger) {
            Some(api) if args.rejected.is_none() => admin::tell_settlements(&api, &rows),
            Some(_) => {
                let hint = "leave --rejected out: the running gateway does as it is configured";
                Err(Failure::with_hint(refused.code, format_args!("{:#}", refused.error), hint))
            }
            None => Err(refused),
        },
    }
}

/// Reports the events to an open ledger.
fn report_stopped(
    ledger: &dyn Ledger,
    rows: &[Row],
    rejected: Rejected,
) -> Result<ExitStatus, Failure> {
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let now = Clock::system().now();
    report(rows, |events| {
        let checked: Vec<_> = events.iter().map(|event| event.checked(now)).collect();
        let good = checked.iter().filter_map(|event| event.clone().ok()).collect();
        let act = operator::act(now);
        let results = runtime.block_on(ledger.reconcile(Reconcile { events: good, rejected, act }));
        let results = results.or_fail(FailureCode::Runtime, "writing to the ledger")?;
        let mut results = results.into_iter();
        let mut next = || results.next().map_or_else(|| Err("lost".to_owned()), reported);
        Ok(checked.into_iter().map(|event| event.and_then(|_| next())).collect())
    })
}

/// Reports the events in their order, some at a time, with `send`, which says of each what came of
/// it or why it was refused; and prints that.
pub(super) fn report(
    rows: &[Row],
    mut send: impl FnMut(&[WrittenEvent]) -> Result<Vec<Result<String, String>>, Failure>,
) -> Result<ExitStatus, Failure> {
    let progress = ProgressBar::new(saturated::<u64>(rows.len()));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events, {eta} left");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut refused = 0;
    for batch in rows.chunks(AT_ONCE) {
        let events: Vec<_> = batch.iter().filter_map(|(_, event)| event.clone().ok()).collect();
        let mut results = send(&events)?.into_iter();
        for (name, event) in batch {
            let result = match event {
                Ok(_) => results.next().unwrap_or_else(|| Err("nothing was answered".to_owned())),
                Err(why) => Err(why.clone()),
            };
            refused += usize::from(result.is_err());
            let reported = result.unwrap_or_else(|why| format!("refused: {why}"));
            progress.inc(1);
            progress.suspend(|| terminal::data(&format!("{name}: {reported}")))?;
        }
    }
    progress.finish_and_clear();
    if refused > 0 {
        terminal::note(&format!("{refused} events were refused and changed nothing"));
        return Ok(ExitStatus::Differed);
    }
    Ok(ExitStatus::Done)
}

/// What came of an event, for people.
fn reported(result: ReconcileResult) -> Result<String, String> {
    let Reconciled { refund, gateway_state, has_changed, was_put_back } =
        result.map_err(|error| error.to_string())?;
    let number = refund.number().to_string();
    Ok(sentence(&number, gateway_state.name(), has_changed, was_put_back))
}

/// What came of an event, in words.
pub(super) fn sentence(number: &str, state: &str, has_changed: bool, put_back: bool) -> String {
    match (has_changed, put_back) {
        (false, _) => format!("{number} stays {state}; nothing new"),
        (true, false) => format!("{number} is {state} now"),
        (true, true) => format!("{number} is {state} now, and its money was put back"),
    }
}

fn read(path: &Path) -> Result<Vec<Row>, Failure> {
    let shown = path.display();
    let unreadable = |error: csv::Error| {
        Failure::new(FailureCode::Input, format!("{shown} cannot be read: {error}"))
    };
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.trim(csv::Trim::All).from_path(path).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    let known = ["refund", "state", "at", "reason", "event_id"];
    if let Some(unknown) = headers.iter().find(|name| !known.contains(name)) {
        let known = known.join("`, `");
        let message = format!("{shown}: unknown column `{unknown}`; known are `{known}`");
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
        let event = row.map_err(|error: csv::Error| why(&error));
        events.push((format!("line {line}"), event));
    }
    Ok(events)
}

/// What is wrong with a row, without its place, which is printed beside it.
fn why(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} fields, and the first line has {expected_len}")
        }
        _ => error.to_string(),
    }
}
