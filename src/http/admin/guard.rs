//! Who may use the admin listener: the API callers with the token, metrics and the description
//! callers by a name of ours, and no web page either.
//!
//! What must stay true: a request to the API with an Origin, with a Host that is neither ours nor
//! allowed, or without the token is refused before anything of it is read. Metrics have no token,
//! so only the Host keeps a web page from reading them whose name was made to lead here.

use crate::domain::hex::hex;
use crate::http::address::is_authority;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use hyper::{HeaderMap, Method, StatusCode};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many random bytes a token is made of.
const TOKEN_BYTES: usize = 32;
/// How many characters a token that was given has at least: as many as 96 bits take in base64.
const TOKEN_CHARS_MIN: usize = 16;

/// The token that callers have to show. It is never printed.
#[derive(Clone)]
pub struct AdminToken([u8; 32]);

/// The text can be no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It could be guessed.
    #[error("a token of the admin API has {TOKEN_CHARS_MIN} characters or more")]
    TooShort,
    /// No header could carry it.
    #[error("a token of the admin API is one line of visible ASCII without blanks")]
    NotAscii,
}

/// Hosts that are ours beside localhost and addresses; one without a port is good with any.
#[derive(Clone)]
pub(in crate::http) struct Hosts(pub(in crate::http) Vec<String>);

/// Who may use the API, and by which names.
pub(in crate::http) struct Access {
    /// What callers have to show.
    pub(in crate::http) token: AdminToken,
    /// By which names they may call it.
    pub(in crate::http) hosts: Hosts,
}

impl AdminToken {
    /// The token that was given, without the blanks around it.
    ///
    /// # Errors
    /// Where it is too short to be safe, or cannot stand in a header.
    pub fn given(text: &str) -> Result<Self, NoToken> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NoToken::NotAscii);
        }
        if text.len() < TOKEN_CHARS_MIN {
            return Err(NoToken::TooShort);
        }
        Ok(Self::of(text))
    }

    /// The file of the token of a ledger.
    pub fn file_of(ledger: &Path) -> PathBuf {
        let mut file = ledger.as_os_str().to_owned();
        file.push(".admin-token");
        PathBuf::from(file)
    }

    /// Draws a new token and writes it to `file`, readable by its owner alone.
    ///
    /// # Errors
    /// Where the file cannot be written or no random bytes can be had.
    pub fn write_new(file: &Path) -> io::Result<Self> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        let token = hex(&bytes);
        // A file of an earlier start may have been given other permissions.
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut written = OpenOptions::new().create_new(true).write(true).mode(0o600).open(file)?;
        writeln!(written, "{token}")?;
        Ok(Self::of(&token))
    }

    /// The token in `file`, which gateways on the same ledger share; it is drawn and written,
    /// readable by its owner alone, where there is none.
    ///
    /// # Errors
    /// As [`AdminToken::write_new`], and where the file holds no token.
    pub fn shared(file: &Path) -> io::Result<Self> {
        // Written as a whole before it has its name: another gateway may read it at any moment.
        let mut draft = file.as_os_str().to_owned();
        draft.push(format!(".{}", std::process::id()));
        loop {
            match fs::read_to_string(file) {
                Ok(text) => return Self::given(&text).map_err(io::Error::other),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                // A link to nothing is there and cannot be read.
                Err(error) if file.is_symlink() => return Err(error),
                Err(_) => {}
            }
            let token = Self::write_new(Path::new(&draft))?;
            let named = fs::hard_link(&draft, file);
            fs::remove_file(&draft)?;
            match named {
                Ok(()) => return Ok(token),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) => {}
            }
        }
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Compares digests, all of their bytes, so that the time reveals nothing.
    pub(in crate::http) fn is(&self, text: &str) -> bool {
        let other = Self::of(text);
        let differs =
            self.0.iter().zip(other.0).fold(0, |differs, (one, two)| differs | (one ^ two));
        differs == 0
    }
}

