//! Calls that the console makes for a tester: to the public listener of this gateway, over a
//! connection as any client has it, so that what is shown is what a client gets.
//!
//! What must stay true: nothing is sent anywhere but to this gateway's own listener.

use crate::client::{Bytes, ClientError, ClientLimits, Connection, Endpoint, Method, Request};
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

/// Where the public listener is, once it is open.
#[derive(Debug, Default)]
pub(super) struct Loopback(OnceLock<At>);

#[derive(Debug)]
struct At {
    address: SocketAddr,
    is_tls: bool,
    /// The address that clients are given, where it is configured.
    public_url: Option<String>,
}

/// A call to try.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The path, with what follows it.
    pub path: String,
    /// The Content-Type; none is sent where it is empty.
    pub content_type: String,
    /// Further headers by their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body; what is no UTF-8 in it is replaced.
    pub body: String,
}

impl Loopback {
    /// Knows where the public listener is from now on.
    pub(super) fn is_at(&self, address: SocketAddr, is_tls: bool, public_url: Option<String>) {
        // It is opened once.
        let _ = self.0.set(At { address, is_tls, public_url });
    }

    /// Where clients reach the public listener, as far as is known.
    pub(super) fn url(&self) -> Option<String> {
        let at = self.0.get()?;
        let scheme = if at.is_tls { "https" } else { "http" };
        let own = || format!("{scheme}://{}", reachable(at.address));
        Some(at.public_url.clone().unwrap_or_else(own))
    }

    /// Sends a call by POST.
    ///
    /// # Errors
    /// A sentence, where there is no answer.
    pub(super) async fn send(&self, trial: Trial) -> Result<Tried, String> {
        let at = self.0.get().ok_or("The public listener is not open.")?;
        if at.is_tls {
            return Err("The public listener speaks TLS; call it with a client.".to_owned());
        }
        let endpoint = Endpoint::parse(&format!("http://{}", reachable(at.address)));
        let endpoint = endpoint.map_err(|error| error.to_string())?;
        let mut headers = HeaderMap::new();
        let mut insert = |name: HeaderName, value: &str| -> Result<(), String> {
            let value = HeaderValue::from_str(value).map_err(|_| format!("{name}: no value"))?;
            headers.insert(name, value);
            Ok(())
        };
        if !trial.content_type.is_empty() {
            insert(CONTENT_TYPE, &trial.content_type)?;
        }
        for (name, value) in &trial.headers {
            insert(HeaderName::from_static(name), value)?;
        }
        let (path, body) = (trial.path, trial.body);
        let request = Request { method: Method::POST, path, headers, body };
        let mut connection = Connection::new(endpoint, ClientLimits::default());
        let answer = connection.send(&request).await.map_err(without_address)?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers.iter();
        Ok(Tried {
            status: answer.status.as_u16(),
            headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        })
    }
}

/// A sentence for the page.
fn without_address(error: ClientError) -> String {
    match error {
        ClientError::Broken(why) => {
            format!(
                "The connection ended without a whole answer, as it may by an ordered fault: {why}"
            )
        }
        other => format!("There is no answer: {other}"),
    }
}

/// The address by which this machine reaches a listener on any address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_any_address_is_reached_by_loopback() {
        let loopback = Loopback::default();
        assert_eq!(loopback.url(), None);
        loopback.is_at("0.0.0.0:81".parse().unwrap(), false, None);
        assert_eq!(loopback.url().unwrap(), "http://127.0.0.1:81");
        assert_eq!(reachable("[::]:9".parse().unwrap()).to_string(), "[::1]:9");
        assert_eq!(reachable("10.0.0.1:9".parse().unwrap()).to_string(), "10.0.0.1:9");
    }
}
