//! `seed`: brings a seed file into a ledger that no gateway serves.

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::options::LedgerOptions;
use super::{ledger, operator, serve, terminal};
use crate::ledger::opening::OpenMode;
use crate::service::clock::Clock;
use crate::service::seed;
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// Load a seed file into a ledger; loading it twice changes nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The seed file
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,

    #[command(flatten)]
    ledger: LedgerOptions,
}

/// Loads the seed and prints how much of it was new.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let seed = serve::read_seed(&args.file)?;
    let ledger = ledger::open_named(args.ledger, OpenMode::CreateOrOpenAny)?;
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let act = operator::act(Clock::system().now());
    let report = runtime.block_on(seed::load(ledger.as_ref(), seed, act));
    let report = report.map_err(|error| serve::seed_failure(args.file.display(), &error))?;
    terminal::data(&format!("added {}, unchanged {}", report.added, report.unchanged))?;
    Ok(ExitStatus::Done)
}
