//! `tenant` and `gateway`: settings that a seed began with and an operator changes.

use super::exit::{ExitStatus, Failure};
use super::operation::{Target, value};
use crate::service::operation::Wanted;

/// Change the tenant's settings
#[derive(Debug, clap::Args)]
pub(super) struct Tenant {
    #[command(subcommand)]
    action: OfTenant,
}

#[derive(Debug, clap::Subcommand)]
enum OfTenant {
    /// Set a key of the tenant, as in a seed
    Set {
        /// The key, such as credit_balance or time_zone
        key: String,
        /// The value; of a list, one argument for each item
        #[arg(required = true)]
        value: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// Change what a sandbox gateway can do; one of kind http is configuration
#[derive(Debug, clap::Args)]
pub(super) struct Gateway {
    #[command(subcommand)]
    action: OfGateway,
}

#[derive(Debug, clap::Subcommand)]
enum OfGateway {
    /// Set a key of a sandbox gateway, as in a seed
    Set {
        /// The gateway's name
        name: String,
        /// The key: active, non_referenced_refunds, method_types, refund_window_days,
        /// duplicate_window_s or require_settled
        key: String,
        /// The value; `none` takes a bound away, `all` means every type
        #[arg(required = true)]
        value: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// Sets something of the tenant.
pub(super) fn run_tenant(args: Tenant) -> Result<ExitStatus, Failure> {
    let OfTenant::Set { key, value: words, target } = args.action;
    let done = format!("{key} is {} now", words.join(", "));
    target.change(Wanted::Tenant { key, value: value(words) }, &done)
}

/// Sets something of a gateway.
pub(super) fn run_gateway(args: Gateway) -> Result<ExitStatus, Failure> {
    let OfGateway::Set { name, key, value: words, target } = args.action;
    let done = format!("{key} of the gateway `{name}` is {} now", words.join(", "));
    target.change(Wanted::Gateway { name, key, value: value(words) }, &done)
}
