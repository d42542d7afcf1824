//! The limits that refuse something, as the label `limit` names them.

use crate::call::CallLimit;
use crate::xml::LimitKind;
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use std::fmt;

/// A limit that refused something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::http) enum Limit {
    Connections,
    ConnectionsPerAddress,
    /// hyper refused a head: too long, or with more lines than it will count.
    HeadBytes,
    HeadTimeout,
    /// A client of TLS did not shake hands, or not in time.
    Handshake,
    Headers,
    BodyBytes,
    InflatedBytes,
    HeavyRequests,
    BodyTimeout,
    /// A large body or answer had no share of the budget in time.
    TransitBytes,
    /// A client that stalled gave its share up.
    Stalled,
    RequestTimeout,
    WriteTimeout,
    LedgerQueue,
    LoginGuard,
    /// A caller of REST has made too many calls, or has too many under way.
    RestCalls,
    Xml(LimitKind),
}

impl Limit {
    const OF_TRANSPORT: [Self; 17] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::HeadBytes,
        Self::HeadTimeout,
        Self::Handshake,
        Self::Headers,
        Self::BodyBytes,
        Self::InflatedBytes,
        Self::HeavyRequests,
        Self::BodyTimeout,
        Self::TransitBytes,
        Self::Stalled,
        Self::RequestTimeout,
        Self::WriteTimeout,
        Self::LedgerQueue,
        Self::LoginGuard,
        Self::RestCalls,
    ];

    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::OF_TRANSPORT.into_iter().chain(LimitKind::ALL.map(Self::Xml))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsPerAddress => "connections per address",
            Self::HeadBytes => "head bytes",
            Self::HeadTimeout => "head timeout",
            Self::Handshake => "tls handshake",
            Self::Headers => "headers",
            Self::BodyBytes => "body bytes",
            Self::InflatedBytes => "inflated bytes",
            Self::HeavyRequests => "heavy requests",
            Self::BodyTimeout => "body timeout",
            Self::TransitBytes => "transit bytes",
            Self::Stalled => "stalled",
            Self::RequestTimeout => "request timeout",
            Self::WriteTimeout => "write timeout",
            Self::LedgerQueue => "ledger queue",
            Self::LoginGuard => "login guard",
            Self::RestCalls => "rest calls",
            Self::Xml(kind) => kind.name(),
        }
    }
}

impl From<CallLimit> for Limit {
    fn from(limit: CallLimit) -> Self {
        match limit {
            CallLimit::Document(kind) => Self::Xml(kind),
            CallLimit::LedgerQueue => Self::LedgerQueue,
            CallLimit::LoginGuard => Self::LoginGuard,
            CallLimit::RestCalls => Self::RestCalls,
            CallLimit::RequestTimeout => Self::RequestTimeout,
        }
    }
}

impl EncodeLabelValue for Limit {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.name().replace(' ', "_"), encoder)
    }
}
