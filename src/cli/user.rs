//! `user`: who may log in, with which password, and what each may do.

use super::exit::{ExitStatus, Failure};
use super::operation::{Target, read_password};
use crate::service::operation::Wanted;

/// Make users and change what they may do
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a user, whose password is read from stdin, one line
    Create {
        /// The user's name
        name: String,
        /// What it may do; without any it has the default, and `none` is nothing at all
        #[arg(value_name = "PERMISSION")]
        permissions: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Give a user permissions beside those that it has
    Grant(Permissions),
    /// Take permissions away from a user
    Revoke(Permissions),
    /// Shut a user out; its sessions end
    Disable(Named),
    /// Let a user log in again
    Enable(Named),
    /// Give a user the password that is read from stdin, one line; its sessions end
    SetPassword(Named),
}

#[derive(Debug, clap::Args)]
struct Permissions {
    /// The user's name
    name: String,
    /// The permissions
    #[arg(value_name = "PERMISSION", required = true)]
    permissions: Vec<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The user's name
    name: String,
    #[command(flatten)]
    target: Target,
}

/// Does what is asked.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    match args.action {
        Action::Create { name, permissions, target } => {
            let permissions = match permissions.as_slice() {
                [] => None,
                [none] if none == "none" => Some(Vec::new()),
                _ => Some(permissions),
            };
            let done = format!("the user `{name}` is made");
            let wanted = || {
                let password = read_password()?;
                Ok(Wanted::CreateUser { username: name, password, permissions })
            };
            target.change_to(wanted, &done)
        }
        Action::Grant(Permissions { name, permissions, target }) => {
            let done = format!("the user `{name}` has {} now", permissions.join(", "));
            target.change(Wanted::Grant { username: name, permissions }, &done)
        }
        Action::Revoke(Permissions { name, permissions, target }) => {
            let done = format!("the user `{name}` lacks {} now", permissions.join(", "));
            target.change(Wanted::Revoke { username: name, permissions }, &done)
        }
        Action::Disable(Named { name, target }) => {
            let done = format!("the user `{name}` is shut out");
            target.change(Wanted::Enable { username: name, is_enabled: false }, &done)
        }
        Action::Enable(Named { name, target }) => {
            let done = format!("the user `{name}` may log in");
            target.change(Wanted::Enable { username: name, is_enabled: true }, &done)
        }
        Action::SetPassword(Named { name, target }) => {
            let done = format!("the user `{name}` has another password");
            let wanted = || Ok(Wanted::SetPassword { username: name, password: read_password()? });
            target.change_to(wanted, &done)
        }
    }
}
