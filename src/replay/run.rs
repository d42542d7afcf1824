//! The replay from its checks to its summary: first everything that can be refused is, then the
//! workers start.

use super::Options;
use super::capture::Stopped;
use super::compare::Level;
use super::error::ReplayError;
use super::exchange::{Exchange, Piece};
use super::in_process::{self, SeedText};
use super::remote::{given_endpoint, refuse_write};
use super::report::Tally;
use super::session::{Credentials, Users};
use super::walk::{self, Capture, Given};
use super::worker::{self, Job, Results};
use crate::client::Endpoint;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The user of the built-in demo.
const DEMO: (&str, &str) = ("demo@example.com", "demo");

/// Replays everything.
pub(super) async fn replay(options: &Options, tally: &mut Tally<'_>) -> Result<(), ReplayError> {
    check(options)?;
    let endpoint = given_endpoint(options)?;
    let given = Given { ignore: options.ignore.clone(), matches: options.matches.clone() };
    let count = surveyed(options, &given, endpoint.as_ref()).await?;
    let seed = options.seed.clone().or_else(|| walk::seed_of(&options.paths));
    let seed = seed.map(|file| SeedText::read(&file)).transpose()?;
    let users = users(seed.as_ref(), endpoint.is_none(), options.credentials.as_ref())?;
    let plan = Plan { count, given, users };
    let Some(endpoint) = endpoint else {
        let gateway = in_process::start(seed.as_ref()).await?;
        let endpoint = Endpoint::parse(&gateway.url())
            .map_err(|error| ReplayError::Runtime(error.to_string()))?;
        let done = send_all(endpoint, plan, options, tally).await;
        gateway.stop().await;
        return done;
    };
    send_all(endpoint, plan, options, tally).await
}

/// What was found out before anything is sent.
struct Plan {
    count: usize,
    given: Given,
    users: Users,
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

/// The survey on a thread of its own, so that it can be interrupted.
async fn surveyed(
    options: &Options,
    given: &Given,
    endpoint: Option<&Endpoint>,
) -> Result<usize, ReplayError> {
    let (options, given, endpoint) = (options.clone(), given.clone(), endpoint.cloned());
    let survey = tokio::task::spawn_blocking(move || survey(&options, &given, endpoint.as_ref()));
    survey.await.map_err(|error| ReplayError::Runtime(error.to_string()))?
}

/// Looks at every capture before anything is sent: how many exchanges there are, whether all can be
/// read, and whether all may be sent. Nothing of them is kept.
fn survey(
    options: &Options,
    given: &Given,
    endpoint: Option<&Endpoint>,
) -> Result<usize, ReplayError> {
    let is_remote = endpoint.is_some_and(|endpoint| !endpoint.is_loopback());
    let may_be_sent = |exchange: &Exchange| {
        endpoint.map_or(Ok(()), |endpoint| {
            refuse_write(endpoint, &exchange.name, &exchange.request, options)
        })
    };
    let mut count = 0_usize;
    walk::walk(&options.paths, given, &mut |capture| match capture {
        Capture::Case(case) => {
            count = count.saturating_add(1);
            if is_remote || case.is_checked() {
                may_be_sent(&case.read(!options.update)?)?;
            }
            Ok(())
        }
        Capture::File(file) if options.update => {
            let message = format!("{}: --update cannot change a HAR or a cassette", file.name());
            Err(ReplayError::Usage(message))
        }
        Capture::File(file) => {
            let outcome = file.read(&mut |piece| {
                count = count.saturating_add(1);
                let Piece::Exchange(exchange) = piece else { return Ok(()) };
                may_be_sent(&exchange).map_err(Stopped::Unreadable)
            });
            match outcome {
                Ok(()) | Err(Stopped::Enough) => Ok(()),
                Err(Stopped::Unreadable(error)) => Err(error),
            }
        }
    })?;
    Ok(count)
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
    plan: Plan,
    options: &Options,
    tally: &mut Tally<'_>,
) -> Result<(), ReplayError> {
    tally.begin(plan.count)?;
    let workers = options.concurrency.min(plan.count).max(1);
    let (found, captures) = mpsc::channel(workers.saturating_mul(2));
    let (results, mut done) = mpsc::channel(workers.saturating_mul(2));
    let job = Arc::new(Job::new(endpoint, captures, plan.users, options));
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
    if let Err(error) = outcome {
        // If nobody listens, there was an error before this one.
        let _ = results.blocking_send(Err(error));
    }
}
