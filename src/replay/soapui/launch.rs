//! From the paths of a replay to the run of the projects among them: the checks before anything is
//! sent, the gateway if none is given, the summary.

use super::super::Options;
use super::super::canonical::printable;
use super::super::compare::Level;
use super::super::error::ReplayError;
use super::super::in_process::{self, SeedText};
use super::super::remote::{given_endpoint, refuse_write};
use super::super::report::Tally;
use super::super::run;
use super::super::secret::KnownSecrets;
use super::super::walk::seed_of;
use super::model::{Kind, Project};
use super::outcome;
use super::project;
use super::runner;
use super::target::Target;
use crate::client::{Connection, Endpoint};
use std::path::{Path, PathBuf};

/// Projects that were read.
#[derive(Debug)]
pub(super) struct Projects(Vec<Project>);

/// Runs the projects that the paths lead to, or replays what else is there. Projects run one case
/// after the other, each as its suites say, so they are not mixed with captures.
pub(in crate::replay) async fn replay_or(
    options: &Options,
    tally: &mut Tally<'_>,
) -> Result<(), ReplayError> {
    options.paths.iter().try_for_each(|path| check_is_readable_twice(path))?;
    let (projects, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
        options.paths.iter().partition(|path| is_project(path));
    let Some(first) = projects.first() else { return run::replay(options, tally).await };
    let usage = |message: String| Err(ReplayError::Usage(message));
    if let Some(other) = others.first() {
        let (first, other) = (first.display(), other.display());
        return usage(format!(
            "{first} is a SoapUI project and {other} is none: replay each alone"
        ));
    }
    let has_rules = !options.ignore.is_empty() || !options.matches.is_empty();
    if options.update || has_rules || options.compare != Level::default() {
        return usage(
            "a SoapUI project is judged by its own assertions: --compare, --update, --ignore and \
             --match do not apply"
                .to_owned(),
        );
    }
    let projects = projects.into_iter().map(|path| Project::open(path));
    let projects = Projects(projects.collect::<Result<_, _>>()?);
    if let Some(endpoint) = given_endpoint(options)? {
        projects.check_writes(&endpoint, options)?;
        return run_at(endpoint, &projects, options, tally).await;
    }
    let seed = options.seed.clone().or_else(|| seed_of(&options.paths));
    let seed = seed.map(|file| SeedText::read(&file)).transpose()?;
    let gateway = in_process::start(seed.as_ref()).await?;
    let endpoint =
        Endpoint::parse(&gateway.url()).map_err(|error| ReplayError::Runtime(error.to_string()))?;
    let done = run_at(endpoint, &projects, options, tally).await;
    gateway.stop().await;
    done
}

/// Captures are read twice, so a pipe, which would be waited for, is none.
fn check_is_readable_twice(path: &Path) -> Result<(), ReplayError> {
    let kind = std::fs::metadata(path).map_err(|error| ReplayError::capture(path, None, error))?;
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    Err(ReplayError::capture(path, None, "expected a file or a folder: it is read twice"))
}

/// Whether a path is a project: a file, or the folder of a composite one, which is refused later.
fn is_project(path: &Path) -> bool {
    if path.is_dir() {
        return project::is_project(&path.join("settings.xml"));
    }
    project::is_project(path)
}

async fn run_at(
    endpoint: Endpoint,
    projects: &Projects,
    options: &Options,
    tally: &mut Tally<'_>,
) -> Result<(), ReplayError> {
    tally.begin(projects.cases())?;
    let secrets = KnownSecrets::default();
    if let Some(credentials) = &options.credentials {
        secrets.add(&credentials.password);
    }
    let path = endpoint.path().map(str::to_owned);
    let target = Target {
        path: path.as_deref(),
        reads_only: !endpoint.is_loopback() && !options.allow_writes,
        secrets: &secrets,
    };
    let mut connection = Connection::new(endpoint, options.limits);
    let mut tell = |report: outcome::TestCaseReport| tally.test_case(&report);
    runner::run(&projects.0, &target, &mut connection, &mut tell).await
}

impl Projects {
    /// How many cases there are, those that are disabled included.
    fn cases(&self) -> usize {
        let suites = self.0.iter().flat_map(|project| &project.suites);
        suites.map(|suite| suite.cases.len()).sum()
    }

    /// Refuses to send what may change something where that may not be. What a request does that is
    /// only made while running is looked at when it is sent.
    fn check_writes(&self, endpoint: &Endpoint, options: &Options) -> Result<(), ReplayError> {
        let suites = self.0.iter().flat_map(|project| &project.suites);
        let cases = suites.filter(|suite| !suite.disabled).flat_map(|suite| &suite.cases);
        let steps = cases.filter(|case| !case.disabled).flat_map(|case| &case.steps);
        for step in steps.filter(|step| !step.disabled) {
            if let Kind::Request(request) = &step.kind {
                let name = format!("the step {}", printable(&step.name));
                refuse_write(endpoint, &name, request.body.trim().as_bytes(), options)?;
            }
        }
        Ok(())
    }
}
