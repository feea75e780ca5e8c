//! Properties that hold the same object. Node-RED's `set` puts the object itself into another property, so that a later rule which
//! changes it there changes it in both; values here are copies, and the change is made in each.

use flotilla_engine::message::Msg;
use flotilla_value::{Path, PathPart, Value};

/// So many properties are followed for one write: rules that make a web of aliases are no more than a curiosity.
const MOST: usize = 64;

/// Pairs of properties of one message that hold the same object, for as long as its rules are applied.
#[derive(Default)]
pub(super) struct Aliases(Vec<(Path, Path)>);

/// True where a change of the value in one property shows in all that hold it.
pub(super) fn is_shared(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_) | Value::Error(_) | Value::Buffer(_))
}

fn is_within(path: &Path, other: &Path) -> bool {
    path.parts().starts_with(other.parts())
}

impl Aliases {
    /// True while no two properties hold the same object.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `target` was set to the object in `source`.
    pub(super) fn join(&mut self, target: Path, source: Path) {
        // An object inside itself is no tree.
        if is_within(&target, &source) || is_within(&source, &target) {
            return;
        }
        let others = self.0.iter().filter_map(|(one, other)| {
            if *one == source {
                return Some(other.clone());
            }
            (*other == source).then(|| one.clone())
        });
        let more: Vec<Path> = others.filter(|other| *other != target).collect();
        self.0.extend(more.into_iter().chain([source]).map(|other| (target.clone(), other)));
    }

    /// `path` was set or deleted: what holds it holds the change, and what it held there is no longer in both.
    pub(super) fn written(&mut self, path: &Path, msg: &mut Msg) {
        let mut changed = vec![path.clone()];
        let mut at = 0;
        while let Some(path) = changed.get(at).cloned().filter(|_| at < MOST) {
            at += 1;
            self.0.retain(|(one, other)| !is_within(one, &path) && !is_within(other, &path));
            for (one, other) in self.0.iter().flat_map(|(one, other)| [(one, other), (other, one)]) {
                if !is_within(&path, one) {
                    continue;
                }
                let inside = path.parts().get(one.parts().len()..).unwrap_or_default();
                let parts: Vec<PathPart> = other.parts().iter().chain(inside).cloned().collect();
                let there = Path::from_parts(parts);
                if changed.contains(&there) {
                    continue;
                }
                if let Ok(value) = msg.get_path(one) {
                    let _ = msg.set_path(other, value, false);
                }
                changed.push(there);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flotilla_engine::message::Msg;
    use flotilla_value::{Path, Value, parse_json, stringify};

    use super::Aliases;

    struct Rules {
        msg: Msg,
        aliases: Aliases,
    }

    impl Rules {
        fn path(text: &str) -> Path {
            Path::message(text).unwrap()
        }

        fn set(&mut self, text: &str, value: Value) {
            let path = Rules::path(text);
            self.msg.set_path(&path, value, true).unwrap();
            self.aliases.written(&path, &mut self.msg);
        }

        fn alias(&mut self, target: &str, source: &str) {
            let value = self.msg.get_path(&Rules::path(source)).unwrap();
            self.set(target, value);
            self.aliases.join(Rules::path(target), Rules::path(source));
        }

        fn is(&self, json: &str) {
            assert_eq!(stringify(&self.msg.value()).unwrap().unwrap(), json);
        }
    }

    fn of(json: &str) -> Rules {
        let Value::Object(object) = parse_json(json.as_bytes()).unwrap() else { panic!("no object") };
        Rules { msg: Msg::new((*object).clone()), aliases: Aliases::default() }
    }

    #[test]
    fn a_change_shows_in_each_property_that_holds_the_object() {
        let mut rules = of(r#"{"a":{"x":1}}"#);
        rules.alias("b", "a");
        rules.alias("c", "b");
        rules.set("b.x", 2.0.into());
        rules.is(r#"{"a":{"x":2},"b":{"x":2},"c":{"x":2}}"#);
        rules.set("a.x", Value::Undefined);
        rules.is(r#"{"a":{},"b":{},"c":{}}"#);
        // What was the object in between goes, the others still hold one.
        rules.set("b", Value::Undefined);
        rules.set("c.y", 3.0.into());
        rules.is(r#"{"a":{"y":3},"c":{"y":3}}"#);
        // Another object in its place is one's own.
        rules.set("a", Value::object());
        rules.set("a.z", 4.0.into());
        rules.is(r#"{"a":{"z":4},"c":{"y":3}}"#);
    }

    #[test]
    fn objects_inside_objects_are_followed_too() {
        let mut rules = of(r#"{"a":{"in":{"x":1}},"d":{}}"#);
        rules.alias("b", "a");
        rules.alias("d.e", "b.in");
        rules.set("d.e.x", 2.0.into());
        rules.is(r#"{"a":{"in":{"x":2}},"d":{"e":{"x":2}},"b":{"in":{"x":2}}}"#);
        rules.set("a.in.x", 3.0.into());
        rules.is(r#"{"a":{"in":{"x":3}},"d":{"e":{"x":3}},"b":{"in":{"x":3}}}"#);
    }
}
