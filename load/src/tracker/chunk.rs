//! 256 messages of one key: which were acknowledged, which came out, and when each was due.

/// Messages in a chunk.
pub const SIZE: u32 = 256;

/// A bit for each message of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bits([u64; 4]);

impl Bits {
    fn get(self, at: u32) -> bool {
        self.0[(at / 64) as usize] >> (at % 64) & 1 == 1
    }

    fn set(&mut self, at: u32) {
        self.0[(at / 64) as usize] |= 1 << (at % 64);
    }

    fn all(self) -> bool {
        self.0 == [u64::MAX; 4]
    }

    fn or(self, other: Bits) -> Bits {
        Bits(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }
}

/// A due time that is not known any more.
const FORGOTTEN: u32 = u32::MAX;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    acked: Bits,
    received: Bits,
    failed: Bits,
    /// Due times in ticks, for as many messages as were issued; emptied once all came out.
    due: Vec<u32>,
    issued: u32,
}

impl Chunk {
    /// Takes the next message in; `due` is not kept when `None`. Gives how many due times more it holds.
    pub fn issue(&mut self, due: Option<u32>) -> usize {
        self.issued += 1;
        match due {
            Some(due) => {
                // What was not kept in between has a place all the same.
                let missing = self.issued as usize - 1 - self.due.len();
                self.due.extend(std::iter::repeat_n(FORGOTTEN, missing));
                self.due.push(due.min(FORGOTTEN - 1));
                missing + 1
            }
            None => 0,
        }
    }

    /// How many messages it has.
    pub fn issued(&self) -> u32 {
        self.issued
    }

    /// Notes an acknowledgement; false when it was noted before.
    pub fn ack(&mut self, at: u32) -> bool {
        let new = !self.acked.get(at);
        self.acked.set(at);
        new
    }

    /// True when acknowledged.
    pub fn acked(&self, at: u32) -> bool {
        self.acked.get(at)
    }

    /// Notes an output; false when it was noted before.
    pub fn receive(&mut self, at: u32) -> bool {
        let new = !self.received.get(at);
        self.received.set(at);
        new
    }

    /// True when it came out.
    pub fn received(&self, at: u32) -> bool {
        self.received.get(at)
    }

    /// Notes that no output is to come; false when that was noted before.
    pub fn fail(&mut self, at: u32) -> bool {
        let new = !self.failed.get(at);
        self.failed.set(at);
        new
    }

    /// True when no output is to come.
    pub fn failed(&self, at: u32) -> bool {
        self.failed.get(at)
    }

    /// When it was due.
    pub fn due(&self, at: u32) -> Option<u32> {
        self.due.get(at as usize).copied().filter(|due| *due != FORGOTTEN)
    }

    /// Frees the due times once all messages came out; gives how many that were.
    pub fn trim(&mut self) -> usize {
        if self.issued == SIZE && self.received.or(self.failed).all() { std::mem::take(&mut self.due).len() } else { 0 }
    }

    /// True when nothing more is expected of it: full, all acknowledged and out. What failed may come
    /// out all the same, so the chunk of a failed message is kept until then.
    pub fn complete(&self) -> bool {
        self.issued == SIZE && self.received.all() && self.acked.or(self.failed).all()
    }
}
