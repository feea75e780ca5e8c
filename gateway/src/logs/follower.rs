//! Lines as they are appended.

use std::io;
use std::sync::Arc;

use flotilla_api::log::LogLine;

use super::files::{LogFiles, Snapshot};
use super::merge::merge;
use super::segment;

/// Reads what is appended behind a snapshot, each line once.
pub struct Follower {
    files: Arc<LogFiles>,
    /// The file that is read, and how far it was.
    number: u64,
    at: u64,
}

impl Follower {
    /// Behind what there was at a moment.
    pub fn behind(files: Arc<LogFiles>, snapshot: &Snapshot) -> Follower {
        let last = snapshot.segments.last();
        let (number, at) = last.map_or((0, 0), |segment| (segment.number, segment.about.bytes));
        Follower { files, number, at }
    }

    /// The lines that were appended since the last time, by time. Reads files: it blocks.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        for segment in &self.files.snapshot().segments {
            if segment.number < self.number {
                continue;
            }
            let begin = if segment.number == self.number { self.at } else { 0 };
            self.at = segment::read(&segment.path, begin, segment.about.bytes, |line, _| lines.push(line))?;
            self.number = segment.number;
        }
        Ok(merge(lines))
    }
}
