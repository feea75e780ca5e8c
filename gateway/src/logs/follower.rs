//! Lines as they are appended.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use flotilla_api::log::LogLine;

use super::files::{LogFiles, Snapshot};
use super::merge::merge;
use super::segment::{self, Segment};

/// Bytes of records that are read at once: what a reader that is slow keeps in memory. A longer record is read alone.
const AT_ONCE: u64 = 256 << 10;

/// Reads what is appended behind a snapshot, each line once.
pub struct Follower {
    files: Arc<LogFiles>,
    place: Place,
}

/// How far a follower is.
#[derive(Clone, Debug, Default)]
struct Place {
    /// The file that is read, and how far it was.
    number: u64,
    at: u64,
    /// How often that file had been written anew by then.
    rewritten: u64,
    /// Lines of each group that were passed in it.
    passed: BTreeMap<String, u64>,
}

/// What came of one file.
enum Read {
    /// It was read to its end, as far as it is known.
    Whole,
    /// There is more in it.
    More,
    /// It was written anew meanwhile: what was read may be wrong.
    Stale,
}

impl Follower {
    /// Behind what there was at a moment.
    pub fn behind(files: Arc<LogFiles>, snapshot: &Snapshot) -> Follower {
        let place = snapshot.segments.last().map_or_else(Place::default, |segment| Place {
            number: segment.number,
            at: segment.about.bytes,
            rewritten: segment.rewritten,
            passed: segment.about.lines.clone(),
        });
        Follower { files, place }
    }

    /// Lines that were appended since the last time, by time, and whether there are more. Reads files: it blocks.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self) -> io::Result<(Vec<LogLine>, bool)> {
        let (mut lines, mut left) = (Vec::new(), AT_ONCE);
        'again: loop {
            for segment in &self.files.snapshot().segments {
                if segment.number < self.place.number {
                    continue;
                }
                let (mut place, had) = (self.place.clone(), lines.len());
                match of_file(&mut place, segment, &mut left, &mut lines, &self.files)? {
                    // It has its lines at other places now, and is read again.
                    Read::Stale => {
                        lines.truncate(had);
                        continue 'again;
                    }
                    Read::Whole => self.place = place,
                    Read::More => {
                        self.place = place;
                        return Ok((merge(lines), true));
                    }
                }
            }
            return Ok((merge(lines), false));
        }
    }
}

/// Reads on in one file.
fn of_file(
    place: &mut Place,
    segment: &Segment,
    left: &mut u64,
    lines: &mut Vec<LogLine>,
    files: &LogFiles,
) -> io::Result<Read> {
    let is_stale = || files.rewritten(segment.number).is_some_and(|rewritten| rewritten != segment.rewritten);
    if segment.number != place.number {
        *place = Place { number: segment.number, rewritten: segment.rewritten, ..Place::default() };
    } else if segment.rewritten != place.rewritten {
        (place.at, place.rewritten) = (found_again(place, segment)?, segment.rewritten);
        if is_stale() {
            return Ok(Read::Stale);
        }
        place.passed.retain(|group, _| segment.about.lines.contains_key(group));
    }
    let end = segment.about.bytes;
    while place.at < end {
        let upto = place.at.saturating_add(*left).min(end);
        let (before, had) = (place.at, lines.len());
        place.at = segment::read(&segment.path, before, upto, |line, _| lines.push(line))?;
        if is_stale() {
            return Ok(Read::Stale);
        }
        for line in &lines[had..] {
            *place.passed.entry(line.group.clone()).or_default() += 1;
        }
        *left = match place.at - before {
            // A record that is longer; or one that is damaged: the rest of this file is passed over.
            0 if upto < end => left.saturating_mul(2),
            0 => break,
            read if read < *left && upto < end => 0,
            read => left.saturating_sub(read),
        };
        if *left == 0 {
            return Ok(Read::More);
        }
    }
    Ok(Read::Whole)
}

/// Where the same place is in a file that was written anew without the lines of some groups: the others' lines are there in
/// the same order, so as many of those come first as were passed.
fn found_again(place: &Place, segment: &Segment) -> io::Result<u64> {
    let kept = place.passed.iter().filter(|(group, _)| segment.about.lines.contains_key(*group));
    let passed: u64 = kept.map(|(_, lines)| lines).sum();
    let (mut seen, mut at) = (0, 0);
    let mut bytes = 0;
    let end = segment::read(&segment.path, 0, segment.about.bytes, |_, size| {
        bytes += size as u64;
        seen += 1;
        if seen == passed {
            at = bytes;
        }
    })?;
    // What is before the first record is the header. With fewer lines than were passed nothing in it is new.
    Ok(if seen < passed { end } else { end - bytes + at })
}
