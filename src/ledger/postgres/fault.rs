//! What goes wrong with PostgreSQL, and what follows from it.
//!
//! What must stay true: a server's error is known by its SQLSTATE, never by its words; an error
//! that ended the connection counts as one after which nothing is known.

use crate::ledger::books::BooksError;
use std::error::Error as _;
use std::{fmt, io};
use tokio_postgres::error::{Severity, SqlState};
use tokio_rustls::rustls::{self, CertificateError};

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The connection is gone, or of no use: another one may do.
    Lost,
    /// The transaction failed of what another one did at the same moment: again, it may not.
    Passing,
    /// It took longer than it may.
    Late,
    /// The server is short of room on its disk, of memory or the like, or its disk fails.
    Short,
    /// What is stored is damaged.
    Damage,
    /// The ledger is newer than this program.
    Newer,
    /// A row, or a value of one, that cannot be kept.
    Misfit,
    /// Nothing that another attempt would change.
    Refused,
}

/// Why a ledger in PostgreSQL did not do what was asked, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresError {
    pub(super) kind: Kind,
    what: String,
}

impl PostgresError {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// Whether what is stored is damaged.
    pub fn is_damage(&self) -> bool {
        self.kind == Kind::Damage
    }

    /// Whether the ledger is newer than this program.
    pub fn is_newer(&self) -> bool {
        self.kind == Kind::Newer
    }

    /// Whether a row is to blame: what it holds is damaged, or cannot be kept.
    pub(in crate::ledger) fn is_of_a_row(&self) -> bool {
        matches!(self.kind, Kind::Damage | Kind::Misfit)
    }

    /// Whether something has to be changed first, here or at the server.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, Kind::Refused | Kind::Misfit)
    }

    /// The same with what was tried before it.
    pub(super) fn while_doing(self, doing: &str) -> Self {
        Self { what: format!("{doing}: {}", self.what), ..self }
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what)
    }
}

impl std::error::Error for PostgresError {}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::new(kind_of(&error), sentence(&error))
    }
}

impl From<BooksError> for PostgresError {
    /// What the engine itself said is noted where it happened; this is for all else.
    fn from(error: BooksError) -> Self {
        let kind = match error {
            BooksError::Damaged(_) | BooksError::Unknown { .. } => Kind::Damage,
            BooksError::Missing(_) | BooksError::Fault { .. } => Kind::Misfit,
            BooksError::Engine(_) => Kind::Refused,
        };
        Self::new(kind, error.to_string())
    }
}

fn kind_of(error: &tokio_postgres::Error) -> Kind {
    let Some(server) = error.as_db_error() else {
        // Nothing was sent of what cannot be encoded.
        let is_of_value = error.source().is_some_and(<dyn std::error::Error>::is::<Misfit>);
        return if is_of_value { Kind::Misfit } else { Kind::Lost };
    };
    let code = server.code();
    if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        return Kind::Damage;
    }
    if *code == SqlState::QUERY_CANCELED {
        return Kind::Late;
    }
    // A server that has become a standby takes no writes; its connections lead nowhere.
    let is_standby = *code == SqlState::READ_ONLY_SQL_TRANSACTION;
    let is_fatal = matches!(server.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    if is_standby || is_fatal || code.code().starts_with("08") {
        return Kind::Lost;
    }
    let passing = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    if passing.contains(code) {
        return Kind::Passing;
    }
    match code.code().get(..2) {
        Some("53" | "58") => Kind::Short,
        // Of data, of constraints, and of what is too long for a row or an index.
        Some("22" | "23" | "54") => Kind::Misfit,
        _ => Kind::Refused,
    }
}

/// A value that a column cannot hold.
#[derive(Debug)]
pub(super) struct Misfit;

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value is not of its column's type")
    }
}

impl std::error::Error for Misfit {}

