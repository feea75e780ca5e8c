//! Which replicas of this machine lost their lease and are not dead: stopped, or cut off from the store.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use flotilla_group::member::{Registry, Roster, View};
use flotilla_store::{Moment, Store};
use flotilla_tasks::Task;
use tokio::sync::watch;

/// How often it is looked again.
const LOOK: Duration = Duration::from_millis(200);
/// So many looks in a row have to agree: a replica that changes its group is in none for a moment.
const LOOKS: u32 = 10;

/// Who is in the registry, as this supervisor sees it.
#[derive(Clone)]
pub struct Living {
    store: Arc<dyn Store>,
    ids: watch::Receiver<HashSet<String>>,
}

impl Living {
    /// Follows the registry until every clone is gone.
    pub fn follow(store: Arc<dyn Store>, mut roster: Roster) -> Living {
        let (told, ids) = watch::channel(HashSet::new());
        let task = Task {
            name: "registry reader",
            owner: "this host".into(),
            ends: "nobody listens any more",
            failure: "stopped replicas are not replaced any more; restart this process",
        };
        task.spawn(async move {
            let mut view = View::default();
            loop {
                let next = tokio::select! {
                    next = roster.next() => next,
                    () = told.closed() => return,
                };
                match next {
                    Ok(replicas) => view.take(replicas.cloned().collect(), Moment::now()),
                    Err(error) => view.failed(&error.to_string(), Moment::now()),
                }
                told.send_replace(view.replicas().iter().map(|replica| replica.id.clone()).collect());
            }
        });
        Living { store, ids }
    }

    /// Returns when a replica that was in the registry has no lease any more, in a store that answers all the time. One
    /// that was alone in its group is also looked at as a process: the registry cannot tell its loss from an outage.
    pub async fn lost(&mut self, id: &str, pid: Option<u32>) {
        let _ = self.ids.wait_for(|ids| ids.contains(id)).await;
        let mut looks = 0;
        while looks < LOOKS {
            tokio::time::sleep(LOOK).await;
            let suspect = !self.ids.borrow().contains(id) || pid.is_some_and(is_stopped);
            let answer = if suspect { Registry::find(&self.store, id).await } else { Ok(None) };
            looks = if suspect && matches!(answer, Ok(None)) { looks + 1 } else { 0 };
        }
    }
}

/// True for a process that was stopped with SIGSTOP.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may have anything in it but ends with the last bracket.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}
