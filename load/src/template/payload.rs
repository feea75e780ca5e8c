//! Payload templates: text with `{{seq}}`, `{{key}}`, `{{time}}`, `{{random 1..100}}` and the like in it.

use std::io::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::SmallRng;
use rand::{Rng, RngCore};

use super::mark::Mark;
use super::table::Table;

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("the template has \"{{{{\" without \"}}}}\": {0}")]
    Open(String),
    /// Not one of the names.
    #[error(
        "\"{{{{{0}}}}}\" is not known in a template: use mark, run, seq, key, topic, client, time, time_s, iso, random A..B, hex N, or csv COLUMN"
    )]
    Name(String),
    /// A column that the file lacks, or no file.
    #[error("the template uses the CSV column \"{column}\", which does not exist: {have}")]
    Column {
        /// The name.
        column: String,
        /// What is there.
        have: String,
    },
    /// `random` without two numbers, `hex` without a length.
    #[error("\"{{{{{0}}}}}\" needs numbers: write {{{{random 1..100}}}}, {{{{random 0.0..1.0}}}} or {{{{hex 32}}}}")]
    Numbers(String),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(Vec<u8>),
    Mark,
    Run,
    Seq,
    Key,
    Topic,
    Client,
    TimeMs,
    TimeS,
    Iso,
    Random { from: i64, to: i64 },
    RandomFraction { from: f64, to: f64, digits: usize },
    Hex(usize),
    Csv(usize),
}

/// A payload to be written for each message.
#[derive(Clone, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    table: Arc<Table>,
}

/// What a message is, for its template.
#[derive(Clone, Copy, Debug)]
pub struct Fill<'a> {
    /// Run, key and sequence.
    pub mark: Mark,
    /// The key's name.
    pub key: &'a str,
    /// The topic or URL.
    pub topic: &'a str,
    /// Number of the client in its stream, from 1.
    pub client: usize,
}

/// The most bytes that one `{{hex N}}` may write.
const LONGEST_HEX: usize = 1 << 20;

impl Template {
    /// Reads a template; `table` is what its `csv` pieces name columns of.
    ///
    /// # Errors
    /// When a name, column or number in it is not known.
    pub fn parse(text: &str, table: Arc<Table>) -> Result<Template, TemplateError> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(open) = rest.find("{{") {
            if open > 0 {
                pieces.push(Piece::Text(rest.as_bytes()[..open].to_vec()));
            }
            let inner = &rest[open + 2..];
            let close = inner.find("}}").ok_or_else(|| TemplateError::Open(text.to_owned()))?;
            pieces.push(piece(inner[..close].trim(), &table)?);
            rest = &inner[close + 2..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.as_bytes().to_vec()));
        }
        Ok(Template { pieces, table })
    }

    /// True when the mark is part of it.
    pub fn has_mark(&self) -> bool {
        self.pieces.contains(&Piece::Mark)
    }

    /// True when the sequence is part of it, alone or in the mark.
    pub fn has_sequence(&self) -> bool {
        self.has_mark() || self.pieces.contains(&Piece::Seq)
    }

    /// Puts `"load":"MARK"` first into a template of a JSON object; false when it is none.
    pub fn mark_json_object(&mut self) -> bool {
        let Some(Piece::Text(text)) = self.pieces.first_mut() else { return false };
        let Some(brace) = text.iter().position(|byte| !byte.is_ascii_whitespace()) else { return false };
        if text[brace] != b'{' {
            return false;
        }
        let after = text.split_off(brace + 1);
        let empty = self.pieces.len() == 1 && after.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'}');
        let mut end = if empty { b"\"".to_vec() } else { b"\",".to_vec() };
        end.extend(after);
        self.text_at_start(b"\"load\":\"");
        self.pieces.splice(1..1, [Piece::Mark, Piece::Text(end)]);
        true
    }

    fn text_at_start(&mut self, more: &[u8]) {
        if let Some(Piece::Text(text)) = self.pieces.first_mut() {
            text.extend_from_slice(more);
        }
    }

    /// Appends the payload of one message.
    pub fn write(&self, out: &mut Vec<u8>, fill: Fill<'_>, random: &mut SmallRng) {
        for piece in &self.pieces {
            // Writing to a Vec cannot fail.
            let _ = match piece {
                Piece::Text(text) => out.write_all(text),
                Piece::Mark => {
                    fill.mark.write(out);
                    Ok(())
                }
                Piece::Run => write!(out, "{:06x}", fill.mark.run),
                Piece::Seq => {
                    number(out, u64::from(fill.mark.seq));
                    Ok(())
                }
                Piece::Key => out.write_all(fill.key.as_bytes()),
                Piece::Topic => out.write_all(fill.topic.as_bytes()),
                Piece::Client => write!(out, "{}", fill.client),
                Piece::TimeMs => {
                    number(out, wall_ms());
                    Ok(())
                }
                Piece::TimeS => {
                    number(out, wall_ms() / 1000);
                    Ok(())
                }
                Piece::Iso => write!(out, "{:.3}", jiff::Timestamp::now()),
                Piece::Random { from, to } => write!(out, "{}", random.random_range(*from..=*to)),
                Piece::RandomFraction { from, to, digits } => {
                    write!(out, "{:.*}", *digits, random.random_range(*from..=*to))
                }
                Piece::Hex(length) => {
                    hex(out, *length, random);
                    Ok(())
                }
                Piece::Csv(column) => out.write_all(self.table.cell(u64::from(fill.mark.seq), *column).as_bytes()),
            };
        }
    }
}

