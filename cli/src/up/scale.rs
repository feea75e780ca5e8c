//! `flotilla scale` on a machine started with `up`.

use std::time::Duration;

use flotilla_group::spec::Specs;

use super::supervisor::Supervisor;

/// How often the wanted number of replicas is read.
const FOLLOW: Duration = Duration::from_millis(500);

/// Keeps as many replicas running as the group wants. Does not end; while the store is away the number stays.
pub async fn follow(specs: &Specs, group: &str, supervisor: &Supervisor) {
    let mut timer = tokio::time::interval(FOLLOW);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let wanted = match specs.get(group).await {
            Ok(spec) => usize::from(spec.replicas),
            Err(error) => {
                tracing::warn!(%error, "cannot read how many replicas are wanted; their number stays");
                continue;
            }
        };
        if wanted > 0 && wanted != supervisor.replicas() {
            tracing::info!(from = supervisor.replicas(), to = wanted, "scales");
            supervisor.scale(wanted);
        }
    }
}
