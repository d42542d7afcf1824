//! Runs the test suites of SoapUI projects, headless: reads a project, sends its SOAP requests one
//! after the other, judges the answers by its assertions.
//!
//! What must stay true: what is not understood is skipped by its name and never passes; nothing of
//! the machine gets into a request, no script runs; the hosts in a project are never contacted,
//! only their paths are used; and no project can make the run hang or take the memory.

mod assertion;
mod compare;
mod endpoint;
mod expand;
mod html;
mod launch;
mod model;
mod outcome;
mod project;
mod runner;
mod scope;
mod step;
mod target;
mod transfer;
mod unset;
mod xpath;

pub use outcome::{CheckReport, Exchange, StepReport, TestCaseReport, Verdict};

pub(super) use html::{section, title};
pub(super) use launch::{Projects, projects, run_at};
