//! The connector to any processor behind the small contract of docs/PROCESSORS.md.
//!
//! What must stay true: an order is sent again by itself only while no byte of it has left; a
//! verdict comes only from an answer that is the contract's and echoes the order; everything else
//! is unknown, and never a decline. The secret signs and is never shown.

pub mod conformance;

mod breaker;
mod contract;
#[cfg(test)]
mod contract_tests;
mod signature;

pub use breaker::BreakerSettings;
pub use signature::{NoSecret, Secret, unix_seconds};

use super::{Answer, Inquiry, Processor, Reply, Report, too_late};
use crate::client::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use crate::client::{self, ClientError, ClientLimits, Endpoint, Method, Pool, Trust};
use crate::domain::lifecycle::Response;
use crate::ledger::Order;
use crate::ledger::orders::Transcript;
use breaker::{Breaker, Change};
use contract::Said;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The waits before an order that never left is tried again.
const RETRIES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// How a processor is reached.
#[derive(Clone)]
pub struct HttpGateway {
    /// The gateway's name.
    pub name: String,
    /// The base URL, below which `/refunds` is.
    pub endpoint: Endpoint,
    /// What requests are signed with.
    pub secret: Secret,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// How long connecting may take, and waiting for a free connection.
    pub connect_timeout: Duration,
    /// How long one question may take in all.
    pub timeout: Duration,
    /// How many connections there may be, and so how many questions at once.
    pub connections_max: usize,
    /// How long the processor knows a reference for certain, from the first order on.
    pub key_retention: Duration,
    /// For how many days it gives a payment back; none: for ever.
    pub refund_window_days: Option<u32>,
    /// When it is left alone.
    pub breaker: BreakerSettings,
}

/// A processor behind the contract.
pub struct HttpProcessor {
    shared: Arc<Shared>,
}

struct Shared {
    gateway: HttpGateway,
    base: String,
    pool: Pool,
    breaker: Breaker,
}

/// Why there is no answer.
enum Unanswered {
    /// Nothing was sent, for certain.
    NotSent(String),
    /// Something may have been.
    Lost(String),
}

impl HttpProcessor {
    /// A connector; nothing is sent before there is an order.
    pub fn new(gateway: HttpGateway) -> Self {
        let limits = ClientLimits {
            connect: gateway.connect_timeout,
            exchange: gateway.timeout,
            body_bytes_max: contract::ANSWER_BYTES_MAX,
        };
        let (endpoint, trust) = (gateway.endpoint.clone(), gateway.trust.clone());
        let base = endpoint.path().unwrap_or_default().trim_end_matches('/').to_owned();
        let pool = Pool::new(endpoint, limits, trust, gateway.connections_max);
        let breaker = Breaker::new(gateway.breaker);
        Self { shared: Arc::new(Shared { gateway, base, pool, breaker }) }
    }
}

impl Shared {
    fn order(&self, order: &Order) -> client::Request {
        let body = contract::order_body(order);
        let path = format!("{}/refunds", self.base);
        let mut request = self.of_order(order, self.signed(Method::POST, path, body));
        let headers = &mut request.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(key) = HeaderValue::from_str(&order.refund.to_string()) {
            headers.insert("idempotency-key", key);
        }
        request
    }

    fn inquiry(&self, order: &Order) -> client::Request {
        let path = format!("{}/refunds/{}", self.base, order.refund);
        self.of_order(order, self.signed(Method::GET, path, Vec::new()))
    }

    /// A request about an order, which says of which trace it is a part.
    fn of_order(&self, order: &Order, mut request: client::Request) -> client::Request {
        request.continue_trace(order.trace.as_ref());
        request
    }

    fn signed(&self, method: Method, path: String, body: Vec<u8>) -> client::Request {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut request = client::Request { method, path, headers, body: body.into() };
        self.sign_at(&mut request, unix_seconds());
        request
    }

    /// Signs a request as of a moment, in Unix seconds.
    fn sign_at(&self, request: &mut client::Request, time: u64) {
        self.gateway.secret.sign_request(request, time);
    }

