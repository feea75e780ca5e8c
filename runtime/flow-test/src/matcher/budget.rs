//! Steps that the regular expressions of one expectation may take together.

use std::cell::Cell;

use flotilla_engine::expression::Regexp;

/// What a pattern may take when others took everything: enough for usual patterns on texts of some kilobytes, so that what is
/// wanted besides an endless pattern is still decided.
pub(super) const EACH: u64 = 10_000;

/// Steps of one expectation. An array of endless patterns costs as much as one of them, and [`EACH`] for each further one.
#[derive(Debug)]
pub(crate) struct Budget {
    all: u64,
    used: Cell<u64>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::of(Regexp::STEPS)
    }
}

impl Budget {
    /// So many steps.
    pub(crate) fn of(steps: u64) -> Budget {
        Budget { all: steps, used: Cell::new(0) }
    }

    /// True when the pattern finds something in the text.
    ///
    /// # Errors
    /// In words, that this takes more steps than are left.
    pub(super) fn finds(&self, regexp: &Regexp, text: &str) -> Result<bool, String> {
        let before = self.used.get();
        let (found, used) = regexp.is_match_within(text, self.all.saturating_sub(before).max(EACH));
        self.used.set(before.saturating_add(used));
        found.map_err(|error| match before {
            0 => error.to_string(),
            _ => format!(
                "{error}. Of the {} steps that the patterns of an expectation have together, others had taken {before}",
                self.all
            ),
        })
    }

    /// Steps that were taken.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.used.get()
    }
}
