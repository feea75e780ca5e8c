//! Counts connections, in all and by address.

use std::{net::IpAddr, sync::Arc};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Open connections, whole and by address: counted from accept on, before any CONNECT.
#[derive(Debug, Default)]
pub struct Slots {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    whole: usize,
    by_address: FxHashMap<IpAddr, usize>,
}

/// One connection's place; given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    address: IpAddr,
}

impl Slots {
    /// A place for a connection from `address`; `None` when one of the limits is reached.
    pub fn take(slots: &Arc<Self>, address: IpAddr, whole: usize, each: usize) -> Option<Slot> {
        let address = address.to_canonical();
        let mut open = slots.open.lock();
        if open.whole >= whole || open.by_address.get(&address).is_some_and(|count| *count >= each) {
            return None;
        }
        open.whole += 1;
        *open.by_address.entry(address).or_default() += 1;
        Some(Slot { slots: Arc::clone(slots), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open.lock();
        open.whole -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_places_come_back() {
        let slots = Arc::new(Slots::default());
        let [a, b] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let first = Slots::take(&slots, a, 3, 2);
        let second = Slots::take(&slots, a, 3, 2);
        assert!(first.is_some() && second.is_some() && Slots::take(&slots, a, 3, 2).is_none());
        let _third = Slots::take(&slots, b, 3, 2);
        assert!(Slots::take(&slots, b, 3, 2).is_none());
        drop(first);
        assert!(Slots::take(&slots, a, 3, 2).is_some());
    }
}
