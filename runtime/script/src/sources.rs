//! The sources of the function nodes of a worker, for the texts and stacks of errors.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::engine::Script;
use super::program::Lines;
use super::v8;

/// What stands under a file name.
struct Text {
    /// As the engine got it.
    text: String,
    lines: Lines,
    /// `ID [NAME]`.
    node: String,
}

/// Sources by the file name under which they were compiled.
#[derive(Default)]
pub(super) struct Sources {
    texts: RefCell<FxHashMap<String, Text>>,
    next: Cell<u32>,
}

/// A source that is known for as long as this is kept.
pub(super) struct Known {
    script: Rc<Script>,
    file: String,
}

/// File names begin so.
pub(super) const FILE: &str = "function-node-";

impl Known {
    /// Makes the source of a node known; `node` is `ID [NAME]`.
    pub(super) fn new(script: &Rc<Script>, text: &str, lines: Lines, node: String) -> Known {
        let sources = &script.sources;
        sources.next.set(sources.next.get().wrapping_add(1));
        let file = format!("{FILE}{}", sources.next.get());
        sources.texts.borrow_mut().insert(file.clone(), Text { text: text.to_owned(), lines, node });
        Known { script: script.clone(), file }
    }

    /// The name to compile it under.
    pub(super) fn file(&self) -> &str {
        &self.file
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.script.sources.texts.borrow_mut().remove(&self.file);
    }
}

impl Sources {
    /// An error's message in full, by the place of its first frame.
    pub(super) fn complete(&self, message: &str, file: &str, line: usize, column: usize) -> Option<String> {
        let texts = self.texts.borrow();
        v8::complete(message, texts.get(file).map(|source| source.text.as_str()), line, column)
    }

    /// The place in a node's code, as stacks show it: `Function node:ID [NAME]:LINE:COLUMN`, as in Node-RED.
    pub(super) fn place(&self, file: &str, line: usize, column: usize) -> Option<String> {
        let texts = self.texts.borrow();
        let source = texts.get(file)?;
        let (part, line) = source.lines.part(line)?;
        Some(format!("{part}:{}:{line}:{column}", source.node))
    }
}
