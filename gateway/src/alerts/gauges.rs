//! What is seen of the groups, for `/metrics`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flotilla_api::alert::AlertKind;
use flotilla_api::replica::ReplicaState;
use flotilla_api::rollout::Phase;
use flotilla_group::alert::{Cause, Picture};
use parking_lot::Mutex;

const STATES: [ReplicaState; 4] =
    [ReplicaState::Starting, ReplicaState::Ready, ReplicaState::Draining, ReplicaState::Failed];
const PHASES: [(Phase, &str); 4] = [
    (Phase::Forward, "forward"),
    (Phase::Returning, "returning"),
    (Phase::Done, "done"),
    (Phase::Returned, "returned"),
];

/// Labels and values of one group's series.
type Rows = dyn Fn(&Picture, &[Cause]) -> Vec<(String, usize)>;

/// The newest picture of each group, and what is wrong with it.
#[derive(Default)]
pub struct Gauges(Mutex<BTreeMap<String, (Picture, Vec<Cause>)>>);

impl Gauges {
    pub(super) fn show(&self, group: &str, picture: Picture, causes: Vec<Cause>) {
        self.0.lock().insert(group.to_owned(), (picture, causes));
    }

    pub(super) fn forget(&self, group: &str) {
        self.0.lock().remove(group);
    }

    /// All of it in Prometheus' text format.
    pub fn render(&self) -> String {
        let all = self.0.lock();
        let family = |name: &str, help: &str, rows: &Rows| {
            let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
            for (group, (picture, causes)) in all.iter() {
                for (label, value) in rows(picture, causes) {
                    let _ = writeln!(text, "{name}{{group=\"{group}\"{label}}} {value}");
                }
            }
            text
        };
        // While the store is away nothing is known: no value is better than 0.
        let replicas = |picture: &Picture, _: &[Cause]| {
            if picture.replicas.is_none() {
                return Vec::new();
            }
            let count = |state| picture.replicas.iter().flatten().filter(|replica| replica.state == state).count();
            STATES.map(|state| (format!(",state=\"{state}\""), count(state))).to_vec()
        };
        let rollout = |picture: &Picture, _: &[Cause]| {
            if picture.replicas.is_none() {
                return Vec::new();
            }
            let is = |phase| usize::from(picture.rollout.as_ref().is_some_and(|rollout| rollout.phase == phase));
            PHASES.map(|(phase, name)| (format!(",phase=\"{name}\""), is(phase))).to_vec()
        };
        let letters = |picture: &Picture, _: &[Cause]| {
            let known = picture.replicas.as_ref().map(|_| (String::new(), picture.dead_letters as usize));
            known.into_iter().collect()
        };
        let alerts = |_: &Picture, causes: &[Cause]| {
            let count = |kind| causes.iter().filter(|cause| cause.kind == kind).count();
            AlertKind::ALL.map(|kind| (format!(",kind=\"{kind}\""), count(kind))).to_vec()
        };
        let away = |picture: &Picture, _: &[Cause]| vec![(String::new(), usize::from(picture.replicas.is_none()))];
        family("flotilla_group_replicas", "Replicas of a group, by state", &replicas)
            + &family("flotilla_group_rollout", "1 for the phase that a group's last rollout is in", &rollout)
            + &family("flotilla_group_dead_letters", "Dead letters in a group's box", &letters)
            + &family("flotilla_group_alerts", "Alerts of a group that last, by kind", &alerts)
            + &family("flotilla_group_store_away", "Whether the store does not answer", &away)
    }
}
