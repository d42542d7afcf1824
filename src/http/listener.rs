//! One listener: accepts, admits, serves, drains.
//!
//! What must stay true: no error of accepting ends or spins the loop; a connection holds its slot
//! until it is gone; once a stop has begun nothing new is accepted, what has begun is finished up
//! to a deadline, and then everything is dropped.

mod inlet;
mod panics;

pub(super) use inlet::Inlet;

use super::accepting::{bound, is_of_one_connection};
use super::answer_body::AnswerBody;
use super::complaints::Complaints;
use super::connection::Connection;
use super::idle::{Idleness, Idlers};
use super::metrics::{Limit, Metrics};
use super::record;
use super::securing::secured;
use super::slots::{AddressSlots, Slot};
use super::stream::{Patience, Socket, Stream};
use super::timing::{HeadPatience, HeadTimer};
use super::tls::Tls;
use super::unknown::{broken_off, unless_it_panics};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, Version};
use hyper_util::rt::TokioIo;
use panics::PanicWatch;
use prometheus_client::metrics::gauge::Gauge;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;

/// How long to wait after an error that is not of one connection (no more file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection that was asked for its place may take to go before the next is asked.
const GOING_TAKES: Duration = Duration::from_millis(100);
/// How long a connection waits for its place before another ends for it with its next answer: so
/// many connections are opened anew in a second at most where more clients are busy than there are
/// places.
const TURN_TAKES: Duration = Duration::from_millis(5);

/// What an address over its number of connections is answered.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\
    Retry-After: 120\r\nConnection: close\r\n\r\n";

/// How long the last bytes of a connection that is given up may take to leave.
const LAST_BYTES_TAKE: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Withheld {
    /// The outcome of the request is unknown: what is sent breaks off.
    #[error("the outcome is unknown")]
    Unknown,
    /// A tester ordered that nothing is sent.
    #[error("the connection is closed without an answer, as was ordered")]
    Ordered,
}

/// Answers requests.
pub(super) trait Handler: Send + Sync + 'static {
    /// The answer to a request. One that carries a `Connection` header was given before the whole
    /// request had been read.
    fn handle(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<AnswerBody>, Withheld>> + Send;
}

/// The limits of a listener, and its HTTP settings.
pub(super) struct ListenerConfiguration {
    pub(super) name: &'static str,
    pub(super) protocol: http1::Builder,
    pub(super) patience: Patience,
    pub(super) head_patience: HeadPatience,
    /// What the system holds of a connection in each direction.
    pub(super) socket_buffer_bytes: u32,
    /// Where it speaks TLS.
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) connections_max: usize,
    pub(super) per_address_max: usize,
    pub(super) metrics: Arc<Metrics>,
    /// Whether each request is a line of the log.
    pub(super) logs_requests: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    Draining,
    Over,
}

/// A listener that accepts until it is stopped or dropped.
pub(super) struct Listener {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    closes: Arc<AtomicBool>,
    still_open: mpsc::Receiver<Infallible>,
    inlet: Inlet,
}

/// What the accepting task and the connections of one listener share.
struct Room<H> {
    configuration: ListenerConfiguration,
    handler: H,
    slots: Arc<Semaphore>,
    addresses: AddressSlots,
    idlers: Idlers,
    open: Gauge,
    /// A connection waits for its place, so the next that is answered ends with that answer.
    crowded: AtomicBool,
    /// The listener is being stopped.
    closes: Arc<AtomicBool>,
}

impl Listener {
    /// Listens at `address`.
    pub(super) async fn open<H: Handler>(
        address: SocketAddr,
        configuration: ListenerConfiguration,
        handler: H,
    ) -> io::Result<Self> {
        let socket = bound(address, configuration.socket_buffer_bytes)?;
        let address = socket.local_addr()?;
        let closes = Arc::new(AtomicBool::new(false));
        let (phase, watched) = watch::channel(Phase::Serving);
        let (open, still_open) = mpsc::channel(1);
        let room = Arc::new(Room {
            slots: Arc::new(Semaphore::new(configuration.connections_max)),
            addresses: AddressSlots::new(configuration.per_address_max),
            idlers: Idlers::default(),
            open: configuration.metrics.connections(configuration.name),
            crowded: AtomicBool::new(false),
            closes: Arc::clone(&closes),
            handler,
            configuration,
        });
        let inlet = inlet::to(&room, address, &watched, &open);
        tokio::spawn(accept(socket, room, watched, open));
        Ok(Self { address, phase, closes, still_open, inlet })
    }

