//! The listeners as a socket sees them: bytes in, bytes out, and what happens to clients that are
//! slow, greedy, broken or hostile.
//!
//! The ledger behind them is a stand-in, so that it can hang, fail and panic on demand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod descriptors;
mod doors;
mod endings;
mod fake_ledger;
mod limits;
mod protocol;
mod queries;
mod routes;
mod spellings;
mod strangers;
mod wire;

use fake_ledger::FakeLedger;
use refund_gateway::call::Door;
use refund_gateway::http::{AdminDoor, Gateway, HttpSettings};
use refund_gateway::ledger::Ledger;
use refund_gateway::service::clock::Clock;
use refund_gateway::service::{Service, ServiceSettings};
use refund_gateway::soap::Soap;
use refund_gateway::xml::XmlLimits;
use std::sync::Arc;
use std::time::Duration;
use wire::{Answer, Wire};

/// The front door to a service.
fn soap_door(service: &Arc<Service>) -> Vec<Box<dyn Door>> {
    vec![Box::new(Soap::new(Arc::clone(service), XmlLimits::default()))]
}

/// A gateway over a stand-in ledger.
struct Rig {
    gateway: Gateway,
    ledger: Arc<FakeLedger>,
}

impl Rig {
    async fn new(settings: HttpSettings) -> Self {
        let ledger = Arc::new(FakeLedger::default());
        let shared: Arc<dyn Ledger> = Arc::clone(&ledger) as Arc<dyn Ledger>;
        let service =
            Service::start(shared, Clock::system(), ServiceSettings::default()).await.unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let gateway = Gateway::start(
            Arc::clone(&service),
            soap_door(&service),
            settings,
            any,
            Some(AdminDoor { address: any, token: None, allowed_hosts: Vec::new(), console: None }),
        )
        .await
        .unwrap();
        Self { gateway, ledger }
    }

    /// A connection to the public listener.
    async fn connect(&self) -> Wire {
        Wire::connect(self.gateway.public_addr()).await
    }

    /// The answer to one request on a connection of its own.
    async fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut wire = self.connect().await;
        wire.send(request).await;
        wire.answer().await
    }

    /// The answer of the admin listener.
    async fn ask_admin(&self, method: &str, path: &str) -> Answer {
        let mut wire = Wire::connect(self.gateway.admin_addr().unwrap()).await;
        wire.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        wire.answer_to(method).await
    }

    /// The value of a line of the metrics; 0 when there is none.
    async fn metric(&self, name: &str) -> u64 {
        let metrics = self.ask_admin("GET", "/metrics").await.text();
        let values = metrics.lines().filter_map(|line| line.strip_prefix(name));
        let mut values = values.filter_map(|rest| rest.strip_prefix(' ')?.parse().ok());
        values.next().unwrap_or(0)
    }

    /// How often a limit has refused something.
    async fn rejected(&self, limit: &str) -> u64 {
        self.metric(&format!("refund_gateway_rejected_total{{limit=\"{limit}\"}}")).await
    }

    /// Waits until a limit has refused something so often. (A connection is counted when it is
    /// gone, which can be after its client has seen the end.)
    async fn until_rejected(&self, limit: &str, times: u64) {
        let name = format!("refund_gateway_rejected_total{{limit=\"{limit}\"}}");
        self.until_metric(&name, times).await;
    }

    async fn until_metric(&self, name: &str, value: u64) {
        let reached = async {
            while self.metric(name).await != value {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let reached = tokio::time::timeout(wire::NEVER, reached).await;
        reached.unwrap_or_else(|_| panic!("{name} does not come to {value}"));
    }
}

/// A request to log in, whose user name says what the ledger is to do.
fn login(username: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
         <login xmlns=\"http://api.zuora.com/\"><username>{username}</username>\
         <password>x</password></login></e:Body></e:Envelope>"
    )
}

/// A POST to the endpoint, with more header lines (each with its line end).
fn post(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST /apps/services/a/91.0 HTTP/1.1\r\nHost: gateway\r\n\
         {headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
