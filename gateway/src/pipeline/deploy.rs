//! What comes begins at a stage, and its rollout is followed.

use flotilla_api::audit::Origin;
use flotilla_group::pipeline::{GitStage, Run, StageSpec, Step, Steps, opens};
use flotilla_group::rollout::{Phase, Rollout};

use super::driver::PipelineDriver;
use super::git::{Push, push};
use super::take::{ANY, at_work};
use super::trouble::Trouble;
use super::turn::Progress;
use crate::admin::{begin, plan_transfer, rules};

/// What a rollout of a run says in the audit log.
fn why(run: &Run) -> String {
    format!("run {} of pipeline {}", run.number, run.pipeline.name)
}

/// Whether a rollout is that of a run.
fn is_of(rollout: &Rollout, run: &Run) -> bool {
    let begun = rollout.log.first();
    begun.is_some_and(|entry| entry.source == "pipeline" && entry.credential == run.id())
}

/// What waited after the gates had opened begins only while the window is open.
fn still_open(stage: &StageSpec, now_ms: u64) -> Result<(), Trouble> {
    match stage.gates.window.as_ref().map(|window| opens(window, now_ms)) {
        None | Some(Ok(())) => Ok(()),
        Some(Err(when)) => {
            let when = when.map_or_else(|| "does not open any more".to_owned(), |when| format!("opens {when}"));
            Err(Trouble::Waits(format!("the window of stage {}: it {when}", stage.name)))
        }
    }
}

/// What a rollout of a run is recognized by: no request can say it.
fn origin(run: &Run) -> Origin {
    Origin { actor: run.actor.clone(), source: "pipeline".to_owned(), credential: run.id(), ..Origin::default() }
}

impl PipelineDriver {
    /// Whether it can begin at the stage now.
    pub(super) async fn may_begin(&self, run: &Run, now_ms: u64) -> Result<(), Trouble> {
        let (hop, stage, _) = at_work(run)?;
        if let Some(there) = &stage.remote {
            self.may_begin_far(run, hop, stage, there).await?;
        }
        if let Some(group) = &stage.group {
            let state = self.api.desired(group)?.load().await?.map(|(state, _)| state);
            let active = state.as_ref().and_then(|state| state.active());
            if let Some(active) = active.filter(|active| !is_of(active, run)) {
                let why = format!("rollout {} of group {group} is to end first", active.number);
                return Err(Trouble::Waits(why));
            }
            let missing = self.missing(run).await?;
            if !missing.is_empty() {
                return Err(Trouble::Waits(format!("values for {}", missing.join(", "))));
            }
        }
        still_open(stage, now_ms)
    }

