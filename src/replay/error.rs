//! Why a replay cannot go on; differences are no errors.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a replay cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The options contradict each other or what the captures need.
    #[error("{0}")]
    Usage(String),
    /// The seed cannot be used.
    #[error("{0}")]
    Seed(String),
    /// A capture cannot be read or written.
    #[error("{}{}: {message}", file.display(), Line(*line))]
    Capture {
        /// The file or folder.
        file: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong with it.
        message: String,
    },
    /// The endpoint cannot be reached or logged in to, or the gateway cannot be started.
    #[error("{0}")]
    Runtime(String),
    /// Ctrl-C was pressed.
    #[error("interrupted")]
    Interrupted,
}

impl ReplayError {
    pub(super) fn capture(file: &Path, line: Option<usize>, message: impl fmt::Display) -> Self {
        Self::Capture { file: file.to_owned(), line, message: message.to_string() }
    }
}

struct Line(Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(out, ":{line}"))
    }
}
