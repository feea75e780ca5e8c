//! An expression of the source in the words of V8's `CallPrinter`.

use super::chain::is_keyword;
use super::lex::{Code, Kind, NONE};

/// What V8 shows where it has no words for an expression.
pub(super) const INTERMEDIATE: &str = "(intermediate value)";

/// An expression in words.
pub(super) struct Shown {
    pub(super) text: String,
    /// The token behind it.
    pub(super) end: usize,
    /// It is a call: the text without `(...)`.
    pub(super) callee: Option<String>,
    /// It is made of operators or alternatives.
    pub(super) compound: bool,
}

/// Operators by how tightly they bind.
const BINARY: &[&[&str]] = &[
    &["??"],
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!=", "===", "!=="],
    &["<", ">", "<=", ">=", "in", "instanceof"],
    &["<<", ">>", ">>>"],
    &["+", "-"],
    &["*", "/", "%"],
    &["**"],
];

/// How deep expressions are followed.
const DEPTH: usize = 60;

pub(super) struct Printer<'c, 'a> {
    pub(super) code: &'c Code<'a>,
    /// The first token that is not looked at.
    pub(super) stop: usize,
    pub(super) depth: usize,
}

impl Printer<'_, '_> {
    fn word(&self, at: usize) -> &str {
        if at < self.stop { self.code.word(at) } else { "" }
    }

    fn whole(text: &str, end: usize) -> Shown {
        Shown { text: text.to_owned(), end, callee: None, compound: false }
    }

    /// An expression with commas.
    pub(super) fn sequence(&mut self, at: usize) -> Shown {
        let mut left = self.assignment(at);
        while self.word(left.end) == "," && left.end + 1 < self.stop {
            let right = self.assignment(left.end + 1);
            left = Shown {
                text: format!("({} , {})", left.text, right.text),
                end: right.end,
                callee: None,
                compound: true,
            };
        }
        left
    }

    /// An expression without commas.
    pub(super) fn assignment(&mut self, at: usize) -> Shown {
        self.depth += 1;
        let shown = if self.depth > DEPTH { Self::whole(INTERMEDIATE, self.stop) } else { self.assigned(at) };
        self.depth -= 1;
        shown
    }

    fn assigned(&mut self, at: usize) -> Shown {
        if let Some(end) = self.arrow(at) {
            return Self::whole(INTERMEDIATE, end);
        }
        let left = self.binary(at, 0);
        match self.word(left.end) {
            "?" => {
                let yes = self.assignment(left.end + 1);
                let no = self.assignment(yes.end + 1);
                Shown { text: INTERMEDIATE.repeat(3), end: no.end, callee: None, compound: true }
            }
            "=" | "+=" | "-=" | "*=" | "/=" | "%=" | "**=" | "<<=" | ">>=" | ">>>=" | "&=" | "|=" | "^=" | "&&="
            | "||=" | "??=" => {
                let right = self.assignment(left.end + 1);
                Shown { end: right.end, callee: None, compound: true, ..left }
            }
            _ => left,
        }
    }

    /// Where an arrow function that begins here ends.
    fn arrow(&mut self, at: usize) -> Option<usize> {
        let at = if self.word(at) == "async" && self.word(at + 1) != "=>" { at + 1 } else { at };
        let behind = match self.word(at) {
            "(" if self.code.partner[at] != NONE => self.code.partner[at] + 1,
            "" => return None,
            _ => at + 1,
        };
        if self.word(behind) != "=>" {
            return None;
        }
        Some(match self.word(behind + 1) {
            "{" if self.code.partner[behind + 1] != NONE => self.code.partner[behind + 1] + 1,
            _ => self.assignment(behind + 1).end,
        })
    }

    fn binary(&mut self, at: usize, level: usize) -> Shown {
        let Some(operators) = BINARY.get(level) else { return self.unary(at) };
        let mut left = self.binary(at, level + 1);
        while operators.contains(&self.word(left.end)) {
            let operator = self.word(left.end).to_owned();
            let right = self.binary(left.end + 1, level + 1);
            let text = format!("({} {operator} {})", left.text, right.text);
            left = Shown { text, end: right.end, callee: None, compound: true };
        }
        left
    }