/// Why a request is refused.
pub(super) type Refusal = (StatusCode, &'static str);

/// Refuses a request that may not be made.
pub(super) fn check(access: &Access, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(ORIGIN) {
        return Err((StatusCode::FORBIDDEN, "Web pages may not use the admin API."));
    }
    if !access.hosts.names(headers) {
        return Err((StatusCode::MISDIRECTED_REQUEST, WRONG_HOST));
    }
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    let bearer = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if !bearer.is_some_and(|(_, shown)| access.token.is(shown.trim())) {
        let why = "Authorization: Bearer and the token of this gateway are needed.";
        return Err((StatusCode::UNAUTHORIZED, why));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let is_json = essence.trim().eq_ignore_ascii_case("application/json");
    if !matches!(*method, Method::GET | Method::HEAD) && !is_json {
        let why = "What changes something needs Content-Type: application/json.";
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    Ok(())
}

/// What is said of a Host that is not one of ours.
pub(super) const WRONG_HOST: &str =
    "The Host must be localhost, an address, or one of admin_allowed_hosts.";

impl Hosts {
    /// Whether a request without a secret may be answered: no browser leaves the Host away.
    pub(super) fn allow_reading(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key(HOST) || self.names(headers)
    }

    /// Whether the Host is ours, or one of those that are allowed beside.
    pub(super) fn names(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        is_ours(host) || self.has(host)
    }

    fn has(&self, host: &str) -> bool {
        let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is = |allowed: &String| {
            let host = if allowed.contains(':') { host } else { without_port };
            allowed.eq_ignore_ascii_case(host)
        };
        is_authority(host) && self.0.iter().any(is)
    }
}

/// A page of another site can make a browser call this machine by a name of its own, but neither by
/// its address nor as localhost.
fn is_ours(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    is_authority(host) && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        pairs.iter().map(|(name, text)| (name.parse().unwrap(), value(text))).collect()
    }

    #[test]
    fn only_who_shows_the_token_by_our_own_name_comes_in() {
        let hosts = Hosts(vec!["refund-gateway".to_owned(), "other:81".to_owned()]);
        let access = Access { token: AdminToken::of("t0ken"), hosts };
        let status = |method: &Method, pairs: &[(&'static str, &str)]| {
            check(&access, method, &headers(pairs)).err().map(|(status, _)| status.as_u16())
        };
        let auth = ("authorization", "Bearer t0ken");
        for host in [
            "localhost:1",
            "LOCALHOST",
            "127.0.0.1:8081",
            "[::1]:8081",
            "[::1]",
            "refund-gateway",
            "Refund-Gateway:8081",
            "other:81",
        ] {
            assert_eq!(status(&Method::GET, &[("host", host), auth]), None, "{host}");
        }
        let names =
            ["evil.example:8081", "", "localhost.evil.example", "127.1", "other", "other:8"];
        let no_hosts = ["127.0.0.1:x", "[::1", "::1", "[localhost]", "a@localhost", "localhost/"];
        for host in names.into_iter().chain(no_hosts) {
            assert_eq!(status(&Method::GET, &[("host", host), auth]), Some(421), "{host}");
        }
        let host = ("host", "localhost");
        assert_eq!(status(&Method::GET, &[host]), Some(401));
        assert_eq!(status(&Method::GET, &[host, ("authorization", "Bearer x")]), Some(401));
        assert_eq!(status(&Method::GET, &[host, auth, ("origin", "null")]), Some(403));
        assert_eq!(status(&Method::POST, &[host, auth]), Some(415));
        let json = ("content-type", "application/json; charset=utf-8");
        assert_eq!(status(&Method::POST, &[host, auth, json]), None);
    }

    #[test]
    fn a_token_that_was_given_is_long_and_can_stand_in_a_header() {
        assert!(AdminToken::given(" 0123456789abcdef\n").unwrap().is("0123456789abcdef"));
        assert_eq!(AdminToken::given("0123456789abcde").err(), Some(NoToken::TooShort));
        assert_eq!(AdminToken::given("").err(), Some(NoToken::TooShort));
        for text in ["0123456789 abcdef", "0123456789abcdef\nx", "0123456789abcdef\u{e9}"] {
            assert_eq!(AdminToken::given(text).err(), Some(NoToken::NotAscii), "{text}");
        }
    }

    #[test]
    fn a_new_token_is_written_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = AdminToken::file_of(&folder.path().join("ledger.db"));
        fs::write(&file, "old").unwrap();
        let token = AdminToken::write_new(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(token.is(text.trim()) && !token.is("old"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn gateways_that_start_at_the_same_moment_share_one_token() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let first = AdminToken::shared(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let second = AdminToken::shared(&file).unwrap();
        assert!(first.is(text.trim()) && second.is(text.trim()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
        fs::write(&file, "short").unwrap();
        assert!(AdminToken::shared(&file).is_err());
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("nowhere", &file).unwrap();
        assert!(AdminToken::shared(&file).is_err());
    }
}
