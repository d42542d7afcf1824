//! From the paths of a replay to the run of the projects among them: which they are, the checks
//! before anything is sent, and the run at an endpoint.

use super::super::Options;
use super::super::canonical::printable;
use super::super::compare::Level;
use super::super::error::ReplayError;
use super::super::remote::refuse_write;
use super::super::report::Tally;
use super::super::secret::KnownSecrets;
use super::model::{Kind, Project};
use super::outcome;
use super::project;
use super::runner;
use super::target::Target;
use crate::client::{Connection, Endpoint};
use std::path::{Path, PathBuf};

/// Projects that were read.
#[derive(Debug)]
pub(in crate::replay) struct Projects(Vec<Project>);

/// The projects that the paths lead to; none if they lead to other captures. Projects run one case
/// after the other, each as its suites say, so they are not mixed with captures.
pub(in crate::replay) fn projects(options: &Options) -> Result<Option<Projects>, ReplayError> {
    let (projects, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
        options.paths.iter().partition(|path| is_project(path));
    let Some(first) = projects.first() else { return Ok(None) };
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
    Ok(Some(Projects(projects.collect::<Result<_, _>>()?)))
}

/// Whether a path is a project: a file, or the folder of a composite one, which is refused later.
fn is_project(path: &Path) -> bool {
    if path.is_dir() {
        return project::is_project(&path.join("settings.xml"));
    }
    project::is_project(path)
}

/// Runs the projects at an endpoint.
pub(in crate::replay) async fn run_at(
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
    pub(in crate::replay) fn check_writes(
        &self,
        endpoint: &Endpoint,
        options: &Options,
    ) -> Result<(), ReplayError> {
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
