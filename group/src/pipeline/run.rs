//! What becomes of a run by a step, an approval, a rejection.

use flotilla_api::audit::AuditEntry;
use flotilla_api::pipeline::{Action, Approval, Hop, HopPlan, NewRun, Phase, PipelineSpec, RemoteStage, Run, Step};
use flotilla_api::rollout::Member;

use crate::error::GroupError;

/// What a stage gives to the next.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The group that it is of; empty for a git stage.
    pub group: String,
    /// The revision.
    pub source: String,
    /// The commit of a git stage.
    pub commit: String,
    /// Its snapshot; 0: none.
    pub snapshot: u64,
    /// Who made it.
    pub author: String,
}

/// A run that begins now.
///
/// # Errors
/// [`GroupError::Invalid`] for stages that there are not or that give nothing on.
pub fn begin(spec: &PipelineSpec, new: &NewRun, number: u64, actor: &str, now_ms: u64) -> Result<Run, GroupError> {
    let bad = |field: &'static str, reason: String| Err(GroupError::Invalid { field, reason });
    let place = |name: &String| spec.stages.iter().position(|stage| stage.name == *name);
    let names = || spec.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>().join(", ");
    let from = match &new.from {
        None => 0,
        Some(name) => match place(name) {
            Some(at) => at,
            None => return bad("from", format!("from \"{name}\": the stages are {}", names())),
        },
    };
    let to = match &new.to {
        None => spec.stages.len() - 1,
        Some(name) => match place(name) {
            Some(at) => at,
            None => return bad("to", format!("to \"{name}\": the stages are {}", names())),
        },
    };
    let stop = (from..to).find(|at| spec.stages[*at].action == Action::None).unwrap_or(to);
    if stop <= from {
        let reason = match spec.stages[from].action {
            Action::None if to > from => {
                format!("stage \"{}\" gives nothing on: its action is none", spec.stages[from].name)
            }
            _ => format!(
                "nothing is between stage \"{}\" and stage \"{}\"",
                spec.stages[from].name, spec.stages[to].name
            ),
        };
        return bad("from", reason);
    }
    if spec.stages[from].action == Action::Prompt && new.snapshot.is_none() {
        let reason =
            format!("stage \"{}\" asks which snapshot goes on: name it with --snapshot", spec.stages[from].name);
        return bad("snapshot", reason);
    }
    if let Some(at) = (from + 1..stop).find(|at| spec.stages[*at].action == Action::Prompt) {
        let name = &spec.stages[at].name;
        return bad("to", format!("stage \"{name}\" asks which snapshot goes on: end this run there with --to {name}"));
    }
    let hop = |at: usize| Hop { stage: spec.stages[at].name.clone(), at, ..Hop::default() };
    let mut run = Run {
        number,
        pipeline: spec.clone(),
        actor: actor.to_owned(),
        message: new.message.clone(),
        asked: new.snapshot.clone(),
        from,
        hops: (from + 1..=stop).map(hop).collect(),
        started_ms: now_ms,
        ..Run::default()
    };
    let why = if new.message.is_empty() { String::new() } else { format!(": {}", new.message) };
    let (first, last) = (&spec.stages[from].name, &spec.stages[stop].name);
    run.note(actor, "pipeline-run", &format!("from {first} to {last}{why}"), "", now_ms);
    Ok(run)
}

