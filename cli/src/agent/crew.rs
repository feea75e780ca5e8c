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

use crate::up::{Living, Printer, ReplicaCommand, keep_running};

/// A member: its group and its number.
type Member = (String, u64);

/// Ends of members that are not reported yet.
const ENDS: usize = 1024;

/// The replicas of this host.
pub(super) struct Crew {
    store: Arc<dyn Store>,
    host: String,
    /// How a replica of a group is started.
    command: Box<dyn Fn(&str) -> ReplicaCommand + Send + Sync>,
    printer: Printer,
    /// How each member that runs is stopped.
    running: BTreeMap<Member, CancellationToken>,
    /// The registry of each group with members here.
    living: BTreeMap<String, Living>,
    ended: mpsc::Sender<Member>,
    /// Members that have drained and ended.
    pub(super) ends: mpsc::Receiver<Member>,
}

impl Crew {
    /// A crew without members.
    pub(super) fn new(
        store: Arc<dyn Store>,
        host: &str,
        printer: Printer,
        command: impl Fn(&str) -> ReplicaCommand + Send + Sync + 'static,
    ) -> Crew {
        let (ended, ends) = mpsc::channel(ENDS);
        let (running, living) = (BTreeMap::new(), BTreeMap::new());
        Crew { store, host: host.to_owned(), command: Box::new(command), printer, running, living, ended, ends }
    }

    /// Starts and stops members as the document says, and reports those that have left.
    pub(super) async fn follow(&mut self, placement: &Placement) -> Result<(), GroupError> {
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
        for (member, stop) in &self.running {
            if !wanted.contains(member) && !stop.is_cancelled() {
                tracing::info!("{} is not to run here any more: it drains", member_name(&member.0, member.1));
                stop.cancel();
            }
        }
        for member in wanted {
            if !self.running.contains_key(&member) {
                self.start(member)?;
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

    fn start(&mut self, member: Member) -> Result<(), GroupError> {
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
        let (command, token, ended) = ((self.command)(&group), stop.clone(), self.ended.clone());
        tracing::info!("{} is placed on this host: it is started", member_name(&group, number));
        let task = Task {
            name: "replica place",
            owner: member_name(&group, number).into(),
            ends: "it is placed elsewhere, or the agent ends",
            failure: "its replica is killed and not started again; restart `flotilla agent`",
        };
        self.running.insert(member.clone(), stop);
        drop(task.spawn(async move {
            keep_running(command, living, printer, number, token).await;
            let _ = ended.send(member).await;
        }));
        Ok(())
    }

    /// Takes note of a member that has ended.
    pub(super) fn ended(&mut self, member: &Member) {
        self.running.remove(member);
    }

    /// How many run.
    pub(super) fn size(&self) -> usize {
        self.running.len()
    }

    /// Has all members drain, and waits for them.
    pub(super) async fn shutdown(&mut self, deadline: Duration) {
        self.running.values().for_each(CancellationToken::cancel);
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
