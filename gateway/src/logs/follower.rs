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

/// Bytes of records that are read at once: what a reader that is slow keeps in memory. A longer record is read alone.
const AT_ONCE: u64 = 256 << 10;

impl Follower {
    /// Behind what there was at a moment.
    pub fn behind(files: Arc<LogFiles>, snapshot: &Snapshot) -> Follower {
        let last = snapshot.segments.last();
        let (number, at) = last.map_or((0, 0), |segment| (segment.number, segment.about.bytes));
        Follower { files, number, at }
    }

    /// Lines that were appended since the last time, by time, and whether there are more. Reads files: it blocks.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self) -> io::Result<(Vec<LogLine>, bool)> {
        let (mut lines, mut left) = (Vec::new(), AT_ONCE);
        for segment in &self.files.snapshot().segments {
            if segment.number < self.number {
                continue;
            }
            let begin = if segment.number == self.number { self.at } else { 0 };
            (self.at, self.number) = (begin, segment.number);
            let end = segment.about.bytes;
            while self.at < end {
                let upto = self.at.saturating_add(left).min(end);
                let before = self.at;
                self.at = segment::read(&segment.path, before, upto, |line, _| lines.push(line))?;
                left = match self.at - before {
                    // A record that is longer; or one that is damaged: the rest of this file is passed over.
                    0 if upto < end => left.saturating_mul(2),
                    0 => break,
                    read if read < left && upto < end => 0,
                    read => left.saturating_sub(read),
                };
                if left == 0 {
                    return Ok((merge(lines), true));
                }
            }
        }
        Ok((merge(lines), false))
    }
}
