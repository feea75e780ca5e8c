//! A backup's format: JSON lines, with a head, one line per entry, and an end that proves that nothing is missing.

use std::io::{BufRead, Write};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flotilla_store::Entry;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the head says it is.
const WHAT: &str = "store";
/// The format that this writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    flotilla: String,
    format: u32,
    /// Of the binary that wrote it.
    version: String,
}

/// One entry: its value as text where it is text, else in base64.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// The last line: a file that was cut off has none.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    entries: usize,
    /// Over all bytes before this line, in hex.
    sha256: String,
}

/// Writes entries.
pub fn write(out: &mut impl Write, entries: &[Entry]) -> anyhow::Result<()> {
    let mut hash = Sha256::new();
    let mut line = |value: String| -> anyhow::Result<()> {
        let value = value + "\n";
        hash.update(value.as_bytes());
        out.write_all(value.as_bytes()).context("cannot write the backup")
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    line(serde_json::to_string(&Head { flotilla: WHAT.to_owned(), format: FORMAT, version })?)?;
    for Entry { key, value, .. } in entries {
        let text = std::str::from_utf8(value).ok().map(str::to_owned);
        let base64 = text.is_none().then(|| STANDARD.encode(value));
        line(serde_json::to_string(&Line { key: key.clone(), text, base64 })?)?;
    }
    let end = End { entries: entries.len(), sha256: format!("{:x}", hash.finalize()) };
    writeln!(out, "{}", serde_json::to_string(&end)?).context("cannot write the backup")
}

/// Reads entries: all of them, or an error that names the line.
pub fn read(input: impl BufRead) -> anyhow::Result<Vec<(String, Bytes)>> {
    let mut hash = Sha256::new();
    let mut entries = Vec::new();
    let mut lines = input.lines().enumerate();
    let mut next = || -> anyhow::Result<Option<(usize, String)>> {
        lines
            .next()
            .map(|(at, line)| Ok((at + 1, line.with_context(|| format!("line {} cannot be read", at + 1))?)))
            .transpose()
    };
    let (_, head) = next()?.context("the file is empty: it is not a backup")?;
    let Head { flotilla, format, version } =
        serde_json::from_str(&head).context("line 1: this is not a file of `flotilla store export`")?;
    ensure!(flotilla == WHAT, "line 1: this is a Flotilla file of the kind {flotilla:?}, not a backup of a store");
    ensure!(
        format <= FORMAT,
        "line 1: format {format} of version {version} is newer than this binary ({}), which reads up to format {FORMAT}: \
         use a newer flotilla",
        env!("CARGO_PKG_VERSION")
    );
    hash.update(head.as_bytes());
    hash.update(b"\n");
    while let Some((at, text)) = next()? {
        if let Ok(end) = serde_json::from_str::<End>(&text) {
            let sum = format!("{:x}", hash.finalize());
            ensure!(
                end.entries == entries.len() && end.sha256 == sum,
                "the file was changed: its last line says {} entries with SHA-256 {}, but it has {} with {sum}",
                end.entries,
                end.sha256,
                entries.len()
            );
            return Ok(entries);
        }
        let line: Line = serde_json::from_str(&text).with_context(|| format!("line {at} is not an entry"))?;
        let value = match (line.text, line.base64) {
            (Some(text), None) => Bytes::from(text),
            (None, Some(base64)) => {
                STANDARD.decode(base64).with_context(|| format!("line {at}: \"base64\" is not base64"))?.into()
            }
            _ => bail!("line {at}: an entry must have either \"text\" or \"base64\""),
        };
        entries.push((line.key, value));
        hash.update(text.as_bytes());
        hash.update(b"\n");
    }
    bail!("the file ends after {} entries without its last line: it was cut off", entries.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> String {
        let entry = |key: &str, value: &'static [u8]| Entry {
            key: key.to_owned(),
            value: Bytes::from_static(value),
            version: 1,
            expires: None,
        };
        let mut out = Vec::new();
        write(&mut out, &[entry("a", b"{\"x\":1}"), entry("b", b"\xff\x00")]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let read = read(written().as_bytes()).unwrap();
        assert_eq!(read, [("a".to_owned(), Bytes::from("{\"x\":1}")), ("b".to_owned(), Bytes::from(&b"\xff\x00"[..]))]);
    }

    #[test]
    fn what_was_cut_or_changed_is_refused() {
        let whole = written();
        let lines: Vec<&str> = whole.lines().collect();
        let refused = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
        assert!(refused(&lines[..3].join("\n")).contains("cut off"));
        assert!(refused(&[lines[0], lines[1], lines[3]].join("\n")).contains("was changed"));
        assert!(refused(&whole.replace("\\\"x\\\":1", "\\\"x\\\":2")).contains("was changed"));
        assert!(refused(&whole.replace("\"format\":1", "\"format\":2")).contains("newer"));
        assert!(refused("").contains("empty"));
        assert!(refused("[]").contains("not a file of"));
    }
}
