//! file, file in, watch.

use std::path::Path;

use flotilla_value::{Object, Value};

use crate::flow::Flow;
use crate::parser::survives;

fn node(kind: &str, path: &Path, more: &str) -> String {
    format!(r#"{{"type":"{kind}","filename":"{}","filenameType":"str"{more}}}"#, path.display())
}

#[test]
fn appends_in_order_and_notices_a_deleted_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b.txt");
    let flow = Flow::of(&node("file", &path, r#","appendNewline":true,"createDir":true,"overwriteFile":"false""#));
    for number in 0..50 {
        flow.send(&format!(r#"{{"payload":{number}}}"#));
    }
    flow.messages(50);
    let lines: Vec<String> = (0..50).map(|number| format!("{number}\n")).collect();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), lines.concat());
    std::fs::remove_file(&path).unwrap();
    flow.send(r#"{"payload":{"a":1}}"#);
    assert_eq!(flow.messages(51)[50].get("filename"), Value::from(path.display().to_string()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n");
    assert_eq!(flow.settled().completed, 51);
}

#[test]
fn overwrites_in_an_encoding_and_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let flow = Flow::of(&node("file", &path, r#","overwriteFile":"true","encoding":"setbymsg""#));
    flow.send(r#"{"payload":"é","encoding":"latin1"}"#);
    flow.messages(1);
    assert_eq!(std::fs::read(&path).unwrap(), [0xe9]);
    let flow = Flow::of(r#"{"type":"file","filename":"f","filenameType":"msg","overwriteFile":"delete"}"#);
    let msg: Object = [("f", path.display().to_string()), ("payload", String::new())].into_iter().collect();
    flow.send_value(Value::from(msg.clone()));
    flow.messages(1);
    assert!(!path.exists());
    flow.send_value(Value::from(msg));
    flow.logged("file.errors.deletefail");
    assert_eq!(flow.settled().failed, 1);
}

#[test]
fn reads_whole_by_lines_and_by_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    // A character of two bytes across the end of a chunk.
    let text = format!("{}é\nlast", "x".repeat(64 * 1024 - 1));
    std::fs::write(&path, &text).unwrap();
    let flow = Flow::of(&node("file in", &path, r#","format":"utf8""#));
    flow.send("{}");
    assert_eq!(flow.messages(1)[0].get("payload"), Value::from(text.as_str()));
    let flow = Flow::of(&node("file in", &path, r#","format":"lines""#));
    flow.send(r#"{"_msgid":"m","topic":"t"}"#);
    let lines = flow.messages(2);
    assert_eq!(lines[0].get("payload"), Value::from(text.lines().next().unwrap()));
    assert_eq!(lines[1].get("payload"), Value::from("last"));
    assert_eq!(lines[1].get("parts").get("count"), Value::Number(2.0));
    assert_eq!(lines[1].get("topic"), Value::from("t"));
    let flow = Flow::of(&node("file in", &path, r#","format":"stream""#));
    flow.send("{}");
    let chunks = flow.messages(2);
    assert!(matches!(chunks[0].get("payload"), Value::Buffer(bytes) if bytes.len() == 64 * 1024));
    assert_eq!(chunks[1].get("parts").get("count"), Value::Number(2.0));
    assert_eq!(flow.settled().completed, 1);
}

#[test]
fn a_missing_file_is_an_error_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let flow = Flow::of(&node("file in", &folder.path().join("none"), r#","format":"utf8""#));
    flow.send(r#"{"payload":"p"}"#);
    let out = flow.messages(1).remove(0);
    assert_eq!(out.get("error").get("code"), Value::from("ENOENT"));
    assert_eq!(out.get("payload"), Value::Undefined);
    assert_eq!(flow.settled().failed, 1);
}

#[test]
fn watches_folders_below_and_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let flow = Flow::of(&format!(r#"{{"type":"watch","files":"{}","recursive":true}}"#, folder.path().display()));
    let path = folder.path().join("sub/new.txt");
    std::fs::write(&path, "12345").unwrap();
    let seen = flow.messages(1).remove(0);
    assert_eq!((seen.get("file"), seen.get("type")), ("new.txt".into(), "file".into()));
    assert_eq!((seen.get("event"), seen.get("size")), ("update".into(), 5.0.into()));
    assert_eq!(seen.get("topic"), Value::from(folder.path().display().to_string()));
    std::fs::remove_file(&path).unwrap();
    let gone = flow.messages(2).remove(1);
    assert_eq!((gone.get("payload"), gone.get("event")), (path.display().to_string().into(), "remove".into()));
}

#[test]
fn payloads_of_every_kind_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    survives(&node("file", &folder.path().join("x"), r#","overwriteFile":"true","encoding":"cp437""#));
    survives(&node("file in", &folder.path().join("x"), r#","format":"lines""#));
}
