//! A revision on probation: what fails with it is not given up before it is known whether the revision stays.

use parking_lot::Mutex;

type Decision = Box<dyn FnOnce(bool) + Send>;

/// Holds back the end of work that failed, while a revision is on probation.
#[derive(Default)]
pub struct Canary {
    phase: Mutex<Phase>,
}

#[derive(Default)]
enum Phase {
    /// The revision that runs stays.
    #[default]
    Stays,
    /// A revision is on probation, and this waits for the result.
    Probation(Vec<Decision>),
    /// The revision did not pass, and runs until it is replaced.
    Goes,
}

impl Canary {
    /// A revision's probation begins.
    pub fn begin(&self) {
        let mut phase = self.phase.lock();
        if !matches!(*phase, Phase::Probation(_)) {
            *phase = Phase::Probation(Vec::new());
        }
    }

    /// Probation is over. With `passed` what failed is treated as failed; else it goes back to where it came from, and so
    /// does all that still fails with this revision, until [`Canary::begin`] or `end(true)` says that another one runs.
    pub fn end(&self, passed: bool) {
        let before = {
            let mut phase = self.phase.lock();
            let next = match &*phase {
                _ if passed => Phase::Stays,
                Phase::Stays => Phase::Stays,
                Phase::Probation(_) | Phase::Goes => Phase::Goes,
            };
            std::mem::replace(&mut *phase, next)
        };
        if let Phase::Probation(held) = before {
            held.into_iter().for_each(|decision| decision(passed));
        }
    }

    /// Calls back with whether the revision passed its probation: at once when none is on.
    pub fn decide(&self, decision: impl FnOnce(bool) + Send + 'static) {
        let passed = match &mut *self.phase.lock() {
            Phase::Probation(held) => return held.push(Box::new(decision)),
            Phase::Stays => true,
            Phase::Goes => false,
        };
        decision(passed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_fails_on_probation_waits_for_its_end() {
        let (canary, seen) = (Canary::default(), Arc::new(Mutex::new(Vec::new())));
        let note = |canary: &Canary, number: u8| {
            let seen = seen.clone();
            canary.decide(move |passed| seen.lock().push((number, passed)));
        };
        note(&canary, 1);
        canary.begin();
        canary.begin();
        note(&canary, 2);
        assert_eq!(*seen.lock(), [(1, true)]);
        canary.end(false);
        // It still runs, and what fails with it is as bad as before.
        note(&canary, 3);
        canary.begin();
        note(&canary, 4);
        canary.end(true);
        canary.end(false);
        note(&canary, 5);
        assert_eq!(*seen.lock(), [(1, true), (2, false), (3, false), (4, true), (5, true)]);
    }
}
