//! Captures sent to an endpoint: the workers, what feeds them, and what collects their results.

use super::Options;
use super::error::ReplayError;
use super::report::{Start, Tally};
use super::session::{Credentials, OauthClient};
use super::survey::Plan;
use super::walk::{self, Capture, Given};
use super::worker::{self, Job, Results};
use crate::client::Endpoint;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// An endpoint, and who can log in there.
pub struct Target {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// A user whom the endpoint knows, beside those of the seed and of the options.
    pub user: Option<Credentials>,
    /// A client that the endpoint knows, beside those of the seed.
    pub client: Option<OauthClient>,
}

/// Starts the workers and listens to them.
pub(super) async fn send_all(
    target: Target,
    plan: Plan,
    options: &Options,
    tally: &mut Tally<'_>,
) -> Result<(), ReplayError> {
    let endpoint = target.endpoint.to_string();
    tally.begin(&Start { cases: plan.count, left_out: plan.left_out, endpoint })?;
    let workers = options.concurrency.min(plan.count).max(1);
    let (found, captures) = mpsc::channel(workers.saturating_mul(2));
    let (results, mut done) = mpsc::channel(workers.saturating_mul(2));
    let users = plan
        .users
        .with_client(target.client)
        .with_first(target.user)
        .with_first(options.credentials.clone());
    let job = Arc::new(Job::new(target.endpoint, captures, users, options));
    // Dropped with an error, it ends the workers.
    let mut working = JoinSet::new();
    for _ in 0..workers {
        working.spawn(worker::work(Arc::clone(&job), results.clone()));
    }
    let paths = options.paths.clone();
    working.spawn_blocking(move || feed(&paths, &plan.given, &found, &results));
    while let Some(result) = done.recv().await {
        tally.case(&result?)?;
    }
    while let Some(ended) = working.join_next().await {
        ended.map_err(|error| ReplayError::Runtime(format!("a worker broke off: {error}")))?;
    }
    Ok(())
}

/// Finds the captures once more and hands them to the workers as they have time for them.
fn feed(paths: &[PathBuf], given: &Given, found: &mpsc::Sender<Capture>, results: &Results) {
    let gone = || ReplayError::Runtime("a worker broke off".to_owned());
    let outcome =
        walk::walk(paths, given, &mut |capture| found.blocking_send(capture).map_err(|_| gone()));
    if let Err(error) = outcome.map(drop) {
        // If the receiver has ended, there was an error before this one.
        let _ = results.blocking_send(Err(error));
    }
}
