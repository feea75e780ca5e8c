//! What is wrong with JSON text, in the words of the JavaScript engine that flows know.
//!
//! Source: `JsonParser::ReportUnexpectedToken` of V8 11.3 (Node.js 20).

/// Characters of the text that are shown on each side of the fault.
const AROUND: usize = 10;

/// Texts that are somebody's value put into `JSON.parse` by mistake.
const SPECIAL: &[&str] = &["undefined", "NaN", "Infinity", "[object Object]"];

/// The message of the `SyntaxError` that `JSON.parse(text)` throws; `None` for valid JSON.
pub fn json_fault(text: &str) -> Option<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    Scanner { text, units: &units }.document().err()
}

struct Scanner<'a> {
    text: &'a str,
    units: &'a [u16],
}

type Scanned = Result<usize, String>;

/// What comes next in the innermost object or array.
enum Expects {
    Value,
    /// A key, or the end.
    FirstKey,
    Key,
    /// An item, or the end.
    FirstItem,
    /// A comma, or the end.
    Next,
}

impl Scanner<'_> {
    fn document(&self) -> Scanned {
        let mut open: Vec<char> = Vec::new();
        let mut at = 0;
        let mut expects = Expects::Value;
        loop {
            at = self.blank(at);
            expects = match expects {
                Expects::FirstKey if self.is(at, '}') => Self::close(&mut open, &mut at),
                Expects::FirstItem if self.is(at, ']') => Self::close(&mut open, &mut at),
                Expects::FirstKey | Expects::Key => {
                    at = self.key(at, matches!(expects, Expects::FirstKey))?;
                    Expects::Value
                }
                Expects::Next => match open.last() {
                    None if at == self.units.len() => return Ok(at),
                    None => return Err(format!("Unexpected non-whitespace character after JSON at position {at}")),
                    Some(end) if self.is(at, *end) => Self::close(&mut open, &mut at),
                    Some(end) if self.is(at, ',') => {
                        at += 1;
                        if *end == ']' { Expects::Value } else { Expects::Key }
                    }
                    Some(']') => {
                        return Err(format!("Expected ',' or ']' after array element in JSON at position {at}"));
                    }
                    Some(_) => {
                        return Err(format!("Expected ',' or '}}' after property value in JSON at position {at}"));
                    }
                },
                Expects::Value | Expects::FirstItem => self.value(&mut open, &mut at)?,
            };
        }
    }

    fn close(open: &mut Vec<char>, at: &mut usize) -> Expects {
        open.pop();
        *at += 1;
        Expects::Next
    }

    /// A key with its colon.
    fn key(&self, at: usize, first: bool) -> Scanned {
        if !self.is(at, '"') {
            let what = if first { "Expected property name or '}'" } else { "Expected double-quoted property name" };
            return Err(format!("{what} in JSON at position {at}"));
        }
        let at = self.blank(self.string(at)?);
        if !self.is(at, ':') {
            return Err(format!("Expected ':' after property name in JSON at position {at}"));
        }
        Ok(at + 1)
    }

    fn value(&self, open: &mut Vec<char>, at: &mut usize) -> Result<Expects, String> {
        let next = match self.ascii(*at) {
            Some(b'{') => {
                open.push('}');
                *at += 1;
                return Ok(Expects::FirstKey);
            }
            Some(b'[') => {
                open.push(']');
                *at += 1;
                return Ok(Expects::FirstItem);
            }
            Some(b'"') => self.string(*at)?,
            Some(b'-' | b'0'..=b'9') => self.number(*at)?,
            Some(b't') => self.literal(*at, "true")?,
            Some(b'f') => self.literal(*at, "false")?,
            Some(b'n') => self.literal(*at, "null")?,
            _ => return Err(self.unexpected(*at)),
        };
        *at = next;
        Ok(Expects::Next)
    }

    fn ascii(&self, at: usize) -> Option<u8> {
        self.units.get(at).and_then(|unit| u8::try_from(*unit).ok())
    }

    fn is(&self, at: usize, c: char) -> bool {
        self.ascii(at).map(char::from) == Some(c)
    }

    fn is_digit(&self, at: usize) -> bool {
        self.ascii(at).is_some_and(|byte| byte.is_ascii_digit())
    }

    fn blank(&self, from: usize) -> usize {
        from + self.units.iter().skip(from).take_while(|unit| matches!(**unit, 0x20 | 0x9 | 0xa | 0xd)).count()
    }

    fn digits(&self, mut at: usize) -> usize {
        while self.is_digit(at) {
            at += 1;
        }
        at
    }

    fn literal(&self, at: usize, word: &str) -> Scanned {
        match word.bytes().enumerate().find(|(offset, byte)| self.ascii(at + offset) != Some(*byte)) {
            Some((offset, _)) => Err(self.unexpected(at + offset)),
            None => Ok(at + word.len()),
        }
    }

    fn number(&self, from: usize) -> Scanned {
        let mut at = from + usize::from(self.is(from, '-'));
        if !self.is_digit(at) {
            return Err(format!("No number after minus sign in JSON at position {at}"));
        }
        if self.is(at, '0') && self.is_digit(at + 1) {
            return Err(format!("Unexpected number in JSON at position {}", at + 1));
        }
        at = self.digits(at);
        if self.is(at, '.') {
            if !self.is_digit(at + 1) {
                return Err(format!("Unterminated fractional number in JSON at position {}", at + 1));
            }
            at = self.digits(at + 1);
        }
        if self.is(at, 'e') || self.is(at, 'E') {
            at += 1 + usize::from(self.is(at + 1, '+') || self.is(at + 1, '-'));
            if !self.is_digit(at) {
                return Err(format!("Exponent part is missing a number in JSON at position {at}"));
            }
            at = self.digits(at);
        }
        Ok(at)
    }

    fn string(&self, from: usize) -> Scanned {
        let mut at = from + 1;
        loop {
            match self.units.get(at) {
                None => return Err(format!("Unterminated string in JSON at position {at}")),
                Some(0x22) => return Ok(at + 1),
                Some(0..0x20) => {
                    return Err(format!("Bad control character in string literal in JSON at position {at}"));
                }
                Some(0x5c) => at = self.escape(at + 1)?,
                Some(_) => at += 1,
            }
        }
    }

    fn escape(&self, at: usize) -> Scanned {
        match self.ascii(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => {
                let is_hex = |at: &usize| self.ascii(*at).is_some_and(|byte| byte.is_ascii_hexdigit());
                match (at + 1..at + 5).take_while(is_hex).count() {
                    4 => Ok(at + 5),
                    digits => Err(format!("Bad Unicode escape in JSON at position {}", at + 1 + digits)),
                }
            }
            None if at >= self.units.len() => Err(self.unexpected(at)),
            _ => Err(format!("Bad escaped character in JSON at position {at}")),
        }
    }

    fn unexpected(&self, at: usize) -> String {
        let Some(unit) = self.units.get(at) else { return "Unexpected end of JSON input".to_owned() };
        if SPECIAL.contains(&self.text) {
            return format!("\"{}\" is not valid JSON", self.text);
        }
        match self.ascii(at) {
            Some(b'"') => return format!("Unexpected string in JSON at position {at}"),
            Some(b'-' | b'0'..=b'9') => return format!("Unexpected number in JSON at position {at}"),
            _ => {}
        }
        let length = self.units.len();
        let text = |from: usize, to: usize| String::from_utf16_lossy(&self.units[from..to]);
        let is_pair = (0xd800..0xdc00).contains(unit) && at + 1 < length;
        let token = text(at, at + 1 + usize::from(is_pair));
        let (from, to) = match length {
            0..=20 => (0, length),
            _ => (at.saturating_sub(AROUND), (at + AROUND).min(length)),
        };
        let (head, tail) = (if from > 0 { "..." } else { "" }, if to < length { "..." } else { "" });
        format!("Unexpected token '{token}', {head}\"{}\"{tail} is not valid JSON", text(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::json_fault;

    /// Each as Node.js 20.20.2 puts it.
    #[test]
    fn faults_are_named_as_v8_names_them() {
        let cases = [
            ("hello", "Unexpected token 'h', \"hello\" is not valid JSON"),
            ("", "Unexpected end of JSON input"),
            ("undefined", "\"undefined\" is not valid JSON"),
            ("[object Object]", "\"[object Object]\" is not valid JSON"),
            ("{a:1}", "Expected property name or '}' in JSON at position 1"),
            ("{\"a\":}", "Unexpected token '}', \"{\"a\":}\" is not valid JSON"),
            ("[1,2", "Expected ',' or ']' after array element in JSON at position 4"),
            ("{\"a\":1,}", "Expected double-quoted property name in JSON at position 7"),
            ("{\"a\":1", "Expected ',' or '}' after property value in JSON at position 6"),
            ("{\"a\" 1}", "Expected ':' after property name in JSON at position 5"),
            ("{\"a\":1} x", "Unexpected non-whitespace character after JSON at position 8"),
            ("'a'", "Unexpected token ''', \"'a'\" is not valid JSON"),
            ("01", "Unexpected number in JSON at position 1"),
            ("1.", "Unterminated fractional number in JSON at position 2"),
            ("1e", "Exponent part is missing a number in JSON at position 2"),
            ("-", "No number after minus sign in JSON at position 1"),
            ("\"a", "Unterminated string in JSON at position 2"),
            ("\"a\nb\"", "Bad control character in string literal in JSON at position 2"),
            ("\"\\x\"", "Bad escaped character in JSON at position 2"),
            ("\"\\u12\"", "Bad Unicode escape in JSON at position 5"),
            ("tru", "Unexpected end of JSON input"),
            ("foo", "Unexpected token 'o', \"foo\" is not valid JSON"),
            ("25.5C", "Unexpected non-whitespace character after JSON at position 4"),
            ("\u{e9}", "Unexpected token '\u{e9}', \"\u{e9}\" is not valid JSON"),
            ("abc def ghi jkl mno pqr stu", "Unexpected token 'a', \"abc def gh\"... is not valid JSON"),
            (
                "{\"aaaaaaaaaaaaaaaaaaaaaaa\": hello bbbbbbbbbbbbbbb}",
                "Unexpected token 'h', ...\"aaaaaaa\": hello bbbb\"... is not valid JSON",
            ),
        ];
        for (text, fault) in cases {
            assert_eq!(json_fault(text).as_deref(), Some(fault), "{text}");
        }
        for valid in ["1", "-0.5e+3", "{}", "[]", " {\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\"} ", "true"] {
            assert_eq!(json_fault(valid), None, "{valid}");
        }
    }
}
