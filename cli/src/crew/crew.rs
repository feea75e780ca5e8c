//! The replicas of this host: as the placement document says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use flotilla_group::GroupError;
use flotilla_group::member::Roster;
use flotilla_group::placement::{Placement, member_name};
use flotilla_group::scheduler::Ledger;
use flotilla_store::Store;
use flotilla_tasks::Task;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::command::{Program, ReplicaCommand};
use super::keep::keep_running;
use super::living::Living;
use super::printer::Printer;
use super::slot::Slot;

/// A member: its group and its number.
type Member = (String, u64);

/// How a replica of a group is started with a binary.
pub type CommandOf = Box<dyn Fn(&str, Program) -> ReplicaCommand + Send + Sync>;

/// Ends of members that are not reported yet.
const ENDS: usize = 1024;

/// The replicas of this host.
pub struct Crew {
    store: Arc<dyn Store>,
    host: String,
    /// How a replica of a group is started with a binary.
    command: CommandOf,
    printer: Printer,
    /// How each member that runs is stopped, and what runs there.
    running: BTreeMap<Member, (CancellationToken, Slot)>,
    /// What the image of this process before handed over.
    handed: BTreeMap<Member, Slot>,
    /// The registry of each group with members here.
    living: BTreeMap<String, Living>,
    ended: mpsc::Sender<Member>,
    /// Members that have drained and ended.
    pub ends: mpsc::Receiver<Member>,
}

impl Crew {
    /// A crew without members.
    pub fn new(
        store: Arc<dyn Store>,
        host: &str,
        printer: Printer,
        command: CommandOf,
        handed: Vec<(String, u64, Slot)>,
    ) -> Crew {
        let (ended, ends) = mpsc::channel(ENDS);
        let handed = handed.into_iter().map(|(group, number, slot)| ((group, number), slot)).collect();
        Crew {
            store,
            host: host.to_owned(),
            command,
            printer,
            running: BTreeMap::new(),
            handed,
            living: BTreeMap::new(),
            ended,
            ends,
        }
    }

    /// Starts and stops members as the document says, and reports those that have left. `program`: a binary by its hash, once
    /// it is there; members wait for it.
    pub async fn follow(
        &mut self,
        placement: &Placement,
        program: impl Fn(&str) -> Option<Program>,
    ) -> Result<(), GroupError> {
        let (mut wanted, mut leaving) = (BTreeSet::new(), BTreeSet::new());
        for (group, places) in &placement.groups {
            for number in places.on.get(&self.host).into_iter().flatten() {
                let member = (group.clone(), *number);
                if places.leaving.contains(number) {
                    leaving.insert(member)
                } else {
                    wanted.insert(member)
                };
            }
        }
        // Those that were handed over run: also those that are to leave.
        for (member, slot) in std::mem::take(&mut self.handed) {
            let wanted = placement.binary_of(&member.0, member.1);
            let Some(program) = program(wanted).or_else(|| program("")) else { continue };
            self.start(member, program, slot)?;
        }
        for (member, (stop, _)) in &self.running {
            if !wanted.contains(member) && !stop.is_cancelled() {
                tracing::info!("{} is not to run here any more: it drains", member_name(&member.0, member.1));
                stop.cancel();
            }
        }
        for member in wanted {
            if !self.running.contains_key(&member)
                && let Some(program) = program(placement.binary_of(&member.0, member.1))
            {
                self.start(member, program, Slot::default())?;
            }
        }
        let ledger = Ledger::new(self.store.clone());
        for (group, number) in leaving {
            if !self.running.contains_key(&(group.clone(), number)) {
                ledger.left(&group, number).await?;
            }
        }
        let groups: BTreeSet<&String> = self.running.keys().map(|(group, _)| group).collect();
        self.living.retain(|group, _| groups.contains(group));
        Ok(())
    }

    fn start(&mut self, member: Member, program: Program, slot: Slot) -> Result<(), GroupError> {
        let (group, number) = member.clone();
        let living = match self.living.get(&group) {
            Some(living) => living.clone(),
            None => {
                let roster = Roster::new(self.store.clone(), &group)?;
                let living = Living::follow(self.store.clone(), roster);
                self.living.entry(group.clone()).or_insert(living).clone()
            }
        };
        let stop = CancellationToken::new();
        let printer = self.printer;
        let (command, token, ended) = ((self.command)(&group, program), stop.clone(), self.ended.clone());
        if slot.is_taken() {
            tracing::info!("{} continues", member_name(&group, number));
        } else {
            tracing::debug!("{} is placed on this host: it is started", member_name(&group, number));
        }
        let task = Task {
            name: "replica place",
            owner: member_name(&group, number).into(),
            ends: "it is placed elsewhere, or this process ends",
            failure: "its replica is killed and not started again; restart this process",
        };
        self.running.insert(member.clone(), (stop, slot.clone()));
        drop(task.spawn(async move {
            keep_running(command, living, printer, number, slot, token).await;
            let _ = ended.send(member).await;
        }));
        Ok(())
    }

    /// Takes note of a member that has ended.
    pub fn ended(&mut self, member: &Member) {
        self.running.remove(member);
    }

    /// What runs, to be handed over; `None` while one of them is stopped: its end is waited for.
    pub fn slots(&self) -> Option<Vec<(String, u64, Slot)>> {
        if !self.handed.is_empty() || self.running.values().any(|(stop, _)| stop.is_cancelled()) {
            return None;
        }
        let running = self.running.iter();
        Some(running.map(|((group, number), (_, slot))| (group.clone(), *number, slot.clone())).collect())
    }

    /// How many run.
    pub fn size(&self) -> usize {
        self.running.len()
    }

    /// Has all members drain, and waits for them.
    pub async fn shutdown(&mut self, deadline: Duration) {
        self.running.values().for_each(|(stop, _)| stop.cancel());
        let all = async {
            while !self.running.is_empty() {
                let Some(member) = self.ends.recv().await else { return };
                self.running.remove(&member);
            }
        };
        if tokio::time::timeout(deadline, all).await.is_err() {
            tracing::warn!("some replicas did not drain within {} s and are killed", deadline.as_secs());
        }
    }
}
