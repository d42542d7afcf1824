//! What the nodes of one ledger share beside its rows: who deals with what, how often passwords
//! were wrong, and that something changed which each of them keeps in memory.
//!
//! What must stay true: a claim is one node's at a time, by the time of the database alone; it ends
//! when it is given back, or when its node has not been heard of for [`NODE_SPAN`]. All of this may
//! be lost at any moment (when the database fails over) and nothing false follows: two nodes may
//! then do the same at once, and what is written about it is compared inside its transaction.

use super::Reply;
use crate::domain::id::RefundNumber;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::watch;

/// For how long a node that says nothing is still there.
pub const NODE_SPAN: Duration = Duration::from_secs(20);

/// Something that one node at a time deals with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    pub(super) kind: &'static str,
    pub(super) name: String,
}

impl Claim {
    /// The order of a refund, and its gateway.
    pub fn order(number: RefundNumber) -> Self {
        Self { kind: "order", name: number.value().to_string() }
    }

    /// All deliveries to a webhook.
    pub fn webhook(name: &str) -> Self {
        Self { kind: "webhook", name: name.to_owned() }
    }

    /// A request with an idempotency key, whose answer is still to be amended.
    pub fn key(digest: &str) -> Self {
        Self { kind: "key", name: digest.to_owned() }
    }
}

/// Wrong passwords, by how long ago each was, the longest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrongLogins {
    /// For one name from one address.
    pub of_pair: Vec<Duration>,
    /// From one address for any name, within a minute.
    pub of_address: Vec<Duration>,
}

/// Where a wrong password came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFrom {
    /// The digest of the user's name.
    pub name: [u8; 32],
    /// The address, or the network that counts as one.
    pub address: IpAddr,
}

/// What the nodes of a ledger share.
pub trait Sharing: Send + Sync {
    /// Whether there was no other node when this one began.
    fn is_first(&self) -> bool;

    /// Takes something that no other node has, if it was given back at least `rested` ago; also
    /// what this node has already.
    fn claim(&self, claim: Claim, rested: Duration) -> Reply<bool>;

    /// Gives back what was claimed, some time soon. What is over is not claimed again, and nothing
    /// has to be known of it.
    fn give_back(&self, claim: Claim, is_over: bool);

    /// The wrong passwords that may count against another attempt: of the pair within `window`, and
    /// of the address within a minute; of each the last ones, as many as `most` says.
    fn wrong_logins(
        &self,
        from: LoginFrom,
        window: Duration,
        most: (usize, usize),
    ) -> Reply<WrongLogins>;

    /// Notes a wrong password. It is forgotten after `window`.
    fn note_wrong_login(&self, from: LoginFrom, window: Duration) -> Reply<()>;

    /// Changes whenever rows were changed, by any node, that each keeps in memory: the tenant's
    /// settings and fields, gateways, users.
    fn changes(&self) -> watch::Receiver<i64>;
}
