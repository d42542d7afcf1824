//! The listeners: the only room that serves.
//!
//! The public listener takes calls for the front doors that it is given; the admin listener reports
//! health and metrics, and nothing of it is on the public one. Both speak HTTP/1.0 and 1.1 only: no
//! legacy client speaks more, and hyper times an idle connection out only when it need not guess
//! the version.
//!
//! What must stay true: whatever a client does or fails to do ends in bounded time and memory; see
//! [`HttpSettings`] for the bounds.

mod accepting;
mod address;
mod admin;
mod answer;
mod answer_body;
mod body;
mod budget;
mod called;
mod complaints;
mod compression;
mod connection;
mod date;
mod descriptors;
mod doors;
mod head;
mod idle;
mod journal;
mod listener;
mod loopback;
mod metrics;
pub mod network;
mod pages;
mod path;
mod proxy;
mod public;
mod readiness;
mod record;
mod refused_head;
pub mod reports;
mod securing;
mod settings;
mod slots;
mod stream;
mod tap;
mod timing;
mod tls;
mod unknown;
mod watchers;

pub use address::is_authority;
pub use admin::{AdminToken, Pairs, REFUND_FILTERS};
pub use body::inflate_now;
pub use loopback::{Trial, Tried};
pub use metrics::Pulse;
pub use pages::{Answering, BrokenOff, Furnish, Inside, Page, PageBody, Pages, Part, Visit};
pub use proxy::{Proxy, Upstream};
pub use readiness::Check;
pub use settings::{HttpSettings, SettingError};
pub use tap::{Exchange, Tap};
pub use tls::{TlsError, TlsSettings, write_self_signed};

use crate::call::Door;
use crate::service::Service;
use admin::{Access, Admin, Hosts};
use doors::Doors;
use hyper::server::conn::http1;
use journal::Journal;
use listener::{Listener, ListenerConfiguration};
use loopback::Loopback;
use metrics::Metrics;
use public::Public;
use readiness::Readiness;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::Patience;
use tls::Tls;
use watchers::Watchers;

/// Up to so many header lines hyper counts without allocating.
const HYPER_HEADERS: usize = 100;
/// How much of a request hyper buffers at once, if its head may not be longer.
const BUFFER_BYTES: usize = 64 * 1024;
/// How long the admin listener drains.
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error("http.{0}")]
    Setting(#[from] SettingError),
    /// There is no TLS as it is configured.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// An address cannot be listened at.
    #[error("cannot listen at {address}: {why}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        why: io::Error,
    },
}

/// A gateway that serves until it is stopped; dropped without a stop, it drops its connections.
pub struct Gateway {
    public: Listener,
    admin: Option<Listener>,
    readiness: Arc<Readiness>,
    drain_timeout: Duration,
    tls: Option<Arc<Tls>>,
    is_admin_tls: bool,
}

/// The admin listener: where it is, and the token of its API; without one there is none.
pub struct AdminDoor {
    /// Where it listens.
    pub address: SocketAddr,
    /// What callers of the admin API have to show.
    pub token: Option<AdminToken>,
    /// Hosts by which they may call it, beside localhost and addresses; one without a port is good
    /// with any.
    pub allowed_hosts: Vec<String>,
    /// Makes the console that is served beside the API, if there is to be one.
    pub console: Option<Furnish>,
}

impl Gateway {
    /// Listens at both addresses and serves what goes to `doors`; a port 0 is any free one.
    pub async fn start(
        service: Arc<Service>,
        doors: impl IntoIterator<Item = Box<dyn Door>>,
        settings: HttpSettings,
        public: SocketAddr,
        admin: Option<AdminDoor>,
    ) -> Result<Self, StartError> {
        Self::start_tapped(service, doors, settings, public, admin, None).await
    }

