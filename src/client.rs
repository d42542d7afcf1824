//! Outbound HTTP/1.1, plain or by TLS: connections that are kept alive, every wait and size
//! bounded.
//!
//! What must stay true: a request is sent again only when it is certain that no byte of it left,
//! because what is posted here can move money. Nothing is followed, guessed or decoded: the answer
//! is what came over the wire.

mod endpoint;
mod pool;
mod tls;

pub use endpoint::{Endpoint, EndpointError};
pub use pool::Pool;
pub use tls::{Trust, TrustError};
// What requests and answers are made of.
pub use hyper::body::Bytes;
pub use hyper::{Method, StatusCode, Uri, header};

use crate::domain::trace::TraceContext;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How long a connection waits and how much it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// How long connecting may take.
    pub connect: Duration,
    /// How long one request may take, from its first byte to the last of its answer.
    pub exchange: Duration,
    /// How many bytes of an answer's body are read; the rest is cut off.
    pub body_bytes_max: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            exchange: Duration::from_secs(30),
            body_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection could be made. Nothing was sent.
    #[error("cannot connect to {endpoint}: {why}")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// What the system said.
        why: String,
    },
    /// All connections were in use for too long. Nothing was sent.
    #[error("no connection became free within {} ms", .0.as_millis())]
    Busy(Duration),
    /// No answer came in time. The request may have been worked on.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection ended or what came is no HTTP. The request may have been worked on.
    #[error("the connection gave no answer: {0}")]
    Broken(String),
}

impl ClientError {
    /// Whether it is certain that no byte of the request left.
    pub fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy(_))
    }
}

/// A request, beside the host that it goes to.
#[derive(Debug, Clone)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// The path and query.
    pub path: String,
    /// The headers; Host and Content-Length are made from the rest.
    pub headers: HeaderMap,
    /// The body, which may be empty.
    pub body: Bytes,
}

impl Request {
    /// Says that the request is part of a trace, if it is of one, by the headers of W3C's Trace
    /// Context.
    pub fn continue_trace(&mut self, trace: Option<&TraceContext>) {
        let Some(trace) = trace else { return };
        let parent = HeaderValue::try_from(trace.to_string()).ok();
        let state = trace.state().and_then(|state| HeaderValue::from_str(state).ok());
        let headers = &mut self.headers;
        parent.map(|parent| headers.insert("traceparent", parent));
        state.map(|state| headers.insert("tracestate", state));
    }
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to the limit.
    pub body: Bytes,
    /// Whether the body was longer than the limit.
    pub cut: bool,
}

type Sender = SendRequest<Full<Bytes>>;

/// A connection to one endpoint, opened when it is first needed and again when it was closed.
pub struct Connection {
    endpoint: Endpoint,
    limits: ClientLimits,
    /// Needed for https alone.
    trust: Option<Trust>,
    sender: Option<Sender>,
}

impl Connection {
    /// A connection that is not open yet. By https, the public authorities are believed.
    pub fn new(endpoint: Endpoint, limits: ClientLimits) -> Self {
        let trust = endpoint.is_https().then(Trust::public);
        Self::trusting(endpoint, limits, trust)
    }

    /// A connection that is not open yet, by https to whom `trust` believes.
    pub fn trusting(endpoint: Endpoint, limits: ClientLimits, trust: Option<Trust>) -> Self {
        Self { endpoint, limits, trust, sender: None }
    }

    /// Whether it can be used again without connecting anew, as far as is known.
    fn is_open(&self) -> bool {
        self.sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Posts `body` to `path` and reads the answer.
    pub async fn post(
        &mut self,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let (path, headers) = (path.to_owned(), headers.clone());
        self.send(&Request { method: Method::POST, path, headers, body }).await
    }

    /// Sends a request and reads the answer.
    pub async fn send(&mut self, request: &Request) -> Result<Answer, ClientError> {
        let mut request = self.outgoing(request)?;
        loop {
            let (opened, mut sender) = self.open().await?;
            let within = tokio::time::timeout(self.limits.exchange, async {
                match sender.try_send_request(request).await {
                    Ok(response) => Ok(read(response, self.limits.body_bytes_max).await),
                    Err(error) => Err(error),
                }
            });
            let Ok(outcome) = within.await else {
                return Err(ClientError::Timeout(self.limits.exchange));
            };
            match outcome {
                Ok(answer) => {
                    let answer = answer?;
                    self.sender = (!answer.cut).then_some(sender);
                    return Ok(answer);
                }
                Err(mut error) => match (opened, error.take_message()) {
                    // The server closed a connection that it had kept alive.
                    (Opened::Before, Some(unsent)) => request = unsent,
                    _ => return Err(ClientError::Broken(reason(error.error()))),
                },
            }
        }
    }

    fn outgoing(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, ClientError> {
        let Request { method, path, headers, body } = request;
        let mut outgoing = hyper::Request::builder()
            .method(method)
            .uri(path)
            .body(Full::new(body.clone()))
            .map_err(|error| ClientError::Broken(format!("the path {path} is none: {error}")))?;
        *outgoing.headers_mut() = headers.clone();
        let host = HeaderValue::from_str(self.endpoint.authority())
            .map_err(|error| ClientError::Broken(error.to_string()))?;
        outgoing.headers_mut().entry(HOST).or_insert(host);
        Ok(outgoing)
    }

    /// The open connection, or a new one.
    async fn open(&mut self) -> Result<(Opened, Sender), ClientError> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            return Ok((Opened::Before, sender));
        }
        let connecting = async {
            let stream = TcpStream::connect(self.endpoint.address()).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(match &self.trust {
                Some(trust) if self.endpoint.is_https() => {
                    begin(trust.secure(&self.endpoint, stream).await?).await
                }
                _ => begin(stream).await,
            })
        };
        match tokio::time::timeout(self.limits.connect, connecting).await {
            Ok(Ok(sender)) => Ok((Opened::Now, sender?)),
            Ok(Err(error)) => Err(self.unreachable(&reason(&error))),
            Err(_) => Err(self.unreachable("no connection in time")),
        }
    }

    fn unreachable(&self, why: &str) -> ClientError {
        ClientError::Unreachable { endpoint: self.endpoint.to_string(), why: why.to_owned() }
    }
}

/// Speaks HTTP on a stream that is connected; nothing is sent yet.
async fn begin<S>(stream: S) -> Result<Sender, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ClientError::Broken(reason(&error)))?;
    // It ends with the sender, and an error is returned to the request that waits.
    tokio::spawn(connection);
    Ok(sender)
}

/// When the connection was opened that a request is sent on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Before,
    Now,
}

async fn read(response: Response<Incoming>, bytes_max: usize) -> Result<Answer, ClientError> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    let mut cut = false;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| ClientError::Broken(reason(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        let room = bytes_max.saturating_sub(body.len());
        body.extend(data.iter().take(room));
        if data.len() > room {
            cut = true;
            break;
        }
    }
    Ok(Answer { status: head.status, headers: head.headers, body: body.into(), cut })
}

/// What an error of the protocol says, with its causes.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
