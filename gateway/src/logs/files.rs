//! The files: appended to, bounded, read while they grow.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flotilla_api::log::{LogCursor, LogLine};
use parking_lot::Mutex;
use tokio::sync::watch;

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

/// Gateways on one machine that were given the same folder.
const MOST_GATEWAYS: usize = 16;

/// Why logs cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it cannot be used.
    #[error("cannot keep log lines in {path}: {source}; choose another folder with --logs")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others have all places.
    #[error("{MOST_GATEWAYS} gateways keep log lines in {0} already: choose another folder with --logs")]
    InUse(PathBuf),
}

/// The files of one gateway.
pub struct LogFiles {
    folder: PathBuf,
    retention: Retention,
    inner: Mutex<Inner>,
    grown: watch::Sender<u64>,
    /// Held as long as this is: another gateway takes another place.
    _lock: File,
}

struct Inner {
    /// The last one is appended to.
    segments: VecDeque<Segment>,
    file: File,
    last: BTreeMap<String, Place>,
}

/// What there was at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) segments: Vec<Segment>,
    pub(super) last: BTreeMap<String, Place>,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { bytes: 1 << 30, age: Duration::from_hours(7 * 24), segment: 16 << 20 }
    }
}

impl LogFiles {
    /// Opens the files in a folder of its own below `folder`. What was written in part is cut off.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, retention: Retention) -> Result<LogFiles, OpenError> {
        let bad = |source| OpenError::Io { path: folder.to_owned(), source };
        for place in 1..=MOST_GATEWAYS {
            let own = folder.join(place.to_string());
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&own).map_err(bad)?;
            let lock =
                OpenOptions::new().create(true).write(true).truncate(false).open(own.join("lock")).map_err(bad)?;
            match lock.try_lock() {
                Ok(()) => return LogFiles::take(own, retention, lock).map_err(bad),
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => return Err(bad(error)),
            }
        }
        Err(OpenError::InUse(folder.to_owned()))
    }

    fn take(folder: PathBuf, retention: Retention, lock: File) -> io::Result<LogFiles> {
        let mut segments = VecDeque::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let (Some(number), true) = (number, path.extension().is_some_and(|end| end == "log")) {
                segments.push_back(Segment { number, about: about(&path)?, path });
            }
        }
        segments.make_contiguous().sort_by_key(|segment| segment.number);
        let mut last = BTreeMap::new();
        for segment in &segments {
            last.extend(segment.about.last.clone());
        }
        // A new file: what was written in part at the end of the last one is never read.
        let number = segments.back().map_or(0, |segment| segment.number) + 1;
        let (segment, file) = begin(&folder, number)?;
        segments.push_back(segment);
        let inner = Mutex::new(Inner { segments, file, last });
        Ok(LogFiles { folder, retention, inner, grown: watch::Sender::new(0), _lock: lock })
    }

    /// Appends lines. Those that are here already are passed over.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&self, lines: &[LogLine]) -> io::Result<()> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let (mut data, mut fresh) = (Vec::new(), Vec::new());
        let mut places: BTreeMap<&str, u64> = BTreeMap::new();
        for line in lines {
            let written = inner.last.get(&line.replica).map(|place| place.position);
            let last = places.get(&*line.replica).copied().or(written);
            if last.is_none_or(|last| last < line.position) {
                fresh.push((line, segment::encode(line, &mut data)));
                places.insert(&line.replica, line.position);
            }
        }
        let Some(current) = inner.segments.back_mut().filter(|_| !fresh.is_empty()) else { return Ok(()) };
        if let Err(error) = inner.file.write_all(&data) {
            // What was written in part would hide what comes after it. These lines are not here: they may come again.
            let _ = inner.file.set_len(current.about.bytes);
            return Err(error);
        }
        for (line, bytes) in &fresh {
            current.about.add(line, *bytes);
            let place = Place { group: line.group.clone(), position: line.position };
            inner.last.insert(line.replica.clone(), place);
        }
        drop_old(inner, &self.retention);
        self.grown.send_modify(|times| *times += 1);
        self.turn_over(inner)
    }

    /// Begins the next file when this one is full.
    fn turn_over(&self, inner: &mut Inner) -> io::Result<()> {
        let Some(current) = inner.segments.back().filter(|current| current.about.bytes >= self.retention.segment)
        else {
            return Ok(());
        };
        inner.file.sync_data()?;
        seal(current)?;
        let (segment, file) = begin(&self.folder, current.number + 1)?;
        inner.segments.push_back(segment);
        inner.file = file;
        drop_old(inner, &self.retention);
        Ok(())
    }

    /// The position of the first line of a replica that is not here; 0 when there is none of it.
    pub fn next_position(&self, replica: &str) -> u64 {
        self.inner.lock().last.get(replica).map_or(0, |place| place.position + 1)
    }

    /// The log of this id begins anew, at a lower position: its clock was set back.
    pub fn begins_anew(&self, replica: &str) {
        self.inner.lock().last.remove(replica);
    }

    /// What there is now.
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.inner.lock();
        Snapshot { segments: inner.segments.iter().cloned().collect(), last: inner.last.clone() }
    }

    /// Changes when lines were appended.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }
}

