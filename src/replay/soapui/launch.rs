//! From the paths of a replay to the run of the projects among them: which they are, the checks
//! before anything is sent, and the run at an endpoint.

use super::super::Options;
use super::super::canonical::printable;
use super::super::compare::Level;
use super::super::error::ReplayError;
use super::super::listing::Listing;
use super::super::remote::{may_write, refuse_write};
use super::super::report::{Start, Tally};
use super::super::secret::KnownSecrets;
use super::super::selection::{Matched, Selection};
use super::model::{Case, Kind, Project};
use super::outcome;
use super::project;
use super::runner;
use super::target::Target;
use crate::client::{Connection, Endpoint};
use std::path::{Path, PathBuf};

/// Projects that were read.
#[derive(Debug)]
pub(in crate::replay) struct Projects {
    all: Vec<Project>,
    /// How many cases are left out, because they were not selected.
    left_out: usize,
}

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
    let mut projects = Projects { all: projects.collect::<Result<_, _>>()?, left_out: 0 };
    projects.select(&options.selection)?;
    Ok(Some(projects))
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
    let (cases, left_out) = (projects.cases(), projects.left_out);
    tally.begin(&Start { cases, left_out, endpoint: endpoint.to_string() })?;
    let secrets = KnownSecrets::default();
    if let Some(credentials) = &options.credentials {
        secrets.add(&credentials.password);
    }
    options.values.secrets().for_each(|secret| secrets.add(secret));
    let path = endpoint.path().map(str::to_owned);
    let target = Target {
        path: path.as_deref(),
        reads_only: !endpoint.is_loopback() && !options.allow_writes,
        clock: options.clock,
        given: &options.values,
        secrets: &secrets,
        fail_fast: options.fail_fast,
    };
    let mut connection = Connection::new(endpoint, options.limits);
    let mut report = |report: outcome::TestCaseReport| tally.test_case(&report);
    runner::run(&projects.all, &target, &mut connection, &mut report).await
}

/// The name of a case for patterns, and the operations that it sends.
fn candidate(project: &str, suite: &str, case: &Case) -> (String, Vec<String>) {
    let operations = case.steps.iter().filter_map(|step| match &step.kind {
        Kind::Request(request) => Some(request.operation.clone()),
        _ => None,
    });
    (printable(&format!("{project}/{suite}/{}", case.name)), operations.collect())
}

impl Projects {
    /// Takes the cases away that are not selected.
    fn select(&mut self, selection: &Selection) -> Result<(), ReplayError> {
        let mut matched = Matched::default();
        for project in &mut self.all {
            for suite in &mut project.suites {
                let before = suite.cases.len();
                suite.cases.retain(|case| {
                    let (name, operations) = candidate(&project.name, &suite.name, case);
                    matched.note(selection, &name, &operations);
                    selection.takes_all_of(&name, || operations)
                });
                let left_out = before.saturating_sub(suite.cases.len());
                self.left_out = self.left_out.saturating_add(left_out);
            }
        }
        matched.check(selection)
    }

    /// What would be run.
    pub(in crate::replay) fn listing(&self) -> Listing {
        let mut listing = Listing::default();
        listing.left_out = self.left_out;
        for project in &self.all {
            for suite in &project.suites {
                for case in &suite.cases {
                    listing.add_named(candidate(&project.name, &suite.name, case).0);
                }
            }
        }
        listing
    }

    /// How many cases are left out, because they were not selected.
    pub(in crate::replay) fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many cases there are, those that are disabled included.
    pub(in crate::replay) fn cases(&self) -> usize {
        let suites = self.all.iter().flat_map(|project| &project.suites);
        suites.map(|suite| suite.cases.len()).sum()
    }

    /// Refuses to send what may change something where that may not be. What a request does that is
    /// only made while running is looked at when it is sent.
    pub(in crate::replay) fn check_writes(
        &self,
        endpoint: &Endpoint,
        options: &Options,
    ) -> Result<(), ReplayError> {
        let suites = self.all.iter().flat_map(|project| &project.suites);
        let cases = suites.filter(|suite| !suite.disabled).flat_map(|suite| &suite.cases);
        let steps = cases.filter(|case| !case.disabled).flat_map(|case| &case.steps);
        for step in steps.filter(|step| !step.disabled) {
            if let Kind::Request(request) = &step.kind {
                let name = format!("the step {}", printable(&step.name));
                let writes = may_write(request.body.trim().as_bytes());
                refuse_write(endpoint, &name, writes, options)?;
            }
        }
        Ok(())
    }
}
