//! One file of log lines: a header, then records of length, checksum and JSON.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flotilla_api::log::LogLine;
use serde::{Deserialize, Serialize};

/// What a file begins with: the last byte is the format's version.
pub(super) const HEADER: &[u8; 8] = b"FLOTLOG\x01";
/// Length and checksum in front of a record.
const HEAD: usize = 8;
/// A longer record is damage.
const LONGEST: usize = 16 << 20;

/// What is known of a file without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    /// Bytes that are whole records, with the header.
    pub(super) bytes: u64,
    /// The earliest time of a line, milliseconds since the epoch.
    pub(super) min_ms: u64,
    /// The latest.
    pub(super) max_ms: u64,
    /// The last position of each replica in it.
    pub(super) last: BTreeMap<String, Place>,
    /// Bytes of each group's records.
    #[serde(default)]
    pub(super) groups: BTreeMap<String, u64>,
    /// Lines of each group.
    #[serde(default)]
    pub(super) lines: BTreeMap<String, u64>,
}

/// A position in the log of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The replica's group.
    pub(super) group: String,
    /// The position.
    pub(super) position: u64,
}

/// A file.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Files are numbered up.
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) about: About,
    /// How often it was written anew, with fewer lines: places in it are others then.
    pub(super) rewritten: u64,
}

impl About {
    pub(super) fn empty() -> About {
        About { bytes: HEADER.len() as u64, min_ms: u64::MAX, ..About::default() }
    }

    /// False for what an earlier version wrote.
    pub(super) fn has_groups(&self) -> bool {
        self.last.is_empty() || !self.groups.is_empty()
    }

    pub(super) fn add(&mut self, line: &LogLine, bytes: usize) {
        self.bytes += bytes as u64;
        self.min_ms = self.min_ms.min(line.time_ms);
        self.max_ms = self.max_ms.max(line.time_ms);
        *self.groups.entry(line.group.clone()).or_default() += bytes as u64;
        *self.lines.entry(line.group.clone()).or_default() += 1;
        let place = self.last.entry(line.replica.clone()).or_default();
        *place = Place { group: line.group.clone(), position: line.position };
    }
}

/// Appends a line as a record; answers its bytes.
pub(super) fn encode(line: &LogLine, to: &mut Vec<u8>) -> usize {
    let json = serde_json::to_vec(line).unwrap_or_default();
    to.extend_from_slice(&(json.len() as u32).to_le_bytes());
    to.extend_from_slice(&crc32fast::hash(&json).to_le_bytes());
    to.extend_from_slice(&json);
    HEAD + json.len()
}

/// The records of a file from `begin` up to `end`, in the order in which they came. A file that is gone has none; it ends at
/// the first record that is damaged. Answers where the last whole record ends.
pub(super) fn read(path: &Path, begin: u64, end: u64, mut take: impl FnMut(LogLine, usize)) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(begin),
        file => file?,
    };
    let mut data = Vec::new();
    let mut at = begin;
    if begin == 0 {
        let mut header = [0; HEADER.len()];
        if file.read_exact(&mut header).is_err() || header != *HEADER {
            return Ok(0);
        }
        at = HEADER.len() as u64;
    }
    file.seek(SeekFrom::Start(at))?;
    file.take(end.saturating_sub(at)).read_to_end(&mut data)?;
    let mut rest = data.as_slice();
    while let Some((json, size)) = record(rest) {
        let Ok(line) = serde_json::from_slice(json) else { break };
        take(line, size);
        at += size as u64;
        rest = &rest[size..];
    }
    Ok(at)
}

/// The first record and its bytes with what is in front of it.
fn record(data: &[u8]) -> Option<(&[u8], usize)> {
    let number = |at: usize| Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?));
    let (length, sum) = (number(0)? as usize, number(4)?);
    if length > LONGEST {
        return None;
    }
    let json = data.get(HEAD..HEAD + length)?;
    (crc32fast::hash(json) == sum).then_some((json, HEAD + length))
}

/// Reads a whole file and says what is in it.
pub(super) fn scan(path: &Path) -> io::Result<About> {
    let mut about = About::empty();
    let end = read(path, 0, u64::MAX, |line, size| about.add(&line, size))?;
    about.bytes = end;
    Ok(about)
}