/// Changes of a run. Each is one write to the store.
pub trait Steps {
    /// The stage before gave this.
    fn taken(&mut self, taken: Taken, by: &str, now_ms: u64);
    /// It was looked at; with `fault` a gate is closed for good.
    fn checked(&mut self, plan: HopPlan, fault: Option<String>, by: &str, now_ms: u64);
    /// All gates are open.
    fn opened(&mut self, by: &str, now_ms: u64);
    /// It begins at the stage, and is not cancelled before it is known how that went.
    fn begins(&mut self);
    /// It did not begin, and waits.
    fn held_off(&mut self);
    /// Keys that have no value at the stage now, where that differs from when it was checked.
    fn misses(&mut self, missing: &[String]);
    /// The other installation does not answer: since when.
    fn away(&mut self, now_ms: u64) -> u64;
    /// It answers.
    fn is_back(&mut self);
    /// It was pushed to a repository.
    fn pushed(&mut self, commit: &str, by: &str, now_ms: u64);
    /// It began at the stage: the revision, and the number of the rollout (0: it was there already).
    fn deployed(&mut self, revision: &str, rollout: u64, by: &str, now_ms: u64);
    /// The stage has it.
    fn arrived(&mut self, members: Vec<Member>, by: &str, now_ms: u64);
    /// It cannot go on.
    fn fail(&mut self, why: &str, members: Vec<Member>, by: &str, now_ms: u64);
    /// Every stage has it.
    fn end(&mut self, by: &str, now_ms: u64);
    /// Somebody approves.
    ///
    /// # Errors
    /// [`GroupError::Conflict`] when it waits for no approval, or not for this one's.
    fn approve(&mut self, actor: &str, why: &str, now_ms: u64) -> Result<(), GroupError>;
    /// Somebody rejects or cancels it.
    ///
    /// # Errors
    /// [`GroupError::Conflict`] when it is over.
    fn stop(&mut self, phase: Phase, actor: &str, why: &str, now_ms: u64) -> Result<(), GroupError>;
    /// An entry of its log.
    fn note(&mut self, actor: &str, action: &str, why: &str, revision: &str, now_ms: u64);
}

fn at_work(run: &mut Run) -> Option<&mut Hop> {
    run.hops.iter_mut().find(|hop| hop.step != Step::Done)
}

impl Steps for Run {
    fn taken(&mut self, taken: Taken, by: &str, now_ms: u64) {
        let Some(hop) = at_work(self) else { return };
        let why = match taken.snapshot {
            0 if taken.group.is_empty() => format!("for stage {}: commit {}", hop.stage, taken.commit),
            number => format!("for stage {}: snapshot {number} of group {}", hop.stage, taken.group),
        };
        let Taken { group, source, commit, snapshot, author } = taken;
        (hop.group, hop.source, hop.snapshot, hop.author) = (group, source.clone(), snapshot, author);
        hop.commit = commit;
        hop.step = Step::Check;
        self.note(by, "pipeline-take", &why, &source, now_ms);
    }

    fn checked(&mut self, plan: HopPlan, fault: Option<String>, by: &str, now_ms: u64) {
        let Some(hop) = at_work(self) else { return };
        let (stage, source) = (hop.stage.clone(), hop.source.clone());
        let tests = if plan.tests.is_empty() { String::new() } else { format!("; tests: {}", plan.tests) };
        let why = format!("stage {stage}: differs: {}{tests}", plan.differs);
        hop.plan = plan;
        hop.step = Step::Wait;
        self.note(by, "pipeline-check", &why, &source, now_ms);
        if let Some(fault) = fault {
            self.fail(&format!("stage {stage}: {fault}"), Vec::new(), by, now_ms);
        }
    }

    fn opened(&mut self, by: &str, now_ms: u64) {
        let Some(hop) = at_work(self) else { return };
        hop.step = Step::Deploy;
        let (why, source) = (format!("stage {}", hop.stage), hop.source.clone());
        self.note(by, "pipeline-gates-open", &why, &source, now_ms);
    }

    fn begins(&mut self) {
        if let Some(hop) = at_work(self) {
            hop.begins = true;
        }
    }

    fn held_off(&mut self) {
        if let Some(hop) = at_work(self) {
            hop.begins = false;
        }
    }

    fn misses(&mut self, missing: &[String]) {
        if let Some(hop) = at_work(self).filter(|hop| hop.plan.missing != missing) {
            hop.plan.missing = missing.to_vec();
        }
    }

    fn away(&mut self, now_ms: u64) -> u64 {
        at_work(self).map_or(now_ms, |hop| *hop.away_since_ms.get_or_insert(now_ms))
    }

    fn is_back(&mut self) {
        if let Some(hop) = at_work(self) {
            hop.away_since_ms = None;
        }
    }

    fn deployed(&mut self, revision: &str, rollout: u64, by: &str, now_ms: u64) {
        let Some(hop) = at_work(self) else { return };
        revision.clone_into(&mut hop.revision);
        (hop.rollout, hop.step, hop.begins) = (rollout, Step::Follow, false);
        let why = match rollout {
            0 => format!("stage {} has it", hop.stage),
            number => format!("stage {}: rollout {number}", hop.stage),
        };
        self.note(by, "pipeline-deploy", &why, revision, now_ms);
    }

