//! How the listeners behave: every limit, its unit in its name, with a default.
//!
//! What must stay true: nothing that a client can send, send slowly or leave unread is without a
//! limit, and each limit is counted where it is enforced.

use super::address;
use super::network::Network;
use super::timing::HeadPatience;
use super::tls::TlsSettings;
use crate::xml::XmlLimits;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// hyper works with no less than this for the head of a request.
const HEAD_BYTES_LEAST: usize = 1024;
/// A connection that has less is slow on any network.
const SOCKET_BUFFER_LEAST: u32 = 4096;

/// The settings of both listeners. Sizes and counts that equal their limit are still accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// How many connections the public listener serves at once. One more gets the place of one that
    /// is idle or dawdles (`idle.rs`), and waits while there is none.
    pub connections_max: usize,
    /// How many connections one address may have; 0 is any number (a proxy is one address).
    pub connections_per_address_max: usize,
    /// How many connections the admin listener serves at once.
    pub admin_connections_max: usize,
    /// How long the head of a request may take, from its first byte; and on a connection that was
    /// never used, from its opening.
    pub head_timeout_ms: u64,
    /// How long a connection may be idle between two requests.
    pub idle_timeout_ms: u64,
    /// How long the head of a request may be.
    pub head_bytes_max: usize,
    /// How many header lines a request may have.
    pub headers_max: usize,
    /// How long a body may be on the wire.
    pub body_bytes_max: usize,
    /// How long a body may be once it is inflated.
    pub inflated_bytes_max: usize,
    /// How many bodies that are compressed or large are inflated and read at once; others wait.
    pub heavy_requests_max: usize,
    /// How many bytes of bodies that are being read and of answers that clients have not taken yet
    /// are held at once, over all connections; others wait. Bodies and answers of up to 64 KiB do
    /// not count.
    pub transit_bytes_max: usize,
    /// How many bytes the system holds for a connection in each direction; Linux takes twice as
    /// many.
    pub socket_buffer_bytes: u32,
    /// How long a body may take to come; the time that it waits for its place is apart.
    pub body_timeout_ms: u64,
    /// Until when the work of a request must have begun, from the end of its head.
    pub request_timeout_ms: u64,
    /// How long past that moment the outcome of begun work is awaited; then the answer breaks off,
    /// and the work goes on.
    pub outcome_wait_ms: u64,
    /// How long a client may leave an answer unread before its connection is dropped.
    pub write_timeout_ms: u64,
    /// How long a client that still sends what was refused is listened to, so that it can read why.
    pub linger_ms: u64,
    /// How long a stop waits for requests that have begun.
    pub drain_timeout_ms: u64,
    /// How many exchanges the journal keeps, on a test ledger with their bodies.
    pub journal_exchanges_max: usize,
    /// How much memory they may take together.
    pub journal_bytes_max: usize,
    /// Certificate and key, and what is asked of clients.
    pub tls: TlsSettings,
    /// The limits of a document.
    pub xml: XmlLimits,
    /// The address that answers name to clients, instead of the one that they used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Whether the public listener answers `/readyz`, by its status alone, for probes that cannot
    /// reach the admin listener.
    pub public_readiness: bool,
    /// The proxies whose `Forwarded` and `X-Forwarded-Host`, `-Port`, `-Proto` and `-For` count.
    pub trusted_proxies: Vec<Network>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connections_max: 512,
            connections_per_address_max: 0,
            admin_connections_max: 32,
            head_timeout_ms: 30_000,
            idle_timeout_ms: 75_000,
            head_bytes_max: 16 * 1024,
            headers_max: 64,
            body_bytes_max: 1024 * 1024,
            inflated_bytes_max: 4 * 1024 * 1024,
            heavy_requests_max: 4,
            transit_bytes_max: 64 * 1024 * 1024,
            socket_buffer_bytes: 64 * 1024,
            body_timeout_ms: 30_000,
            request_timeout_ms: 60_000,
            outcome_wait_ms: 15_000,
            write_timeout_ms: 30_000,
            linger_ms: 2_000,
            drain_timeout_ms: 30_000,
            journal_exchanges_max: 10_000,
            journal_bytes_max: 64 * 1024 * 1024,
            tls: TlsSettings::default(),
            xml: XmlLimits::default(),
            public_url: None,
            public_readiness: false,
            trusted_proxies: Vec::new(),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} {message}")]
