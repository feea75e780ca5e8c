//! Selectors as jQuery and cheerio take them, broken into CSS and what CSS does not have.

use scraper::Selector;

/// A selector list: each part up to a comma on its own.
pub(super) type Query = Vec<Vec<Step>>;

/// A stretch of CSS and the filters behind it.
#[derive(Debug)]
pub(super) struct Step {
    /// How it continues from the step before.
    pub(super) relation: Relation,
    /// Compiled with `:scope` and the combinator in front where it continues.
    pub(super) css: Selector,
    /// Filters over all elements found so far.
    pub(super) filters: Vec<Filter>,
}

/// How a step continues from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is the first: anywhere in the document.
    Start,
    /// The same elements must match.
    Same,
    /// Descendants or children.
    Inside,
    /// Later siblings.
    After,
}

/// What jQuery adds to CSS.
#[derive(Debug)]
pub(super) enum Filter {
    /// The element at this place; negative counts from the end. `:first`, `:last` and `:eq(n)`.
    At(i64),
    /// `:gt(n)`
    Greater(i64),
    /// `:lt(n)`
    Less(i64),
    /// `:even`
    Even,
    /// `:odd`
    Odd,
    /// `:contains(text)`; the flag: whatever the case.
    Contains(String, bool),
    /// `:not(...)` with such filters inside.
    Not(Query),
    /// `:has(...)` with such filters inside.
    Has(Query),
}

/// Why a selector cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid selector {selector:?}: {reason}")]
pub(super) struct QueryError {
    selector: String,
    reason: String,
}

