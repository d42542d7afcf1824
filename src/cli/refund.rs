//! `refund`: the one decision about a refund that is an operator's to make.

use super::admin::{Api, settlement};
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::options::LedgerOptions;
use super::{ledger, operation, operator, terminal};
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::lifecycle::SettledAs;
use crate::ledger::Ledger;
use crate::ledger::opening::OpenMode;
use crate::ledger::orders::{SettleError, Settlement};
use crate::ledger::sharing::Claim;
use crate::service::clock::Clock;
use crate::service::{ServiceSettings, ageing};
use chrono::TimeDelta;
use serde_json::Value;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Decide about a refund whose gateway never reported what became of it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// End a refund in Processing by hand, once, 48 hours after it was created
    Settle {
        /// The refund's Id
        id: String,

        /// What it becomes: Processed keeps the money out, Error gives it back
        #[arg(long)]
        status: Status,

        /// Why; it is kept in the refund's history, with your name
        #[arg(long, value_name = "TEXT")]
        reason: String,

        #[command(flatten)]
        ledger: LedgerOptions,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
enum Status {
    Processed,
    Error,
}

/// Does what is asked.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let Action::Settle { id, status, reason, ledger } = args.action;
    let refused = |message: String| Failure::new(FailureCode::Usage, message);
    let refund = RefundId::parse(&id);
    let refund = refund.ok_or_else(|| refused(format!("`{id}` is no Id of a refund")))?;
    let reason = Settlement::checked_reason(&reason).map_err(refused)?;
    let (settled_as, status) = match status {
        Status::Processed => (SettledAs::Processed, "Processed"),
        Status::Error => (SettledAs::Error, "Error"),
    };
    let number = match ledger::open_named(ledger.clone(), OpenMode::Existing) {
        Ok(ledger) => settle_stopped(ledger.as_ref(), refund, settled_as, reason)?,
        Err(refused) => match operation::running(&ledger) {
            Some(api) => settle_running(&api, refund, status, &reason)?,
            None => return Err(refused),
        },
    };
    terminal::data(&format!("{number} is {status} now"))?;
    Ok(ExitStatus::Done)
}

/// Has a running gateway make the decision; the refund's number.
fn settle_running(
    api: &Api,
    refund: RefundId,
    status: &str,
    reason: &str,
) -> Result<String, Failure> {
    let (method, path, body) = settlement(&refund.to_string(), status, reason);
    let settled = api.call(method, &path, &body)?;
    let number = settled.get("number").and_then(Value::as_str);
    Ok(number.map_or_else(|| refund.to_string(), str::to_owned))
}

/// Makes the decision on an open ledger; the refund's number.
fn settle_stopped(
    ledger: &dyn Ledger,
    refund: RefundId,
    settled_as: SettledAs,
    reason: String,
) -> Result<String, Failure> {
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let clock = Clock::system();
    let gap = ServiceSettings::default().clock_gap_minutes;
    let ages = ageing::begin(&clock, ledger, TimeDelta::minutes(i64::from(gap)));
    runtime.block_on(ages).or_fail(FailureCode::Runtime, "reading the ledger")?;
    claim(&runtime, ledger, refund.number())?;
    let (act, at_least) = (operator::act(clock.now()), clock.at_least());
    let settlement = Settlement { refund, settled_as, reason, act, at_least };
    let settled = runtime.block_on(ledger.settle_refund(settlement));
    let settled = settled.or_fail(FailureCode::Runtime, "settling the refund")?;
    let number = settled.map_err(|error| Failure::new(FailureCode::Usage, error))?;
    Ok(number.to_string())
}

/// Makes sure that no node of the ledger asks the refund's gateway at this moment, so that no
/// verdict on its way comes too late for the decision. What is claimed is given back when the
/// ledger closes.
fn claim(runtime: &Runtime, ledger: &dyn Ledger, number: RefundNumber) -> Result<(), Failure> {
    let Some(sharing) = ledger.sharing() else { return Ok(()) };
    let claimed = runtime.block_on(sharing.claim(Claim::order(number), Duration::ZERO));
    match claimed.or_fail(FailureCode::Runtime, "asking the other nodes")? {
        true => Ok(()),
        false => Err(Failure::new(FailureCode::Usage, SettleError::BeingAsked { number })),
    }
}