pub struct SettingError {
    /// Its name.
    pub key: &'static str,
    /// What is wrong with it.
    pub message: &'static str,
}

impl HttpSettings {
    /// Checks what the types alone allow and no listener can work with.
    pub fn check(&self) -> Result<(), SettingError> {
        let positive = [
            ("connections_max", self.connections_max > 0),
            ("admin_connections_max", self.admin_connections_max > 0),
            ("head_timeout_ms", self.head_timeout_ms > 0),
            ("idle_timeout_ms", self.idle_timeout_ms > 0),
            ("headers_max", self.headers_max > 0),
            ("body_bytes_max", self.body_bytes_max > 0),
            ("inflated_bytes_max", self.inflated_bytes_max > 0),
            ("heavy_requests_max", self.heavy_requests_max > 0),
            ("body_timeout_ms", self.body_timeout_ms > 0),
            ("request_timeout_ms", self.request_timeout_ms > 0),
            ("write_timeout_ms", self.write_timeout_ms > 0),
            ("journal_exchanges_max", self.journal_exchanges_max > 0),
            ("journal_bytes_max", self.journal_bytes_max > 0),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, good)| !good) {
            return Err(SettingError { key, message: "must be above 0" });
        }
        if self.head_bytes_max < HEAD_BYTES_LEAST {
            return Err(SettingError { key: "head_bytes_max", message: "must be 1024 or more" });
        }
        if self.tls.handshake_timeout_ms == 0 {
            let key = "tls.handshake_timeout_ms";
            return Err(SettingError { key, message: "must be above 0" });
        }
        if self.transit_bytes_max < self.body_bytes_max {
            let message = "must not be less than body_bytes_max";
            return Err(SettingError { key: "transit_bytes_max", message });
        }
        if self.socket_buffer_bytes < SOCKET_BUFFER_LEAST {
            return Err(SettingError {
                key: "socket_buffer_bytes",
                message: "must be 4096 or more",
            });
        }
        if self.public_url.as_deref().is_some_and(|url| !address::is_base_url(url)) {
            let message = "must be an http or https address without a query";
            return Err(SettingError { key: "public_url", message });
        }
        Ok(())
    }

    pub(super) fn head_patience(&self) -> HeadPatience {
        HeadPatience {
            head: Duration::from_millis(self.head_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
        }
    }

    pub(super) fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }

    pub(super) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }

    pub(super) fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used() {
        assert_eq!(HttpSettings::default().check(), Ok(()));
    }

    #[test]
    fn settings_without_a_use_are_named() {
        let broken = [
            (HttpSettings { connections_max: 0, ..HttpSettings::default() }, "connections_max"),
            (HttpSettings { head_bytes_max: 100, ..HttpSettings::default() }, "head_bytes_max"),
            (
                HttpSettings { public_url: Some("example.com".into()), ..HttpSettings::default() },
                "public_url",
            ),
        ];
        for (settings, key) in broken {
            assert_eq!(settings.check().unwrap_err().key, key);
        }
    }

    #[test]
    fn settings_left_out_keep_their_defaults_and_unknown_ones_are_errors() {
        let read = |text| toml::from_str::<HttpSettings>(text);
        let settings = read("headers_max = 5\n[xml]\ndepth_max = 7").unwrap();
        assert_eq!((settings.headers_max, settings.xml.depth_max), (5, 7));
        assert_eq!(settings.body_bytes_max, HttpSettings::default().body_bytes_max);
        assert!(read("header_max = 5").is_err());
    }
}
