//! The ids of requests that come without one of their own.
//!
//! What must stay true: no id is given twice by one ledger's gateway, not even after a restart;
//! where ids are seeded, each follows from the seed, from how often a gateway began on the ledger,
//! and from the requests before it.

use super::Service;
use crate::domain::hex::hex;
use crate::domain::origin::RequestId;
use crate::ledger::LedgerError;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// Makes the ids of requests.
#[derive(Debug)]
pub(super) struct RequestIds(Mutex<State>);

#[derive(Debug)]
struct State {
    source: Source,
    next: u64,
}

#[derive(Debug)]
enum Source {
    /// What distinguishes this process from others; ids sort by time.
    Process(u64),
    /// What the seed makes of this beginning.
    Seeded([u8; 32]),
}

impl RequestIds {
    /// Ids that follow from `seeded`, or where there is no seed, ids of this process.
    pub(super) fn new(seeded: Option<[u8; 32]>) -> Self {
        let drawn = || {
            let mut bytes = [0_u8; 8];
            // Without random bytes ids still differ by time and count.
            let _ = getrandom::fill(&mut bytes);
            u64::from_be_bytes(bytes)
        };
        let source = seeded.map_or_else(|| Source::Process(drawn()), Source::Seeded);
        Self(Mutex::new(State { source, next: 0 }))
    }

    /// Begins again with the ids of another beginning, where ids are seeded.
    fn begin_anew(&self, seeded: Option<[u8; 32]>) {
        if let Some(seeded) = seeded {
            let mut state = self.0.lock();
            *state = State { source: Source::Seeded(seeded), next: 0 };
        }
    }

    fn next(&self, now: DateTime<Utc>) -> Option<RequestId> {
        let mut state = self.0.lock();
        let count = state.next;
        state.next = count.wrapping_add(1);
        let bytes: [u8; 16] = match &state.source {
            Source::Process(salt) => {
                // 48 bits of milliseconds, 40 of salt and 40 of the count.
                let millis = u128::from(now.timestamp_millis().cast_unsigned() & 0xffff_ffff_ffff);
                let (salt, count) = (salt & 0xff_ffff_ffff, count & 0xff_ffff_ffff);
                (millis << 80 | u128::from(salt) << 40 | u128::from(count)).to_be_bytes()
            }
            Source::Seeded(seed) => {
                let mut hash = Sha256::new();
                hash.update(seed);
                hash.update(count.to_be_bytes());
                let bytes: [u8; 32] = hash.finalize().into();
                bytes.first_chunk().copied().unwrap_or_default()
            }
        };
        RequestId::parse(&hex(&bytes))
    }
}

impl Service {
    /// An id for a request that has none: 32 lower-case hex characters.
    pub fn next_request_id(&self) -> Option<RequestId> {
        self.request_ids.next(self.clock.now())
    }

    /// Takes up the ids of a ledger that was made anew.
    pub(super) async fn begin_request_ids_anew(&self) -> Result<(), LedgerError> {
        self.request_ids.begin_anew(self.ledger.begin_request_ids().await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ids(ids: &RequestIds) -> Vec<String> {
        let next = |_| ids.next(DateTime::UNIX_EPOCH).unwrap().to_string();
        (0..100).map(next).collect()
    }

    #[test]
    fn seeded_ids_repeat_with_their_beginning_and_never_else() {
        let [one, same, other] =
            [[1; 32], [1; 32], [2; 32]].map(|seed| RequestIds::new(Some(seed)));
        let first = ids(&one);
        assert_eq!(first, ids(&same));
        let all: BTreeSet<String> =
            [first.clone(), ids(&one), ids(&other)].into_iter().flatten().collect();
        assert_eq!(all.len(), 300);
        assert!(all.iter().all(|id| id.len() == 32));
        one.begin_anew(Some([1; 32]));
        assert_eq!(ids(&one), first);
    }

    #[test]
    fn other_ids_differ_between_processes_and_sort_by_time() {
        let (one, other) = (RequestIds::new(None), RequestIds::new(None));
        let first = ids(&one);
        assert!(first.is_sorted() && first.iter().all(|id| id.len() == 32));
        assert!(ids(&other).iter().all(|id| !first.contains(id)));
    }
}