fn piece(name: &str, table: &Table) -> Result<Piece, TemplateError> {
    let (word, argument) = name.split_once(' ').map_or((name, ""), |(word, argument)| (word, argument.trim()));
    Ok(match (word, argument) {
        ("mark", "") => Piece::Mark,
        ("run", "") => Piece::Run,
        ("seq", "") => Piece::Seq,
        ("key", "") => Piece::Key,
        ("topic", "") => Piece::Topic,
        ("client", "") => Piece::Client,
        ("time", "") => Piece::TimeMs,
        ("time_s", "") => Piece::TimeS,
        ("iso", "") => Piece::Iso,
        ("random", range) => random_range(name, range)?,
        ("hex", length) => match length.parse() {
            Ok(length) if length <= LONGEST_HEX => Piece::Hex(length),
            _ => return Err(TemplateError::Numbers(name.to_owned())),
        },
        ("csv", column) => Piece::Csv(table.column(column).ok_or_else(|| TemplateError::Column {
            column: column.to_owned(),
            have: match table.columns() {
                columns if columns.is_empty() => "no CSV file was given (csv = \"FILE\")".to_owned(),
                columns => format!("the file has {columns}"),
            },
        })?),
        _ => return Err(TemplateError::Name(name.to_owned())),
    })
}

fn random_range(name: &str, range: &str) -> Result<Piece, TemplateError> {
    let bad = || TemplateError::Numbers(name.to_owned());
    let (from, to) = range.split_once("..").ok_or_else(bad)?;
    if let (Ok(from), Ok(to)) = (from.parse(), to.parse()) {
        return if from <= to { Ok(Piece::Random { from, to }) } else { Err(bad()) };
    }
    let digits = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let decimals = digits(from).max(digits(to)).max(2);
    let (from, to): (f64, f64) = (from.parse().map_err(|_| bad())?, to.parse().map_err(|_| bad())?);
    if from <= to && from.is_finite() && to.is_finite() {
        Ok(Piece::RandomFraction { from, to, digits: decimals })
    } else {
        Err(bad())
    }
}

/// Milliseconds since 1970.
fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Decimal digits, without the formatting machinery: at 200,000 messages a second it shows.
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn hex(out: &mut Vec<u8>, length: usize, random: &mut SmallRng) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for _ in 0..length {
        out.push(DIGITS[(random.next_u32() & 15) as usize]);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn fill() -> Fill<'static> {
        Fill { mark: Mark { run: 0xabc, key: 7, seq: 42 }, key: "press-1", topic: "plant/press-1", client: 3 }
    }

    fn written(text: &str) -> String {
        let template = Template::parse(text, Arc::default()).unwrap();
        let mut out = Vec::new();
        template.write(&mut out, fill(), &mut SmallRng::seed_from_u64(1));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn pieces_are_filled() {
        assert_eq!(written(r#"{"a":{{seq}},"k":"{{key}}","c":{{client}}}"#), r#"{"a":42,"k":"press-1","c":3}"#);
        assert_eq!(written("{{run}} {{topic}} {{mark}}"), "000abc plant/press-1 fl_000abc_7_42_");
        assert_eq!(written("{{hex 8}}").len(), 8);
        let value: i64 = written("{{random 20..80}}").parse().unwrap();
        assert!((20..=80).contains(&value));
        let value = written("{{random -1.0..1.0}}");
        assert!((-1.0..=1.0).contains(&value.parse::<f64>().unwrap()) && value.contains('.'));
        assert!(written("{{time}}").parse::<u64>().unwrap() > 1_700_000_000_000);
    }

    #[test]
    fn a_json_object_gets_the_mark_first() {
        for (text, wanted) in [
            (r#"{"value":1}"#, r#"{"load":"fl_000abc_7_42_","value":1}"#),
            ("{ }", r#"{"load":"fl_000abc_7_42_" }"#),
            ("{\"v\":{{seq}}}", r#"{"load":"fl_000abc_7_42_","v":42}"#),
        ] {
            let mut template = Template::parse(text, Arc::default()).unwrap();
            assert!(template.mark_json_object());
            let mut out = Vec::new();
            template.write(&mut out, fill(), &mut SmallRng::seed_from_u64(1));
            assert_eq!(String::from_utf8(out.clone()).unwrap(), wanted);
            serde_json::from_slice::<serde_json::Value>(&out).unwrap();
        }
        assert!(!Template::parse("21.5", Arc::default()).unwrap().mark_json_object());
        assert!(!Template::parse("{{seq}}", Arc::default()).unwrap().mark_json_object());
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, part) in [
            ("{{sequence}}", "\"{{sequence}}\" is not known"),
            ("{{seq", "without"),
            ("{{random 5}}", "needs numbers"),
            ("{{random 9..1}}", "needs numbers"),
            ("{{hex many}}", "needs numbers"),
            ("{{csv price}}", "no CSV file was given"),
        ] {
            let error = Template::parse(text, Arc::default()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn csv_columns_go_round() {
        let folder = std::env::temp_dir().join(format!("flotilla-load-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("machines.csv");
        std::fs::write(&path, "name,value\nalpha,1\n\"be,ta\",2\n").unwrap();
        let table = Arc::new(Table::read(&path).unwrap());
        let template = Template::parse("{{csv name}}", table.clone()).unwrap();
        let mut out = Vec::new();
        let mut fill = fill();
        for seq in 0..3 {
            fill.mark.seq = seq;
            template.write(&mut out, fill, &mut SmallRng::seed_from_u64(1));
        }
        assert_eq!(out, b"alphabe,taalpha");
        let error = Template::parse("{{csv price}}", table).unwrap_err().to_string();
        assert!(error.contains("the file has name, value"), "{error}");
        std::fs::write(&path, "name\n").unwrap();
        assert!(Table::read(&path).unwrap_err().to_string().contains("no rows"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