impl Snapshot {
    /// The last position of each replica of a group.
    pub fn cursor(&self, group: &str) -> LogCursor {
        let of_group = self.last.iter().filter(|(_, place)| place.group == group);
        LogCursor(of_group.map(|(replica, place)| (replica.clone(), place.position)).collect())
    }
}

fn begin(folder: &Path, number: u64) -> io::Result<(Segment, File)> {
    let path = folder.join(format!("{number:010}.log"));
    let mut file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
    if let Err(error) = file.write_all(HEADER) {
        // Else the next attempt finds it in its way.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok((Segment { number, path, about: About::empty() }, file))
}

/// What is in a file is written beside it when it is full, so that a start need not read it.
fn seal(segment: &Segment) -> io::Result<()> {
    let json = serde_json::to_vec(&segment.about)?;
    fs::write(segment.path.with_extension("idx"), json)
}

fn about(path: &Path) -> io::Result<About> {
    let sealed = fs::read(path.with_extension("idx")).ok();
    let sealed = sealed.and_then(|json| serde_json::from_slice::<About>(&json).ok());
    match sealed {
        Some(about) if about.bytes == fs::metadata(path)?.len() => Ok(about),
        _ => segment::scan(path),
    }
}

fn drop_old(inner: &mut Inner, retention: &Retention) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let oldest = now.saturating_sub(retention.age.as_millis());
    let total = |inner: &Inner| inner.segments.iter().map(|segment| segment.about.bytes).sum::<u64>();
    while inner.segments.len() > 1 {
        let first = &inner.segments[0].about;
        if total(inner) <= retention.bytes && u128::from(first.max_ms) >= oldest {
            return;
        }
        if let Some(segment) = inner.segments.pop_front() {
            for path in [segment.path.with_extension("idx"), segment.path] {
                drop(fs::remove_file(path));
            }
        }
        // What no file has is no part of a cursor any more; those that still write stay.
        let kept = &inner.segments;
        inner.last.retain(|replica, _| kept.iter().any(|segment| segment.about.last.contains_key(replica)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::{Query, page};
    use super::*;

    fn line(replica: &str, position: u64, time_ms: u64) -> LogLine {
        LogLine {
            replica: replica.to_owned(),
            group: "g".to_owned(),
            position,
            time_ms,
            message: format!("line {position} of {replica}"),
            ..LogLine::default()
        }
    }

    fn open(folder: &Path, segment: u64, bytes: u64) -> LogFiles {
        // No line of these tests is of today.
        LogFiles::open(folder, Retention { bytes, segment, age: Duration::MAX }).unwrap()
    }

    fn all(files: &LogFiles, after: &str, limit: usize) -> (Vec<String>, String, bool) {
        let after = Some(after.parse().unwrap());
        let found = page(files, &Query { group: "g".to_owned(), after, limit, ..Query::default() }).unwrap();
        let names = found.lines.iter().map(|line| format!("{}{}", line.replica, line.position)).collect();
        (names, found.cursor.to_string(), found.more)
    }

    #[test]
    fn pages_show_each_line_once_over_a_restart_whatever_comes_twice() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = open(folder.path(), 200, 1 << 20);
        files.append(&[line("a", 1, 10), line("a", 2, 30), line("b", 1, 20)]).unwrap();
        files.append(&[line("a", 2, 30), line("b", 2, 40), line("a", 3, 50)]).unwrap();
        assert_eq!(all(&files, "", 2), (vec!["a1".to_owned(), "b1".to_owned()], "a:1,b:1".to_owned(), true));
        drop(files);
        let files = open(folder.path(), 200, 1 << 20);
        assert_eq!((files.next_position("a"), files.next_position("c")), (4, 0));
        files.append(&[line("a", 3, 50), line("b", 3, 60)]).unwrap();
        let rest = ["a2", "b2", "a3", "b3"].map(str::to_owned).to_vec();
        assert_eq!(all(&files, "a:1,b:1", 10), (rest, "a:3,b:3".to_owned(), false));
        let newest = page(&files, &Query { group: "g".to_owned(), limit: 2, ..Query::default() }).unwrap();
        assert_eq!(newest.lines.iter().map(|line| line.time_ms).collect::<Vec<_>>(), [50, 60]);
        assert_eq!(newest.cursor.to_string(), "a:3,b:3");
    }

    #[test]
    fn what_was_written_in_part_is_cut_off_and_damage_ends_a_file_only() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = open(folder.path(), 1 << 20, 1 << 20);
        files.append(&[line("a", 1, 10), line("a", 2, 20)]).unwrap();
        let path = files.snapshot().segments[0].path.clone();
        drop(files);
        let whole = fs::read(&path).unwrap();
        for cut in HEADER.len()..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let files = open(folder.path(), 1 << 20, 1 << 20);
            let (names, ..) = all(&files, "", 10);
            assert!(["a1", "a2"].starts_with(&names.iter().map(String::as_str).collect::<Vec<_>>()) && names.len() < 2);
        }
        let mut flipped = whole.clone();
        let last = flipped.len() - 3;
        flipped[last] ^= 1;
        fs::write(&path, flipped).unwrap();
        let files = open(folder.path(), 1 << 20, 1 << 20);
        files.append(&[line("a", 5, 50)]).unwrap();
        assert_eq!(all(&files, "", 10).0, ["a1", "a5"]);
    }

    #[test]
    fn the_oldest_files_make_room() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = open(folder.path(), 1_000, 5_000);
        for position in 1..=500 {
            files.append(&[line("a", position, position)]).unwrap();
        }
        let (names, cursor, _) = all(&files, "", 1_000);
        assert!(names.len() < 60 && names.len() > 10, "{}", names.len());
        assert_eq!((names.last().map(String::as_str), &*cursor), (Some("a500"), "a:500"));
        let bytes: u64 =
            fs::read_dir(folder.path().join("1")).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < 8_000, "{bytes}");
    }

    #[test]
    fn a_second_gateway_has_a_place_of_its_own() {
        let folder = tempfile::TempDir::new().unwrap();
        let (first, second) = (open(folder.path(), 1_000, 5_000), open(folder.path(), 1_000, 5_000));
        first.append(&[line("a", 1, 1)]).unwrap();
        assert_eq!((all(&first, "", 10).0.len(), all(&second, "", 10).0.len()), (1, 0));
    }

    #[test]
    fn who_follows_reads_each_line_once_over_full_files() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = std::sync::Arc::new(open(folder.path(), 400, 1 << 20));
        files.append(&[line("a", 1, 1)]).unwrap();
        let mut follower = super::super::follower::Follower::behind(files.clone(), &files.snapshot());
        let mut read = Vec::new();
        for position in 2..=50 {
            files.append(&[line("a", position, position)]).unwrap();
            if position % 7 == 0 {
                read.extend(follower.read().unwrap());
            }
        }
        read.extend(follower.read().unwrap());
        assert_eq!(read.iter().map(|line| line.position).collect::<Vec<_>>(), (2..=50).collect::<Vec<_>>());
    }
}
