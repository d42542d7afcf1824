//! Live sessions for the placeholders of requests: each user logs in once, when first needed.

use super::canonical::printable;
use super::error::ReplayError;
use super::live_rest::token_in;
use super::rest::TOKEN;
use super::secret::KnownSecrets;
use super::seed_text::SeedText;
use crate::client::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use crate::client::{ClientError, Connection};
use crate::domain::percent::encoded;
use crate::domain::toml_text;
use crate::xml::{ElementRef, Writer, XmlLimits, decode, parse};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where users log in, unless the endpoint has a path of its own.
const PATH: &str = "/apps/services/a/91.0";

/// A name and its password.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// An OAuth client.
#[derive(Clone, serde::Deserialize)]
pub struct OauthClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// In whose name it calls.
    pub user: String,
}

impl fmt::Debug for OauthClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OauthClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The users that can log in; the first is the one that `{{session}}` means.
#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    all: Vec<Credentials>,
    clients: Vec<OauthClient>,
    /// Whether the first was given on the command line, and so stands for users that are unknown.
    is_first_given: bool,
}

#[derive(serde::Deserialize)]
struct SeedUsers {
    #[serde(default)]
    user: Vec<SeedUser>,
    #[serde(default)]
    oauth_client: Vec<OauthClient>,
}

#[derive(serde::Deserialize)]
struct SeedUser {
    username: String,
    password: Option<String>,
}

impl Users {
    /// The users of a seed whose passwords it states. What else is wrong with it is found by those
    /// who load it.
    pub(super) fn of_seed(seed: &SeedText) -> Result<Self, ReplayError> {
        let file = seed.file.display();
        let seed: SeedUsers = toml_text::read(&seed.text)
            .map_err(|error| ReplayError::Seed(format!("{file}: {error}")))?;
        let with_password = |user: SeedUser| {
            Some(Credentials { username: user.username, password: user.password? })
        };
        let all = seed.user.into_iter().filter_map(with_password).collect();
        Ok(Self { all, clients: seed.oauth_client, is_first_given: false })
    }

    /// The same with `first` before all others.
    pub(super) fn with_first(mut self, first: Option<Credentials>) -> Self {
        self.is_first_given |= first.is_some();
        self.all.splice(0..0, first);
        self
    }

    /// The same with a client more.
    pub(super) fn with_client(mut self, client: Option<OauthClient>) -> Self {
        self.clients.extend(client);
        self
    }

    /// A user by name, or the first. An unknown user is taken for the one who was given.
    fn find(&self, name: Option<&str>) -> Option<&Credentials> {
        let named = self.all.iter().find(|user| name.is_none_or(|name| user.username == name));
        named.or_else(|| self.all.first().filter(|_| self.is_first_given))
    }
}

/// The sessions that are open.
pub(super) struct Sessions {
    users: Users,
    path: String,
    secrets: Arc<KnownSecrets>,
    open: Mutex<HashMap<String, String>>,
}

impl Sessions {
    pub(super) fn new(users: Users, path: Option<&str>, secrets: Arc<KnownSecrets>) -> Self {
        Self { users, path: path.unwrap_or(PATH).to_owned(), secrets, open: Mutex::default() }
    }

    /// What to say where a password is needed that is not known.
    pub(super) fn nobody_told(user: Option<&str>) -> ReplayError {
        let whose = user.map_or_else(String::new, |name| format!(" of {}", printable(name)));
        ReplayError::Usage(format!(
            "a request needs a session{whose}, whose password nobody told: give --username and \
             --password, or a --seed with the user"
        ))
    }

    /// By whom a captured login is done again: by its own user, if the password is known, else by
    /// the first one.
    pub(super) fn credentials_for(&self, username: &str) -> Option<&Credentials> {
        let known = self.users.find(Some(username)).or_else(|| self.users.find(None));
        known.inspect(|known| self.secrets.add_telling(&known.password))
    }

    /// The name and the password of a user, or of the first one.
    pub(super) fn credentials(&self, user: Option<&str>) -> Result<&Credentials, ReplayError> {
        let known = self.users.find(user).ok_or_else(|| Self::nobody_told(user))?;
        self.secrets.add_telling(&known.password);
        Ok(known)
    }

    /// The OAuth client that stands for captured ones whose secret is not known: that of the first
    /// user who has one.
    pub(super) fn client(&self) -> Option<&OauthClient> {
        let mut users = self.users.all.iter();
        let first = users.find_map(|user| self.client_of(&user.username));
        first.inspect(|client| self.secrets.add_telling(&client.secret))
    }

    /// The client of this id, if its secret is known.
    pub(super) fn client_named(&self, id: &str) -> Option<&OauthClient> {
        let known = self.users.clients.iter().find(|client| client.id == id);
        known.inspect(|client| self.secrets.add_telling(&client.secret))
    }

    /// Whether a password of a user of exactly this name is known.
    pub(super) fn knows(&self, username: &str) -> bool {
        self.users.all.iter().any(|user| user.username == username)
    }

    fn client_of(&self, username: &str) -> Option<&OauthClient> {
        self.users.clients.iter().find(|client| client.user == username)
    }

    /// What the Authorization header of a user's call of the REST API says, or of the first user's:
    /// a token, if a client of the user is known, else a session.
    pub(super) async fn authorization(
        &self,
        user: Option<&str>,
        connection: &mut Connection,
    ) -> Result<String, ReplayError> {
        let username = &self.credentials(user)?.username;
        let Some(client) = self.client_of(username) else {
            return Ok(format!("ZSession {}", self.of(user, connection).await?));
        };
        let mut open = self.open.lock().await;
        // No user is called so.
        let name = format!("Bearer {}", client.id);
        if let Some(token) = open.get(&name) {
            return Ok(format!("Bearer {token}"));
        }
        self.secrets.add_telling(&client.secret);
        let token = token(client, connection).await?;
        self.secrets.add(&token);
        let authorization = format!("Bearer {token}");
        open.insert(name, token);
        Ok(authorization)
    }