    /// The way in from within this process.
    pub(super) fn inlet(&self) -> Inlet {
        Arc::clone(&self.inlet)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets requests that have begun end within `patience` or until `hurry`,
    /// then drops the rest.
    pub(super) async fn stop(mut self, patience: Duration, hurry: impl Future<Output = ()>) {
        self.closes.store(true, Ordering::Relaxed);
        self.phase.send_replace(Phase::Draining);
        let is_over = tokio::select! {
            ended = timeout(patience, self.still_open.recv()) => ended.is_ok(),
            () = hurry => false,
        };
        if !is_over {
            tracing::warn!(address = %self.address, "connections were dropped while they drained");
            self.phase.send_replace(Phase::Over);
            self.still_open.recv().await;
        }
    }
}

async fn accept<H: Handler>(
    socket: TcpListener,
    room: Arc<Room<H>>,
    mut phase: watch::Receiver<Phase>,
    open: mpsc::Sender<Infallible>,
) {
    let mut complaints = Complaints::default();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = phase.changed() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let slot = tokio::select! {
                    biased;
                    _ = phase.changed() => return,
                    slot = room.admit(&stream, peer) => slot,
                };
                if let Some(slot) = slot {
                    let connection = serve(Arc::clone(&room), stream, peer, slot, phase.clone());
                    let open = open.clone();
                    tokio::spawn(async move {
                        connection.await;
                        drop(open);
                    });
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                room.configuration.metrics.accept_errors.inc();
                if let Some(times) = complaints.is_due() {
                    tracing::warn!(%error, times, "connections could not be accepted");
                }
                // Where it is for want of descriptors, one that is not used can be had.
                room.idlers.want_a_place();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl<H> Room<H> {
    /// A slot for the connection, as soon as there is one; none if its address has enough of them.
    /// Where all are taken, the connection that has been idle longest gives its own, or else the
    /// one that is answered next.
    async fn admit(&self, stream: &TcpStream, peer: SocketAddr) -> Option<Slot> {
        let Some(of_address) = self.addresses.take(peer.ip()) else {
            self.configuration.metrics.reject(Limit::ConnectionsPerAddress);
            let _told_if_possible = stream.try_write(TOO_MANY);
            return None;
        };
        if self.slots.available_permits() == 0 {
            self.configuration.metrics.reject(Limit::Connections);
        }
        let permit = self.permit().await?;
        self.crowded.store(false, Ordering::Relaxed);
        Some(Slot::new(permit, of_address, self.open.clone()))
    }

    /// A permit, as soon as there is one: connections that are idle or dawdle are asked for theirs,
    /// one after another, and where there are none, one that is busy ends after its turn.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            let is_asked = self.slots.available_permits() == 0 && self.idlers.want_a_place();
            let patience = if is_asked { GOING_TAKES } else { TURN_TAKES };
            let permit = Arc::clone(&self.slots).acquire_owned();
            if let Ok(permit) = timeout(patience, permit).await {
                return permit.ok();
            }
            self.crowded.store(true, Ordering::Relaxed);
        }
    }

    fn closes_after_answer(&self) -> bool {
        let gives_its_place =
            self.crowded.load(Ordering::Relaxed) && self.crowded.swap(false, Ordering::Relaxed);
        gives_its_place || self.closes.load(Ordering::Relaxed)
    }
}

async fn serve<H: Handler>(
    room: Arc<Room<H>>,
    stream: TcpStream,
    peer: SocketAddr,
    slot: Slot,
    mut phase: watch::Receiver<Phase>,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "small answers may be held back");
    }
    let _panics = PanicWatch::of(&room.configuration.metrics, peer);
    let idler = room.idlers.take_in();
    let connection = Connection::new(peer, local, Arc::clone(&idler.idleness));
    let shaken = match &room.configuration.tls {
        None => Some((Socket::Plain(stream), connection)),
        Some(tls) => tokio::select! {
            biased;
            _ = phase.changed() => None,
            () = idler.idleness.wanted() => None,
            shaken = secured(&room.configuration, tls, stream, connection) => shaken,
        },
    };
    if let Some(secured) = shaken {
        exchange(&room, secured, &idler.idleness, phase).await;
    }
    drop(slot);
}

