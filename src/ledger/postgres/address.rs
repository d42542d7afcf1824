//! Where a ledger in PostgreSQL is, from a URL as libpq takes them.
//!
//! What must stay true: nothing leaves this machine unencrypted or to a server whose certificate
//! was not verified for its name; only a server that takes writes is used; no password is ever
//! shown, nor what may be a part of one.

use super::fault::{Kind, PostgresError};
use super::hosts;
use super::passfile;
use super::tls::Trust;
use crate::domain::percent;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long making one connection to one address may take, unless the URL says another time.
const CONNECT: Duration = Duration::from_secs(5);
/// After how long without an acknowledgement a connection has ended.
const UNACKNOWLEDGED: Duration = Duration::from_secs(15);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// Why a URL leads to no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL of PostgreSQL.
    #[error("no URL of PostgreSQL such as postgres://user@host/database: {0}")]
    Malformed(String),
    /// A server elsewhere would be talked to without knowing who it is.
    #[error("{0} is another machine: the URL has to say sslmode=verify-full")]
    Unverified(String),
    /// `sslmode` is none of those that verify who the server is.
    #[error("sslmode={0} does not verify who the server is: say verify-full, or disable here")]
    Mode(String),
    /// A session that does not write is asked for.
    #[error("target_session_attrs={0}: a ledger needs read-write")]
    ReadOnly(String),
    /// The authorities cannot be read.
    #[error("sslrootcert {path}: {why}")]
    Authorities {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The file of passwords cannot be used.
    #[error("the file of passwords {path}: {why}")]
    Passwords {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

/// Where passwords come from, beside the URL.
#[derive(Clone, Default)]
pub struct Secrets {
    /// That of `PGPASSWORD`.
    pub password: Option<String>,
    /// The file of `PGPASSFILE`, which must be there, or `~/.pgpass`, which need not.
    pub passfile: Option<(PathBuf, bool)>,
}

impl Secrets {
    /// Those of this process.
    pub fn of_process() -> Self {
        let named = std::env::var_os("PGPASSFILE").map(|path| (PathBuf::from(path), true));
        let home =
            std::env::var_os("HOME").map(|home| (PathBuf::from(home).join(".pgpass"), false));
        let password = std::env::var("PGPASSWORD").ok().filter(|password| !password.is_empty());
        Self { password, passfile: named.or(home) }
    }
}

/// Where a ledger is, and how it is reached.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    pub(super) trust: Trust,
}

/// What is taken from the query of a URL here and not by the driver.
#[derive(Default)]
struct Own {
    mode: Option<String>,
    authorities: Option<String>,
    passfile: Option<String>,
}

impl Address {
    /// Reads a URL.
    pub fn parse(url: &str, secrets: &Secrets) -> Result<Self, AddressError> {
        let malformed = |why: &str| AddressError::Malformed(why.to_owned());
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(malformed("it begins otherwise"));
        }
        refuse_unescaped(url)?;
        let (url, own) = take_own(url)?;
        let mut config: Config = url.parse().map_err(|error| unreadable(&url, &error))?;
        if config.get_hosts().is_empty() {
            return Err(malformed("it names no host"));
        }
        let is_unescaped = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(is_unescaped) {
            return Err(malformed("an @ is in the name of a host"));
        }
        hosts::check(&config).map_err(malformed)?;
        let attributes = config.get_target_session_attrs();
        if attributes == TargetSessionAttrs::ReadOnly {
            return Err(AddressError::ReadOnly("read-only".to_owned()));
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.ssl_mode(mode(&config, own.mode.as_deref())?);
        let trust = trust(own.authorities.as_deref())?;
        if config.get_password().is_none() {
            let passfile = own.passfile.map(|path| (PathBuf::from(path), true));
            let file = passfile.or_else(|| secrets.passfile.clone());
            let found = match &secrets.password {
                Some(password) => Some(password.clone()),
                None => file.map_or(Ok(None), |(path, is_named)| {
                    passfile::find(&path, is_named, &config)
                })?,
            };
            if let Some(password) = found {
                config.password(password);
            }
        }
        let connect = config.get_connect_timeout().copied().unwrap_or(CONNECT);
        config.connect_timeout(connect).tcp_user_timeout(UNACKNOWLEDGED);
        config.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("refund-gateway");
        }
        Ok(Self { config, trust })
    }
}

