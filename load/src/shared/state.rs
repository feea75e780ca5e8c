//! What all clients of a run share. One thread: cells, no locks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::watch;

use super::book::Book;
use super::clock::Clock;
use super::keys::Keys;
use crate::scenario::Checked;
use crate::template::Finder;

/// See the module.
pub struct Run {
    /// 24 bits that tell this run's messages from others.
    pub id: u32,
    /// When it began.
    pub clock: Cell<Clock>,
    /// The scenario.
    pub scenario: Checked,
    /// Which key has which number.
    pub keys: Keys,
    /// What is counted.
    pub book: RefCell<Book>,
    /// Finds this run's marks.
    pub finder: Finder,
    phase: watch::Sender<Phase>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Connections are made.
    Connecting,
    /// Messages are sent.
    Sending,
    /// Nothing new is sent; what is under way is waited for.
    Draining,
    /// Everybody ends.
    Ended,
}

impl Run {
    /// A run of a scenario.
    pub fn new(id: u32, scenario: Checked, findings: usize) -> Rc<Run> {
        let mut book = Book::new(findings, scenario.streams.len());
        let keys = Keys::new(&scenario, &mut book.tracker);
        Rc::new(Run {
            id,
            clock: Cell::new(Clock::start()),
            scenario,
            keys,
            book: RefCell::new(book),
            finder: Finder::new(id),
            phase: watch::Sender::new(Phase::Connecting),
        })
    }

    /// Seconds since the begin.
    pub fn now(&self) -> f64 {
        self.clock.get().seconds()
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Goes on; never back.
    pub fn enter(&self, phase: Phase) {
        self.phase.send_if_modified(|current| {
            let forward = phase > *current;
            if forward {
                *current = phase;
            }
            forward
        });
    }

    /// Sees changes of the phase.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }
}
