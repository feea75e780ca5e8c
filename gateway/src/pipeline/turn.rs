//! One step of a pipeline: what the state machine says is done, and recorded by compare-and-swap. A gateway that is killed
//! in the middle leaves a run that another one takes up: each step finds what was done of it already.

use flotilla_group::pipeline::{Next, Run, Runs, Seen, Steps, Taken, next};
use flotilla_store::Lease;

use super::driver::PipelineDriver;
use super::trouble::Trouble;

/// What came of a look.
pub(super) enum Turn {
    /// A step was taken.
    Went,
    /// There is nothing to do now.
    Waits,
    /// No run is active.
    Nothing,
}

/// Takes the next step of the oldest active run.
pub(super) async fn turn(driver: &PipelineDriver, runs: &Runs, lease: &Lease) -> Result<Turn, String> {
    let text = |error: flotilla_group::GroupError| error.to_string();
    let list = runs.list().await.map_err(text)?;
    let Some(first) = list.iter().find(|run| run.is_active()) else { return Ok(Turn::Nothing) };
    let (mut run, version) = runs.get(first.number).await.map_err(text)?;
    let (before, was) = (run.log.len(), run.clone());
    let now_ms = runs.now_ms().await.map_err(text)?;
    let taken = step(driver, &mut run, now_ms).await;
    let turn = match taken {
        Ok(turn) => turn,
        Err(Trouble::Store(why)) => return Err(why),
        Err(Trouble::Waits(why)) => {
            run.waits_for = why;
            run.held_off();
            Turn::Waits
        }
        Err(Trouble::Fails(why)) => {
            let by = run.actor.clone();
            run.fail(&why, Vec::new(), &by, now_ms);
            Turn::Went
        }
    };
    if matches!(turn, Turn::Went) && run.is_active() {
        run.waits_for.clear();
    }
    if run == was {
        return Ok(turn);
    }
    // Somebody approved or cancelled meanwhile: it is looked at again.
    runs.swap(&run, version, before, Some(lease.fence())).await.map_err(text)?;
    Ok(turn)
}

async fn step(driver: &PipelineDriver, run: &mut Run, now_ms: u64) -> Result<Turn, Trouble> {
    let by = run.actor.clone();
    let mut seen = Seen { now_ms, ..Seen::default() };
    let mut act = next(run, &seen);
    if act == Next::LookForMissing {
        seen.missing = Some(driver.missing(run).await?);
        act = next(run, &seen);
    }
    match act {
        Next::LookForMissing => return Ok(Turn::Waits),
        Next::Wait { why } => {
            run.waits_for = why;
            return Ok(Turn::Waits);
        }
        Next::Take => {
            let taken: Taken = driver.take(run).await?;
            run.taken(taken, &by, now_ms);
        }
        Next::Check => {
            let (plan, fault) = driver.check(run).await?;
            run.checked(plan, fault, &by, now_ms);
        }
        Next::Open => run.opened(&by, now_ms),
        Next::Deploy if !run.hop().is_some_and(|hop| hop.begins) => {
            driver.may_begin(run, now_ms).await?;
            run.begins();
        }
        Next::Deploy => {
            if let Some(commit) = driver.push(run, now_ms).await? {
                run.pushed(&commit, &by, now_ms);
            } else {
                let (revision, rollout) = driver.deploy(run, now_ms).await?;
                run.deployed(&revision, rollout, &by, now_ms);
            }
        }
        Next::Follow => return driver.follow(run, now_ms).await,
        Next::End => run.end(&by, now_ms),
    }
    Ok(Turn::Went)
}
