//! `check`: whether the configuration can be used, whether a ledger adds up, or whether a payment
//! processor keeps the contract. The first two change nothing.

use super::exit::{ExitStatus, Failure, FailureCode};
use super::options::Options;
use super::progress::ShownProgress;
use super::settings::{Effective, Settings};
use super::values::LedgerPlace;
use super::{exposure, ledger, processor, serve, terminal};
use crate::domain::number::saturated;
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::file::OpenError;
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::sqlite::SqliteLedger;
use clap::{ArgMatches, Subcommand};
use std::sync::Arc;

/// Check the configuration, or with --ledger recompute every balance of a ledger
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,

    #[command(flatten)]
    options: Options,
}

/// What is checked instead of the configuration and the ledger.
#[derive(Debug, Subcommand)]
enum What {
    Processor(processor::Args),
}

/// Prints every setting and where it came from; or, given a ledger, every account.
pub(super) fn run(args: Args, matches: &ArgMatches) -> Result<ExitStatus, Failure> {
    if let Some(What::Processor(args)) = &args.what {
        return processor::run(args);
    }
    let place = args.options.ledger.clone();
    if place.is_none() || args.options.config.is_some() {
        print_settings(args.options, matches)?.check_environment()?;
    }
    place.map_or(Ok(ExitStatus::Done), |place| audit(&place))
}

/// Gathers the settings of `serve`, with what they name to be read, and prints each with where it
/// came from.
pub(super) fn print_settings(options: Options, matches: &ArgMatches) -> Result<Settings, Failure> {
    let settings = exposure::checked(Settings::gather(options, matches)?)?;
    if let Some(seed) = &settings.seed {
        serve::read_seed(seed)?;
    }
    print_table(&settings.report.iter().map(settings_row).collect::<Vec<_>>())?;
    Ok(settings)
}

fn settings_row(setting: &Effective) -> Vec<String> {
    vec![setting.key.clone(), setting.value.clone(), format!("({})", setting.origin)]
}

fn audit(place: &LedgerPlace) -> Result<ExitStatus, Failure> {
    let path = match place {
        LedgerPlace::File(path) => path,
        LedgerPlace::Server(url) => {
            let shown = ShownProgress::new(format!("checking {place}"));
            let progress: Progress = Arc::new(move |done, all| shown.at(done, all));
            let audit = PostgresLedger::audit(url, &progress).map_err(ledger::on_server)?;
            drop(progress);
            return report(place, &audit);
        }
        LedgerPlace::Memory => {
            let message = "a ledger in memory is gone; there is nothing to check";
            return Err(Failure::new(FailureCode::Configuration, message));
        }
    };
    let shown = ShownProgress::new(format!("checking {place}"));
    let progress: Progress = Arc::new(move |done, all| shown.at(done, all));
    let audited = SqliteLedger::audit_file_showing(path, &progress);
    drop(progress);
    let audit = match audited {
        Err(error @ OpenError::Empty { .. }) => {
            terminal::data(&format!("{error}; it holds nothing"))?;
            return Ok(ExitStatus::Done);
        }
        audited => audited.map_err(ledger::refused)?,
    };
    report(place, &audit)
}

/// Prints what an audit found.
fn report(place: &LedgerPlace, audit: &Audit) -> Result<ExitStatus, Failure> {
    print_table(&rows(audit))?;
    let (accounts, refunds, entries) = (audit.accounts.len(), audit.refunds, audit.entries);
    terminal::data(&format!("{accounts} accounts, {refunds} refunds, {entries} entries"))?;
    if audit.lacks_conditions {
        terminal::note(
            "note: the file may only be read, so the conditions on single values are not checked; \
             check it as a user who may write it",
        );
    }
    if audit.unsummed > 0 {
        let rows = audit.unsummed;
        terminal::note(&format!(
            "note: {rows} rows have no sum, because a program of an earlier version wrote them; \
             the next start with a role that may change every table gives them theirs",
        ));
    }
    let found = &audit.findings;
    for problem in &found.problems {
        terminal::data(&format!("problem: {problem}"))?;
    }
    if found.problems.is_empty() {
        return Ok(ExitStatus::Done);
    }
    let written = saturated::<u64>(found.problems.len());
    let count = written.saturating_add(found.more);
    let message = format!("the ledger {place} does not add up: {count} problems");
    Err(Failure::new(FailureCode::Damaged, message))
}

fn rows(audit: &Audit) -> Vec<Vec<String>> {
    let head = ["account", "currency", "opening", "balance", "refunds", "number"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(audit.accounts.iter().map(|account| {
        vec![
            account.id.clone(),
            account.currency.code().to_owned(),
            account.currency.format(account.opening),
            account.currency.format(account.balance),
            account.refunds.to_string(),
            account.number.clone(),
        ]
    }));
    rows
}

/// Prints rows of equal length in columns.
fn print_table(rows: &[Vec<String>]) -> Result<(), Failure> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        terminal::data(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
