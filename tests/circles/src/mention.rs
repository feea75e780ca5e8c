//! The paths that a source file mentions.

use std::collections::BTreeMap;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a source file says of other modules.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// Paths that begin with `crate`, `super` or `self`, and those of `use`.
    pub(crate) paths: Vec<Vec<String>>,
    /// What it gives on under a name of its own: name to path.
    pub(crate) exports: BTreeMap<String, Vec<String>>,
    /// Modules that are there for tests only.
    pub(crate) test_modules: Vec<String>,
}

impl Mentions {
    /// Reads the text of a source file; what is under `#[cfg(test)]` is left out.
    ///
    /// # Errors
    /// When it is not Rust; the text says where.
    pub(crate) fn read(text: &str) -> Result<Mentions, String> {
        let tokens = TokenStream::from_str(text).map_err(|error| error.to_string())?;
        let mut found = Mentions::default();
        found.walk(&tokens.into_iter().collect::<Vec<_>>());
        Ok(found)
    }

    fn walk(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' && is_cfg_test(tokens.get(at)) => {
                    at = self.skip_item(tokens, at + 1);
                }
                TokenTree::Ident(ident) if ident == "use" => {
                    let end = (at..tokens.len()).find(|end| is_punct(&tokens[*end], ';')).unwrap_or(tokens.len());
                    self.read_use(&tokens[at..end], is_public(&tokens[..at - 1]));
                    at = end;
                }
                TokenTree::Ident(ident) if ident == "crate" || ident == "super" => {
                    let (path, next) = inline_path(tokens, at - 1);
                    self.paths.push(path);
                    at = next;
                }
                TokenTree::Group(group) => self.walk(&group.stream().into_iter().collect::<Vec<_>>()),
                _ => {}
            }
        }
    }

    /// Passes over the item behind an attribute: to its body or its semicolon.
    fn skip_item(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Ident(ident) if ident == "mod" => {
                    self.test_modules.extend(tokens.get(at).map(ToString::to_string));
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                token if is_punct(token, ';') => break,
                _ => {}
            }
        }
        at
    }

    fn read_use(&mut self, tokens: &[TokenTree], public: bool) {
        let mut found = Vec::new();
        read_tree(tokens, &[], &mut found);
        for (path, name) in found {
            if public {
                self.exports.insert(name, path.clone());
            }
            self.paths.push(path);
        }
    }
}

/// Reads a `use` tree: each path in it, and the name that it has from then on.
fn read_tree(tokens: &[TokenTree], prefix: &[String], found: &mut Vec<(Vec<String>, String)>) {
    for branch in tokens.split(|token| is_punct(token, ',')) {
        let (mut path, mut alias, mut whole) = (prefix.to_vec(), None, true);
        let mut rest = branch.iter();
        while let Some(token) = rest.next() {
            match token {
                TokenTree::Ident(ident) if ident == "as" => alias = rest.next().map(ToString::to_string),
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                TokenTree::Group(group) => {
                    read_tree(&group.stream().into_iter().collect::<Vec<_>>(), &path, found);
                    whole = false;
                }
                _ => {}
            }
        }
        // `a::b::{self}` is `a::b`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(last) = path.last().filter(|_| whole && !branch.is_empty()) {
            let name = alias.unwrap_or_else(|| last.clone());
            found.push((path, name));
        }
    }
}

/// `crate::a::b` from `at` on, and where it ends.
fn inline_path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        path.push(ident.to_string());
        at += 1;
        let colons = tokens.get(at).is_some_and(|token| is_punct(token, ':'))
            && tokens.get(at + 1).is_some_and(|token| is_punct(token, ':'));
        if !colons {
            break;
        }
        at += 2;
    }
    (path, at)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_cfg_test(token: Option<&TokenTree>) -> bool {
    let text = token.map(ToString::to_string).unwrap_or_default();
    text.split_whitespace().collect::<String>() == "[cfg(test)]"
}

fn is_public(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(word)] => word == "pub",
        [.., TokenTree::Ident(word), TokenTree::Group(_)] => word == "pub",
        _ => false,
    }
}