/// Serves a connection until it ends or has to go.
async fn exchange<H: Handler>(
    room: &Room<H>,
    (socket, connection): (Socket, Connection),
    idleness: &Idleness,
    mut phase: watch::Receiver<Phase>,
) {
    let io = TokioIo::new(Stream::new(socket, &connection, room.configuration.patience));
    let service = service_fn(|request| respond(room, &connection, request));
    let mut protocol = room.configuration.protocol.clone();
    protocol.timer(HeadTimer::new(&connection, room.configuration.head_patience));
    let mut exchange = pin!(protocol.serve_connection(io, service));
    loop {
        let changed = tokio::select! {
            biased;
            end = exchange.as_mut() => {
                explain(&room.configuration, &connection, end);
                break;
            }
            changed = phase.changed() => changed,
            () = connection.pace.answer_goes() => {
                room.configuration.metrics.reject(Limit::Stalled);
                break;
            }
            () = idleness.wanted() => {
                // hyper ends an idle connection, but not one that is still sending.
                if connection.can_go() {
                    break;
                }
                exchange.as_mut().graceful_shutdown();
                continue;
            }
        };
        let phase = *phase.borrow_and_update();
        exchange.as_mut().graceful_shutdown();
        if changed.is_err() || phase == Phase::Over {
            connection.give_up();
            let _ = timeout(LAST_BYTES_TAKE, exchange.as_mut()).await;
            break;
        }
    }
}

async fn respond<H: Handler>(
    room: &Room<H>,
    connection: &Connection,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Withheld> {
    connection.request_began();
    let is_last = request.version() == Version::HTTP_10 && !asks_to_keep_alive(request.headers());
    let handled = unless_it_panics(room.handler.handle(connection, request));
    let answered = tokio::select! {
        biased;
        handled = handled => {
            handled.unwrap_or_else(|| Err(room.configuration.panicked(connection)))
        }
        () = connection.given_up() => Err(Withheld::Unknown),
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(Withheld::Unknown) => return Ok(broken_off()),
        Err(ordered) => return Err(ordered),
    };
    connection.request_ended();
    if response.headers().contains_key(CONNECTION) {
        connection.expect_more();
    } else if is_last || room.closes_after_answer() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

fn asks_to_keep_alive(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut tokens = values.flat_map(|value| value.split(','));
    tokens.any(|token| token.trim().eq_ignore_ascii_case("keep-alive"))
}

/// Counts what ended a connection, if it was not its client's free will.
fn explain(configuration: &ListenerConfiguration, connection: &Connection, end: hyper::Result<()>) {
    let metrics = &configuration.metrics;
    let Err(error) = end else {
        return;
    };
    if error.is_timeout() {
        if connection.is_mid_request() {
            metrics.reject(Limit::HeadTimeout);
        }
    } else if error.is_parse_too_large() {
        metrics.reject(Limit::HeadBytes);
    } else if error.is_parse() {
        metrics.malformed_heads.inc();
    } else if connection.left_answer_unread() {
        metrics.reject(Limit::WriteTimeout);
    }
    if configuration.logs_requests && error.is_parse() {
        record::malformed(connection.peer, error.is_parse_too_large());
    }
    tracing::debug!(peer = %connection.peer, %error, "a connection ended early");
}