    fn pushed(&mut self, commit: &str, by: &str, now_ms: u64) {
        let Some(hop) = at_work(self) else { return };
        (hop.commit, hop.revision) = (commit.to_owned(), hop.source.clone());
        (hop.step, hop.begins) = (Step::Follow, false);
        let (why, source) = (format!("stage {}: commit {commit}", hop.stage), hop.source.clone());
        self.note(by, "pipeline-push", &why, &source, now_ms);
    }

    fn arrived(&mut self, members: Vec<Member>, by: &str, now_ms: u64) {
        let Some(hop) = at_work(self) else { return };
        (hop.members, hop.step) = (members, Step::Done);
        let (why, revision) = (format!("stage {}", hop.stage), hop.revision.clone());
        self.note(by, "pipeline-stage-done", &why, &revision, now_ms);
    }

    fn fail(&mut self, why: &str, members: Vec<Member>, by: &str, now_ms: u64) {
        if let Some(hop) = at_work(self) {
            hop.members = members;
        }
        why.clone_into(&mut self.reason);
        (self.phase, self.ended_ms) = (Phase::Failed, Some(now_ms));
        self.waits_for.clear();
        self.note(by, "pipeline-fails", why, "", now_ms);
    }

    fn end(&mut self, by: &str, now_ms: u64) {
        (self.phase, self.ended_ms) = (Phase::Done, Some(now_ms));
        self.waits_for.clear();
        self.note(by, "pipeline-done", "", "", now_ms);
    }

    fn approve(&mut self, actor: &str, why: &str, now_ms: u64) -> Result<(), GroupError> {
        let conflict = |reason: String| Err(GroupError::Conflict { code: "no_approval", reason });
        let (number, author) = (self.number, self.actor.clone());
        let stages = self.pipeline.stages.clone();
        let active = self.is_active();
        let Some(hop) = at_work(self).filter(|hop| active && matches!(hop.step, Step::Check | Step::Wait)) else {
            return conflict(format!("run {number} waits for no approval"));
        };
        let needed = stages.get(hop.at).map_or(0, |stage| stage.gates.approvals) as usize;
        if needed <= hop.approvals.len() {
            return conflict(format!("stage {} of run {number} waits for no approval", hop.stage));
        }
        if hop.step == Step::Check {
            return conflict(format!("run {number} is being checked: look at what it would do, then approve"));
        }
        if actor == author || actor == hop.author {
            return conflict(format!(
                "{actor} began run {number} or made its snapshot: another user has to approve it"
            ));
        }
        if hop.approvals.iter().any(|approval| approval.actor == actor) {
            return conflict(format!("{actor} has already approved it: another user has to"));
        }
        hop.approvals.push(Approval { actor: actor.to_owned(), time_ms: now_ms, why: why.to_owned() });
        let (stage, source) = (hop.stage.clone(), hop.source.clone());
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        self.note(actor, "pipeline-approve", &format!("stage {stage}{why}"), &source, now_ms);
        Ok(())
    }

    fn stop(&mut self, phase: Phase, actor: &str, why: &str, now_ms: u64) -> Result<(), GroupError> {
        if !self.is_active() {
            let reason = format!("run {} is over: {}", self.number, self.phase);
            return Err(GroupError::Conflict { code: "run_over", reason });
        }
        let far = self.stage().and_then(|stage| stage.remote.as_ref()).map(RemoteStage::place);
        if far.is_none() && self.hop().is_some_and(|hop| hop.step == Step::Follow && hop.rollout > 0) {
            let reason = format!(
                "run {} rolls out now: halt that with `flotilla rollout cancel`, and the run ends with it",
                self.number
            );
            return Err(GroupError::Conflict { code: "rollout_active", reason });
        }
        // What is away may stay away: nobody has to wait for it.
        if let Some(hop) = self.hop().filter(|hop| hop.begins && hop.away_since_ms.is_none()) {
            let reason = format!(
                "run {} begins at stage {} at this moment: ask again when that is known",
                self.number, hop.stage
            );
            return Err(GroupError::Conflict { code: "stage_begins", reason });
        }
        let word = if phase == Phase::Rejected { "rejected" } else { "cancelled" };
        let more = if why.is_empty() { String::new() } else { format!(": {why}") };
        let left = match (far, self.hop()) {
            (Some(place), Some(hop)) if hop.step == Step::Follow => {
                format!("; rollout {} of group {place} goes on, and this run does not say how it ends", hop.rollout)
            }
            (Some(place), Some(hop)) if hop.begins => format!("; whether it began in group {place} is not known"),
            _ => String::new(),
        };
        self.reason = format!("{word} by {actor}{more}{left}");
        (self.phase, self.ended_ms) = (phase, Some(now_ms));
        self.waits_for.clear();
        let action = if phase == Phase::Rejected { "pipeline-reject" } else { "pipeline-cancel" };
        self.note(actor, action, why, "", now_ms);
        Ok(())
    }

