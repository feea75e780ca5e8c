//! YAML text to a value. Only this file knows the YAML parser.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use rustc_hash::{FxHashMap, FxHashSet};

use flotilla_value::{Object, Str, Value};

use super::error::{LoadError, MAX_DEPTH};
use super::scalar::{TagError, implicit, tagged};

/// So many properties may come in by merge keys, in the whole document.
const MAX_MERGED: usize = 1_000_000;

/// Reads the one document of a text; nothing but blanks and comments is undefined, as in js-yaml.
pub fn load(text: &str) -> Result<Value, LoadError> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| refusal(&error))?;
        let (line, column) = (span.start.line().max(1), span.start.col() + 1);
        let failed = |reason: String| LoadError { reason, line, column };
        match event {
            Event::DocumentStart(..) => {
                loader.documents += 1;
                if loader.documents > 1 {
                    return Err(failed("expected a single document in the stream, but found more".to_owned()));
                }
            }
            event => loader.event(event).map_err(failed)?,
        }
    }
    Ok(loader.document.unwrap_or_default())
}

fn refusal(error: &ScanError) -> LoadError {
    let info = error.info();
    // js-yaml's words where something stands after a finished document, which is what a wrong indentation looks like.
    let leftover = ["document start", "document end", "block end", "BlockEnd", "block mapping", "simple key", "':'"];
    let reason = if leftover.iter().any(|part| info.contains(part)) {
        format!("end of the stream or a document separator is expected: {info}")
    } else {
        info
    };
    LoadError { reason, line: error.marker().line().max(1), column: error.marker().col() + 1 }
}

#[derive(Default)]
struct Loader {
    documents: usize,
    document: Option<Value>,
    stack: Vec<Open>,
    anchors: FxHashMap<usize, Value>,
    /// Properties that merge keys brought in, in the whole document.
    merged: usize,
}

/// A collection that is being read.
struct Open {
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping {
        object: Object,
        key: Option<Key>,
        /// Keys that came in by `<<` and may be set again.
        merged: FxHashSet<Str>,
    },
}

enum Key {
    Name(Str),
    Merge,
}

/// The short name of a tag of the core namespace, or the whole tag.
fn tag_name(tag: &Tag) -> String {
    let whole = format!("{}{}", tag.handle(), tag.suffix());
    match whole.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => name.to_owned(),
        None => whole,
    }
}

