//! What a request is beside its answer, for the log.

use super::listener::Withheld;
use crate::call::{CallFacts, OperationName};

/// A call that is given no answer.
pub(super) struct Unanswered {
    pub(super) operation: OperationName,
    pub(super) why: Withheld,
    pub(super) called: Called,
}

/// What a request is beside its answer, for the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Called {
    /// The version in the path, as it was sent, at most 32 characters.
    pub(super) version: Option<String>,
    /// The bytes of the body as they came.
    pub(super) bytes_in: u64,
    /// Who called, and what the rows came to.
    pub(super) facts: CallFacts,
}

impl Called {
    /// The longest version that is shown, in bytes.
    const VERSION_BYTES_MAX: usize = 32;

    /// A request to a version.
    pub(super) fn at(version: &str) -> Self {
        let end = version.floor_char_boundary(Self::VERSION_BYTES_MAX);
        Self { version: version.get(..end).map(str::to_owned), ..Self::default() }
    }
}
