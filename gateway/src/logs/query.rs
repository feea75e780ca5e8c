//! Which lines are wanted, and where to go on.

use std::io;

use flotilla_api::log::{LogCursor, LogFilter, LogLine};

use super::files::{LogFiles, Snapshot};
use super::merge::merge;
use super::segment::{self, Segment};

/// Lines beyond those that are wanted that are merged with them, so that what came late stands in its place.
const AHEAD: usize = 5_000;

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Of which group.
    pub group: String,
    /// Which of them.
    pub filter: LogFilter,
    /// Those behind this; without it the newest.
    pub after: Option<LogCursor>,
    /// How many at most.
    pub limit: usize,
    /// And so many bytes of texts at most, but a line at least; without it any.
    pub bytes: Option<usize>,
}

/// Lines, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The lines, by time.
    pub lines: Vec<LogLine>,
    /// Behind the last of each replica.
    pub cursor: LogCursor,
    /// There are more behind these.
    pub more: bool,
}

/// The lines that there are now. Reads files: it blocks.
///
/// # Errors
/// When a file cannot be read.
pub fn page(files: &LogFiles, query: &Query) -> io::Result<Found> {
    page_of(&files.snapshot(), query)
}

/// The lines that there were at a moment.
///
/// # Errors
/// When a file cannot be read.
pub fn page_of(snapshot: &Snapshot, query: &Query) -> io::Result<Found> {
    match &query.after {
        Some(after) => forward(snapshot, query, after),
        None => newest(snapshot, query),
    }
}

fn forward(snapshot: &Snapshot, query: &Query, after: &LogCursor) -> io::Result<Found> {
    let mut lines = Vec::new();
    let enough = query.limit + AHEAD;
    let (mut left, mut cut) = (query.bytes.unwrap_or(usize::MAX), false);
    for segment in snapshot.segments.iter().filter(|segment| is_wanted(segment, query)) {
        let passed = |(replica, place): (&String, &segment::Place)| after.0.get(replica) >= Some(&place.position);
        if segment.about.last.iter().all(passed) {
            continue;
        }
        let take = |line: LogLine, _| {
            if cut || lines.len() >= enough || !after.is_before(&line) || !query.wants(&line) {
                return;
            }
            // What is left out of a replica is behind all that is shown of it, so that the cursor stands before it.
            cut = left == 0;
            if !cut {
                left = left.saturating_sub(size(&line));
                lines.push(line);
            }
        };
        segment::read(&segment.path, 0, segment.about.bytes, take)?;
        if cut || lines.len() >= enough {
            break;
        }
    }
    let mut lines = merge(lines);
    let more = cut || lines.len() > query.limit;
    lines.truncate(query.limit);
    let mut cursor = if more { after.clone() } else { snapshot.cursor(&query.group) };
    if !more {
        // A cursor of another gateway may be further than this one.
        cursor.join(after);
    }
    lines.iter().for_each(|line| cursor.pass(line));
    Ok(Found { lines, cursor, more })
}

fn newest(snapshot: &Snapshot, query: &Query) -> io::Result<Found> {
    let mut lines: Vec<LogLine> = Vec::new();
    for segment in snapshot.segments.iter().rev().filter(|segment| is_wanted(segment, query)) {
        if lines.len() >= query.limit {
            // A line of an older file may still be later than these: lines come late from a replica that was away.
            lines = merge(lines);
            lines.drain(..lines.len() - query.limit);
            if lines.iter().map(|line| line.time_ms).min() >= Some(segment.about.max_ms) {
                break;
            }
        }
        let mut of_segment = Vec::new();
        let take = |line: LogLine, _| {
            if query.wants(&line) {
                of_segment.push(line);
            }
        };
        segment::read(&segment.path, 0, segment.about.bytes, take)?;
        of_segment.append(&mut lines);
        lines = of_segment;
    }
    let mut lines = merge(lines);
    let mut left = query.bytes.unwrap_or(usize::MAX);
    let fits = |line: &&LogLine| {
        let has_room = left > 0;
        left = left.saturating_sub(size(line));
        has_room
    };
    let shown = lines.iter().rev().take(query.limit).take_while(fits).count();
    lines.drain(..lines.len() - shown);
    Ok(Found { lines, cursor: snapshot.cursor(&query.group), more: false })
}

/// About how many bytes a line takes.
fn size(line: &LogLine) -> usize {
    let values = line.fields.iter().map(|(name, value)| name.len() + value.as_str().map_or(16, str::len));
    64 + line.message.len() + values.sum::<usize>()
}

fn is_wanted(segment: &Segment, query: &Query) -> bool {
    let about = &segment.about;
    let of_group = about.last.values().any(|place| place.group == query.group);
    let late_enough = query.filter.since.is_none_or(|since| about.max_ms >= since);
    of_group && late_enough && query.filter.until.is_none_or(|until| about.min_ms < until)
}

impl Query {
    /// True for a line that is wanted.
    pub fn wants(&self, line: &LogLine) -> bool {
        line.group == self.group && self.filter.wants(line)
    }
}
