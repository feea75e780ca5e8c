//! The newest entries of something that never ends, with a position each.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::watch;

/// The newest entries, bounded by their number and their bytes. Each has a position; positions grow by one.
pub struct Ring<T> {
    kept: Mutex<Kept<T>>,
    next: watch::Sender<u64>,
    most: usize,
    most_bytes: usize,
}

struct Kept<T> {
    entries: VecDeque<(T, usize)>,
    bytes: usize,
    /// The position that the next entry gets.
    next: u64,
}

/// What a look at a [`Ring`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries, each with its position.
    pub entries: Vec<(u64, T)>,
    /// Entries between the asked position and these that are kept no more.
    pub lost: u64,
    /// The position that the next entry gets: a look from there on misses nothing.
    pub next: u64,
}

impl<T: Clone> Ring<T> {
    /// An empty ring. The first entry gets the position `first`.
    pub fn new(first: u64, most: usize, most_bytes: usize) -> Ring<T> {
        let kept = Kept { entries: VecDeque::new(), bytes: 0, next: first };
        Ring { kept: Mutex::new(kept), next: watch::Sender::new(first), most, most_bytes }
    }

    /// Adds what `make` makes of the entry's position, with its size in bytes. The oldest entries make room.
    pub fn push(&self, make: impl FnOnce(u64) -> (T, usize)) {
        let mut kept = self.kept.lock();
        let (entry, bytes) = make(kept.next);
        kept.next += 1;
        kept.bytes += bytes;
        kept.entries.push_back((entry, bytes));
        while kept.entries.len() > self.most || (kept.bytes > self.most_bytes && kept.entries.len() > 1) {
            let Some((_, bytes)) = kept.entries.pop_front() else { break };
            kept.bytes -= bytes;
        }
        let next = kept.next;
        drop(kept);
        // Two threads may come here in the other order than above.
        self.next.send_if_modified(|told| {
            let grows = *told < next;
            *told = next.max(*told);
            grows
        });
    }

    /// At most `most` entries from a position on, the oldest first. A position that is not there yet, of another life of
    /// this log, counts as the first.
    pub fn from(&self, position: u64, most: usize) -> Page<T> {
        let kept = self.kept.lock();
        let first = kept.next - kept.entries.len() as u64;
        let asked = if position > kept.next { first } else { position };
        let from = asked.max(first);
        let skip = usize::try_from(from - first).unwrap_or(usize::MAX);
        let entries: Vec<_> = (from..).zip(kept.entries.iter().skip(skip).take(most).map(|(e, _)| e.clone())).collect();
        Page { lost: from - asked, next: from + entries.len() as u64, entries }
    }

    /// The position that the next entry gets.
    pub fn next(&self) -> u64 {
        self.kept.lock().next
    }

    /// Follows the position that the next entry gets.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.next.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(page: &Page<u64>) -> Vec<u64> {
        page.entries.iter().map(|(position, _)| *position).collect()
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let ring = Ring::new(100, 3, 1000);
        (0..5).for_each(|_| ring.push(|position| (position, 1)));
        let page = ring.from(100, 10);
        assert_eq!((positions(&page), page.lost, page.next), (vec![102, 103, 104], 2, 105));
        assert!(page.entries.iter().all(|(position, entry)| position == entry));
        assert_eq!(ring.next(), 105, "also when nobody looks from there");
        let page = ring.from(103, 1);
        assert_eq!((positions(&page), page.lost, page.next), (vec![103], 0, 104));
        assert_eq!(positions(&ring.from(105, 10)), Vec::<u64>::new());
    }

    #[test]
    fn bytes_are_bounded_and_the_newest_is_always_there() {
        let ring = Ring::new(0, 100, 10);
        for size in [4, 4, 4, 50] {
            ring.push(|position| (position, size));
        }
        assert_eq!(positions(&ring.from(0, 10)), [3]);
    }

    #[test]
    fn a_position_of_another_life_counts_as_the_first() {
        let ring = Ring::new(10, 3, 1000);
        ring.push(|position| (position, 1));
        assert_eq!(positions(&ring.from(1_000, 10)), [10]);
    }

    #[tokio::test]
    async fn who_follows_hears_of_each_position() {
        let ring = Ring::new(7, 3, 1000);
        let mut next = ring.watch();
        ring.push(|position| (position, 1));
        next.changed().await.unwrap();
        assert_eq!(*next.borrow_and_update(), 8);
    }
}