    /// The same, with a tap that gets every call.
    pub async fn start_tapped(
        service: Arc<Service>,
        doors: impl IntoIterator<Item = Box<dyn Door>>,
        settings: HttpSettings,
        public: SocketAddr,
        admin: Option<AdminDoor>,
        tap: Option<Arc<dyn Tap>>,
    ) -> Result<Self, StartError> {
        settings.check()?;
        let settings = descriptors::fit(settings);
        let tls = Tls::of(&settings.tls)?.map(Arc::new);
        let doors = Doors::new(doors);
        let ledger = service.ledger();
        let metrics = Arc::new(Metrics::new(Some(&service)));
        let readiness = Arc::new(Readiness::new(Arc::clone(ledger)));
        let drain_timeout = settings.drain_timeout();
        let is_admin_tls = tls.is_some() && settings.tls.admin;
        let is_watched = admin.as_ref().is_some_and(|admin| admin.token.is_some());
        let keeps_bodies = ledger.test_bench().is_some();
        let journal = is_watched.then(|| Arc::new(Journal::new(&settings, keeps_bodies)));
        let loopback = Arc::<Loopback>::default();
        let admin = match admin {
            None => None,
            Some(AdminDoor { address, token, allowed_hosts, console }) => {
                let tls = tls.clone().filter(|_| settings.tls.admin);
                let configuration = admin_configuration(&settings, &metrics, tls);
                let hosts = Hosts(allowed_hosts);
                let (ready, counted) = (Arc::clone(&readiness), Arc::clone(&metrics));
                let mut handler = Admin::new(ready, counted, hosts.clone());
                if let Some(token) = token {
                    handler = handler.with_api(
                        Access { token, hosts },
                        (&service, &doors),
                        journal.clone(),
                    );
                    handler = handler.with_console(console, &loopback);
                }
                Some(listen(address, Listener::open(address, configuration, handler)).await?)
            }
        };
        let configuration = public_configuration(&settings, &metrics, tls.clone());
        let watchers = Watchers { journal, tap };
        let public_url = settings.public_url.clone();
        let (ready, counted) = (Arc::clone(&readiness), metrics);
        let handler = Public::new(service, doors, settings, counted, watchers, ready);
        let public = listen(public, Listener::open(public, configuration, handler)).await?;
        loopback.is_at((public.address(), public.inlet()), tls.is_some(), public_url);
        Ok(Self { public, admin, readiness, drain_timeout, tls, is_admin_tls })
    }

    /// Where calls are taken.
    pub fn public_addr(&self) -> SocketAddr {
        self.public.address()
    }

    /// Where health and metrics are served, if anywhere.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Listener::address)
    }

    /// Whether calls are taken by TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether health and metrics are served by TLS.
    pub fn is_admin_tls(&self) -> bool {
        self.is_admin_tls
    }

    /// Reads certificate and key again, for connections from now on.
    ///
    /// # Errors
    /// Where they are no good; what there was stays in force then.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    /// Accepts nothing more and waits, within the configured time and until `hurry`, for the
    /// requests that have begun; those that are left are sent the beginning of an answer that
    /// breaks off. Meanwhile the admin listener says that the gateway is not ready.
    pub async fn stop(self, hurry: impl Future<Output = ()>) {
        self.readiness.stop();
        self.public.stop(self.drain_timeout, hurry).await;
        if let Some(admin) = self.admin {
            admin.stop(ADMIN_DRAIN, pending()).await;
        }
    }
}

async fn listen(
    address: SocketAddr,
    opening: impl Future<Output = io::Result<Listener>>,
) -> Result<Listener, StartError> {
    opening.await.map_err(|why| StartError::Listen { address, why })
}

fn public_configuration(
    settings: &HttpSettings,
    metrics: &Arc<Metrics>,
    tls: Option<Arc<Tls>>,
) -> ListenerConfiguration {
    ListenerConfiguration {
        name: "public",
        protocol: protocol(settings),
        patience: patience(settings),
        head_patience: settings.head_patience(),
        socket_buffer_bytes: settings.socket_buffer_bytes,
        tls,
        connections_max: settings.connections_max,
        per_address_max: settings.connections_per_address_max,
        metrics: Arc::clone(metrics),
        logs_requests: true,
    }
}

fn admin_configuration(
    settings: &HttpSettings,
    metrics: &Arc<Metrics>,
    tls: Option<Arc<Tls>>,
) -> ListenerConfiguration {
    ListenerConfiguration {
        name: "admin",
        protocol: protocol(settings),
        patience: patience(settings),
        head_patience: settings.head_patience(),
        socket_buffer_bytes: settings.socket_buffer_bytes,
        tls,
        connections_max: settings.admin_connections_max,
        per_address_max: 0,
        metrics: Arc::clone(metrics),
        logs_requests: false,
    }
}

fn patience(settings: &HttpSettings) -> Patience {
    Patience { write: settings.write_timeout(), linger: settings.linger() }
}

/// How hyper speaks; each connection adds its own timer. Answers to pipelined requests are not
/// gathered (`pipeline_flush`): one that is ready must not wait for, or be lost with, the next.
fn protocol(settings: &HttpSettings) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .header_read_timeout(settings.head_patience().head)
        .max_header_size(settings.head_bytes_max)
        .max_buf_size(settings.head_bytes_max.max(BUFFER_BYTES))
        .half_close(true)
        // As the original was seen to write them.
        .title_case_headers(true);
    if settings.headers_max > HYPER_HEADERS {
        protocol.max_headers(settings.headers_max);
    }
    protocol
}