    /// Begins the rollout: the revision and its number; 0 when the group runs that already. One that a gateway began
    /// before it was killed is found again.
    pub(super) async fn deploy(&self, run: &Run, now_ms: u64) -> Result<(String, u64), Trouble> {
        let (hop, stage, _) = at_work(run)?;
        if let Some(there) = &stage.remote {
            if let Some(begun) = self.begun_far(run, stage, there).await? {
                return Ok(begun);
            }
            still_open(stage, now_ms)?;
            return self.bring(run, hop, stage, there).await;
        }
        let group = stage.group.as_deref().unwrap_or_default();
        let why = why(run);
        let state = self.api.desired(group)?.load().await?.map(|(state, _)| state);
        if let Some(rollout) = state.as_ref().and_then(|state| state.rollout.as_ref())
            && is_of(rollout, run)
        {
            return Ok((rollout.to.clone(), rollout.number));
        }
        let source = self.source(hop).await?;
        let mut plan = plan_transfer(&self.api, group, &source, &stage.own_settings).await?;
        if !plan.new.missing.is_empty() {
            return Err(Trouble::Waits(format!("values for {}", plan.new.missing.join(", "))));
        }
        still_open(stage, now_ms)?;
        let message = if run.message.is_empty() { String::new() } else { format!(": {}", run.message) };
        plan.new.message = format!("{why}{message}");
        let id = plan.new.id();
        if let Some(tests) = self.api.revisions(ANY)?.tests(&hop.source).await? {
            self.api.revisions(group)?.set_tests(&id, &tests).await?;
        }
        if plan.base.as_ref() == Some(&id) {
            return Ok((id, 0));
        }
        let rules = rules(&self.api, group, None).await?;
        let base = plan.base.as_deref();
        match begin(&self.api, group, &plan.new, base, &rules, &why, origin(run)).await {
            Ok((id, rollout)) => Ok((id, rollout.number)),
            Err(failure) if failure.0.code == "unchanged" => Ok((id, 0)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Pushes to a stage that is a repository: the commit; `None` for any other stage.
    pub(super) async fn push(&self, run: &Run, now_ms: u64) -> Result<Option<String>, Trouble> {
        let (hop, stage, _) = at_work(run)?;
        let Some(git) = &stage.git else { return Ok(None) };
        still_open(stage, now_ms)?;
        let source = self.source(hop).await?;
        let title = if run.message.is_empty() { why(run) } else { run.message.clone() };
        let from = match hop.snapshot {
            0 => format!("commit {}", hop.commit),
            number => format!("snapshot {number} of group {}", hop.group),
        };
        let message = format!("{title}\n\n{}, by {}: {from}, revision {}\n", why(run), run.actor, hop.source);
        let what = Push {
            flows: &source.flows,
            credentials: match &git.credential_secret_env {
                Some(_) => source.credentials_with(self.api.key().await?.as_deref())?,
                None => flotilla_flows::NodeCredentials::new(),
            },
            base: self.in_common(git, &hop.group).await?,
            author: if hop.author.is_empty() { &run.actor } else { &hop.author },
            message: &message,
        };
        Ok(Some(push(git, &what).await?))
    }

    /// The flow document that a group last had in common with a branch and path of a repository: what it pushed there, or got
    /// from there, by any pipeline. Another branch has another history.
    async fn in_common(&self, git: &GitStage, group: &str) -> Result<Option<serde_json::Value>, Trouble> {
        let same = |other: &GitStage, branch: Option<&String>| {
            (&other.url, other.path.trim_matches('/'), branch)
                == (&git.url, git.path.trim_matches('/'), git.push.as_ref())
        };
        let mut last: Option<(u64, String)> = None;
        for spec in self.api.pipelines().list().await? {
            for run in self.api.runs(&spec.name)?.list().await? {
                for hop in run.hops.iter().filter(|hop| hop.step == Step::Done && !hop.commit.is_empty()) {
                    let stage = |at: Option<usize>| at.and_then(|at| run.pipeline.stages.get(at));
                    let (before, at) = (stage(hop.at.checked_sub(1)), stage(Some(hop.at)));
                    let pushed = hop.group == group
                        && at.and_then(|stage| stage.git.as_ref()).is_some_and(|to| same(to, to.push.as_ref()));
                    let pulls = |from: &GitStage| same(from, from.pull.as_ref().or(from.push.as_ref()));
                    let got = at.is_some_and(|stage| stage.group.as_deref() == Some(group))
                        && before.and_then(|stage| stage.git.as_ref()).is_some_and(pulls);
                    if (pushed || got) && last.as_ref().is_none_or(|(time, _)| *time <= run.started_ms) {
                        last = Some((run.started_ms, hop.source.clone()));
                    }
                }
            }
        }
        match last {
            Some((_, revision)) => Ok(Some(self.api.revisions(ANY)?.load(&revision).await?.flows)),
            None => Ok(None),
        }
    }

    /// Looks how the rollout goes.
    pub(super) async fn follow(&self, run: &mut Run, now_ms: u64) -> Result<Progress, Trouble> {
        let (hop, stage, _) = at_work(run)?;
        let (number, revision, name) = (hop.rollout, hop.revision.clone(), stage.name.clone());
        let group = stage.group.clone().unwrap_or_default();
        let by = run.actor.clone();
        if number == 0 {
            run.arrived(Vec::new(), &by, now_ms);
            return Ok(Progress::Went);
        }
        if let Some(there) = stage.remote.clone() {
            let stage = stage.clone();
            return self.follow_far(run, &stage, &there, now_ms).await;
        }
        let state = self.api.desired(&group)?.load().await?.map(|(state, _)| state);
        let state = state.ok_or_else(|| Trouble::Fails(format!("group \"{group}\" has no revision any more")))?;
        let Some(rollout) = state.rollout.as_ref().filter(|rollout| rollout.number == number) else {
            // The rollout that follows starts from what the group runs: ours went well when that is what ours brought.
            let next = state.rollout.as_ref().filter(|next| next.number == number + 1);
            if state.revision == revision || next.is_some_and(|next| next.from == revision) {
                run.arrived(Vec::new(), &by, now_ms);
            } else {
                let why = format!(
                    "stage {name}: rollout {number} was followed by another, and the group does not run {revision}"
                );
                run.fail(&why, Vec::new(), &by, now_ms);
            }
            return Ok(Progress::Went);
        };
        let members = rollout.members.clone();
        match rollout.phase {
            Phase::Done => run.arrived(members, &by, now_ms),
            Phase::Returned => {
                let why = format!("stage {name} runs revision {} as before: {}", rollout.from, rollout.reason);
                run.fail(&why, members, &by, now_ms);
            }
            Phase::Forward | Phase::Returning => {
                let moved = members.iter().filter(|member| member.step == flotilla_api::rollout::Step::Moved).count();
                let going = if rollout.phase == Phase::Returning { ", which goes back" } else { "" };
                run.waits_for = format!("rollout {number} of stage {name}{going}: {moved} of {} moved", members.len());
                return Ok(Progress::Waits);
            }
        }
        Ok(Progress::Went)
    }
}