/// Reads a selector list.
pub(super) fn parse(selector: &str) -> Result<Query, QueryError> {
    let refuse = |reason: &str| QueryError { selector: selector.to_owned(), reason: reason.to_owned() };
    let mut reader = Reader { chars: selector.chars().collect(), at: 0 };
    let query = reader.query().map_err(|reason| refuse(&reason))?;
    if reader.at < reader.chars.len() { Err(refuse("unexpected end of a list")) } else { Ok(query) }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

/// A step being read.
struct Draft {
    relation: Relation,
    combinator: &'static str,
    css: String,
    filters: Vec<Filter>,
}

impl Draft {
    fn new(relation: Relation, combinator: &'static str) -> Draft {
        Draft { relation, combinator, css: String::new(), filters: Vec::new() }
    }

    fn finish(self) -> Result<Step, String> {
        let trimmed = self.css.trim();
        // `ul > :first` and `ul :first` filter any element there.
        let open_end = trimmed.ends_with(['>', '+', '~'])
            || (trimmed.len() < self.css.trim_start().len() && !self.filters.is_empty());
        let css = match trimmed {
            "" => "*".to_owned(),
            css if open_end => format!("{css} *"),
            css => css.to_owned(),
        };
        let text = match self.relation {
            Relation::Start | Relation::Same => css,
            Relation::Inside | Relation::After => format!(":scope {} {css}", self.combinator),
        };
        let css = Selector::parse(&text).map_err(|error| error.to_string())?;
        Ok(Step { relation: self.relation, css, filters: self.filters })
    }
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn query(&mut self) -> Result<Query, String> {
        let mut query = Vec::new();
        loop {
            query.push(self.alternative()?);
            if self.peek() != Some(',') {
                return Ok(query);
            }
            self.at += 1;
        }
    }

    fn alternative(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        let mut draft = Draft::new(Relation::Start, "");
        self.blanks();
        while let Some(c) = self.peek().filter(|c| *c != ',') {
            if !draft.filters.is_empty() && c != ':' {
                let next = self.next_draft(c);
                if self.peek().is_none_or(|c| c == ',') {
                    break;
                }
                steps.push(std::mem::replace(&mut draft, next).finish()?);
                continue;
            }
            match c {
                '[' => draft.css.push_str(&self.attribute()?),
                ':' => self.pseudo(&mut draft, &mut steps)?,
                '"' | '\'' => draft.css.push_str(&self.quoted()?),
                c => {
                    draft.css.push(c);
                    self.at += 1;
                }
            }
        }
        if draft.css.trim().is_empty() && draft.filters.is_empty() {
            return Err("a selector is empty".to_owned());
        }
        steps.push(draft.finish()?);
        Ok(steps)
    }

    fn blanks(&mut self) -> bool {
        let from = self.at;
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.at > from
    }

    /// The step that begins after filters: by a combinator, or more about the same elements.
    fn next_draft(&mut self, c: char) -> Draft {
        let blank = self.blanks();
        let draft = match self.peek() {
            Some('>') => Draft::new(Relation::Inside, ">"),
            Some('+') => Draft::new(Relation::After, "+"),
            Some('~') => Draft::new(Relation::After, "~"),
            _ if blank && c.is_whitespace() => return Draft::new(Relation::Inside, ""),
            _ => return Draft::new(Relation::Same, ""),
        };
        self.at += 1;
        self.blanks();
        draft
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.chars[self.at];
        let from = self.at;
        self.at += 1;
        while let Some(c) = self.peek() {
            self.at += if c == '\\' { 2 } else { 1 };
            if c == quote {
                return Ok(self.chars[from..self.at.min(self.chars.len())].iter().collect());
            }
        }
        Err("a quote is not closed".to_owned())
    }

    /// `[name=value]`, with the value in quotes as CSS wants it; `!=` becomes `:not(...)`.
    fn attribute(&mut self) -> Result<String, String> {
        self.at += 1;
        let (mut inside, mut closed) = (String::new(), false);
        while let Some(c) = self.peek() {
            if matches!(c, '"' | '\'') {
                inside.push_str(&self.quoted()?);
                continue;
            }
            self.at += 1;
            if c == ']' {
                closed = true;
                break;
            }
            inside.push(c);
        }
        if !closed {
            return Err("'[' is not closed".to_owned());
        }
        let Some((name, value)) = inside.split_once('=') else { return Ok(format!("[{inside}]")) };
        let value = value.trim();
        let value = if value.starts_with(['"', '\'']) { value.to_owned() } else { format!("\"{value}\"") };
        Ok(match name.strip_suffix('!') {
            Some(name) => format!(":not([{name}={value}])"),
            None => format!("[{name}={value}]"),
        })
    }

    fn name(&mut self) -> String {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    /// What stands between balanced parentheses, if they open here.
    fn argument(&mut self) -> Result<Option<String>, String> {
        if self.peek() != Some('(') {
            return Ok(None);
        }
        let from = self.at + 1;
        let mut depth = 0;
        while let Some(c) = self.peek() {
            match c {
                '"' | '\'' => {
                    self.quoted()?;
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(Some(self.chars[from..self.at - 1].iter().collect()));
            }
        }
        Err("'(' is not closed".to_owned())
    }

    fn pseudo(&mut self, draft: &mut Draft, steps: &mut Vec<Step>) -> Result<(), String> {
        self.at += 1;
        if self.peek() == Some(':') {
            return Err("Pseudo-elements are not supported".to_owned());
        }
        let name = self.name();
        let argument = self.argument()?;
        let number = || {
            let text = argument.as_deref().unwrap_or_default().trim();
            text.parse::<i64>().map_err(|_| format!(":{name} needs a number, not {text:?}"))
        };
        let text = || argument.as_deref().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned();
        let nested = match (name.as_str(), &argument) {
            ("not" | "has", Some(inner)) => Some(parse(inner).map_err(|error| error.reason)?),
            _ => None,
        };
        let plain = |query: &Query| query.iter().flatten().all(|step| step.filters.is_empty());
        let filter = match name.as_str() {
            "first" => Filter::At(0),
            "last" => Filter::At(-1),
            "eq" | "nth" => Filter::At(number()?),
            "gt" => Filter::Greater(number()?),
            "lt" => Filter::Less(number()?),
            "even" => Filter::Even,
            "odd" => Filter::Odd,
            "contains" => Filter::Contains(text(), false),
            "icontains" => Filter::Contains(text(), true),
            "not" | "has" => match nested {
                Some(query) if !plain(&query) => {
                    if name == "not" {
                        Filter::Not(query)
                    } else {
                        Filter::Has(query)
                    }
                }
                _ => return css_pseudo(draft, steps, &name, argument),
            },
            _ => return css_pseudo(draft, steps, &name, argument),
        };
        draft.filters.push(filter);
        Ok(())
    }
}

/// A pseudo-class of CSS, or one of jQuery's that is short for CSS.
fn css_pseudo(draft: &mut Draft, steps: &mut Vec<Step>, name: &str, argument: Option<String>) -> Result<(), String> {
    if !draft.filters.is_empty() {
        steps.push(std::mem::replace(draft, Draft::new(Relation::Same, "")).finish()?);
    }
    let css = match name {
        "header" => ":is(h1,h2,h3,h4,h5,h6)".to_owned(),
        "input" => ":is(input,textarea,select,button)".to_owned(),
        "button" => ":is(button,input[type=\"button\"])".to_owned(),
        "text" => "input:is(:not([type]),[type=\"text\"])".trim_start_matches("input").to_owned(),
        "checkbox" | "file" | "password" | "radio" | "reset" | "image" | "submit" => format!("[type=\"{name}\"]"),
        "parent" => ":not(:empty)".to_owned(),
        "checked" => ":is([checked],option[selected])".to_owned(),
        "selected" => ":is(option[selected])".to_owned(),
        "disabled" => "[disabled]".to_owned(),
        "enabled" => ":not([disabled])".to_owned(),
        name => match argument {
            // Attribute values in the argument may want quotes, too.
            Some(argument) => format!(":{name}({})", requoted(&argument)?),
            None => format!(":{name}"),
        },
    };
    draft.css.push_str(&css);
    Ok(())
}

fn requoted(argument: &str) -> Result<String, String> {
    let mut reader = Reader { chars: argument.chars().collect(), at: 0 };
    let mut out = String::new();
    while let Some(c) = reader.peek() {
        if c == '[' {
            out.push_str(&reader.attribute()?);
        } else {
            out.push(c);
            reader.at += 1;
        }
    }
    Ok(out)
}
