//! XML text to events to objects. Only this file knows quick-xml.

use std::borrow::Cow;

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use rustc_hash::FxHashSet;

use flotilla_value::Value;

use super::error::ReadError;
use super::options::ReadOptions;
use super::tree::Tree;

/// Reads a document. Blank text gives null; what follows the root element is left alone, as xml2js does.
pub(super) fn read(text: &str, options: &ReadOptions) -> Result<Value, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.trim_markup_names_in_closing_tags = true;
    let mut tree = Tree::new(options);
    let mut chars = String::new();
    loop {
        let from = reader.buffer_position() as usize;
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(refusal(&error, text, reader.error_position() as usize)),
        };
        let failed = |reason: String| ReadError::at(reason, text, from);
        match event {
            Event::Text(part) => {
                if tree.is_outside() && !part.trim().is_empty() {
                    let skipped = part.len() - part.trim_start().len();
                    return Err(ReadError::at("Non-whitespace before first tag.", text, from + skipped));
                }
                chars.push_str(&part);
                continue;
            }
            Event::GeneralRef(reference) => {
                if tree.is_outside() {
                    return Err(failed("Non-whitespace before first tag.".to_owned()));
                }
                chars.push_str(&resolve(&reference).ok_or_else(|| failed("Invalid character entity".to_owned()))?);
                continue;
            }
            _ => {}
        }
        if !chars.is_empty() {
            tree.text(&std::mem::take(&mut chars));
        }
        match event {
            Event::Start(tag) => {
                if !is_name(tag.name().as_ref()) {
                    return Err(failed("Invalid character in tag name".to_owned()));
                }
                let attributes = attributes(&tag).map_err(&failed)?;
                tree.open(tag.name().as_ref(), attributes).map_err(failed)?;
            }
            Event::End(_) => {
                if let Some(root) = tree.close() {
                    return Ok(root);
                }
            }
            Event::CData(part) => tree.cdata(&part),
            Event::Eof => return Err(failed("Unclosed root tag".to_owned())),
            _ => {}
        }
    }
}

fn is_name(name: &str) -> bool {
    let start = |c: char| c.is_alphabetic() || matches!(c, ':' | '_') || (c as u32) >= 0x2070;
    let mut chars = name.chars();
    chars.next().is_some_and(start)
        && chars.all(|c| start(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}'))
}

/// Names and values, entities resolved; of two with one name the first counts, as in sax.
fn attributes(tag: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut known: FxHashSet<String> = FxHashSet::default();
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| match error {
            AttrError::ExpectedEq(_) => "Attribute without value",
            AttrError::UnquotedValue(_) => "Unquoted attribute value",
            AttrError::ExpectedValue(_) | AttrError::ExpectedQuote(..) => "Attribute value without quotes",
            AttrError::Duplicated(..) => "Duplicate attribute",
        })?;
        let name = attribute.key.as_ref();
        if !is_name(name) {
            return Err("Invalid attribute name".to_owned());
        }
        let value = unescape(&attribute.value).ok_or("Invalid character entity")?;
        if known.insert(name.to_owned()) {
            found.push((name.to_owned(), value.into_owned()));
        }
    }
    Ok(found)
}

fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('&') {
        return Some(Cow::Borrowed(text));
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';')? + at;
        out.push_str(&resolve(&BytesRef::new(&rest[at + 1..end]))?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

/// XML's five entities, character references, and HTML's names, as sax has them.
fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => return Some(c.to_string()),
        Ok(None) => {}
        Err(_) => return None,
    }
    let name: &str = reference;
    if let Some(known) = quick_xml::escape::resolve_xml_entity(name) {
        return Some(known.to_owned());
    }
    let (first, second) = markup5ever::data::NAMED_ENTITIES.get(format!("{name};").as_str())?;
    let chars = [*first, *second].into_iter().filter(|code| *code != 0).filter_map(char::from_u32);
    Some(chars.collect::<String>()).filter(|text| !text.is_empty())
}

fn refusal(error: &Error, text: &str, byte: usize) -> ReadError {
    let reason = match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) => "Malformed markup after <!".to_owned(),
        Error::Syntax(SyntaxError::UnclosedTag) if text[..byte.min(text.len())].trim().is_empty() => {
            "Unclosed root tag".to_owned()
        }
        Error::Syntax(_) => "Unexpected end".to_owned(),
        Error::IllFormed(IllFormedError::UnmatchedEndTag(name)) => format!("Unmatched closing tag: {name}"),
        Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "Unexpected close tag".to_owned(),
        Error::IllFormed(IllFormedError::UnclosedReference) => "Invalid character in entity name".to_owned(),
        Error::IllFormed(IllFormedError::DoubleHyphenInComment) => "Malformed comment".to_owned(),
        Error::IllFormed(IllFormedError::MissingEndTag(_)) => "Unclosed root tag".to_owned(),
        other => other.to_string(),
    };
    ReadError::at(reason, text, byte)
}
