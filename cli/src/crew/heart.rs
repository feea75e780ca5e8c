//! The agent's signs of life.

use std::time::Duration;

use flotilla_api::placement::{AgentBinary, HostLoad};
use flotilla_group::host::{Beat, HostRegistration};
use flotilla_group::sealing::KeyRing;
use flotilla_tasks::{Handle, Task};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::machine;

/// Signs of life, until `leave`.
pub struct Heart {
    /// True while this process can tell dead hosts from an outage of its own.
    pub may_judge: watch::Receiver<bool>,
    /// Fires when another process has the host's name.
    pub lost: CancellationToken,
    stop: CancellationToken,
    beating: Handle<HostRegistration>,
}

impl Heart {
    /// Begins to give signs of life.
    /// `binary`: what is said of binaries; a change is told at once.
    pub fn start(
        registration: HostRegistration,
        host: &str,
        ttl: Duration,
        started_ms: u64,
        binary: watch::Receiver<AgentBinary>,
        keys: KeyRing,
    ) -> Heart {
        let (told, may_judge) = watch::channel(false);
        let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
        let task = Task {
            name: "heartbeat of a host",
            owner: host.into(),
            ends: "this process ends",
            failure: "the host counts as lost; restart this process",
        };
        let period = ttl / HostRegistration::BEATS_PER_LEASE;
        let (on_loss, stopped) = (lost.clone(), stop.clone());
        let beating = task.spawn(async move {
            let (mut registration, mut binary) = (registration, binary);
            let mut failing = false;
            loop {
                let said = binary.borrow_and_update().clone();
                let load = HostLoad { binary: said, key: keys.next_start(), ..machine::load(started_ms) };
                match registration.beat(load).await {
                    Beat::Given => failing = false,
                    Beat::Unknown(why) => {
                        if !std::mem::replace(&mut failing, true) {
                            tracing::warn!(why, "cannot report that this host is alive; its replicas keep running");
                        }
                    }
                    Beat::Lost => {
                        tracing::error!(
                            "another process has the name of this host: its replicas drain, and this process ends"
                        );
                        on_loss.cancel();
                        return registration;
                    }
                }
                let _ = told.send(registration.may_judge());
                tokio::select! {
                    () = tokio::time::sleep(period) => {}
                    // Who said it may be gone: then there is nothing new.
                    Ok(()) = binary.changed() => {}
                    () = stopped.cancelled() => return registration,
                }
            }
        });
        Heart { may_judge, lost, stop, beating }
    }

    /// Gives the host's name back.
    pub async fn leave(self) {
        self.stop.cancel();
        if let Ok(registration) = self.beating.await {
            registration.leave().await;
        }
    }
}
