//! The token of the admin API: where `serve` and `admin` take one from that was given to them.
//!
//! What must stay true: a token is never printed, and never part of a command line, where every
//! process of the machine can read it.

use super::credentials;
use super::exit::{Failure, FailureCode, OrFail};
use super::terminal;
use crate::http::AdminToken;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The variable that holds a token.
pub(super) const VARIABLE: &str = "REFUND_GATEWAY_ADMIN_TOKEN";

/// The file of the token of a ledger on a database server, in the working folder.
pub(super) const SHARED_FILE: &str = "refund-gateway.admin-token";

/// Where a gateway takes its token from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// It draws one, and writes it beside its ledger; that of a ledger on a server is in
    /// [`SHARED_FILE`].
    Drawn,
    /// From a file.
    File(PathBuf),
    /// From [`VARIABLE`].
    Variable,
}

impl Source {
    /// The token that was given; none where one is to be drawn.
    pub(super) fn given(&self) -> Result<Option<AdminToken>, Failure> {
        let (text, from) = match self {
            Self::Drawn => return Ok(None),
            Self::Variable => (of_variable()?.unwrap_or_default(), VARIABLE.to_owned()),
            Self::File(file) => {
                let shown = file.display();
                let what = format_args!("the token of the admin API in {shown}");
                let file = credentials::file_of(file).or_fail(FailureCode::Configuration, what)?;
                warn_of_readers(&file);
                let text = std::fs::read_to_string(&file);
                (text.or_fail(FailureCode::Configuration, what)?, shown.to_string())
            }
        };
        AdminToken::given(&text).map(Some).or_fail(FailureCode::Configuration, from)
    }
}

/// The text of the variable, if it is set.
pub(super) fn of_variable() -> Result<Option<String>, Failure> {
    match std::env::var(VARIABLE) {
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            let message = format!("{VARIABLE} is no text");
            Err(Failure::new(FailureCode::Configuration, message))
        }
    }
}

/// Warns where others than its owner may read the token in a file.
pub(super) fn warn_of_readers(file: &Path) {
    let mode = std::fs::metadata(file).map(|about| about.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let shown = file.display();
        terminal::note(&format!("warning: others can read the token in {shown}; chmod 600 helps"));
    }
}