    /// Asks, within the time and the circuit, and reports to the circuit how it went.
    async fn ask(
        &self,
        request: &client::Request,
        order: &Order,
    ) -> (Option<client::Answer>, Result<Said, Unanswered>) {
        let name = &self.gateway.name;
        if !self.breaker.admits(Instant::now()) {
            let why = "the circuit is open: the processor failed too often in a row".to_owned();
            return (None, Err(Unanswered::NotSent(why)));
        }
        let (answer, said) = match self.send(request).await {
            Ok(answer) => {
                let said = contract::read(&answer, order).map_err(Unanswered::Lost);
                (Some(answer), said)
            }
            Err(unanswered) => (None, Err(unanswered)),
        };
        match self.breaker.note(said.is_ok(), Instant::now()) {
            Change::None => {}
            Change::Opened => {
                tracing::warn!(gateway = name, "failed too often in a row: the circuit is open");
            }
            Change::Closed => tracing::info!(gateway = name, "answers again: the circuit closed"),
        }
        (answer, said)
    }

    /// Sends a request, and again only as long as nothing of it has left.
    async fn send(&self, request: &client::Request) -> Result<client::Answer, Unanswered> {
        let deadline = tokio::time::Instant::now() + self.gateway.timeout;
        let mut retries = RETRIES.into_iter();
        loop {
            let sent = tokio::time::timeout_at(deadline, self.pool.send(request)).await;
            let error = match sent {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => ClientError::Timeout(self.gateway.timeout),
            };
            if !error.nothing_was_sent() {
                return Err(Unanswered::Lost(error.to_string()));
            }
            match retries.next() {
                Some(wait) if tokio::time::Instant::now() + wait < deadline => {
                    tokio::time::sleep(wait).await;
                }
                _ => return Err(Unanswered::NotSent(error.to_string())),
            }
        }
    }
}

fn answered(said: Result<Said, Unanswered>) -> Answer {
    match said {
        Ok(Said::Ended(verdict)) => Answer::Certain(verdict),
        Ok(Said::Processing) => Answer::Unknown("the processor has not decided yet".to_owned()),
        Ok(Said::NeverHeard { .. }) => {
            Answer::Unknown("the processor answered an order with never-heard".to_owned())
        }
        Ok(Said::Conflict) => Answer::Unknown(CONFLICT.to_owned()),
        Err(Unanswered::NotSent(why)) => Answer::NotSent(why),
        Err(Unanswered::Lost(why)) => Answer::Unknown(why),
    }
}

fn inquired(said: Result<Said, Unanswered>) -> Inquiry {
    match said {
        Ok(Said::Ended(verdict)) => Inquiry::Certain(verdict),
        Ok(Said::NeverHeard { retention }) => Inquiry::NeverHeard { retention },
        Ok(Said::Processing) => Inquiry::Unknown("the processor has not decided yet".to_owned()),
        Ok(Said::Conflict) => Inquiry::Unknown(CONFLICT.to_owned()),
        Err(Unanswered::NotSent(why) | Unanswered::Lost(why)) => Inquiry::Unknown(why),
    }
}

/// What went over the wire, but for the headers: they carry the signature.
fn transcript(request: &client::Request, answer: Option<&client::Answer>) -> Transcript {
    let body = String::from_utf8_lossy(&request.body);
    let sent = format!("{} {}\n{body}", request.method, request.path);
    let report = answer.map(|answer| {
        format!("HTTP {}\n{}", answer.status.as_u16(), String::from_utf8_lossy(&answer.body))
    });
    Transcript::new(Some(sent.trim_end()), report.as_deref())
}

const CONFLICT: &str = "the processor knows the reference for another order";

impl Processor for HttpProcessor {
    fn refund(&self, order: &Order) -> Reply<Answer> {
        let (shared, order) = (Arc::clone(&self.shared), order.clone());
        Box::pin(async move {
            let request = shared.order(&order);
            let (answer, said) = shared.ask(&request, &order).await;
            let transcript = transcript(&request, answer.as_ref());
            Report { outcome: answered(said), transcript }
        })
    }

    fn inquire(&self, order: &Order) -> Reply<Inquiry> {
        let (shared, order) = (Arc::clone(&self.shared), order.clone());
        Box::pin(async move {
            let request = shared.inquiry(&order);
            let (answer, said) = shared.ask(&request, &order).await;
            let transcript = transcript(&request, answer.as_ref());
            Report { outcome: inquired(said), transcript }
        })
    }

    fn declines_unsent(&self, order: &Order) -> Option<Response> {
        too_late(order, self.shared.gateway.refund_window_days)
    }

    fn key_retention(&self) -> Duration {
        self.shared.gateway.key_retention
    }

    fn calls_max(&self) -> usize {
        self.shared.gateway.connections_max
    }

    fn is_left_alone(&self) -> bool {
        self.shared.breaker.is_open()
    }
}
