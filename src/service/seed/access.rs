//! Who may call: users and OAuth clients of a seed, as far as the file alone shows.

use super::NewPassword;
use super::check::{Names, Wrong, name, wrong};
use super::written::{WrittenClient, WrittenUser};
use crate::domain::permission::Permissions;
use crate::ledger::seed::SeedClient;
use crate::service::password;
use toml::Spanned;

/// A user: its name, its password, which is still to be hashed, and what it may do.
pub(super) fn user(
    written: Spanned<WrittenUser>,
    names: &mut Names,
) -> Result<(String, NewPassword, Permissions), Wrong> {
    let at = written.span();
    let written = written.into_inner();
    names.take("user", written.username.get_ref(), &written.username)?;
    let password = match (written.password, written.password_hash) {
        (Some(password), None) if password.get_ref().is_empty() => {
            return Err(wrong(&password, "a password may not be empty"));
        }
        (Some(password), None) => NewPassword::Plain(password.into_inner()),
        (None, Some(hash)) => {
            password::check_form(hash.get_ref())
                .map_err(|error| wrong(&hash, error.to_string()))?;
            NewPassword::Hashed(hash.into_inner())
        }
        (Some(_), Some(hash)) => {
            return Err(wrong(&hash, "password and password_hash exclude each other"));
        }
        (None, None) => {
            let message =
                format!("user `{}` needs password or password_hash", written.username.get_ref());
            return Err(Wrong { at, message });
        }
    };
    let permissions = written
        .permissions
        .map_or_else(Permissions::by_default, |names| names.into_iter().collect());
    Ok((name(written.username)?, password, permissions))
}

/// An OAuth client, and its secret. The vendor's ids have 36 characters, and secrets at most 42.
pub(super) fn client(
    written: WrittenClient,
    names: &mut Names,
) -> Result<(SeedClient, String), Wrong> {
    let WrittenClient { id, secret, user } = written;
    names.take("oauth_client", id.get_ref(), &id)?;
    if id.get_ref().chars().count() != 36 || !id.get_ref().is_ascii() {
        return Err(wrong(&id, "the id of an OAuth client must be 36 ASCII characters"));
    }
    if !(1..=42).contains(&secret.get_ref().chars().count()) {
        return Err(wrong(&secret, "the secret of an OAuth client must be 1 to 42 characters"));
    }
    let (id, username) = (id.into_inner(), user.into_inner());
    Ok((SeedClient { id, secret_hash: None, username }, secret.into_inner()))
}
