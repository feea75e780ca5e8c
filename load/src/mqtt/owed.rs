//! Acknowledgements that a broker does not read.

/// Bytes of acknowledgements that wait for the socket; past them nothing is read.
const MOST: usize = 512 << 10;

/// How much of what waits for the socket are acknowledgements. Publishes are bounded elsewhere; one that is large must not keep
/// its own acknowledgement from being read.
#[derive(Debug, Default)]
pub struct Owed(usize);

impl Owed {
    /// So many bytes of acknowledgements were added to what waits.
    pub fn add(&mut self, bytes: usize) {
        self.0 += bytes;
    }

    /// True when nothing may be read while `waiting` bytes wait.
    pub fn is_much(&mut self, waiting: usize) -> bool {
        if waiting == 0 {
            self.0 = 0;
        }
        self.0.min(waiting) >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_waits_for_a_broker_that_does_not_read() {
        let mut owed = Owed::default();
        owed.add(MOST - 1);
        assert!(!owed.is_much(10 * MOST), "the rest are publishes");
        owed.add(1);
        assert!(owed.is_much(MOST) && !owed.is_much(MOST - 1));
        assert!(!owed.is_much(0));
        owed.add(1);
        assert!(!owed.is_much(10 * MOST), "counted anew");
    }
}