    fn note(&mut self, actor: &str, action: &str, why: &str, revision: &str, now_ms: u64) {
        let thread = format!("run {} of pipeline {}", self.number, self.pipeline.name);
        let why = if why.is_empty() { thread } else { format!("{thread}: {why}") };
        self.log.push(AuditEntry {
            time_ms: now_ms,
            actor: actor.to_owned(),
            action: action.to_owned(),
            revision: revision.to_owned(),
            why,
            ..AuditEntry::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use flotilla_api::pipeline::StageSpec;

    use super::*;

    #[test]
    fn nobody_cancels_a_run_while_it_begins_at_a_stage() {
        let stage =
            |name: &str| StageSpec { name: name.to_owned(), group: Some(name.to_owned()), ..StageSpec::default() };
        let spec =
            PipelineSpec { name: "p".to_owned(), stages: vec![stage("a"), stage("b")], ..PipelineSpec::default() };
        let mut run = begin(&spec, &NewRun::default(), 1, "ada", 5).unwrap();
        assert_eq!(run.id(), "run p/1/5");
        run.taken(Taken::default(), "ada", 6);
        run.checked(HopPlan::default(), None, "ada", 7);
        run.opened("ada", 8);
        run.begins();
        let refused = run.clone().stop(Phase::Cancelled, "bob", "", 9).unwrap_err();
        assert!(matches!(refused, GroupError::Conflict { code: "stage_begins", .. }), "{refused}");
        let mut waits = run.clone();
        waits.held_off();
        waits.stop(Phase::Cancelled, "bob", "", 9).unwrap();
        run.deployed("r", 3, "ada", 9);
        assert!(!run.hop().unwrap().begins);
        let refused = run.stop(Phase::Cancelled, "bob", "", 9).unwrap_err();
        assert!(matches!(refused, GroupError::Conflict { code: "rollout_active", .. }), "{refused}");
    }

    #[test]
    fn a_run_to_what_is_away_may_be_cancelled_and_says_what_is_not_known() {
        let there = RemoteStage { url: "https://b:1".to_owned(), group: "g".to_owned(), ..RemoteStage::default() };
        let near = StageSpec { name: "a".to_owned(), group: Some("a".to_owned()), ..StageSpec::default() };
        let far = StageSpec { name: "b".to_owned(), remote: Some(there), ..StageSpec::default() };
        let spec = PipelineSpec { name: "p".to_owned(), stages: vec![near, far], ..PipelineSpec::default() };
        let mut run = begin(&spec, &NewRun::default(), 1, "ada", 5).unwrap();
        run.taken(Taken::default(), "ada", 6);
        run.checked(HopPlan::default(), None, "ada", 7);
        run.opened("ada", 8);
        run.begins();
        assert!(run.clone().stop(Phase::Cancelled, "bob", "", 9).is_err(), "it answers");
        assert_eq!((run.away(10), run.away(20)), (10, 10));
        let mut gone = run.clone();
        gone.stop(Phase::Cancelled, "bob", "", 30).unwrap();
        assert_eq!(gone.reason, "cancelled by bob; whether it began in group g at https://b:1 is not known");
        run.is_back();
        run.deployed("r", 3, "ada", 40);
        run.stop(Phase::Cancelled, "bob", "", 50).unwrap();
        assert!(run.reason.contains("rollout 3 of group g at https://b:1 goes on"), "{}", run.reason);
    }
}
