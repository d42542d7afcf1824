//! Who may call, and at which version of the REST API where a call says none: users, OAuth clients
//! and that version in a seed, as far as the file alone shows.

use super::NewPassword;
use super::check::{Names, Wrong, name, wrong};
use super::written::{WrittenClient, WrittenUser};
use crate::domain::calendar::parse_date;
use crate::domain::permission::Permissions;
use crate::ledger::seed::{SeedClient, SeedUser};
use crate::service::password;
use toml::Spanned;

/// The longest id of an entity or an org, in characters; the vendor's have 36 at most.
const ID_CHARS_MAX: usize = 64;

/// The form of a minor version of the REST API: a number with one decimal at most, or a day.
pub(super) fn minor_version(written: Spanned<String>) -> Result<String, Wrong> {
    let text = written.get_ref();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = is_digits(whole) && whole.len() <= 4 && is_digits(part) && part.len() == 1;
    if is_number || parse_date(text).is_some() {
        return Ok(written.into_inner());
    }
    let what = "is no minor version of the REST API, such as 224.0 or 2025-08-12";
    Err(wrong(&written, format!("`{text}` {what}")))
}

/// Ids of entities or orgs, as a header can carry them: each once, without commas and blanks.
pub(super) fn ids<'w>(
    what: &str,
    written: &'w Spanned<Vec<String>>,
) -> Result<&'w [String], Wrong> {
    let ids = written.get_ref();
    for (number, id) in ids.iter().enumerate() {
        let is_sendable = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        if id.is_empty() || id.len() > ID_CHARS_MAX || !is_sendable {
            let form = format!("1 to {ID_CHARS_MAX} visible ASCII characters without commas");
            return Err(wrong(written, format!("`{id}` is no id of an {what}: {form}")));
        }
        if ids.iter().take(number).any(|before| before == id) {
            return Err(wrong(written, format!("{what} `{id}` stands here twice")));
        }
    }
    Ok(ids)
}

/// A user, and its password, which is still to be hashed.
pub(super) fn user(
    written: Spanned<WrittenUser>,
    names: &mut Names,
) -> Result<(SeedUser, NewPassword), Wrong> {
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
    let orgs = written.orgs.as_ref().map(|orgs| ids("org", orgs).map(<[String]>::to_vec));
    let orgs = orgs.transpose()?;
    let username = name(written.username)?;
    Ok((SeedUser { username, password_hash: None, permissions, orgs }, password))
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