    fn unary(&mut self, at: usize) -> Shown {
        let word = self.word(at).to_owned();
        match word.as_str() {
            "!" | "-" | "+" | "~" | "++" | "--" => {
                let operand = self.unary(at + 1);
                let text = match (word.as_str(), operand.text.parse::<f64>()) {
                    ("-", Ok(_)) => format!("-{}", operand.text),
                    ("!", Ok(number)) => (number == 0.0).to_string(),
                    _ => format!("({word}{})", operand.text),
                };
                Shown { text, end: operand.end, callee: None, compound: true }
            }
            "typeof" | "void" | "delete" => {
                let operand = self.unary(at + 1);
                Shown { text: format!("({word} {})", operand.text), end: operand.end, callee: None, compound: true }
            }
            "await" | "yield" => {
                let operand = self.unary(at + 1);
                Self::whole(INTERMEDIATE, operand.end)
            }
            _ => {
                let operand = self.postfix(at);
                match self.word(operand.end) {
                    mark @ ("++" | "--") => {
                        let text = format!("({}{mark})", operand.text);
                        Shown { text, end: operand.end + 1, callee: None, compound: true }
                    }
                    _ => operand,
                }
            }
        }
    }

    fn postfix(&mut self, at: usize) -> Shown {
        let mut shown = self.primary(at);
        loop {
            shown = match self.word(shown.end) {
                "." => self.property(&shown, shown.end + 1, "."),
                "?." => match self.word(shown.end + 1) {
                    "[" => self.index(&shown, shown.end + 1, "?."),
                    "(" => self.call(&shown, shown.end + 1),
                    _ => self.property(&shown, shown.end + 1, "?."),
                },
                "[" => self.index(&shown, shown.end, ""),
                "(" => self.call(&shown, shown.end),
                _ => match self.code.tokens.get(shown.end) {
                    Some(token) if shown.end < self.stop && token.kind == Kind::Template => {
                        Self::whole(INTERMEDIATE, shown.end + 1)
                    }
                    _ => return shown,
                },
            };
            if shown.end >= self.stop {
                return shown;
            }
        }
    }

    fn property(&self, of: &Shown, at: usize, mark: &str) -> Shown {
        let name = self.code.tokens.get(at).map_or("", |token| token.text);
        let text = if name.starts_with('#') {
            format!("{}{}[{name}]", of.text, mark.trim_start_matches('.'))
        } else {
            format!("{}{mark}{name}", of.text)
        };
        Shown { text, end: at + 1, callee: None, compound: false }
    }

    fn index(&mut self, of: &Shown, at: usize, mark: &str) -> Shown {
        let close = self.code.partner[at];
        let end = if close == NONE { self.stop } else { close + 1 };
        let text = match self.code.tokens.get(at + 1) {
            // V8 takes a name in quotes for a name.
            Some(token) if token.kind == Kind::Text && close == at + 2 => {
                format!("{}{}{}", of.text, if mark.is_empty() { "." } else { mark }, unquoted(token.text))
            }
            _ => format!("{}{mark}[{}]", of.text, self.sequence(at + 1).text),
        };
        Shown { text, end, callee: None, compound: false }
    }

    fn call(&self, of: &Shown, at: usize) -> Shown {
        let close = self.code.partner[at];
        let end = if close == NONE { self.stop } else { close + 1 };
        Shown { text: format!("{}(...)", of.text), end, callee: Some(of.text.clone()), compound: false }
    }

