//! The operation login: a name and a password become a session.

use super::envelope::{ANSWERS, Dialect, is_ours, refuse_reference};
use super::fault::Fault;
use super::outcome::{Done, Failure, Tally};
use crate::service::login::LoginError;
use crate::service::{Caller, Service};
use crate::xml::ElementRef;
use std::fmt;
use std::net::IpAddr;

/// A name and a password.
pub(super) struct Credentials {
    username: String,
    password: String,
}

impl Credentials {
    /// These two, as they were sent.
    pub(super) fn new(username: &str, password: &str) -> Self {
        Self { username: username.to_owned(), password: password.to_owned() }
    }

    /// The caller that they are of, without a session.
    pub(super) async fn caller(&self, service: &Service, from: IpAddr) -> Result<Caller, Failure> {
        match service.identify(&self.username, &self.password, from).await {
            Err(LoginError::Mismatch) => Err(Fault::WrongToken.into()),
            identified => Ok(identified?),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The name of the user who wants to log in.
    pub(super) fn username(&self) -> &str {
        &self.username
    }
}

/// Reads name and password, in either order.
pub(super) fn read(element: ElementRef<'_>) -> Result<Credentials, Fault> {
    let text = |name: &str| {
        let mut children = element.children();
        let child = children.find(|child| child.local() == name && is_ours(child.namespace()));
        let child = child.ok_or_else(|| Fault::LoginWithout(name.to_owned()))?;
        refuse_reference(child)?;
        let given = !child.is_nil() && child.has_text();
        if given { Ok(child.text()) } else { Err(Fault::LoginWithout(name.to_owned())) }
    };
    // Blanks around a password are part of it.
    Ok(Credentials::new(text("username")?.trim(), text("password")?))
}

/// Logs in and returns the session and where to use it.
pub(super) async fn answer(
    service: &Service,
    credentials: &Credentials,
    from: IpAddr,
    server_url: &str,
    dialect: &Dialect,
) -> Result<Done, Failure> {
    let session = service.login(&credentials.username, &credentials.password, from).await?;
    let mut writer = dialect.open_envelope(640 + server_url.len());
    writer.open_with("ns1:loginResponse", &ANSWERS).open("ns1:result");
    writer.text_element("ns1:Session", &session).text_element("ns1:ServerUrl", server_url);
    Ok(Done { body: writer.into_bytes(), replayed: false, tally: Tally::default() })
}
