//! Where in a JSON text a value stands. The text is known to be JSON.

/// A step from a value to one inside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A property.
    Key(&'a str),
    /// An item.
    Index(usize),
}

/// Line and column, from 1, of the value at the end of these steps; of the innermost value that is there.
pub(super) fn place_of(text: &str, steps: &[Step<'_>]) -> (usize, usize) {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    if text.starts_with('\u{feff}') {
        scan.at = '\u{feff}'.len_utf8();
    }
    scan.space();
    for step in steps {
        let start = scan.at;
        if !scan.enter(text, *step) {
            scan.at = start;
            break;
        }
    }
    let before = &text[..scan.at.min(text.len())];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().filter(|c| *c != '\u{feff}').count() + 1;
    (line, column)
}

/// The path as people write it: `tests[0].inject[1].at`.
pub(super) fn path_of(steps: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path.push_str(&format!(".{key}")),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// Over a text; answers where it begins and ends, quotes included.
    fn text(&mut self) -> (usize, usize) {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() && self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + 1).min(self.bytes.len());
        (start, self.at)
    }

    fn skip(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match self.peek() {
                b'"' => {
                    self.text();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b',' if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Goes to the value of a step. False when there is none.
    fn enter(&mut self, text: &str, step: Step<'_>) -> bool {
        let open = if matches!(step, Step::Key(_)) { b'{' } else { b'[' };
        if self.peek() != open {
            return false;
        }
        self.at += 1;
        let mut index = 0;
        loop {
            self.space();
            let found = match (self.peek(), step) {
                (b'"', Step::Key(wanted)) => {
                    let (start, end) = self.text();
                    let key: String = serde_json::from_str(&text[start..end]).unwrap_or_default();
                    self.space();
                    self.at += 1;
                    self.space();
                    key == wanted
                }
                (0 | b']' | b'}', _) => return false,
                (_, Step::Index(wanted)) => index == wanted,
                (_, Step::Key(_)) => return false,
            };
            if found {
                return true;
            }
            self.skip();
            self.space();
            if self.peek() == b',' {
                self.at += 1;
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_past_texts_and_nesting() {
        let text = "{\n  \"a\": \"x\\\"}\",\n  \"b\": [1, {\"c\": [2, {\"é\": 3}]}]\n}";
        let at = |steps: &[Step<'_>]| place_of(text, steps);
        assert_eq!(at(&[]), (1, 1));
        assert_eq!(at(&[Step::Key("a")]), (2, 8));
        assert_eq!(at(&[Step::Key("b"), Step::Index(1), Step::Key("c"), Step::Index(1), Step::Key("é")]), (3, 28));
        assert_eq!(at(&[Step::Key("b"), Step::Index(7)]), (3, 8), "what is not there stands where it would be");
        assert_eq!(path_of(&[Step::Key("b"), Step::Index(1), Step::Key("c")]), "b[1].c");
    }
}
