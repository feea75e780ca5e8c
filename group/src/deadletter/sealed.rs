//! What of a dead letter only the holders of the group's key may read.

use flotilla_flows::NodeCredentials;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::GroupError;
use crate::sealing;

/// Under which name a value is sealed.
const FIELD: &str = "value";

/// Seals a value with the group's key; without one it stays as it is.
pub(super) fn seal(value: &impl Serialize, key: Option<&str>) -> Value {
    let plain = serde_json::to_value(value).unwrap_or_default();
    let Some(key) = key else { return Value::Object(Map::from_iter([(FIELD.to_owned(), plain)])) };
    let fields = Map::from_iter([(FIELD.to_owned(), plain)]);
    sealing::seal(&NodeCredentials::from([(FIELD.to_owned(), fields)]), key)
}

/// Reads what [`seal`] made.
///
/// # Errors
/// [`GroupError::Key`] when it is sealed and the key is missing or another one.
pub(super) fn open<T: DeserializeOwned>(value: &Value, key: Option<&str>) -> Result<T, GroupError> {
    let bad = || GroupError::Key {
        field: "group_key",
        reason:
            "the group's key is missing or not the one that its dead letters are sealed with: give FLOTILLA_GROUP_KEY"
                .to_owned(),
    };
    if value.get("$").is_none() {
        return serde_json::from_value(value.get(FIELD).cloned().unwrap_or_default()).map_err(|_| bad());
    }
    let plain = sealing::open(value, key).map_err(|_| bad())?;
    let found = plain.get(FIELD).and_then(|fields| fields.get(FIELD)).cloned().ok_or_else(bad)?;
    serde_json::from_value(found).map_err(|_| bad())
}
