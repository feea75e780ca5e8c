//! Where a flow's output has the sequence: `seq`, `data.items[0].n`.

use serde_json::Value;

/// A path into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

impl JsonPath {
    /// Reads a path; `$.` at its begin is passed over. `None` when it is malformed.
    pub fn parse(text: &str) -> Option<JsonPath> {
        let text = text.strip_prefix('$').map_or(text, |rest| rest.strip_prefix('.').unwrap_or(rest));
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if !name.is_empty() {
                steps.push(Step::Member(name.to_owned()));
            } else if rest.is_empty() {
                return None;
            }
            while !rest.is_empty() {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(Step::Item(index.parse().ok()?));
                rest = after;
            }
        }
        Some(JsonPath(steps))
    }

    /// What is there.
    pub fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Item(index) => value.get(index),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let value = serde_json::json!({"seq": 1, "data": {"items": [{"n": [7, 8]}]}});
        let get = |path: &str| JsonPath::parse(path).unwrap().get(&value).cloned();
        assert_eq!(get("seq"), Some(1.into()));
        assert_eq!(get("$.data.items[0].n[1]"), Some(8.into()));
        assert_eq!(get("data.other"), None);
        for bad in ["", "a..b", "a[", "a[x]", "a[0"] {
            assert_eq!(JsonPath::parse(bad), None, "{bad}");
        }
        assert_eq!(JsonPath::parse("[0]").unwrap().get(&serde_json::json!([5])), Some(&5.into()));
    }
}
