//! The replay from its checks to its summary: first everything that can be refused is, then the
//! workers start.

use super::Options;
use super::catalogue::{self, Entry};
use super::compare::Level;
use super::error::ReplayError;
use super::in_process::{self, SeedText};
use super::report::{Reporter, Summary};
use super::rules::Rules;
use super::session::{Credentials, Users};
use super::worker::{self, Job};
use super::writes::may_write;
use crate::client::Endpoint;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The user of the built-in demo.
const DEMO: (&str, &str) = ("demo@example.com", "demo");

/// Replays everything.
pub(super) async fn replay(
    options: &Options,
    reporter: &mut dyn Reporter,
) -> Result<Summary, ReplayError> {
    check(options)?;
    let endpoint = options.endpoint.as_deref().map(Endpoint::parse).transpose();
    let endpoint = endpoint.map_err(|error| ReplayError::Usage(error.to_string()))?;
    let entries = with_given_rules(catalogue::find(&options.paths)?, options);
    if let Some(endpoint) = &endpoint {
        check_remote(endpoint, &entries, options)?;
    }
    let seed = options.seed.clone().or_else(|| catalogue::seed_of(&options.paths));
    let seed = seed.map(|file| SeedText::read(&file)).transpose()?;
    let users = users(seed.as_ref(), endpoint.is_none(), options.credentials.as_ref())?;
    let Some(endpoint) = endpoint else {
        let gateway = in_process::start(seed.as_ref()).await?;
        let endpoint = Endpoint::parse(&gateway.url())
            .map_err(|error| ReplayError::Runtime(error.to_string()))?;
        let done = send_all(endpoint, entries, users, options, reporter).await;
        gateway.stop().await;
        return done;
    };
    send_all(endpoint, entries, users, options, reporter).await
}

fn check(options: &Options) -> Result<(), ReplayError> {
    let usage = |message: &str| Err(ReplayError::Usage(message.to_owned()));
    if options.concurrency == 0 {
        return usage("--concurrency must be at least 1");
    }
    let has_rules = !options.ignore.is_empty() || !options.matches.is_empty();
    if has_rules && options.compare != Level::Xml {
        return usage("--ignore and --match need --compare xml");
    }
    Ok(())
}

/// The entries with the rules of the command line added; rules that are shared stay shared.
fn with_given_rules(mut entries: Vec<Entry>, options: &Options) -> Vec<Entry> {
    if options.ignore.is_empty() && options.matches.is_empty() {
        return entries;
    }
    let mut made: HashMap<*const Rules, Arc<Rules>> = HashMap::new();
    let before: Vec<Arc<Rules>> = entries.iter().map(|entry| Arc::clone(&entry.rules)).collect();
    for (entry, rules) in entries.iter_mut().zip(&before) {
        let more = made.entry(Arc::as_ptr(rules)).or_insert_with(|| {
            Arc::new(Rules::clone(rules).and_given(&options.ignore, &options.matches))
        });
        entry.rules = Arc::clone(more);
    }
    entries
}

/// Nothing leaves this machine unless it may, and nothing that writes unless that may, too.
fn check_remote(
    endpoint: &Endpoint,
    entries: &[Entry],
    options: &Options,
) -> Result<(), ReplayError> {
    if endpoint.is_loopback() {
        return Ok(());
    }
    if !options.allow_remote {
        let message = format!("{endpoint} is not on this machine: allow it with --allow-remote");
        return Err(ReplayError::Usage(message));
    }
    if options.allow_writes {
        return Ok(());
    }
    for entry in entries {
        if may_write(&entry.request()?) {
            return Err(ReplayError::Usage(format!(
                "{} may change data at {endpoint}: allow it with --allow-writes",
                entry.name()
            )));
        }
    }
    Ok(())
}

fn users(
    seed: Option<&SeedText>,
    is_ours: bool,
    given: Option<&Credentials>,
) -> Result<Users, ReplayError> {
    let users = match seed {
        Some(seed) => Users::of_seed(&seed.text, &seed.file)?,
        None if is_ours => Users::default().with_first(Some(Credentials {
            username: DEMO.0.to_owned(),
            password: DEMO.1.to_owned(),
        })),
        None => Users::default(),
    };
    Ok(users.with_first(given.cloned()))
}

/// Starts the workers and listens to them.
async fn send_all(
    endpoint: Endpoint,
    entries: Vec<Entry>,
    users: Users,
    options: &Options,
    reporter: &mut dyn Reporter,
) -> Result<Summary, ReplayError> {
    let untold = |error| ReplayError::Runtime(format!("the report cannot be written: {error}"));
    let started = Instant::now();
    reporter.begin(entries.len()).map_err(untold)?;
    let workers = options.concurrency.min(entries.len());
    let job = Arc::new(Job::new(endpoint, entries, users, options));
    let (results, mut done) = mpsc::channel(workers.max(1));
    // Dropped with an error, it ends the workers.
    let mut working = JoinSet::new();
    for _ in 0..workers {
        working.spawn(worker::work(Arc::clone(&job), results.clone()));
    }
    drop(results);
    let mut summary = Summary::default();
    while let Some(result) = done.recv().await {
        let report = result?;
        summary.count(&report.outcome);
        reporter.case(&report).map_err(untold)?;
    }
    if summary.total() < job.len() {
        return Err(ReplayError::Runtime("a worker ended before its work was done".to_owned()));
    }
    summary.took = started.elapsed();
    reporter.end(&summary).map_err(untold)?;
    Ok(summary)
}
