//! Runs the test suites of SoapUI projects, headless: reads a project, sends its SOAP requests one
//! after the other, judges the answers by its assertions.
//!
//! What must stay true: what is not understood is skipped by its name and never passes; nothing of
//! the machine gets into a request, no script runs; the hosts in a project are never contacted,
//! only their paths are used; and no project can make the run hang or take the memory.

mod assertion;
mod compare;
mod expand;
mod html;
mod outcome;
mod project;
mod runner;
mod scope;
mod step;
mod transfer;
mod xpath;
mod xpath_functions;

pub use outcome::{CheckReport, Exchange, StepReport, TestCaseReport, Verdict};

pub(super) use html::section;
pub(super) use runner::{Target, run};

use self::project::{Kind, Project};
use super::error::ReplayError;
use super::writes::may_write;
use std::path::PathBuf;

/// Projects that were read.
#[derive(Debug, Default)]
pub(super) struct Projects(Vec<Project>);

/// Reads the paths that are SoapUI projects, and gives back the others.
pub(super) fn split(paths: &[PathBuf]) -> Result<(Projects, Vec<PathBuf>), ReplayError> {
    let (mut projects, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        let is_composite = path.join("settings.xml").is_file() && project::is_project(&path.join("settings.xml"));
        if is_composite || (path.is_file() && project::is_project(path)) {
            projects.push(Project::open(path)?);
        } else {
            others.push(path.clone());
        }
    }
    Ok((Projects(projects), others))
}

impl Projects {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many cases there are, those that are disabled included.
    pub(super) fn len(&self) -> usize {
        let suites = self.0.iter().flat_map(|project| &project.suites);
        suites.map(|suite| suite.cases.len()).sum()
    }

    /// The first request that may change data, by its name. One whose operation is only known when
    /// it is sent is looked at then as well.
    pub(super) fn first_write(&self) -> Option<String> {
        let suites = self.0.iter().flat_map(|project| &project.suites);
        let cases = suites.filter(|suite| !suite.disabled).flat_map(|suite| &suite.cases);
        let steps = cases.filter(|case| !case.disabled).flat_map(|case| &case.steps);
        let mut steps = steps.filter(|step| !step.disabled);
        steps.find_map(|step| match &step.kind {
            Kind::Request(request) if may_write(request.body.trim().as_bytes()) => {
                Some(step.name.clone())
            }
            _ => None,
        })
    }
}
