//! How often another installation is asked, and for how long it may be away.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use flotilla_group::pipeline::{RemoteStage, Run, Step};
use parking_lot::Mutex;

use super::take::at_work;

/// How often it is asked for the same: each time is a connection of its own.
const EVERY: Duration = Duration::from_secs(2);

/// When each pipeline last asked, and what.
#[derive(Default)]
pub(super) struct Asked(Mutex<HashMap<String, (String, Instant)>>);

impl Asked {
    /// Whether a run may ask now: for something new it may at once.
    pub(super) fn is_due(&self, run: &Run) -> bool {
        let Some(hop) = run.hop() else { return true };
        let what = format!("{} {} {} {}", run.id(), hop.at, hop.step, hop.begins);
        let mut all = self.0.lock();
        // What is due anyway is not remembered: pipelines come and go.
        all.retain(|_, (_, at)| at.elapsed() < EVERY);
        if all.get(&run.pipeline.name).is_some_and(|(last, _)| *last == what) {
            return false;
        }
        all.insert(run.pipeline.name.clone(), (what, Instant::now()));
        true
    }
}

/// What becomes of a run whose other installation is away since then.
pub(super) enum Fate {
    /// It waits; why.
    Waits(String),
    /// It has failed; why.
    Fails(String),
}

/// What becomes of a run: it waits for [`RemoteStage::away_minutes`], and then says what is not known.
pub(super) fn fate(run: &Run, since_ms: u64, now_ms: u64, why: &str) -> Fate {
    let minutes = far(run).map_or_else(RemoteStage::away, |there| there.away_minutes);
    let until = since_ms.saturating_add(u64::from(minutes) * 60_000);
    if now_ms < until {
        return Fate::Waits(format!("{why}; it is tried again until {}", time(until)));
    }
    let left = match run.hop() {
        Some(hop) if hop.step == Step::Follow => "; how the rollout there ends is not known",
        Some(hop) if hop.begins => "; whether it began there is not known",
        _ => "",
    };
    Fate::Fails(format!("{why}; it was away for {minutes} minutes{left}"))
}

/// The other installation that the next step of a run has to do with.
pub(super) fn far(run: &Run) -> Option<&RemoteStage> {
    let (hop, stage, before) = at_work(run).ok()?;
    if hop.step == Step::Take { before.remote.as_ref() } else { stage.remote.as_ref() }
}

fn time(ms: u64) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(String::new, |at| at.strftime("%F %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use flotilla_group::pipeline::{NewRun, PipelineSpec, StageSpec, Steps, Taken, begin};

    use super::*;

    fn run() -> Run {
        let there = RemoteStage { url: "https://b:1".to_owned(), group: "g".to_owned(), ca: None, away_minutes: 5 };
        let near = StageSpec { name: "a".to_owned(), group: Some("a".to_owned()), ..StageSpec::default() };
        let stage = StageSpec { name: "b".to_owned(), remote: Some(there), ..StageSpec::default() };
        let spec = PipelineSpec { name: "p".to_owned(), stages: vec![near, stage], ..PipelineSpec::default() };
        begin(&spec, &NewRun::default(), 1, "ada", 5).unwrap()
    }

    #[test]
    fn what_is_away_is_waited_for_until_its_bound_and_then_it_is_said_what_is_not_known() {
        let mut run = run();
        run.taken(Taken::default(), "ada", 6);
        let Fate::Waits(why) = fate(&run, 60_000, 359_999, "nothing answers") else { panic!("it waits") };
        assert_eq!(why, "nothing answers; it is tried again until 1970-01-01 00:06 UTC");
        let Fate::Fails(why) = fate(&run, 60_000, 360_000, "nothing answers") else { panic!("it fails") };
        assert_eq!(why, "nothing answers; it was away for 5 minutes");
        run.checked(flotilla_group::pipeline::HopPlan::default(), None, "ada", 7);
        run.opened("ada", 8);
        run.begins();
        let Fate::Fails(why) = fate(&run, 0, u64::MAX, "gone") else { panic!("it fails") };
        assert!(why.ends_with("whether it began there is not known"), "{why}");
    }

    #[test]
    fn the_same_is_asked_now_and_then_and_something_new_at_once() {
        let (asked, mut run) = (Asked::default(), run());
        assert!(far(&run).is_none(), "a group of our own gives it");
        assert!(asked.is_due(&run) && !asked.is_due(&run));
        run.taken(Taken::default(), "ada", 6);
        assert!(far(&run).is_some_and(|there| there.group == "g"));
        assert!(asked.is_due(&run) && !asked.is_due(&run));
    }
}
