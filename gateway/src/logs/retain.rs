//! What is kept, and what makes room.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use super::files::seal;
use super::segment::{self, About, HEADER, Place, Segment};

/// How long lines are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Bytes of all files.
    pub bytes: u64,
    /// The age of the newest line of a file.
    pub age: Duration,
    /// Bytes of one file; it is the step in which lines go.
    pub segment: u64,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { bytes: 1 << 30, age: Duration::from_hours(7 * 24), segment: 16 << 20 }
    }
}

impl Retention {
    /// A file has lines of a seventh of the age at most, so that those of a group that writes little go in time, too.
    pub(super) fn is_long(&self, about: &About, now_ms: u64) -> bool {
        let oldest = u128::from(now_ms).saturating_sub(self.age.as_millis() / 7);
        about.max_ms > 0 && u128::from(about.min_ms) < oldest
    }
}

/// Has the oldest lines make room. What is too old goes as whole files. What is too much goes first of the groups that have
/// more than their share, so that one group that writes much does not end the lines of those that write little.
pub(super) fn make_room(
    segments: &mut VecDeque<Segment>,
    last: &mut BTreeMap<String, Place>,
    retention: &Retention,
    now_ms: u64,
) {
    let oldest = u128::from(now_ms).saturating_sub(retention.age.as_millis());
    let mut changed = false;
    while segments.len() > 1 && u128::from(segments[0].about.max_ms) < oldest {
        segments.pop_front().iter().for_each(remove);
        changed = true;
    }
    while segments.len() > 1 && total(segments) > retention.bytes {
        changed = true;
        if !thin(segments, retention.bytes) {
            segments.pop_front().iter().for_each(remove);
        }
    }
    if changed {
        // What no file has is no part of a cursor any more; those that still write stay.
        last.retain(|replica, _| segments.iter().any(|segment| segment.about.last.contains_key(replica)));
    }
}

fn total(segments: &VecDeque<Segment>) -> u64 {
    segments.iter().map(|segment| segment.about.bytes).sum()
}

fn remove(segment: &Segment) {
    for path in [segment.path.with_extension("idx"), segment.path.clone()] {
        drop(fs::remove_file(path));
    }
}

/// Takes the lines of groups that have more than their share out of the oldest full file that has such. False when no
/// file has, or it cannot be written anew.
fn thin(segments: &mut VecDeque<Segment>, most: u64) -> bool {
    let mut groups: BTreeMap<&str, u64> = BTreeMap::new();
    for (group, bytes) in segments.iter().flat_map(|segment| &segment.about.groups) {
        *groups.entry(group).or_default() += bytes;
    }
    let share = most / groups.len().max(1) as u64;
    let large: Vec<String> =
        groups.iter().filter(|(_, bytes)| **bytes > share).map(|(group, _)| (*group).to_owned()).collect();
    let full = segments.len() - 1;
    let has = |segment: &Segment| large.iter().any(|group| segment.about.groups.contains_key(group));
    let Some(at) = segments.iter().take(full).position(has) else { return false };
    if segments[at].about.groups.keys().all(|group| large.contains(group)) {
        segments.remove(at).iter().for_each(remove);
        return true;
    }
    let Ok(about) = without(&segments[at], &large) else { return false };
    segments[at].about = about;
    segments[at].rewritten += 1;
    if seal(&segments[at]).is_err() {
        // It is read in full at the next start.
        drop(fs::remove_file(segments[at].path.with_extension("idx")));
    }
    true
}

