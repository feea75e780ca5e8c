//! A revision on probation: what fails with it is not given up before it is known whether the revision stays.

use parking_lot::Mutex;

type Decision = Box<dyn FnOnce(bool) + Send>;

/// Holds back the end of work that failed, while a revision is on probation.
#[derive(Default)]
pub struct Canary {
    /// `Some` while a revision is on probation.
    held: Mutex<Option<Vec<Decision>>>,
}

impl Canary {
    /// A revision's probation begins.
    pub fn begin(&self) {
        self.held.lock().get_or_insert_default();
    }

    /// It is over. With `passed` what failed is treated as failed; else it goes back to where it came from.
    pub fn end(&self, passed: bool) {
        let held = self.held.lock().take();
        for decision in held.into_iter().flatten() {
            decision(passed);
        }
    }

    /// Calls back with whether the revision passed its probation: at once (true) when none is on.
    pub fn decide(&self, decision: impl FnOnce(bool) + Send + 'static) {
        if let Some(held) = &mut *self.held.lock() {
            return held.push(Box::new(decision));
        }
        decision(true);
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
        canary.begin();
        note(&canary, 3);
        canary.end(true);
        assert_eq!(*seen.lock(), [(1, true), (2, false), (3, true)]);
    }
}