    fn primary(&mut self, at: usize) -> Shown {
        let Some(token) = self.code.tokens.get(at).filter(|_| at < self.stop) else {
            return Self::whole("", self.stop);
        };
        match token.kind {
            Kind::Number => {
                let text = token.text.replace('_', "");
                let number = match text.get(..2) {
                    Some("0x" | "0X") => u64::from_str_radix(&text[2..], 16).ok().map(|number| number as f64),
                    _ => text.parse::<f64>().ok(),
                };
                let text = number.map_or(text, |number| flotilla_value::Value::Number(number).to_text().to_string());
                Self::whole(&text, at + 1)
            }
            Kind::Text => Self::whole(&format!("\"{}\"", unquoted(token.text)), at + 1),
            Kind::Template => self.template(token.text, at + 1),
            Kind::Regexp => Self::whole(token.text, at + 1),
            Kind::Name => self.name(token.text, at),
            Kind::Mark => self.bracket(token.text, at),
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Shown {
        match name {
            "function" | "class" => {
                let body = (at..self.stop).find(|at| self.word(*at) == "{" && !self.is_in_parameters(*at));
                let end = body.map_or(self.stop, |open| match self.code.partner[open] {
                    NONE => self.stop,
                    close => close + 1,
                });
                Self::whole(INTERMEDIATE, end)
            }
            "async" if self.word(at + 1) == "function" => self.name("function", at + 1),
            "new" => {
                let mut end = at + 1;
                while end < self.stop && !matches!(self.word(end), "(" | ")" | "," | ";") {
                    end = match self.word(end) {
                        "[" if self.code.partner[end] != NONE => self.code.partner[end] + 1,
                        _ => end + 1,
                    };
                }
                if self.word(end) == "(" && self.code.partner[end] != NONE {
                    end = self.code.partner[end] + 1;
                }
                Self::whole(INTERMEDIATE, end)
            }
            "super" => Self::whole(INTERMEDIATE, at + 1),
            name if is_keyword(name) => Self::whole("", self.stop),
            name => Self::whole(name, at + 1),
        }
    }

    fn is_in_parameters(&self, at: usize) -> bool {
        (at.saturating_sub(30)..at).rev().any(|open| {
            self.word(open) == "("
                && self.code.partner[open] != NONE
                && self.code.partner[open] > at
                && self.code.partner[open] < self.stop
        })
    }

    fn bracket(&mut self, mark: &str, at: usize) -> Shown {
        let close = self.code.partner[at];
        if close == NONE {
            return Self::whole(INTERMEDIATE, self.stop);
        }
        match mark {
            "(" => {
                let inner = self.sequence(at + 1);
                Shown { end: close + 1, callee: None, ..inner }
            }
            "[" => {
                let (mut items, mut next) = (Vec::new(), at + 1);
                while next < close {
                    let spread = self.word(next) == "...";
                    let item = self.assignment(next + usize::from(spread));
                    items.push(if spread { format!("(...{})", item.text) } else { item.text });
                    next = item.end.max(next) + 1;
                }
                Self::whole(&format!("[{}]", items.join(",")), close + 1)
            }
            "{" => {
                let (mut depth, mut properties) = (0, usize::from(close > at + 1));
                for at in at + 1..close {
                    match self.word(at) {
                        "(" | "[" | "{" => depth += 1,
                        ")" | "]" | "}" => depth -= 1,
                        "," if depth == 0 && at + 1 < close => properties += 1,
                        _ => {}
                    }
                }
                Self::whole(&format!("{{{}}}", INTERMEDIATE.repeat(properties)), close + 1)
            }
            _ => Self::whole("", self.stop),
        }
    }

    /// V8 shows only what is put into a template.
    fn template(&mut self, text: &str, end: usize) -> Shown {
        if !text.contains("${") {
            return Self::whole(&format!("\"{}\"", text.trim_matches('`')), end);
        }
        let mut shown = String::new();
        for part in text.split("${").skip(1) {
            let inner = part.split('}').next().unwrap_or_default();
            let code = Code::new(inner);
            let stop = code.tokens.len();
            shown += &Printer { code: &code, stop, depth: self.depth + 1 }.sequence(0).text;
        }
        Self::whole(&shown, end)
    }
}

/// The text of a literal in quotes; escapes stay.
pub(super) fn unquoted(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}