    /// The session of a user, or of the first one.
    pub(super) async fn of(
        &self,
        user: Option<&str>,
        connection: &mut Connection,
    ) -> Result<String, ReplayError> {
        let credentials = self.users.find(user).ok_or_else(|| Self::nobody_told(user))?;
        // Held during the login, so that no other worker logs the same user in.
        let mut open = self.open.lock().await;
        if let Some(session) = open.get(&credentials.username) {
            return Ok(session.clone());
        }
        let session = self.log_in(credentials, connection).await?;
        self.secrets.add(&session);
        open.insert(credentials.username.clone(), session.clone());
        Ok(session)
    }

    async fn log_in(
        &self,
        credentials: &Credentials,
        connection: &mut Connection,
    ) -> Result<String, ReplayError> {
        let failed = |why: String| {
            ReplayError::Runtime(format!("logging in as {} failed: {why}", credentials.username))
        };
        let headers = HeaderMap::from_iter([(
            CONTENT_TYPE,
            HeaderValue::from_static("text/xml; charset=utf-8"),
        )]);
        let sent = connection.post(&self.path, &headers, login(credentials).into()).await;
        let answer = sent.map_err(|error| match error {
            ClientError::Unreachable { .. } => ReplayError::Runtime(error.to_string()),
            other => failed(other.to_string()),
        })?;
        let text = decode(&answer.body, None).map_err(|error| failed(error.to_string()))?;
        let document = parse(&text, &XmlLimits::default()).map_err(|error| {
            failed(format!("HTTP {} and no XML: {error}", answer.status.as_u16()))
        })?;
        if let Some(session) = find(document.root(), "Session") {
            return Ok(session.trim().to_owned());
        }
        let reported =
            find(document.root(), "faultstring").or_else(|| find(document.root(), "Text"));
        let reported = reported.map_or("the answer has no Session", |fault| fault);
        Err(failed(printable(reported)))
    }
}

/// A new token of a client.
async fn token(client: &OauthClient, connection: &mut Connection) -> Result<String, ReplayError> {
    let failed = |why: String| {
        let id = printable(&client.id);
        ReplayError::Runtime(format!("the OAuth client {id} got no token: {why}"))
    };
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    let [id, secret] = [&client.id, &client.secret].map(|value| encoded(value));
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let sent = connection.post(TOKEN, &headers, body.into_bytes().into()).await;
    let answer = sent.map_err(|error| failed(error.to_string()))?;
    token_in(&answer.body).ok_or_else(|| failed(format!("HTTP {}", answer.status.as_u16())))
}

fn login(credentials: &Credentials) -> Vec<u8> {
    let mut writer = Writer::new();
    let envelope = [("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/")];
    writer.declaration().open_with("soapenv:Envelope", &envelope).open("soapenv:Body");
    writer.open_with("ns1:login", &[("xmlns:ns1", "http://api.zuora.com/")]);
    writer.text_element("ns1:username", &credentials.username);
    writer.text_element("ns1:password", &credentials.password);
    writer.into_bytes()
}

/// The text of the first element of this local name.
fn find<'d>(element: ElementRef<'d>, local: &str) -> Option<&'d str> {
    if element.local() == local {
        return Some(element.text());
    }
    element.children().find_map(|child| find(child, local))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "[tenant]\nx = 1\n[[user]]\nusername = 'a'\npassword_hash = '$'\n\
                        [[user]]\nusername = 'b'\npassword = '1'\n\
                        [[user]]\nusername = 'c'\npassword = '2'\n";

    fn seeded() -> Users {
        let (file, text) = ("seed.toml".into(), SEED.to_owned());
        Users::of_seed(&SeedText { file, text }).unwrap()
    }

    fn password<'u>(users: &'u Users, name: Option<&str>) -> Option<&'u str> {
        users.find(name).map(|user| user.password.as_str())
    }

    #[test]
    fn the_first_user_with_a_password_is_the_default() {
        let users = seeded();
        assert_eq!(password(&users, None), Some("1"));
        assert_eq!(password(&users, Some("c")), Some("2"));
        assert_eq!(password(&users, Some("a")), None);
    }

    #[test]
    fn given_credentials_come_first() {
        let given = Credentials { username: "d".to_owned(), password: "3".to_owned() };
        let users = seeded().with_first(Some(given));
        assert_eq!(password(&users, None), Some("3"));
        assert_eq!(password(&users, Some("b")), Some("1"));
        assert_eq!(password(&users, Some("whoever it was")), Some("3"));
    }

    #[test]
    fn a_password_is_not_in_debug_output() {
        let users = seeded();
        let shown = format!("{users:?}");
        assert!(shown.contains("\"b\"") && !shown.contains('1'), "{shown}");
    }

    #[test]
    fn a_login_escapes_what_it_is_given() {
        let credentials = Credentials { username: "<a>".to_owned(), password: "&".to_owned() };
        let text = String::from_utf8(login(&credentials)).unwrap();
        assert!(text.contains("<ns1:username>&lt;a&gt;</ns1:username>"), "{text}");
        assert!(text.contains("<ns1:password>&amp;</ns1:password>"), "{text}");
    }
}
