//! The values of options that are more than a text or a number, read the same from the command
//! line, the environment and the configuration file.

use crate::domain::moment::moment;
use crate::http::is_authority;
use chrono::{DateTime, Utc};
use clap::builder::{MapValueParser, OsStringValueParser, TypedValueParser, ValueParserFactory};
use serde::Deserialize;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Reads a value of the configuration file as the command line would.
macro_rules! written_as_text {
    ($($name:ident),+) => {$(
        impl TryFrom<String> for $name {
            type Error = <Self as FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )+};
}

written_as_text!(Listen, AdminListen, Moment);

/// Where a listener listens: an IP address, or `localhost`, and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Listen(pub(super) SocketAddr);

/// The text is no address to listen on.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address and port, such as 127.0.0.1:8080 or [::1]:0")]
pub(super) struct NoAddress(String);

impl FromStr for Listen {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
            return Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        text.parse().map(Self).map_err(|_| NoAddress(text.to_owned()))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Where the admin listener listens, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AdminListen(pub(super) Option<SocketAddr>);

impl FromStr for AdminListen {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|Listen(address)| Self(Some(address)))
    }
}

impl fmt::Display for AdminListen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => out.write_str("none"),
            Some(address) => address.fmt(out),
        }
    }
}

/// Names by which the admin API may be called, beside localhost and addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(super) struct AllowedHosts(pub(super) Vec<String>);

/// The text is no host.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no host with at most a port, such as refund-gateway or refund-gateway:8081")]
pub(super) struct NoHost(String);

impl TryFrom<Vec<String>> for AllowedHosts {
    type Error = NoHost;

    fn try_from(hosts: Vec<String>) -> Result<Self, NoHost> {
        match hosts.iter().find(|host| !is_authority(host)) {
            Some(wrong) => Err(NoHost(wrong.clone())),
            None => Ok(Self(hosts)),
        }
    }
}

impl FromStr for AllowedHosts {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
        hosts.map(str::to_owned).collect::<Vec<_>>().try_into()
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{}]", self.0.join(","))
    }
}

/// A moment, as RFC 3339 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Moment(pub(super) DateTime<Utc>);

/// The text is no moment.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no moment of RFC 3339 from 1970 to 9998, such as 2026-01-02T03:04:05Z")]
pub(super) struct NoMoment(String);

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        moment(text).map(Self).ok_or_else(|| NoMoment(text.to_owned()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.to_rfc3339())
    }
}

/// Whether a text is meant to name a ledger on a database server, however badly: what is wrong with
/// it is then said without its password, which the name of a file would show.
pub(super) fn is_on_server(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("postgres" | "postgresql"))
}

/// Where the ledger is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(super) enum LedgerPlace {
    /// A temporary file, gone at exit.
    Memory,
    /// A file.
    File(PathBuf),
    /// The URL of a database server.
    Server(String),
}

impl From<String> for LedgerPlace {
    fn from(text: String) -> Self {
        match text.as_str() {
            ":memory:" => Self::Memory,
            _ if text.contains("://") || is_on_server(&text) => Self::Server(text),
            _ => Self::File(PathBuf::from(text)),
        }
    }
}

impl From<OsString> for LedgerPlace {
    fn from(text: OsString) -> Self {
        match text.into_string() {
            Ok(text) => Self::from(text),
            // A path is bytes, which need not be text.
            Err(path) => Self::File(PathBuf::from(path)),
        }
    }
}

impl ValueParserFactory for LedgerPlace {
    type Parser = MapValueParser<OsStringValueParser, fn(OsString) -> Self>;

    fn value_parser() -> Self::Parser {
        OsStringValueParser::new().map(Self::from as fn(OsString) -> Self)
    }
}

impl fmt::Display for LedgerPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => out.write_str(":memory:"),
            Self::File(path) => path.display().fmt(out),
            // What stands between the scheme and the host may be a password.
            Self::Server(address) => {
                let scheme = address.split(':').next().unwrap_or_default();
                write!(out, "{scheme}://…")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_names_are_not_looked_up() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:0", "127.0.0.1:0"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), address);
        }
        for text in ["8080", ":8080", "localhost", "example.com:80", "127.0.0.1:99999", "none", ""]
        {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
        assert_eq!("none".parse::<AdminListen>().unwrap(), AdminListen(None));
    }

    #[test]
    fn a_ledger_is_a_file_unless_it_says_otherwise() {
        let place = |text: &str| LedgerPlace::from(text.to_owned());
        assert_eq!(place(":memory:"), LedgerPlace::Memory);
        assert_eq!(place("a/b.db"), LedgerPlace::File("a/b.db".into()));
        let server = place("postgres://user:secret@db/ledger");
        assert!(matches!(server, LedgerPlace::Server(_)));
        assert_eq!(server.to_string(), "postgres://…");
        // What was meant to be one is no file, whose name would be shown.
        for text in ["postgres:/u:secret@db/l", "PostgreSQL:u:secret@db/l?a=://", "u:secret://l"] {
            assert!(matches!(place(text), LedgerPlace::Server(_)), "{text}");
            assert!(!place(text).to_string().contains("secret"), "{text}");
        }
    }
}
