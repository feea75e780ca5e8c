//! The pass over a document.

use flotilla_engine::expression::{Jsonata, Regexp, Template};
use flotilla_flows::Document;
use flotilla_nodes_core::cron_fault;
use flotilla_script::{Lib, Source};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::fields::{Code, Language, codes};
use super::place;

type Place = Option<(usize, usize)>;

/// Every piece of code in the document that does not compile, in the order of the document. Nodes and tabs that are switched
/// off are left out. Nothing of the flow runs.
pub fn faults(document: &Document) -> Vec<Fault> {
    let whole = document.to_value();
    let entries: Vec<&Map<String, Value>> =
        whole.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let text =
        |entry: &Map<String, Value>, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let off = |entry: &Map<String, Value>| {
        let is = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
        is("d") || (is("disabled") && text(entry, "type") == "tab")
    };
    let off_tabs: Vec<String> = entries.iter().filter(|entry| off(entry)).map(|entry| text(entry, "id")).collect();
    let mut faults = Vec::new();
    for entry in entries.into_iter().filter(|entry| !off(entry) && !off_tabs.contains(&text(entry, "z"))) {
        let kind = text(entry, "type");
        let mut add = |field: &str, place: Place, message: String| {
            faults.push(Fault {
                node: text(entry, "id"),
                kind: kind.clone(),
                name: text(entry, "name"),
                tab: text(entry, "z"),
                field: field.to_owned(),
                place,
                message,
            });
        };
        if kind == "function" {
            function(entry, &mut add);
        }
        for code in codes(&kind, entry) {
            if let Some((place, message)) = fault(&code) {
                add(&code.field, place, message);
            }
        }
    }
    faults
}

fn function(entry: &Map<String, Value>, add: &mut impl FnMut(&str, Place, String)) {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let lib = |lib: &Value| Some(Lib { var: lib.get("var")?.as_str()?.to_owned(), module: String::new() });
    let libs = entry.get("libs").and_then(Value::as_array).into_iter().flatten().filter_map(lib).collect();
    let source = Source::new(text("func"), text("initialize"), text("finalize"), libs, false);
    if let Err((part, place, message)) = source.check() {
        add(part, place, message);
    }
}

/// Environment variables are put in when the flow starts: what is not known yet is not judged.
fn has_variables(text: &str) -> bool {
    text.contains("${")
}

fn fault(code: &Code<'_>) -> Option<(Place, String)> {
    let text = code.text;
    if has_variables(text) {
        return None;
    }
    match code.language {
        Language::Jsonata => {
            let reason = |text: &str| Jsonata::compile(text).err().map(|error| error.message);
            let whole = reason(text)?;
            // A text that ends too soon is at fault at its end.
            let place =
                place::of_reason(text, &whole, |part| if part.len() < text.len() { reason(part) } else { None });
            Some((place.or_else(|| Some(place::of_offset(text, text.len()))), whole))
        }
        Language::Mustache => {
            let error = Template::parse(text).err()?.message;
            let digits = error.rsplit(|char: char| !char.is_ascii_digit()).next().unwrap_or_default();
            let place = digits.parse().ok().map(|offset| place::of_offset(text, offset));
            Some((place, error))
        }
        Language::Regexp { ignore_case } => {
            let error = Regexp::new(text, if ignore_case { "i" } else { "" }).err()?;
            Some((Some((1, 1)), error.message))
        }
        Language::Cron => Some((Some((1, 1)), cron_fault(text)?)),
    }
}
