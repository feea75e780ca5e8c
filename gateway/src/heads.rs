//! Writes the checkpoints of audit logs where the store cannot take them back: into the log, and into a file.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use flotilla_api::audit::Checkpoint;
use flotilla_group::Changes;
use flotilla_group::audit::AuditLog;
use flotilla_store::Store;
use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

/// Follows the checkpoints of a group's log and of the one that concerns none, until the token is cancelled. Each is a log
/// line, and with a file a line of JSON there: `flotilla audit verify --heads FILE` compares the store with it.
pub fn export(
    store: Arc<dyn Store>,
    group: &str,
    file: Option<PathBuf>,
    stop: CancellationToken,
) -> Result<(), flotilla_group::GroupError> {
    let logs = [AuditLog::new(store.clone(), group)?, AuditLog::system(store.clone())];
    let task = Task {
        name: "audit heads",
        owner: group.into(),
        ends: "the gateway stops",
        failure: "checkpoints of the audit log are no longer exported",
    };
    let work = async move {
        let follow = follow(store, logs, file);
        tokio::select! {
            () = follow => {}
            () = stop.cancelled() => {}
        }
    };
    drop(task.spawn(work));
    Ok(())
}

async fn follow(store: Arc<dyn Store>, logs: [AuditLog; 2], file: Option<PathBuf>) {
    let mut seen = known(file.as_deref());
    let mut changes = Changes::new(store, logs.iter().map(AuditLog::checkpoints_key).collect());
    loop {
        changes.next().await;
        for log in &logs {
            let Ok(chain) = log.chain().await else { continue };
            let end = chain.head.map_or(0, |head| head.seq);
            let newest = seen.get(&chain.group).copied().unwrap_or(0);
            if end < newest {
                tracing::error!(
                    group = chain.group,
                    end,
                    newest,
                    "the audit log is shorter than it was: it was cut, or the store was rolled back; see `flotilla audit verify`"
                );
                seen.insert(chain.group.clone(), end);
            }
            for checkpoint in chain.checkpoints.into_iter().filter(|checkpoint| checkpoint.seq > newest) {
                tracing::info!(
                    group = checkpoint.group,
                    seq = checkpoint.seq,
                    hash = checkpoint.hash,
                    signature = checkpoint.signature.signature,
                    "audit checkpoint"
                );
                if let Some(file) = &file
                    && let Err(error) = append(file, &checkpoint)
                {
                    tracing::warn!("an audit checkpoint is not in {}: {error}", file.display());
                    // Those that follow wait for it, so that the file has all of them.
                    break;
                }
                seen.insert(checkpoint.group.clone(), checkpoint.seq);
            }
        }
    }
}

/// The newest place of each group that the file has.
fn known(file: Option<&std::path::Path>) -> HashMap<String, u64> {
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let mut newest = HashMap::new();
    for checkpoint in text.lines().filter_map(|line| serde_json::from_str::<Checkpoint>(line).ok()) {
        let seq = newest.entry(checkpoint.group).or_insert(0);
        *seq = checkpoint.seq.max(*seq);
    }
    newest
}

fn append(file: &std::path::Path, checkpoint: &Checkpoint) -> std::io::Result<()> {
    let line = serde_json::to_string(checkpoint).unwrap_or_default() + "\n";
    std::fs::File::options().append(true).create(true).open(file)?.write_all(line.as_bytes())
}
