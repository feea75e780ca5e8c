//! SIGINT and SIGTERM: the first drains, the second exits at once.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the signals that end a process.
pub struct Shutdown {
    interrupt: Signal,
    terminate: Signal,
}

impl Shutdown {
    /// Takes the signals over from their default action.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> anyhow::Result<Shutdown> {
        let on = |kind| signal(kind).context("cannot listen for signals");
        Ok(Shutdown { interrupt: on(SignalKind::interrupt())?, terminate: on(SignalKind::terminate())? })
    }

    /// The next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
