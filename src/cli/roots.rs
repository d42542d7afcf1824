//! Whose authorities are believed under the certificates of servers that this program calls, where
//! nothing names any: those that are compiled in, or those of the platform.
//!
//! What must stay true: the choice is made once, before anything is called, and holds for all that
//! is called by https: gateways, webhooks, endpoints of captures. What a configuration names for
//! one server is believed for that one alone, in either case.

use super::exit::{Failure, FailureCode, OrFail};
use crate::client::Trust;
use serde::Deserialize;
use std::fmt;

/// A choice of authorities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Roots {
    /// Mozilla's, compiled in: the same on every machine
    #[default]
    Compiled,
    /// Those of this machine, or of SSL_CERT_FILE and SSL_CERT_DIR
    Platform,
}

/// The option, of every command that calls servers.
#[derive(Debug, Default, clap::Args)]
pub(super) struct RootsOption {
    /// Whose certificates are believed where nothing names authorities [default: compiled]
    #[arg(long, value_name = "ROOTS", env = "REFUND_GATEWAY_TLS_ROOTS")]
    pub(super) tls_roots: Option<Roots>,
}

impl fmt::Display for Roots {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Compiled => "compiled",
            Self::Platform => "platform",
        })
    }
}

impl Roots {
    /// Makes the choice, for the rest of the process.
    pub(super) fn believe(self) -> Result<(), Failure> {
        match self {
            Self::Compiled => Ok(()),
            Self::Platform => Trust::believe_platform()
                .or_fail(FailureCode::Configuration, "the platform's certificate authorities"),
        }
    }
}

impl RootsOption {
    /// Makes the choice that the command line or the environment says.
    pub(super) fn believe(&self) -> Result<(), Failure> {
        self.tls_roots.unwrap_or_default().believe()
    }
}
