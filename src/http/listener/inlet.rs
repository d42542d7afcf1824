//! The way into a listener from within this process, which needs no socket and no TLS.
//!
//! What must stay true: what comes this way has a place among the connections, is counted and
//! drained as any other, and is let in by the program itself alone.

use super::panics::PanicWatch;
use super::{Handler, Room, exchange};
use crate::call::Users;
use crate::http::connection::Connection;
use crate::http::loopback::reachable;
use crate::http::slots::Slot;
use crate::http::stream::Socket;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, watch};

/// Takes one end of a connection.
pub(in crate::http) type Inlet = Arc<dyn Fn(DuplexStream) + Send + Sync>;

/// Serves what comes from within as it would what came from this machine; nothing where the
/// listener is being stopped.
pub(super) fn to<H: Handler>(
    room: &Arc<Room<H>>,
    address: SocketAddr,
    phase: &watch::Receiver<super::Phase>,
    open: &mpsc::Sender<Infallible>,
) -> Inlet {
    let (room, phase, open) = (Arc::clone(room), phase.clone(), open.downgrade());
    Arc::new(move |stream| {
        let Some(open) = open.upgrade() else { return };
        let (room, phase) = (Arc::clone(&room), phase.clone());
        tokio::spawn(async move {
            let peer = SocketAddr::new(reachable(address).ip(), 0);
            let slot = room.permit().await.zip(room.addresses.take(peer.ip()));
            if let Some((permit, of_address)) = slot {
                let _panics = PanicWatch::of(&room.configuration.metrics, peer);
                let slot = Slot::new(permit, of_address, room.open.clone());
                let idler = room.idlers.take_in();
                let idleness = Arc::clone(&idler.idleness);
                let connection = Connection::new(peer, address, idleness);
                let connection = match room.configuration.tls {
                    None => connection,
                    Some(_) => connection.secured(Users::default()),
                };
                let secured = (Socket::Within(stream), connection);
                exchange(&room, secured, &idler.idleness, phase).await;
                drop(slot);
            }
            drop(open);
        });
    })
}