/// Writes a file anew without the lines of these groups. Who reads it meanwhile reads the old one to its end.
fn without(segment: &Segment, groups: &[String]) -> io::Result<About> {
    let (mut data, mut about) = (HEADER.to_vec(), About::empty());
    segment::read(&segment.path, 0, segment.about.bytes, |line, _| {
        if !groups.contains(&line.group) {
            let bytes = segment::encode(&line, &mut data);
            about.add(&line, bytes);
        }
    })?;
    let fresh = segment.path.with_extension("new");
    let written = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh);
    let written = written.and_then(|mut file| file.write_all(&data).and_then(|()| file.sync_data()));
    let written = written.and_then(|()| fs::rename(&fresh, &segment.path));
    if written.is_err() {
        drop(fs::remove_file(&fresh));
    }
    written.map(|()| about)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use flotilla_api::log::LogLine;

    use super::super::files::LogFiles;
    use super::super::query::{Query, page};
    use super::*;

    fn line(group: &str, position: u64, time_ms: u64) -> LogLine {
        LogLine {
            replica: format!("{group}-1"),
            group: group.to_owned(),
            position,
            time_ms,
            message: format!("line {position} of {group}"),
            ..LogLine::default()
        }
    }

    fn open(folder: &Path, segment: u64, bytes: u64, age: Duration) -> LogFiles {
        LogFiles::open(folder, Retention { bytes, age, segment }).unwrap()
    }

    fn positions(files: &LogFiles, group: &str) -> Vec<u64> {
        let query = Query { group: group.to_owned(), limit: 10_000, ..Query::default() };
        page(files, &query).unwrap().lines.iter().map(|line| line.position).collect()
    }

    fn bytes(folder: &Path) -> u64 {
        fs::read_dir(folder.join("1")).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }

    #[test]
    fn the_oldest_files_make_room() {
        let folder = tempfile::TempDir::new().unwrap();
        // No line of these tests is of today.
        let files = open(folder.path(), 1_000, 5_000, Duration::MAX);
        for position in 1..=500 {
            files.append(&[line("g", position, position)]).unwrap();
        }
        let kept = positions(&files, "g");
        assert!(kept.len() < 60 && kept.len() > 10, "{}", kept.len());
        assert_eq!(kept, (501 - kept.len() as u64..=500).collect::<Vec<_>>());
        assert!(bytes(folder.path()) < 9_000, "{}", bytes(folder.path()));
    }

    #[test]
    fn a_group_that_writes_much_does_not_end_the_lines_of_one_that_writes_little() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = open(folder.path(), 1_000, 10_000, Duration::MAX);
        for position in 1..=2_000 {
            files.append(&[line("loud", position, position)]).unwrap();
            if position % 100 == 0 {
                files.append(&[line("quiet", position, position)]).unwrap();
            }
        }
        assert_eq!(positions(&files, "quiet"), (1..=20).map(|at| at * 100).collect::<Vec<_>>());
        let loud = positions(&files, "loud");
        assert_eq!(loud, (2_001 - loud.len() as u64..=2_000).collect::<Vec<_>>(), "its newest are left");
        assert!(loud.len() > 10 && bytes(folder.path()) < 16_000, "{} {}", loud.len(), bytes(folder.path()));
        drop(files);
        let files = open(folder.path(), 1_000, 10_000, Duration::MAX);
        assert_eq!((positions(&files, "quiet").len(), positions(&files, "loud")), (20, loud));
        assert_eq!(files.next_position("quiet-1"), 2_001);
    }

    #[test]
    fn who_follows_misses_no_line_of_a_file_that_is_written_anew() {
        use super::super::follower::Follower;
        let folder = tempfile::TempDir::new().unwrap();
        let files = std::sync::Arc::new(open(folder.path(), 1_000, 10_000, Duration::MAX));
        let mut follower = Follower::behind(files.clone(), &files.snapshot());
        let (mut quiet, mut read) = (0, Vec::new());
        let mut rewritten = false;
        for position in 1..=3_000 {
            files.append(&[line("loud", position, position)]).unwrap();
            if position % 3 == 0 && position % 400 < 12 {
                quiet += 1;
                files.append(&[line("quiet", position, position)]).unwrap();
            }
            // In the middle of files, and seldom enough that the one it is in is thinned meanwhile.
            if position % 97 == 0 {
                rewritten |= files.snapshot().segments.iter().any(|segment| segment.rewritten > 0);
                read.extend(follower.read().unwrap().0);
            }
        }
        read.extend(follower.read().unwrap().0);
        assert!(rewritten, "a file was written anew");
        let of =
            |group: &str| read.iter().filter(|line| line.group == group).map(|line| line.position).collect::<Vec<_>>();
        assert_eq!(of("quiet").len(), quiet, "{:?}", of("quiet"));
        for group in ["quiet", "loud"] {
            assert!(of(group).is_sorted_by(|a, b| a < b), "none twice, none out of place");
        }
    }

    #[test]
    fn lines_of_a_group_that_writes_little_go_when_they_are_old() {
        let folder = tempfile::TempDir::new().unwrap();
        let day = Duration::from_hours(24);
        let files = open(folder.path(), 1 << 20, 1 << 30, 7 * day);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        let ago = |days: u64| now - days * day.as_millis() as u64;
        for (position, days) in (1..).zip([12, 10, 9, 8, 6, 3, 0]) {
            files.append(&[line("g", position, ago(days))]).unwrap();
        }
        assert_eq!(positions(&files, "g"), [5, 6, 7]);
    }
}
