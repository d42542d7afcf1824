//! Where the admin listener of a running gateway is, and its token: options that commands share.

use super::super::exit::Failure;
use super::super::values::LedgerPlace;
use super::Api;
use std::path::PathBuf;

/// A running gateway, as the command line names it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Place {
    /// Where the running gateway's admin listener is
    #[arg(long, value_name = "URL", env = "REFUND_GATEWAY_ADMIN", global = true)]
    #[arg(default_value = "http://127.0.0.1:8081")]
    pub(in crate::cli) admin: String,

    /// The file of its token [default: $REFUND_GATEWAY_ADMIN_TOKEN holds it, or else the file is
    /// that of the ledger with .admin-token at its end]
    #[arg(long, alias = "admin-token-file", value_name = "FILE", global = true)]
    #[arg(env = "REFUND_GATEWAY_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// Its ledger's file, beside which the token is [default: refund-gateway.db]
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_LEDGER", hide_env_values = true)]
    #[arg(global = true)]
    ledger: Option<LedgerPlace>,
}

impl Place {
    /// The admin API there, once its token is at hand.
    pub(in crate::cli) fn api(&self) -> Result<Api, Failure> {
        Api::at(&self.admin, self.token_file.as_deref(), self.ledger.as_ref())
    }
}
