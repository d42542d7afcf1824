//! A browser without scripts: it keeps a cookie, and sends forms with the token that they carry.

use crate::admin_api::token;
use crate::gateway::TestGateway;
use crate::wire::{Answer, Connection};

pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

pub struct Visitor<'g> {
    gateway: &'g TestGateway,
    pub cookie: Option<String>,
}

impl<'g> Visitor<'g> {
    pub fn stranger(gateway: &'g TestGateway) -> Self {
        Self { gateway, cookie: None }
    }

    pub fn with_token(gateway: &'g TestGateway) -> Self {
        Self::logged_in(gateway, &[("token", &token(gateway))])
    }

    pub fn logged_in(gateway: &'g TestGateway, fields: &[(&str, &str)]) -> Self {
        let mut visitor = Self::stranger(gateway);
        let answer = visitor.log_in(fields);
        assert_eq!(answer.status, 303, "{answer}");
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        visitor.cookie = Some(cookie.to_owned());
        visitor
    }

    pub fn log_in(&self, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", "/login", &[FORM, ("Origin", &self.origin())], &encoded(fields))
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.gateway.admin())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Sends a form as a browser does, with the CSRF token of a page.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf();
        let fields: Vec<_> = [("csrf", csrf.as_str())].iter().chain(fields).copied().collect();
        self.send("POST", path, &[FORM, ("Origin", &self.origin())], &encoded(&fields))
    }

    pub fn csrf(&self) -> String {
        let page = self.get("/").text();
        let mark = "name=\"csrf\" value=\"";
        page.split(mark).nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
    }

    /// Sends a request with the cookie; a header Host goes in the place of the right one.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut connection = self.begin(method, path, headers, body);
        connection.read_answer().expect("an answer")
    }

    /// The connection on which an answer begins to come that has no end yet.
    pub fn open(&self, path: &str) -> Connection {
        let mut connection = self.begin("GET", path, &[], "");
        assert_eq!(connection.read_head(), 200);
        connection
    }

    fn begin(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Connection {
        let address = self.gateway.admin().to_string();
        let host = headers.iter().find(|(name, _)| *name == "Host");
        let host = host.map_or(address.as_str(), |(_, host)| host);
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| *name != "Host") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(cookie) = &self.cookie {
            head.push_str(&format!("Cookie: other=1; {cookie}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let mut connection = Connection::open(self.gateway.admin());
        connection.write(format!("{head}\r\n{body}").as_bytes());
        connection
    }
}

/// Fields as a form writes them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let one = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        };
        text.bytes().map(one).collect()
    };
    let pairs = fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}
