//! A bounded number of kept connections to one endpoint, for many who ask at once.
//!
//! What must stay true: waiting for a connection sends nothing, so that who gave up knows it.

use super::{Answer, ClientError, ClientLimits, Connection, Endpoint, Request, Trust};
use parking_lot::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a connection may lie unused; servers close theirs after a minute or so.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Connections to one endpoint.
pub struct Pool {
    endpoint: Endpoint,
    limits: ClientLimits,
    trust: Trust,
    permits: Semaphore,
    idle: Mutex<Vec<(Instant, Connection)>>,
}

impl Pool {
    /// A pool of at most `connections_max` connections, none of which is open yet.
    pub fn new(
        endpoint: Endpoint,
        limits: ClientLimits,
        trust: Trust,
        connections_max: usize,
    ) -> Self {
        let permits = Semaphore::new(connections_max.max(1));
        Self { endpoint, limits, trust, permits, idle: Mutex::default() }
    }

    /// Where its requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a request on a connection that is free, or becomes so within the time of connecting.
    pub async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        let free = tokio::time::timeout(self.limits.connect, self.permits.acquire()).await;
        let Ok(Ok(_permit)) = free else { return Err(ClientError::Busy(self.limits.connect)) };
        let mut connection = self.take();
        let answer = connection.send(request).await;
        if connection.is_open() {
            let mut idle = self.idle.lock();
            idle.push((Instant::now(), connection));
        }
        answer
    }

    /// The connection that was used last, because it is the likeliest to be open still.
    fn take(&self) -> Connection {
        let mut idle = self.idle.lock();
        idle.retain(|(since, _)| since.elapsed() < IDLE_MAX);
        let kept = idle.pop().map(|(_, connection)| connection);
        let new =
            || Connection::trusting(self.endpoint.clone(), self.limits, Some(self.trust.clone()));
        kept.unwrap_or_else(new)
    }
}
