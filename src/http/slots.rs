//! Places for connections, in all and for each address.

use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// The place of an open connection; it is free again when this is dropped.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    _of_address: AddressSlot,
    open: Gauge,
}

impl Slot {
    pub(super) fn new(permit: OwnedSemaphorePermit, of_address: AddressSlot, open: Gauge) -> Self {
        open.inc();
        Self { _permit: permit, _of_address: of_address, open }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// How many connections each address has, if that is limited at all.
#[derive(Debug, Clone)]
pub(super) struct AddressSlots {
    max: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of an address.
#[derive(Debug)]
pub(super) struct AddressSlot(Option<(AddressSlots, IpAddr)>);

impl AddressSlots {
    /// Up to `max` for each address; 0 is any number.
    pub(super) fn new(max: usize) -> Self {
        Self { max, taken: Arc::default() }
    }

    /// A place for one more connection of `address`, unless it has all of its own.
    pub(super) fn take(&self, address: IpAddr) -> Option<AddressSlot> {
        if self.max == 0 {
            return Some(AddressSlot(None));
        }
        let address = address.to_canonical();
        let mut taken = self.taken.lock();
        let count = taken.entry(address).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(AddressSlot(Some((self.clone(), address))))
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let Some((slots, address)) = &self.0 else {
            return;
        };
        let mut taken = slots.taken.lock();
        if let Some(count) = taken.get_mut(address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_place_back() {
        let slots = AddressSlots::new(1);
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let first = slots.take(address).unwrap();
        assert!(slots.take(mapped).is_none());
        assert!(slots.take("127.0.0.2".parse().unwrap()).is_some());
        drop(first);
        assert!(slots.take(mapped).is_some());
        assert!(slots.taken.lock().is_empty());
    }

    #[test]
    fn zero_is_any_number() {
        let slots = AddressSlots::new(0);
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let all: Vec<_> = (0..100).map(|_| slots.take(address)).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