/// What an error says, with its causes and what to do. The values that a constraint refused are
/// left out: they may be personal.
pub(super) fn sentence(error: &tokio_postgres::Error) -> String {
    let Some(server) = error.as_db_error() else { return sentence_of_this_side(error) };
    let code = server.code();
    let constraint = server.constraint().map(|name| format!(", {name}")).unwrap_or_default();
    let advice = advice(code).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{} (SQLSTATE {}{constraint}){advice}", server.message(), code.code())
}

/// The same for what no server said.
fn sentence_of_this_side(error: &tokio_postgres::Error) -> String {
    let mut said = error.to_string();
    let (mut cause, mut advice) = (error.source(), None);
    while let Some(next) = cause {
        let next_said = next.to_string();
        if !said.contains(&next_said) {
            said = format!("{said}: {next_said}");
        }
        advice = advice.or_else(|| next.downcast_ref().and_then(advice_on_connecting));
        cause = next.source();
    }
    if let Some((_, words)) = WORDS.iter().find(|(part, _)| said.contains(part)) {
        return (*words).to_owned();
    }
    let by_part = || ADVICE.iter().find(|(part, _)| said.contains(part)).map(|(_, advice)| *advice);
    if let Some(advice) = advice.or_else(by_part) {
        said = format!("{said}; {advice}");
    }
    said
}

/// What is said in place of what has a part that only its authors understand.
const WORDS: [(&str, &str); 3] = [
    (
        "database does not allow writes",
        "it takes no writes: it is a standby or read-only; name the primary",
    ),
    (
        "CaUsedAsEndEntity",
        "the server shows the certificate of an authority, or one that it signed itself as one; \
         give it a certificate of its own, whose authority sslrootcert names",
    ),
    (
        "UnsupportedCertVersion",
        "the server's certificate is of an old version, which names no server; make one of version \
         3, with its name as subjectAltName",
    ),
];

/// What helps where a driver's sentence has this part.
const ADVICE: [(&str, &str); 2] = [
    ("server does not support TLS", "set ssl = on at the server, with a certificate and a key"),
    ("password missing", "give it in the URL, PGPASSWORD or ~/.pgpass"),
];

/// What helps where a server is not reached, or is not the one that it should be.
fn advice_on_connecting(error: &io::Error) -> Option<&'static str> {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Some("start it, or correct the address here or its listen_addresses");
    }
    if error.to_string().contains("failed to lookup address") {
        return Some("correct the host's name in the URL");
    }
    let rustls::Error::InvalidCertificate(refused) = error.get_ref()?.downcast_ref()? else {
        return None;
    };
    match refused {
        CertificateError::UnknownIssuer => Some("name the authority that signed it by sslrootcert"),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some("name the server in the URL as its certificate does")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Some("renew the server's certificate")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Some("set the clocks of both machines by NTP, or wait until it is valid")
        }
        _ => None,
    }
}

/// What helps against an error.
fn advice(code: &SqlState) -> Option<&'static str> {
    let advice = [
        (SqlState::INVALID_PASSWORD, "check the password: in the URL, PGPASSWORD or ~/.pgpass"),
        (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "check the role and pg_hba.conf"),
        (SqlState::INVALID_CATALOG_NAME, "create the database, or correct its name in the URL"),
        (SqlState::TOO_MANY_CONNECTIONS, "raise max_connections, or end other connections"),
        (SqlState::DISK_FULL, "give the server's disk room; nothing of this was written"),
        (SqlState::READ_ONLY_SQL_TRANSACTION, "name the primary: this server takes no writes"),
        (SqlState::INSUFFICIENT_PRIVILEGE, "grant it to the role: docs/POSTGRES.md has the list"),
        (SqlState::LOCK_NOT_AVAILABLE, "another node or program holds the ledger for too long"),
        (SqlState::CANNOT_CONNECT_NOW, "the server is starting or ending; wait for it"),
    ];
    advice.into_iter().find(|(known, _)| known == code).map(|(_, advice)| advice)
}
