//! Where the requests of a project go, and what may be sent there.

use super::super::secret::KnownSecrets;
use super::model::Project;

/// A project that is run, and where it is.
pub(super) struct Context<'a> {
    pub(super) project: &'a Project,
    pub(super) target: &'a Target<'a>,
}

/// An endpoint, and what may be sent to it.
pub(super) struct Target<'a> {
    /// The path that is used instead of those in the project.
    pub(super) path: Option<&'a str>,
    /// Whether requests that may change data are held back.
    pub(super) reads_only: bool,
    /// Whether no case is run after one that failed.
    pub(super) fail_fast: bool,
    /// Secrets that have been seen.
    pub(super) secrets: &'a KnownSecrets,
}
