//! WS-Security, as SoapUI and clients of WCF send it: a UsernameToken with its password in plain is
//! the login of a call that has no session.
//!
//! What must stay true: what is here and must be understood is either done or refused by name; a
//! signature that is not checked never counts as one. A password leaves only to be checked.

use super::fault::{Fault, shown, shown_namespace};
use super::login::Credentials;
use crate::xml::ElementRef;

/// The namespaces of the header: of the standard and of the drafts that were deployed.
const NAMESPACES: [&str; 6] = [
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd",
    "http://schemas.xmlsoap.org/ws/2002/04/secext",
    "http://schemas.xmlsoap.org/ws/2002/07/secext",
    "http://schemas.xmlsoap.org/ws/2002/12/secext",
    "http://schemas.xmlsoap.org/ws/2003/06/secext",
];

/// The local name of the header.
pub(super) const SECURITY: &str = "Security";
const TOKEN: &str = "UsernameToken";
/// Only says until when the sender wants the message to be good, by its own clock: passed over.
const TIMESTAMP: &str = "Timestamp";

/// Whether a header is one of WS-Security.
pub(super) fn is_security(header: ElementRef<'_>) -> bool {
    header.local() == SECURITY && NAMESPACES.contains(&header.namespace())
}

/// Refuses a header that must be understood and asks for more than a login: a signature to check,
/// something to decrypt, another kind of token.
pub(super) fn check_understood(header: ElementRef<'_>) -> Result<(), Fault> {
    let is_known = |part: &ElementRef<'_>| matches!(part.local(), TOKEN | TIMESTAMP);
    let foreign = header.children().find(|part| !is_known(part));
    let refused = |part: ElementRef<'_>| (shown(part.local()), shown_namespace(header.namespace()));
    foreign
        .map(refused)
        .map_or(Ok(()), |(part, namespace)| Err(Fault::SecurityNotProcessed(part, namespace)))
}

/// The login that these headers hold, if they hold a UsernameToken.
pub(super) fn credentials<'d>(
    headers: impl Iterator<Item = ElementRef<'d>>,
) -> Option<Result<Credentials, Fault>> {
    let parts = headers.flat_map(|header| header.children());
    let mut tokens = parts.filter(|part| part.local() == TOKEN && !part.is_nil());
    let token = tokens.next()?;
    // Two readers could take different ones for the login.
    Some(if tokens.next().is_some() { Err(Fault::SeveralTokens) } else { read(token) })
}

fn read(token: ElementRef<'_>) -> Result<Credentials, Fault> {
    let part = |name: &str| {
        let found = token.children().find(|part| part.local() == name);
        let given = found.filter(|part| !part.is_nil() && part.has_text());
        given.ok_or_else(|| Fault::TokenWithout(name.to_owned()))
    };
    let (username, password) = (part("Username")?, part("Password")?);
    let kind = password.attribute("", "Type").map_or("", str::trim);
    let kind = kind.rsplit(['#', ':']).next().unwrap_or_default();
    if !matches!(kind, "" | "PasswordText") {
        return Err(Fault::TokenPassword(shown(kind)));
    }
    // Blanks around a password are part of it.
    Ok(Credentials::new(username.text().trim(), password.text()))
}
