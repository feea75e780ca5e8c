//! Records in the store: JSON objects that carry their format version.

use bytes::Bytes;
use flotilla_store::Entry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::GroupError;

/// The field with the version.
const FIELD: &str = "format";
/// The version that is written. It grows when an older Flotilla would misread what is written; fields that an older one
/// may ignore do not count. Records of 0.1.0 carry none: they are of version 1.
pub const WRITTEN: u64 = 2;

/// A record as it is written.
pub(crate) fn encode(record: &impl Serialize) -> Bytes {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert(FIELD.to_owned(), WRITTEN.into());
    }
    Bytes::from(value.to_string())
}

/// Reads a record; `what` names it for people.
///
/// # Errors
/// [`GroupError::NewerRecord`] when a newer Flotilla wrote it, [`GroupError::Corrupt`] when it is something else.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, entry: &Entry) -> Result<T, GroupError> {
    let corrupt =
        |error: serde_json::Error| GroupError::Corrupt { what, key: entry.key.clone(), reason: error.to_string() };
    let mut value: Value = serde_json::from_slice(&entry.value).map_err(corrupt)?;
    let format = value.as_object_mut().and_then(|fields| fields.remove(FIELD));
    match format.as_ref().map_or(Some(1), Value::as_u64) {
        Some(format) if format <= WRITTEN => serde_json::from_value(value).map_err(corrupt),
        format => {
            Err(GroupError::NewerRecord { what, key: entry.key.clone(), format: format.unwrap_or(0), known: WRITTEN })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn entry(text: &str) -> Entry {
        Entry { key: "k".to_owned(), value: Bytes::from(text.to_owned()), version: 1, expires: None }
    }

    #[test]
    fn records_with_and_without_a_version_are_read_and_newer_ones_are_refused_by_name() {
        type Record = BTreeMap<String, u64>;
        let record = Record::from([("a".to_owned(), 1)]);
        assert_eq!(encode(&record), r#"{"a":1,"format":2}"#);
        assert_eq!(read::<Record>("a thing", &entry(r#"{"a":1}"#)).unwrap(), record, "0.1.0 wrote no version");
        assert_eq!(read::<Record>("a thing", &entry(r#"{"a":1,"format":2}"#)).unwrap(), record);
        let newer = read::<Record>("a thing", &entry(r#"{"a":1,"format":3,"b":"new"}"#)).unwrap_err().to_string();
        assert!(newer.contains("a thing") && newer.contains("format 3") && newer.contains("upgrade"), "{newer}");
        assert!(matches!(read::<Record>("a thing", &entry("[")), Err(GroupError::Corrupt { .. })));
    }
}