impl Loader {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let tag = tag.map(|tag| tag_name(&tag));
                if plain && &*text == "<<" && self.wants_key() && tag.as_deref().is_none_or(|tag| tag == "merge") {
                    return self.set_key(Key::Merge);
                }
                let value = match tag.as_deref() {
                    None if plain => implicit(&text).unwrap_or_else(|| Value::from(&*text)),
                    None | Some("!") => Value::from(&*text),
                    Some(tag) => tagged(tag, &text).map_err(|error| match error {
                        TagError::Unfit => format!("cannot resolve a node with !<{tag}> explicit tag"),
                        TagError::Unknown => format!("unknown tag !<{tag}>"),
                    })?,
                };
                self.anchor(anchor, &value);
                self.place(value)
            }
            Event::SequenceStart(_, anchor, tag) => self.open(anchor, tag.as_deref(), Content::Sequence(Vec::new())),
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Mapping { object: Object::new(), key: None, merged: FxHashSet::default() };
                self.open(anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let open = self.stack.iter().position(|open| open.anchor == anchor);
                let value = match open {
                    Some(at) => Value::Circular((self.stack.len() - at) as u32),
                    None => self.anchors.get(&anchor).cloned().ok_or("unidentified alias")?,
                };
                self.place(value)
            }
            _ => Ok(()),
        }
    }

    fn anchor(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }

    fn open(&mut self, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), String> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(format!("collections are nested deeper than {MAX_DEPTH} levels"));
        }
        let anchor = if anchor > 0 { anchor } else { usize::MAX };
        self.stack.push(Open { anchor, tag: tag.map(tag_name), content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let value = match (open.content, open.tag.as_deref()) {
            (Content::Sequence(items), None | Some("!" | "seq" | "omap")) => Value::array(items),
            (Content::Sequence(items), Some("pairs")) => Value::array(pairs(items)?),
            (Content::Mapping { object, .. }, None | Some("!" | "map")) => Value::from(object),
            (Content::Mapping { object, .. }, Some("set")) => {
                if object.values().any(|value| *value != Value::Null) {
                    return Err("cannot resolve a node with !<set> explicit tag".to_owned());
                }
                Value::from(object)
            }
            (_, Some(tag)) => return Err(format!("unknown tag !<{tag}>")),
        };
        if open.anchor != usize::MAX {
            self.anchors.insert(open.anchor, value.clone());
        }
        self.place(value)
    }

    fn wants_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn set_key(&mut self, name: Key) -> Result<(), String> {
        if let Some(Open { content: Content::Mapping { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(name);
        }
        Ok(())
    }

    fn place(&mut self, value: Value) -> Result<(), String> {
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.document = Some(value),
            Some(Content::Sequence(items)) => items.push(value),
            Some(Content::Mapping { object, key, merged }) => match key.take() {
                None => *key = Some(Key::Name(key_name(&value)?)),
                Some(Key::Merge) => merge(object, merged, &value, &mut self.merged)?,
                Some(Key::Name(name)) => {
                    if !merged.remove(&name) && object.contains_key(&name) {
                        return Err("duplicated mapping key".to_owned());
                    }
                    object.insert(name, value);
                }
            },
        }
        Ok(())
    }
}

/// A property name from whatever the key is.
fn key_name(value: &Value) -> Result<Str, String> {
    match value {
        Value::Array(items) if items.iter().any(|item| matches!(item, Value::Array(_))) => {
            Err("nested arrays are not supported inside keys".to_owned())
        }
        other => Ok(other.to_text()),
    }
}

/// `<<`: the properties of a mapping, or of several, that are not there yet.
fn merge(object: &mut Object, merged: &mut FxHashSet<Str>, source: &Value, all: &mut usize) -> Result<(), String> {
    match source {
        Value::Object(source) => {
            // Each mapping is small in the text: an alias stands for it.
            *all += source.len();
            if *all > MAX_MERGED {
                return Err(format!("merge keys (<<) bring in more than {MAX_MERGED} properties"));
            }
            for (key, value) in source.iter() {
                if !object.contains_key(key) {
                    object.insert(key.clone(), value.clone());
                    merged.insert(key.clone());
                }
            }
            Ok(())
        }
        Value::Array(sources) if sources.iter().all(|source| matches!(source, Value::Object(_))) => {
            sources.iter().try_for_each(|source| merge(object, merged, source, all))
        }
        _ => Err("cannot merge mappings; the provided source object is unacceptable".to_owned()),
    }
}

/// `!!pairs`: each mapping of one property becomes an array of name and value.
fn pairs(items: Vec<Value>) -> Result<Vec<Value>, String> {
    let pair = |item: Value| match item.as_object().filter(|object| object.len() == 1).and_then(|o| o.iter().next()) {
        Some((key, value)) => Ok(Value::array(vec![Value::String(key.clone()), value.clone()])),
        None => Err("cannot resolve a node with !<pairs> explicit tag".to_owned()),
    };
    items.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::stringify;

    fn json(yaml: &str) -> String {
        match load(yaml) {
            Ok(value) => {
                stringify(&value).unwrap_or_else(|error| Some(error.to_string())).unwrap_or("undefined".into())
            }
            Err(error) => format!("! {error}"),
        }
    }

    #[test]
    fn documents() {
        assert_eq!(
            json("a: 1\nb: [x, '1', \"2\\n\", ~]\nc:\n  - d: 2001-01-01\n"),
            r#"{"a":1,"b":["x","1","2\n",null],"c":[{"d":"2001-01-01T00:00:00.000Z"}]}"#
        );
        assert_eq!(json("# nothing\n"), "undefined");
        assert_eq!(json("null: 1\n1: 2\n? [a, b]\n: 3"), r#"{"1":2,"null":1,"a,b":3}"#);
        assert_eq!(json("t: |\n  x\n  y\nf: >-\n  x\n  y\n"), r#"{"t":"x\ny\n","f":"x y"}"#);
        assert_eq!(
            json("base: &b {x: 1, y: 2}\nd:\n  <<: *b\n  y: 3\n"),
            r#"{"base":{"x":1,"y":2},"d":{"x":1,"y":3}}"#
        );
        assert_eq!(json("!!set {a, b}"), r#"{"a":null,"b":null}"#);
        assert_eq!(json("!!pairs [a: 1, a: 2]"), r#"[["a",1],["a",2]]"#);
        assert_eq!(json("&a [*a]"), "Converting circular structure to JSON");
    }

    #[test]
    fn damage_is_refused() {
        assert!(json("employees:\n-firstName: John\n- lastName: Smith\n").starts_with("! end of the stream"));
        assert!(json("a: 1\na: 2").starts_with("! duplicated mapping key (2:"));
        assert!(json("--- a\n--- b\n").starts_with("! expected a single document"));
        assert!(json("!x a").starts_with("! unknown tag !<!x>"));
        assert!(json("*a").starts_with('!'));
        assert!(json(&"[".repeat(10_000)).starts_with('!'));
        assert!(json(&"- ".repeat(10_000)).starts_with('!'));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(yaml in "([a-c]: |- |\\[|\\]|\\{|\\}|&a |\\*a|!!?[a-z]{0,4} |<<: |'|\"|[0-9.:_x-]{0,6}|\n {0,3}|\\||>|#|,|\t|é){0,20}") {
            let _ = load(&yaml);
        }
    }
}