impl Address {
    /// Reads a URL, with the secrets of this process.
    pub(super) fn of_process(url: &str) -> Result<Self, PostgresError> {
        let address = Self::parse(url, &Secrets::of_process());
        address.map_err(|error| PostgresError::new(Kind::Refused, error.to_string()))
    }
}

impl fmt::Display for Address {
    /// The hosts and the database.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        out.write_str("postgres://")?;
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(place).or_else(|| ports.first()).copied().unwrap_or(5432);
            let comma = if place == 0 { "" } else { "," };
            write!(out, "{comma}{}:{port}", shown(host))?;
        }
        write!(out, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Address({self})")
    }
}

pub(super) fn shown(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}

/// Refuses a URL of which a part of a password could be taken for a host or a setting, and be
/// shown: only one @ stands in a URL, behind the role and its password.
fn refuse_unescaped(url: &str) -> Result<(), AddressError> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    if authority.matches('@').count() <= 1 && !behind.contains('@') {
        return Ok(());
    }
    let why = "there is more than one @, or one behind the host: write @ in a password, a role or \
               a setting as %40, and in a password / as %2F and ? as %3F";
    Err(AddressError::Malformed(why.to_owned()))
}

/// Why the driver does not take a URL. It names a setting that it does not know; behind a password
/// among the settings that may be a part of it.
fn unreadable(url: &str, error: &tokio_postgres::Error) -> AddressError {
    let settings = url.split_once('?').map_or("", |(_, settings)| settings);
    AddressError::Malformed(match settings.contains("password=") {
        true => "its settings cannot be read; write & in a password as %26".to_owned(),
        false => super::fault::sentence(error),
    })
}

/// The URL without the settings that are this program's to follow, and these.
fn take_own(url: &str) -> Result<(String, Own), AddressError> {
    let mut own = Own::default();
    let Some((path, query)) = url.split_once('?') else { return Ok((url.to_owned(), own)) };
    let mut others = Vec::new();
    for setting in query.split('&') {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        match name {
            "sslmode" => own.mode = Some(decoded(name, value)?),
            "sslrootcert" => own.authorities = Some(decoded(name, value)?),
            "passfile" => own.passfile = Some(decoded(name, value)?),
            _ => others.push(setting),
        }
    }
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Ok((format!("{path}{query}"), own))
}

/// The value of a setting without its percent signs.
fn decoded(name: &str, value: &str) -> Result<String, AddressError> {
    let malformed = || AddressError::Malformed(format!("{name} is badly escaped: % is %25"));
    percent::decoded(value).ok_or_else(malformed)
}

/// Whether TLS is used. Elsewhere than on this machine it always is, and verified.
fn mode(config: &Config, said: Option<&str>) -> Result<SslMode, AddressError> {
    let remote = config.get_hosts().iter().find(|host| !is_here(host)).map(shown);
    let addresses = config.get_hostaddrs().iter();
    let remote = remote
        .or_else(|| addresses.copied().find(|one| !one.is_loopback()).map(|one| one.to_string()));
    match (said, remote) {
        (Some("verify-full"), _) => Ok(SslMode::Require),
        (None | Some("disable" | "allow" | "prefer"), None) => Ok(SslMode::Disable),
        (None | Some("disable" | "allow" | "prefer"), Some(remote)) => {
            Err(AddressError::Unverified(remote))
        }
        (Some(other), _) => Err(AddressError::Mode(other.to_owned())),
    }
}

