//! Settings of a `settings.js`, by what they are here.

use serde_json::{Map, Value};

use super::protects::protects;
use super::table::{self, Use};

/// Settings by what they are here.
#[derive(Debug, Default, PartialEq)]
pub struct Sorted {
    /// They go into the revision.
    pub revision: Map<String, Value>,
    /// For the process that starts the group: `uiPort`, `https`, `credentialSecret` ...
    pub start: Map<String, Value>,
    /// They have no effect: name or path, and why.
    pub ignored: Vec<(String, String)>,
    /// They protect something and cannot be taken: name, and why.
    pub refused: Vec<(String, String)>,
}

impl Sorted {
    /// Sorts the settings of a file. `left_out` has what could not be taken from it as data, by its path, and what it is.
    pub fn of(exported: Map<String, Value>, left_out: &[(String, String)]) -> Sorted {
        let mut sorted = Sorted::default();
        for (name, value) in exported {
            if value.is_null() {
                continue;
            }
            if protects(&name) {
                if value != Value::Bool(false) {
                    sorted.refused.push((name, "it protects what flows serve and has no effect here".to_owned()));
                }
                continue;
            }
            match table::of(&name) {
                Some(Use::Revision) => drop(sorted.revision.insert(name, value)),
                Some(Use::Start) => drop(sorted.start.insert(name, value)),
                Some(Use::None(why)) => sorted.ignored.push((name, why.to_owned())),
                // Functions read settings that they know of.
                None => sorted.ignored.push((name, "Node-RED has no such setting".to_owned())),
            }
        }
        for (at, what) in left_out {
            sorted.leave_out(at, what);
        }
        sorted
    }

    /// A part of a setting that is no data.
    fn leave_out(&mut self, at: &str, what: &str) {
        let name = at.split(['.', '[']).next().unwrap_or(at);
        let protected = protects(name)
            || matches!(name, "httpNodeAuth" | "httpStaticAuth" | "https")
            || (name == "httpStatic" && at.ends_with(".middleware"));
        if protected {
            self.refused.push((at.to_owned(), format!("it protects what flows serve, and is {what}")));
            return;
        }
        match table::of(name) {
            Some(Use::None(why)) if at == name => self.ignored.push((at.to_owned(), why.to_owned())),
            Some(Use::None(_)) => {}
            _ => self.ignored.push((at.to_owned(), format!("it is {what}, and only data can be taken from the file"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_setting_has_its_place_and_what_protects_is_refused() {
        let exported = json!({
            "uiPort": 1880, "apiMaxLength": "1mb", "editorTheme": {"theme": "x"}, "mine": 1, "requireHttps": true,
            "httpNodeMiddleware": false, "mqttReconnectTime": null, "functionGlobalContext": {"rate": 5}
        });
        let left = [
            ("functionGlobalContext.os".to_owned(), "the module os".to_owned()),
            ("editorTheme.page.scripts[0]".to_owned(), "a function".to_owned()),
            ("adminAuth".to_owned(), "made with the module auth".to_owned()),
            ("httpNodeMiddleware".to_owned(), "a function".to_owned()),
        ];
        let sorted = Sorted::of(exported.as_object().unwrap().clone(), &left);
        let names = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&sorted.revision), ["apiMaxLength", "functionGlobalContext"]);
        assert_eq!(names(&sorted.start), ["uiPort"]);
        let ignored: Vec<&str> = sorted.ignored.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(ignored, ["editorTheme", "mine", "functionGlobalContext.os", "adminAuth"]);
        let refused: Vec<&str> = sorted.refused.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(refused, ["requireHttps", "httpNodeMiddleware"]);
    }
}
