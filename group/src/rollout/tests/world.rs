//! A world of replicas that do what a rollout tells them.

use flotilla_api::health::{NodeProblem, ReplicaHealth, Source};

use crate::member::{ReplicaRecord, ReplicaState};
use crate::rollout::{Action, Actor, GroupView, Phase, Rollout, Rules, Step, decide};

/// What the new revision does to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Good,
    NeverReady,
    Refused,
    Crashes,
    Throws,
    /// A node does not start.
    Broken,
    /// A node breaks after a while.
    BreaksLate,
    /// Not connected to what it is to take work from.
    Deaf,
    /// Nothing that comes in ends, and a worker is busy with it.
    Hangs,
    /// Nothing that comes in ends, and the workers go on.
    Endless,
}

pub struct World {
    pub rollout: Rollout,
    pub seen: GroupView,
    pub fate: Fate,
    /// When replicas that were killed come back.
    pub births: u64,
    pub fewest_ready: usize,
    /// Ailments of every replica, whatever it runs.
    pub always: ReplicaHealth,
    /// No work comes in.
    pub idle: bool,
}

pub fn record(id: &str, revision: &str, born: u64) -> ReplicaRecord {
    ReplicaRecord {
        id: id.to_owned(),
        group: "g".to_owned(),
        host: String::new(),
        state: ReplicaState::Ready,
        reason: String::new(),
        revision: revision.to_owned(),
        http: None,
        ops: None,
        pid: 1,
        version: "0".to_owned(),
        started_ms: born,
        in_flight: 0,
        completed: 0,
        failed: 0,
        abandoned: 0,
        health: ReplicaHealth::default(),
        key: String::new(),
        memory_limit: 0,
        memory: 0,
        beat: 1,
    }
}

impl World {
    pub fn new(size: usize, fate: Fate, rules: Rules) -> World {
        let replicas = (0..size).map(|n| record(&format!("r{n}"), "old", n as u64)).collect();
        let seen = GroupView { now_ms: 1_000, replicas, ..GroupView::default() };
        let rollout = Rollout::begin(1, "old", "new", rules, &seen, "test", &Self::actor(1_000));
        World { rollout, seen, fate, births: 100, fewest_ready: size, always: ReplicaHealth::default(), idle: false }
    }

    /// Begins the rollout anew, with what the replicas say of themselves now.
    pub fn begin(&mut self, rules: Rules) {
        self.rollout = Rollout::begin(1, "old", "new", rules, &self.seen, "test", &Self::actor(self.seen.now_ms));
    }

    pub fn actor(now_ms: u64) -> Actor {
        Actor { origin: "test".into(), token: 1, now_ms }
    }

    /// The driver's turn.
    pub fn drive(&mut self) -> Action {
        let action = decide(&self.rollout, &self.seen);
        self.rollout.apply(&action, &Self::actor(self.seen.now_ms));
        let moving = |step| matches!(step, Step::Moving | Step::Probation | Step::Returning);
        let now = self.rollout.members.iter().filter(|member| moving(member.step)).count();
        let halted = self.rollout.phase == Phase::Returning;
        assert!(now <= 1 || halted, "{now} replicas on the way at once: {:?}", self.rollout.members);
        action
    }

    /// A replica's turn: it goes one step towards what it is told to run.
    pub fn act(&mut self, index: usize) {
        let Some(record) = self.seen.replicas.get_mut(index) else { return };
        record.beat += 1;
        let told = self.rollout.assigned(&record.id);
        let bad = record.revision == "new" && self.fate == Fate::Throws;
        let new = record.revision == "new" && record.state == ReplicaState::Ready;
        if !self.idle {
            record.health.begun += 20;
        }
        match self.fate {
            _ if self.idle => {}
            Fate::Throws if bad => record.failed += 20,
            Fate::Hangs if new => (record.health.busy_ms, record.health.oldest_ms) = (self.seen.now_ms, 500),
            Fate::Endless if new => {}
            _ => record.completed += 20,
        }
        record.health.problems.clear();
        if new && matches!(self.fate, Fate::Broken | Fate::BreaksLate) {
            let late = self.fate == Fate::Broken || record.health.begun > 100;
            record.health.problems.extend(late.then(|| NodeProblem { node: "f".to_owned(), ..NodeProblem::default() }));
        }
        if !new {
            (record.health.busy_ms, record.health.oldest_ms) = (0, 0);
        }
        let deaf = new && self.fate == Fate::Deaf;
        let name = if deaf { "mqtt://nowhere" } else { "mqtt://here" };
        record.health.sources =
            vec![Source { name: name.to_owned(), connected: !deaf, away_ms: 60_000, ..Source::default() }];
        record.health.sources.extend(self.always.sources.iter().cloned());
        record.health.problems.extend(self.always.problems.iter().cloned());
        record.health.busy_ms = record.health.busy_ms.max(self.always.busy_ms);
        record.health.longest_ms = self.always.longest_ms;
        if record.revision == told && record.state == ReplicaState::Ready {
            if record.revision == "new" && self.fate == Fate::Crashes {
                self.kill(index);
            }
            return;
        }
        if record.revision == told && record.state == ReplicaState::Failed {
            return;
        }
        match record.state {
            ReplicaState::Ready | ReplicaState::Failed => record.state = ReplicaState::Draining,
            ReplicaState::Draining | ReplicaState::Starting => match (told, self.fate) {
                ("new", Fate::NeverReady) => {}
                ("new", Fate::Refused) => {
                    (record.state, record.revision) = (ReplicaState::Failed, told.to_owned());
                    record.reason = "refused".to_owned();
                }
                _ => (record.state, record.revision) = (ReplicaState::Ready, told.to_owned()),
            },
        }
    }

    /// A replica dies; its supervisor starts another.
    pub fn kill(&mut self, index: usize) {
        if index < self.seen.replicas.len() {
            self.seen.replicas.remove(index);
        }
    }

    /// A replica that was started anew joins.
    pub fn join(&mut self) {
        self.births += 1;
        let id = format!("n{}", self.births);
        let told = self.rollout.assigned(&id).to_owned();
        self.seen.replicas.push(record(&id, &told, self.births));
    }

    pub fn pass_time(&mut self, ms: u64) {
        self.seen.now_ms += ms;
        self.fewest_ready = self.fewest_ready.min(self.seen.ready());
    }

    /// Runs in turn until the rollout ends.
    pub fn run(&mut self) {
        for _ in 0..5_000 {
            self.drive();
            for index in 0..self.seen.replicas.len() {
                self.act(index);
            }
            self.pass_time(500);
            if !self.rollout.is_active() {
                return;
            }
        }
        panic!("the rollout does not end: {:#?}", self.rollout);
    }

    pub fn actions(&self) -> Vec<&str> {
        self.rollout.log.iter().map(|entry| entry.action.as_str()).collect()
    }

    pub fn revisions(&self) -> Vec<&str> {
        self.seen.replicas.iter().map(|record| record.revision.as_str()).collect()
    }
}
