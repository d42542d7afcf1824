//! A connection before its first request, where the listener speaks TLS.
//!
//! What must stay true: a handshake has its place among the connections, and can be asked for it as
//! long as it dawdles.

use super::connection::Connection;
use super::listener::ListenerConfiguration;
use super::metrics::Limit;
use super::stream::Socket;
use super::tls::{self, NoTls, Tls};
use crate::call::Users;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Shakes hands with a client of TLS; one that speaks plain HTTP gets a 400 in plain text.
pub(super) async fn secured(
    configuration: &ListenerConfiguration,
    tls: &Tls,
    stream: TcpStream,
    connection: Connection,
) -> Option<(Socket, Connection)> {
    connection.idleness.await_more();
    match tls.accept(stream).await {
        Ok(stream) => {
            connection.idleness.begin();
            let users = Users::named(tls::names_of_client(&stream));
            Some((Socket::Tls(Box::new(stream)), connection.secured(users)))
        }
        Err(refused) => {
            configuration.metrics.reject(Limit::Handshake);
            if let NoTls::Plain(mut stream) = refused {
                // Who does not read it, or not in time, has it no better otherwise.
                let telling = tls::tell_plain(&mut stream);
                let _ = timeout(configuration.patience.linger, telling).await;
            }
            None
        }
    }
}
