//! One step of a pipeline: what the state machine says is done, and recorded by compare-and-swap. A gateway that is killed
//! in the middle leaves a run that another one takes up: each step finds what was done of it already.

use flotilla_group::pipeline::{Next, Run, RunContext, Runs, Step, Steps, Taken, next};
use flotilla_store::Lease;

use super::driver::PipelineDriver;
use super::remote_away::{Fate, far, fate};
use super::trouble::Trouble;

/// What came of a look.
pub(super) enum Progress {
    /// A step was taken.
    Went,
    /// There is nothing to do now.
    Waits,
    /// No run is active.
    Nothing,
}

/// Takes the next step of the oldest active run.
pub(super) async fn turn(driver: &PipelineDriver, runs: &Runs, lease: &Lease) -> Result<Progress, String> {
    let text = |error: flotilla_group::GroupError| error.to_string();
    let list = runs.list().await.map_err(text)?;
    let Some(first) = list.iter().find(|run| run.is_active()) else { return Ok(Progress::Nothing) };
    let (mut run, version) = runs.get(first.number).await.map_err(text)?;
    let (before, was) = (run.log.len(), run.clone());
    let now_ms = runs.now_ms().await.map_err(text)?;
    // Another installation is not asked each time: what waits there is no hurry.
    let is_due = far(&run).is_none() || driver.asked.is_due(&run);
    let looks = is_due || run.hop().is_some_and(|hop| hop.step == Step::Wait && hop.away_since_ms.is_none());
    if !looks {
        return Ok(Progress::Waits);
    }
    let taken = step(driver, &mut run, now_ms, is_due).await;
    let turn = match taken {
        Ok(turn) => turn,
        Err(Trouble::Store(why)) => return Err(why),
        Err(Trouble::Waits(why)) => {
            run.waits_for = why;
            run.is_back();
            run.held_off();
            Progress::Waits
        }
        Err(Trouble::Away(why)) => {
            let since_ms = run.away(now_ms);
            match fate(&run, since_ms, now_ms, &why) {
                Fate::Waits(why) => {
                    run.waits_for = why;
                    Progress::Waits
                }
                Fate::Fails(why) => {
                    let by = run.actor.clone();
                    run.fail(&why, Vec::new(), &by, now_ms);
                    Progress::Went
                }
            }
        }
        Err(Trouble::Fails(why)) => {
            let by = run.actor.clone();
            run.fail(&why, Vec::new(), &by, now_ms);
            Progress::Went
        }
    };
    if matches!(turn, Progress::Went) && run.is_active() {
        run.waits_for.clear();
    }
    if run == was {
        return Ok(turn);
    }
    // Somebody approved or cancelled meanwhile: it is looked at again.
    runs.swap(&run, version, before, Some(lease.fence())).await.map_err(text)?;
    Ok(turn)
}

async fn step(driver: &PipelineDriver, run: &mut Run, now_ms: u64, is_due: bool) -> Result<Progress, Trouble> {
    let by = run.actor.clone();
    let mut seen = RunContext { now_ms, ..RunContext::default() };
    let mut act = next(run, &seen);
    if act == Next::LookForMissing {
        // Between two questions to another installation its last answer counts.
        let last = run.hop().filter(|_| !is_due).map(|hop| hop.plan.missing.clone());
        let missing = match last {
            Some(last) => last,
            None => {
                let missing = driver.missing(run).await?;
                run.is_back();
                missing
            }
        };
        if far(run).is_some() {
            run.misses(&missing);
        }
        seen.missing = Some(missing);
        act = next(run, &seen);
    }
    match act {
        Next::LookForMissing => return Ok(Progress::Waits),
        Next::Wait { why } => {
            run.waits_for = why;
            return Ok(Progress::Waits);
        }
        Next::Take => {
            let taken: Taken = driver.take(run).await?;
            run.is_back();
            run.taken(taken, &by, now_ms);
        }
        Next::Check => {
            let (plan, fault) = driver.check(run).await?;
            run.is_back();
            run.checked(plan, fault, &by, now_ms);
        }
        Next::Open => run.opened(&by, now_ms),
        Next::Deploy if !run.hop().is_some_and(|hop| hop.begins) => {
            driver.may_begin(run, now_ms).await?;
            run.is_back();
            run.begins();
        }
        Next::Deploy => {
            if let Some(commit) = driver.push(run, now_ms).await? {
                run.pushed(&commit, &by, now_ms);
            } else {
                let (revision, rollout) = driver.deploy(run, now_ms).await?;
                run.is_back();
                run.deployed(&revision, rollout, &by, now_ms);
            }
        }
        Next::Follow => return driver.follow(run, now_ms).await,
        Next::End => run.end(&by, now_ms),
    }
    Ok(Progress::Went)
}
