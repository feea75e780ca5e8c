//! What a seed found: whether all is well, and the line that says it.

use flotilla_load::report::Results;
use flotilla_load::tracker::Totals;

use super::flows::TIMER;
use crate::timers::fired;

/// Whether it is good, and a line that says what was found.
pub type Verdict = (bool, String);

/// Every message came out, and each was acknowledged.
pub fn is_whole(totals: &Totals) -> bool {
    totals.lost == 0 && totals.unconfirmed == 0 && totals.received == totals.sent
}

/// The ticks of the group's timer, by what the replicas say that they fire: there were some, and none came twice.
pub fn ticks(log: &str) -> Verdict {
    let ticks = fired(log, TIMER);
    let twice = ticks.windows(2).filter(|pair| pair[0] == pair[1]).count();
    (!ticks.is_empty() && twice == 0, format!("{} ticks, {twice} twice", ticks.len()))
}

/// What became of the messages and of the ticks. `what` was tried.
pub fn whole(what: &str, results: &Results, log: &str) -> Verdict {
    let totals = &results.totals;
    let (once, ticks) = ticks(log);
    let line = format!(
        "{what}: {} sent, {} lost, {} unconfirmed, {} repeated, {ticks}",
        totals.sent, totals.lost, totals.unconfirmed, totals.repeated
    );
    (is_whole(totals) && once, line)
}

/// One that has to be good.
pub fn is_good((good, line): Verdict) {
    assert!(good, "{line}");
    print("ok  ", &line);
}

/// Many of them: each line is printed as it comes, and at the end all have to be good.
pub fn all_good(verdicts: impl Iterator<Item = Verdict>) {
    let (mut count, mut bad) = (0, 0);
    for (good, line) in verdicts {
        print(if good { "ok  " } else { "BAD " }, &line);
        (count, bad) = (count + 1, bad + usize::from(!good));
    }
    assert!(count > 0, "no seed was run");
    assert_eq!(bad, 0, "{bad} of {count} seeds lost messages, fired a tick twice or got stuck; see above");
}

fn print(how: &str, line: &str) {
    #[allow(clippy::print_stdout, reason = "the list of seeds is the result of a long run")]
    let () = println!("{how} {line}");
}
