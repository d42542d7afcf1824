//! The certificate authorities that the commands believe of an admin listener: those of the file
//! that the environment names, or else the public ones.

use super::exit::{Failure, FailureCode, OrFail};
use crate::client::Trust;
use std::path::PathBuf;

/// The variable with the file of the only authorities that are believed, in PEM.
pub(super) const VARIABLE: &str = "REFUND_GATEWAY_ADMIN_CA_FILE";

/// The authorities of the file in [`VARIABLE`]; none where it is not set.
///
/// # Errors
///
/// A failure of the input if the file cannot be read or holds no certificate.
pub(super) fn named() -> Result<Option<Trust>, Failure> {
    let Some(file) = std::env::var_os(VARIABLE).map(PathBuf::from) else { return Ok(None) };
    let what = format!("{VARIABLE}: {}", file.display());
    let pem = std::fs::read(&file).or_fail(FailureCode::Input, &what)?;
    Trust::only(&pem).map(Some).or_fail(FailureCode::Input, &what)
}
