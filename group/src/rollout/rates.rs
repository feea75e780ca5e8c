//! Whether the new revision fails more than the old one.

use flotilla_api::rollout::{Counts, Member};

use super::rollout::Rollout;
use super::view::GroupView;
use crate::member::ReplicaRecord;

/// This many failures are enough to halt before probation is over.
const ENOUGH: u64 = 10;

/// Why the new revision's failures are too many; `None` when they are not. `early`: probation is not over, so a few
/// failures prove nothing yet.
pub(super) fn too_many_failures(
    rollout: &Rollout,
    seen: &GroupView,
    member: &Member,
    record: &ReplicaRecord,
    early: bool,
) -> Option<String> {
    let own = Counts::from(record).since(member.before);
    let rate = own.failure_rate()?;
    if own.failed == 0 || (early && own.failed < ENOUGH) {
        return None;
    }
    let old = seen.counts_of(&rollout.from).since(member.others_before).failure_rate().unwrap_or(0.0);
    let allowed = (old * rollout.rules.error_factor).max(rollout.rules.error_floor);
    (rate > allowed).then(|| {
        format!(
            "{} of {} deliveries failed in probation ({:.1} %), the old revision's rate is {:.1} %",
            own.failed,
            own.failed + own.completed,
            rate * 100.0,
            old * 100.0
        )
    })
}
