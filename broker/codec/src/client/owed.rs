//! Acknowledgements that a server does not read.

/// Bytes of acknowledgements that wait for the socket; past them nothing is read. What the open deliveries are owed comes on top.
const MOST: usize = 512 << 10;

/// How much of what waits for the socket are acknowledgements: a client that goes on reading while its server does not would keep more
/// and more of them. Publishes are not counted, since others bound them: one that is large must not keep its own acknowledgement
/// from being read.
#[derive(Debug, Default)]
pub struct Owed {
    /// Since nothing waited. Some of it may have been written since.
    bytes: usize,
}

impl Owed {
    /// So many bytes of acknowledgements were added to what waits.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// The socket took something; `left` bytes wait.
    pub fn wrote(&mut self, left: usize) {
        if left == 0 {
            self.bytes = 0;
        }
    }

    /// True when nothing may be read while `waiting` bytes wait.
    pub fn is_much(&self, waiting: usize) -> bool {
        self.bytes.min(waiting) >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_are_counted_and_publishes_are_not() {
        let mut owed = Owed::default();
        owed.add(MOST - 1);
        assert!(!owed.is_much(10 * MOST), "the rest are publishes");
        owed.add(1);
        assert!(owed.is_much(MOST));
        owed.wrote(MOST - 1);
        assert!(!owed.is_much(MOST - 1), "there is room again");
        owed.wrote(0);
        owed.add(10);
        assert!(!owed.is_much(10 * MOST), "counted anew");
    }
}
