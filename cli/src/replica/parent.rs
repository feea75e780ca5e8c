//! A supervised replica ends with its supervisor, whatever it is doing.

use std::io::Read;
use std::time::Duration;

use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

use crate::process::end_after;

/// Fires when standard input closes: the supervisor asks this replica to drain, or is gone. A thread of its own listens,
/// which no script and no runtime that hangs can hold up; what is not done `wait` later
/// is given up.
pub fn watch(gone: CancellationToken, wait: Duration) -> std::io::Result<()> {
    let task = Task {
        name: "parent",
        owner: "replica".into(),
        ends: "standard input closes",
        failure: "this replica does not stop with its supervisor; its supervisor kills it unless it is gone",
    };
    let listening = task.thread(move || {
        let (mut stdin, mut buffer) = (std::io::stdin().lock(), [0u8; 64]);
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        gone.cancel();
        end_after(wait, "stopping with the supervisor");
    });
    listening.map(drop)
}