/// Whether a host is this machine by its name alone.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Whose signature under the server's certificate is believed: that of the authorities in a file,
/// or without one that of the public ones.
fn trust(authorities: Option<&str>) -> Result<Trust, AddressError> {
    let Some(path) = authorities.filter(|path| *path != "system") else {
        return Ok(Trust::public());
    };
    let wrong = |why: String| AddressError::Authorities { path: path.to_owned(), why };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Trust::only(&pem).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse(url, &Secrets::default())
    }

    #[test]
    fn another_machine_is_reached_by_verified_tls_alone() {
        for url in [
            "postgres://u@db.example.com/l",
            "postgres://u@db.example.com/l?sslmode=disable",
            "postgres://u@localhost,10.0.0.1/l",
            "postgresql://u@localhost/l?hostaddr=10.0.0.1&sslmode=prefer",
        ] {
            assert!(matches!(parse(url), Err(AddressError::Unverified(_))), "{url}");
        }
        for mode in ["require", "verify-ca", "none"] {
            let url = format!("postgres://u@localhost/l?sslmode={mode}");
            assert_eq!(parse(&url).unwrap_err(), AddressError::Mode(mode.to_owned()));
        }
        let verified = parse("postgres://u@a,b:5433/l?sslmode=verify-full").unwrap();
        assert_eq!(verified.config.get_ssl_mode(), SslMode::Require);
        for url in [
            "postgres://u@localhost/l",
            "postgres://u@127.0.0.1/l",
            "postgres://u@[::1]:5433/l?sslmode=prefer",
            "postgres://u@%2Frun%2Fpostgresql/l?connect_timeout=1",
        ] {
            assert_eq!(parse(url).unwrap().config.get_ssl_mode(), SslMode::Disable, "{url}");
        }
    }

    #[test]
    fn only_a_server_that_takes_writes_is_looked_for() {
        let found = parse("postgres://u@localhost,127.0.0.1/l").unwrap();
        assert_eq!(found.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        let refused = parse("postgres://u@localhost/l?target_session_attrs=read-only");
        assert_eq!(refused.unwrap_err(), AddressError::ReadOnly("read-only".to_owned()));
    }

    #[test]
    fn what_is_no_url_is_refused_in_a_sentence() {
        for url in [
            "ledger.db",
            "postgres:///l",
            "postgres://u@h:x/l",
            "postgres://u@localhost,localhost/l?hostaddr=::1",
            "postgres://u@h/l?what=1",
        ] {
            assert!(matches!(parse(url), Err(AddressError::Malformed(_))), "{url}");
        }
        let escaped = "postgres://u@localhost/l?sslrootcert=%2";
        assert!(matches!(parse(escaped), Err(AddressError::Malformed(_))));
        let missing = "postgres://u@h/l?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch";
        let AddressError::Authorities { path, .. } = parse(missing).unwrap_err() else { panic!() };
        assert_eq!(path, "/no/such");
    }

    /// Regression: what stood behind an @ in a password was taken for the host, and shown.
    #[test]
    fn what_may_be_a_part_of_a_password_is_refused_unseen() {
        for url in [
            "postgres://u:pa@S3CRET@db.example.com/l?sslmode=verify-full",
            "postgres://u:pa@S3CRET@localhost/l",
            "postgres://u:pa/S3CRET@localhost/l",
            "postgres://u:pa?S3CRET@localhost/l",
            "postgres://u:S3CRET/x@y@localhost/l",
            "postgres://localhost/l?options=S3CRET@x",
        ] {
            let why = parse(url).unwrap_err().to_string();
            assert!(why.contains("%40") && !why.contains("S3CRET"), "{url}: {why}");
        }
        for url in [
            "postgres://u:x@S3CRET%40localhost/l",
            "postgres://u:S3CRET",
            "postgres://u@localhost/l?password=x&S3CRET=y",
            "postgres://u@localhost/l?password=x&S3CRET",
            "postgres://u@localhost/l?password=x&sslrootcert=S3CRET%",
        ] {
            let why = parse(url).unwrap_err().to_string();
            assert!(!why.contains("S3CRET"), "{url}: {why}");
        }
        let escaped = parse("postgres://u:pa%40s%2Fx%3Fy:z#@localhost/l").unwrap();
        assert_eq!(escaped.config.get_password(), Some(b"pa@s/x?y:z#".as_slice()));
        assert_eq!(escaped.to_string(), "postgres://localhost:5432/l");
    }

    #[test]
    fn a_password_is_taken_from_the_url_first_and_never_shown() {
        let secrets = Secrets { password: Some("two".to_owned()), passfile: None };
        let first = Address::parse("postgres://u:one@localhost/l", &secrets).unwrap();
        assert_eq!(first.config.get_password(), Some(b"one".as_slice()));
        assert_eq!(format!("{first} {first:?}").matches("one").count(), 0);
        let second = Address::parse("postgres://u@localhost:7/l", &secrets).unwrap();
        assert_eq!(second.config.get_password(), Some(b"two".as_slice()));
        assert_eq!(second.to_string(), "postgres://localhost:7/l");
    }
}
