//! The files: appended to, bounded, read while they grow.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use flotilla_api::log::{LogCursor, LogLine};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::retain::{Retention, make_room};
use super::segment::{self, About, HEADER, Place, Segment};

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
    #[error("{0} already has the log lines of {MOST_GATEWAYS} gateways: choose another folder with --logs")]
    InUse(PathBuf),
}

/// The files of one gateway.
pub struct LogFiles {
    folder: PathBuf,
    id: String,
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
                segments.push_back(Segment { number, about: about(&path)?, path, rewritten: 0 });
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
        let id = id_of(&folder)?;
        Ok(LogFiles { folder, id, retention, inner, grown: watch::Sender::new(0), _lock: lock })
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
        make_room(&mut inner.segments, &mut inner.last, &self.retention, now_ms());
        self.grown.send_modify(|times| *times += 1);
        self.turn_over(inner)
    }

    /// Begins the next file when this one is full, or has lines of so long that age alone would never end it.
    fn turn_over(&self, inner: &mut Inner) -> io::Result<()> {
        let (retention, now) = (&self.retention, now_ms());
        let ends =
            |current: &&Segment| current.about.bytes >= retention.segment || retention.is_long(&current.about, now);
        let Some(current) = inner.segments.back().filter(ends) else { return Ok(()) };
        inner.file.sync_data()?;
        seal(current)?;
        let (segment, file) = begin(&self.folder, current.number + 1)?;
        inner.segments.push_back(segment);
        inner.file = file;
        make_room(&mut inner.segments, &mut inner.last, retention, now);
        Ok(())
    }

    /// What the lines of this gateway's own are told from those of others by: the same after a restart.
    pub fn id(&self) -> &str {
        &self.id
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

    /// How often a file was written anew; `None` when it is gone.
    pub(super) fn rewritten(&self, number: u64) -> Option<u64> {
        let inner = self.inner.lock();
        inner.segments.iter().find(|segment| segment.number == number).map(|segment| segment.rewritten)
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

/// The id of the files in a folder, made once.
fn id_of(folder: &Path) -> io::Result<String> {
    let path = folder.join("id");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let is_whole = kept.len() == 8 && kept.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_whole {
        return Ok(kept);
    }
    let id = format!("{:08x}", rand::random::<u32>());
    fs::write(path, &id)?;
    Ok(id)
}

fn begin(folder: &Path, number: u64) -> io::Result<(Segment, File)> {
    let path = folder.join(format!("{number:010}.log"));
    let mut file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
    if let Err(error) = file.write_all(HEADER) {
        // Else the next attempt finds it in its way.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok((Segment { number, path, about: About::empty(), rewritten: 0 }, file))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What is in a file is written beside it when it is full, so that a start need not read it.
pub(super) fn seal(segment: &Segment) -> io::Result<()> {
    let json = serde_json::to_vec(&segment.about)?;
    fs::write(segment.path.with_extension("idx"), json)
}

fn about(path: &Path) -> io::Result<About> {
    let sealed = fs::read(path.with_extension("idx")).ok();
    let sealed = sealed.and_then(|json| serde_json::from_slice::<About>(&json).ok());
    match sealed {
        Some(about) if about.bytes == fs::metadata(path)?.len() && about.has_groups() => Ok(about),
        _ => segment::scan(path),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    fn a_second_gateway_has_a_place_of_its_own() {
        let folder = tempfile::TempDir::new().unwrap();
        let (first, second) = (open(folder.path(), 1_000, 5_000), open(folder.path(), 1_000, 5_000));
        first.append(&[line("a", 1, 1)]).unwrap();
        assert_eq!((all(&first, "", 10).0.len(), all(&second, "", 10).0.len()), (1, 0));
        let ids = [first.id().to_owned(), second.id().to_owned()];
        assert_ne!(ids[0], ids[1]);
        drop(first);
        assert_eq!(open(folder.path(), 1_000, 5_000).id(), ids[0], "the place and its id are taken up again");
    }

    #[test]
    fn who_follows_gets_a_little_at_once_however_far_it_is_behind() {
        let folder = tempfile::TempDir::new().unwrap();
        let files = std::sync::Arc::new(open(folder.path(), 1 << 20, 1 << 30));
        let mut follower = super::super::follower::Follower::behind(files.clone(), &files.snapshot());
        let long = |position| LogLine { message: "x".repeat(10_000), ..line("a", position, position) };
        let longest = LogLine { message: "x".repeat(1 << 20), ..line("a", 401, 401) };
        files.append(&(1..=400).map(long).collect::<Vec<_>>()).unwrap();
        files.append(&[longest, line("a", 402, 402)]).unwrap();
        let (mut read, mut more) = (Vec::new(), true);
        while more {
            let (lines, goes_on) = follower.read().unwrap();
            let bytes: usize = lines.iter().map(|line| line.message.len()).sum();
            assert!(bytes <= 300 << 10 || lines.iter().any(|line| line.position == 401), "{bytes}");
            more = goes_on;
            read.extend(lines.into_iter().map(|line| line.position));
        }
        assert_eq!(read, (1..=402).collect::<Vec<_>>());
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
                read.extend(follower.read().unwrap().0);
            }
        }
        read.extend(follower.read().unwrap().0);
        assert_eq!(read.iter().map(|line| line.position).collect::<Vec<_>>(), (2..=50).collect::<Vec<_>>());
    }
}
