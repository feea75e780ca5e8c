//! Processes that died while they held a message.

use smallvec::SmallVec;

/// Deaths of processes that held a message, which travel with it: a message that kills its process is found by them.
///
/// A process that shows up again did not die, its connection was cut: that is forgiven before a message is handed out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blame(SmallVec<[Death; 2]>);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// Of the text that the process gave at CONNECT.
    pub process: u64,
    /// Connections that the broker had accepted by then: a later one of the process says that it lives.
    pub epoch: u64,
    /// It held nothing else.
    pub alone: bool,
}

/// More are not counted: long before, a message is given up.
const MOST: usize = 32;

/// From this many deaths on a message is handed out alone. The first is not enough: what was in flight beside the
/// message that killed the process would all be handed out one by one.
const SUSPECT: usize = 2;

impl Blame {
    /// A process ended without a word while it held the message.
    pub fn add(&mut self, death: Death) {
        if self.0.len() < MOST {
            self.0.push(death);
        }
    }

    /// Takes back deaths that were none.
    pub fn forgive(&mut self, lives: impl Fn(&Death) -> bool) {
        self.0.retain(|death| !lives(death));
    }

    /// Deaths, and how many of them alone.
    pub fn count(&self) -> (usize, usize) {
        (self.0.len(), self.0.iter().filter(|death| death.alone).count())
    }

    /// Whether it is to be handed out alone.
    pub fn is_suspect(&self) -> bool {
        self.0.len() >= SUSPECT
    }
}
