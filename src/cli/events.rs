//! `events`: what happened to refunds, as the ledger keeps it, beside a running gateway.

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::ledger::Readable;
use super::options::LedgerOptions;
use super::{ledger, terminal};
use crate::domain::number::saturated;
use crate::ledger::outbox::Event;
use crate::ledger::postgres::ServerEvents;
use crate::ledger::sqlite::EventFile;
use serde_json::Value;
use std::thread;
use std::time::Duration;

/// How many events are read at once.
const PAGE: usize = 500;
/// How often new ones are looked for.
const POLL: Duration = Duration::from_millis(250);

/// Show what happened to refunds, and with --follow what happens
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Go on, and show each event as it happens, until a signal comes
    #[arg(long)]
    follow: bool,

    /// Begin after the event of this sequence
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,

    /// Show each event as the JSON that webhooks get, one a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ledger: LedgerOptions,
}

/// Prints the events.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let mut events = match ledger::named_place(args.ledger)? {
        Readable::File(path) => Events::File(EventFile::open(&path).map_err(ledger::refused)?),
        Readable::Server(url) => {
            Events::Server(ServerEvents::open(&url).map_err(ledger::on_server)?)
        }
    };
    if !events.are_kept()? {
        terminal::note(
            "note: this ledger keeps no events, as of its last start; \
             say `enabled = true` under [events], or configure a webhook",
        );
    }
    let mut after = saturated::<i64>(args.after);
    loop {
        let page = events.after(after)?;
        for event in &page {
            let line = if args.json { event.payload.clone() } else { line(event) };
            if !terminal::data_is_read(&line)? {
                return Ok(ExitStatus::Done);
            }
            after = event.sequence;
        }
        if page.len() == PAGE {
            continue;
        }
        if !args.follow {
            return Ok(ExitStatus::Done);
        }
        #[expect(clippy::disallowed_methods, reason = "no ledger says of a new event")]
        thread::sleep(POLL);
    }
}

/// The events of a ledger.
enum Events {
    File(EventFile),
    Server(ServerEvents),
}

impl Events {
    fn are_kept(&mut self) -> Result<bool, Failure> {
        match self {
            Self::File(file) => file.are_kept().or_fail(FailureCode::Runtime, "reading the ledger"),
            Self::Server(server) => server.are_kept().map_err(ledger::on_server),
        }
    }

    fn after(&mut self, sequence: i64) -> Result<Vec<Event>, Failure> {
        match self {
            Self::File(file) => {
                file.after(sequence, PAGE).or_fail(FailureCode::Runtime, "reading events")
            }
            Self::Server(server) => server.after(sequence, PAGE).map_err(ledger::on_server),
        }
    }
}

/// An event on one line: sequence, moment, kind, refund, amount, account.
fn line(event: &Event) -> String {
    let reported: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    let text = |pointer: &str| reported.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    format!(
        "{:>6}  {}  {:<23}  {}  {:>12} {}  {}",
        event.sequence,
        text("/at"),
        text("/kind"),
        text("/refund/number"),
        text("/refund/amount"),
        text("/refund/currency"),
        text("/account/number"),
    )
}
