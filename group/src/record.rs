//! Records in the store: JSON objects that carry their format version.

use bytes::Bytes;
use flotilla_store::Entry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::GroupError;

/// The field with the version.
const FIELD: &str = "format";
/// The version that is written. It grows when an older Flotilla would misread what is written; fields that an older one
/// may ignore do not count. Records of 0.1.0 carry none: they are of version 1.
pub const WRITTEN: u64 = 2;

/// A record as it is written: as text at once, as a revision's flows may be large.
pub(crate) fn encode(record: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(record).unwrap_or_else(|_| b"null".to_vec());
    // Only an object ends so. Its version comes last.
    if text.pop_if(|last| *last == b'}').is_some() {
        let comma = if text.len() > 1 { "," } else { "" };
        text.extend_from_slice(format!("{comma}\"{FIELD}\":{WRITTEN}}}").as_bytes());
    }
    Bytes::from(text)
}

/// As [`read`], for records that may be large and whose type ignores fields that it does not know: without a tree of JSON
/// between text and record.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_large<T: DeserializeOwned>(what: &'static str, entry: &Entry) -> Result<T, GroupError> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(default)]
        format: Option<Value>,
    }
    let corrupt =
        |error: serde_json::Error| GroupError::Corrupt { what, key: entry.key.clone(), reason: error.to_string() };
    let version: Version = serde_json::from_slice(&entry.value).map_err(corrupt)?;
    check_version(what, entry, version.format.as_ref())?;
    serde_json::from_slice(&entry.value).map_err(corrupt)
}

fn check_version(what: &'static str, entry: &Entry, format: Option<&Value>) -> Result<(), GroupError> {
    match format.map_or(Some(1), Value::as_u64) {
        Some(format) if format <= WRITTEN => Ok(()),
        format => {
            Err(GroupError::NewerRecord { what, key: entry.key.clone(), format: format.unwrap_or(0), known: WRITTEN })
        }
    }
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
    check_version(what, entry, format.as_ref())?;
    serde_json::from_value(value).map_err(corrupt)
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

    #[test]
    fn an_empty_record_and_what_is_no_object_are_written_as_they_are() {
        assert_eq!(encode(&BTreeMap::<String, u64>::new()), r#"{"format":2}"#);
        assert_eq!(encode(&["}"]), r#"["}"]"#);
        assert_eq!(encode(&Option::<u64>::None), "null");
    }

    #[test]
    fn large_records_are_read_as_others_are() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Large {
            a: Value,
        }
        let large = Large { a: serde_json::json!([{"b": 1.5, "format": 9}]) };
        let written = Entry { value: encode(&large), ..entry("") };
        assert_eq!(read_large::<Large>("a thing", &written).unwrap(), large);
        assert_eq!(read::<Large>("a thing", &written).unwrap(), large);
        for (text, wrong) in [(r#"{"a":1,"format":3}"#, "format 3"), (r#"{"format":2}"#, "missing field"), ("[", "EOF")]
        {
            let error = read_large::<Large>("a thing", &entry(text)).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
            let error = read::<Large>("a thing", &entry(text)).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
