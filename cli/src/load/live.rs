//! How a run goes, at a terminal: a few lines that are drawn anew; elsewhere a line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use flotilla_load::measure::{group_digits, show_ms};
use flotilla_load::run::Snapshot;

/// How often it is drawn at a terminal, and printed elsewhere.
const DRAW: Duration = Duration::from_millis(500);
/// See [`DRAW`].
const PRINT: Duration = Duration::from_secs(10);

/// See the module.
pub struct Live {
    terminal: bool,
    lines: usize,
    last: Option<Instant>,
    before: (f64, u64, u64),
}

impl Live {
    /// On standard error: standard output has the results.
    pub fn new() -> Live {
        Live { terminal: std::io::stderr().is_terminal(), lines: 0, last: None, before: (0.0, 0, 0) }
    }

    /// Shows it, if it is time.
    pub fn show(&mut self, snapshot: &Snapshot) {
        let every = if self.terminal { DRAW } else { PRINT };
        if self.last.is_some_and(|last| last.elapsed() < every) {
            return;
        }
        self.last = Some(Instant::now());
        // At the very begin there is nothing to see yet.
        if snapshot.now < 0.3 {
            return;
        }
        let (at, sent, out) = self.before;
        let passed = (snapshot.now - at).max(1e-3);
        let done = if snapshot.collected { snapshot.totals.received } else { snapshot.totals.confirmed };
        let rate = |now: u64, then: u64| group_digits((now.saturating_sub(then) as f64 / passed).round() as u64);
        let rates = (rate(snapshot.totals.sent, sent), rate(done, out));
        self.before = (snapshot.now, snapshot.totals.sent, done);
        let lines = self.lines_of(snapshot, &rates, done);
        let mut screen = String::new();
        if self.terminal && self.lines > 0 {
            screen.push_str(&format!("\x1b[{}A\x1b[J", self.lines));
        }
        for line in &lines {
            screen.push_str(line);
            screen.push('\n');
        }
        self.lines = lines.len();
        // A terminal that is gone does not end the run.
        let _ = std::io::stderr().write_all(screen.as_bytes());
    }

    fn lines_of(&self, snapshot: &Snapshot, rates: &(String, String), done: u64) -> Vec<String> {
        let totals = &snapshot.totals;
        let phase = if snapshot.draining { "waits for outputs" } else { "sends" };
        let what = if snapshot.collected { "out" } else { "confirmed" };
        let first = format!(
            "{:>6.1} of {:.1} s  {phase}  {}/s sent, {}/s {what}; p50 {}, p99 {}, max {}",
            snapshot.now,
            snapshot.ends,
            rates.0,
            rates.1,
            show_ms(snapshot.latency.p50),
            show_ms(snapshot.latency.p99),
            show_ms(snapshot.latency.max),
        );
        let counts = format!(
            "        {} sent, {} {what}, {} under way; {} repeated, {} out of order, {} failed",
            group_digits(totals.sent),
            group_digits(done),
            group_digits(snapshot.outstanding),
            group_digits(totals.repeated),
            group_digits(totals.out_of_order),
            group_digits(totals.errors),
        );
        if !self.terminal {
            return vec![format!("{first};{}", counts.trim_start_matches(' '))];
        }
        let replicas = snapshot.replicas.map(|ready| format!(", {ready} replicas ready")).unwrap_or_default();
        let event = snapshot.event.as_ref().map(|event| format!("; {:.1} s: {}", event.at_s, plain(&event.what)));
        let third =
            format!("        generator {:.0} % busy{replicas}{}", snapshot.busy * 100.0, event.unwrap_or_default());
        vec![first, counts, third.chars().take(150).collect()]
    }
}

/// Without control characters: texts of brokers reach no terminal raw.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
