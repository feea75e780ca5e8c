//! The lines of a gateway's own process, beside those that it collects.

use std::sync::Arc;

use flotilla_api::log::LogLine;
use flotilla_gateway::logs::LogFiles;
use tokio_util::sync::CancellationToken;

use super::lines::kept;

/// Lines that are written at once at most.
const MOST: usize = 1000;

/// Appends this process's lines to the files until the token is cancelled: under a name of their own, so that those of two
/// gateways are told apart, and a cursor is good at either.
pub async fn keep(files: Arc<LogFiles>, stop: CancellationToken) {
    let (mut next, mut from) = (kept().watch(), 0);
    loop {
        next.mark_unchanged();
        let page = kept().from(from, MOST);
        let own = |(_, json): &(u64, Arc<str>)| serde_json::from_str(json).ok().map(|line| named(line, files.id()));
        let lines: Vec<LogLine> = page.entries.iter().filter_map(own).collect();
        from = page.next;
        if !lines.is_empty() {
            // The collector reports when the disk is full.
            let _ = files.append(&lines);
            continue;
        }
        tokio::select! {
            changed = next.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

/// The line as one of `gateway-ID` or `up-ID`.
fn named(line: LogLine, id: &str) -> LogLine {
    LogLine { replica: format!("{}-{id}", line.replica), ..line }
}
