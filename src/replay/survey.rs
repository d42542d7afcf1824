//! What is found out before anything is sent: how many exchanges there are, whether all can be
//! read, whether all may be sent, and what the endpoint has to be for them.
//!
//! What must stay true: everything that can be refused is refused here, so that a replay that is
//! refused has sent nothing. Nothing of the captures is kept.

use super::Options;
use super::capture::Stopped;
use super::compare::Level;
use super::error::ReplayError;
use super::exchange::{Exchange, Piece};
use super::remote::{given_endpoint, refuse_write};
use super::rules::Rules;
use super::seed_text::SeedText;
use super::session::Users;
use super::soapui::{self, Projects};
use super::walk::{self, Capture, Given};
use crate::client::Endpoint;
use chrono::{DateTime, Utc};
use std::path::Path;

/// Captures that were looked at, and what they need.
pub struct Survey {
    /// The endpoint that the options name. Without one the caller starts one.
    pub endpoint: Option<Endpoint>,
    /// The seed of the endpoint that is started: the one that the options name, else the nearest
    /// `seed.toml` beside or above the captures.
    pub seed: Option<SeedText>,
    /// The moment at which the clock of the endpoint that is started stands still.
    pub clock: Option<DateTime<Utc>>,
    pub(super) work: Work,
}

/// What is done at the endpoint.
pub(super) enum Work {
    /// Captures are sent, and the answers compared.
    Captures(Plan),
    /// SoapUI projects are run.
    Projects(Projects),
}

/// Captures, in short.
pub(super) struct Plan {
    pub(super) count: usize,
    pub(super) given: Given,
    pub(super) users: Users,
}

/// Looks at everything that the options name.
pub(super) async fn survey(options: &Options) -> Result<Survey, ReplayError> {
    options.paths.iter().try_for_each(|path| check_is_readable_twice(path))?;
    check(options)?;
    let projects = soapui::projects(options)?;
    let endpoint = given_endpoint(options)?;
    if endpoint.is_some() && options.clock.is_some() {
        let message = "--clock is for the gateway that replay starts, and --endpoint names another";
        return Err(ReplayError::Usage(message.to_owned()));
    }
    let seed = options.seed.clone().or_else(|| walk::seed_of(&options.paths));
    let seed = seed.map(|file| SeedText::read(&file)).transpose();
    if let Some(projects) = projects {
        if let Some(endpoint) = &endpoint {
            projects.check_writes(endpoint, options)?;
        }
        let work = Work::Projects(projects);
        return Ok(Survey { endpoint, seed: seed?, clock: options.clock, work });
    }
    let given = Given { ignore: options.ignore.clone(), matches: options.matches.clone() };
    let found = looked_at(options, &given, endpoint.as_ref()).await?;
    let seed = seed?;
    let users = seed.as_ref().map(Users::of_seed).transpose()?.unwrap_or_default();
    let work = Work::Captures(Plan { count: found.count, given, users });
    Ok(Survey { endpoint, seed, clock: found.clock, work })
}

/// Captures are read twice, so a pipe, which would be waited for, is none.
fn check_is_readable_twice(path: &Path) -> Result<(), ReplayError> {
    let kind = std::fs::metadata(path).map_err(|error| ReplayError::capture(path, None, error))?;
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    Err(ReplayError::capture(path, None, "expected a file or a folder: it is read twice"))
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

/// What was seen of all captures.
struct Found {
    count: usize,
    clock: Option<DateTime<Utc>>,
}

/// The look on a thread of its own, so that it can be interrupted.
async fn looked_at(
    options: &Options,
    given: &Given,
    endpoint: Option<&Endpoint>,
) -> Result<Found, ReplayError> {
    let (options, given, endpoint) = (options.clone(), given.clone(), endpoint.cloned());
    let look = tokio::task::spawn_blocking(move || look(&options, &given, endpoint.as_ref()));
    look.await.map_err(|error| ReplayError::Runtime(error.to_string()))?
}

fn look(
    options: &Options,
    given: &Given,
    endpoint: Option<&Endpoint>,
) -> Result<Found, ReplayError> {
    let is_remote = endpoint.is_some_and(|endpoint| !endpoint.is_loopback());
    let may_be_sent = |exchange: &Exchange| {
        endpoint.map_or(Ok(()), |endpoint| {
            refuse_write(endpoint, &exchange.name, &exchange.request, options)
        })
    };
    let mut count = 0_usize;
    let mut clocks = Clocks { given: options.clock, first: None };
    walk::walk(&options.paths, given, &mut |capture| match capture {
        Capture::Case(case) => {
            count = count.saturating_add(1);
            clocks.add(|| case.name(), &case.rules)?;
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
            clocks.add(|| file.name(), &file.rules)?;
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
    Ok(Found { count, clock: clocks.agreed() })
}

/// The clock that captures ask for. A gateway has one, so they have to agree, unless the options
/// say which it is.
struct Clocks {
    given: Option<DateTime<Utc>>,
    first: Option<(String, DateTime<Utc>)>,
}

impl Clocks {
    /// Takes the clock that the rules of a capture name, or says which other one it contradicts.
    fn add(&mut self, name: impl FnOnce() -> String, rules: &Rules) -> Result<(), ReplayError> {
        let Some(clock) = rules.clock().filter(|_| self.given.is_none()) else { return Ok(()) };
        let Some((other, first)) = &self.first else {
            self.first = Some((name(), clock));
            return Ok(());
        };
        if *first == clock {
            return Ok(());
        }
        let (name, first, clock) = (name(), first.to_rfc3339(), clock.to_rfc3339());
        Err(ReplayError::Usage(format!(
            "the clock of {other} stands at {first} and that of {name} at {clock}: replay each \
             alone, or say by --clock which holds for all"
        )))
    }

    /// The one that holds.
    fn agreed(self) -> Option<DateTime<Utc>> {
        self.given.or(self.first.map(|(_, clock)| clock))
    }
}
