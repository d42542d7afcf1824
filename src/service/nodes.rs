//! What this process owes to the other nodes of its ledger: it forgets what they changed, and asks
//! before it does what one node at a time may do.
//!
//! What must stay true: what is kept in memory of the tenant's settings, gateways, users and
//! sessions is as old as the last look at the ledger's count of changes, a second at most as long
//! as the ledger answers; where there are no other nodes, none of this costs anything.

use super::Service;
use super::idempotency::Once;
use crate::domain::hex::hex;
use crate::ledger::sharing::{Claim, Sharing};
use crate::ledger::{LedgerError, UserKey};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// The wait before what could not be read again is read again.
const READ_AGAIN: Duration = Duration::from_millis(500);

/// Something that is this node's until this is dropped.
pub(super) struct Held {
    sharing: Arc<dyn Sharing>,
    claim: Claim,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sharing.give_back(self.claim.clone(), true);
    }
}

impl Service {
    /// Reads again what other nodes changed, as soon as that is known, until the service is ended
    /// or gone.
    pub(super) fn start_following_nodes(self: &Arc<Self>) {
        let Some(mut changes) = self.ledger.sharing().map(|sharing| sharing.changes()) else {
            return;
        };
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                loop {
                    let Some(service) = service.upgrade() else { return };
                    if service.is_ending.load(Ordering::Acquire) {
                        return;
                    }
                    match service.know_what_others_changed().await {
                        Ok(()) => break,
                        Err(error) => {
                            tracing::warn!(%error, "the ledger changed, and is read again");
                        }
                    }
                    drop(service);
                    sleep(READ_AGAIN).await;
                }
            }
        });
    }

    async fn know_what_others_changed(&self) -> Result<(), LedgerError> {
        self.ledger.know_its_tenant().await?;
        self.processors.follow(self.ledger.gateways().await?);
        self.sessions.forget();
        self.tokens.forget();
        Ok(())
    }

    /// Keeps other nodes from what is claimed. An error where another one has it.
    pub(super) async fn hold(&self, claim: Claim) -> Result<Option<Held>, KeyHeld> {
        let Some(sharing) = self.ledger.sharing() else { return Ok(None) };
        match sharing.claim(claim.clone(), Duration::ZERO).await {
            Ok(true) => Ok(Some(Held { sharing, claim })),
            Ok(false) => Err(KeyHeld::ByAnother),
            Err(error) => Err(KeyHeld::Unknown(error)),
        }
    }
}

/// The claim to a request with a key whose answer is amended once gateways were asked, so that all
/// who send it get the same bytes.
pub(super) fn of_key(user: UserKey, once: &Once) -> Claim {
    let mut hash = Sha256::new();
    hash.update(user.0.to_be_bytes());
    hash.update(once.scope.name().as_bytes());
    hash.update([0]);
    hash.update(once.key.as_str().as_bytes());
    Claim::key(&hex(&hash.finalize()))
}

/// Why a key is not this node's.
pub(super) enum KeyHeld {
    /// Another node deals with a request of this key.
    ByAnother,
    /// It could not be found out.
    Unknown(LedgerError),
}
