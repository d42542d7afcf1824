//! Calls that the console makes for a tester: to the public listener of this gateway, over a
//! connection within the process, which has all that a client's has but a socket and TLS, so that
//! what is shown is what a client gets.
//!
//! What must stay true: nothing is sent anywhere but to this gateway's own listener.

use super::listener::Inlet;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::timeout;

/// How many bytes wait between the two ends of the connection.
const WAITING_BYTES: usize = 64 * 1024;
/// How long an answer may take, and how long it may be.
const ANSWER_TAKES: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where the public listener is, once it is open.
#[derive(Default)]
pub(super) struct Loopback(OnceLock<At>);

struct At {
    address: SocketAddr,
    inlet: Inlet,
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
    pub(super) fn is_at(
        &self,
        (address, inlet): (SocketAddr, Inlet),
        is_tls: bool,
        public_url: Option<String>,
    ) {
        // It is opened once.
        let _ = self.0.set(At { address, inlet, is_tls, public_url });
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
        let (ours, theirs) = tokio::io::duplex(WAITING_BYTES);
        (at.inlet)(theirs);
        let request = request(trial, reachable(at.address))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(ours)).await.map_err(|error| no_answer(&error))?;
        let connection = tokio::spawn(connection);
        let answered = timeout(ANSWER_TAKES, async {
            let answer = sender.send_request(request).await.map_err(|error| no_answer(&error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| no_answer(error.as_ref()))?.to_bytes();
            Ok::<_, String>((head, body))
        });
        let answered = answered.await;
        connection.abort();
        let (head, body) = answered.map_err(|_| "There is no answer in time.")??;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter();
        Ok(Tried {
            status: head.status.as_u16(),
            headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// The request that a trial is, to the listener at this address.
fn request(trial: Trial, host: SocketAddr) -> Result<Request<Full<Bytes>>, String> {
    let mut headers = HeaderMap::new();
    let mut insert = |name: HeaderName, value: &str| -> Result<(), String> {
        let value = HeaderValue::from_str(value).map_err(|_| format!("{name}: no value"))?;
        headers.insert(name, value);
        Ok(())
    };
    insert(HOST, &host.to_string())?;
    if !trial.content_type.is_empty() {
        insert(CONTENT_TYPE, &trial.content_type)?;
    }
    for (name, value) in &trial.headers {
        insert(HeaderName::from_static(name), value)?;
    }
    let path = trial.path.parse().map_err(|_| "path: is none that can be sent".to_owned())?;
    let mut request = Request::new(Full::new(trial.body));
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) =
        (Method::POST, path, headers);
    Ok(request)
}

/// A sentence for the page.
fn no_answer(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<hyper::Error>() {
        Some(why) => format!(
            "The connection ended without a whole answer, as it may by an ordered fault: {why}"
        ),
        None => format!("The answer has more than {ANSWER_BYTES_MAX} bytes."),
    }
}

/// The address by which this machine reaches a listener on any address.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
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
    use std::sync::Arc;

    #[test]
    fn a_listener_on_any_address_is_reached_by_loopback() {
        let loopback = Loopback::default();
        assert_eq!(loopback.url(), None);
        let inlet: Inlet = Arc::new(drop::<tokio::io::DuplexStream>);
        loopback.is_at(("0.0.0.0:81".parse().unwrap(), inlet), false, None);
        assert_eq!(loopback.url().unwrap(), "http://127.0.0.1:81");
        assert_eq!(reachable("[::]:9".parse().unwrap()).to_string(), "[::1]:9");
        assert_eq!(reachable("10.0.0.1:9".parse().unwrap()).to_string(), "10.0.0.1:9");
    }
}
