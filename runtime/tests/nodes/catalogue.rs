//! The texts that nodes show: none is a bare key.

use std::path::Path;

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The keys in `.text("key", ...)`, and those that are handed to it: `"node.errors.what"`.
fn keys(source: &str) -> Vec<&str> {
    let is_key = |text: &str| {
        let parts: Vec<&str> = text.split('.').collect();
        let named = parts.len() == 3 && matches!(parts[1], "errors" | "error" | "status" | "warn" | "state");
        named
            && parts.iter().all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b"-_:0123456789".contains(&b))
            })
    };
    let asked =
        source.split(".text(\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|key| key.contains('.'));
    asked.chain(source.split('"').skip(1).step_by(2).filter(|text| is_key(text))).collect()
}

#[test]
fn every_key_that_code_uses_has_a_text() {
    let mut all = Vec::new();
    for part in ["engine", "script", "http", "mqtt", "nodes-core", "nodes-network", "nodes-parse"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(part).join("src"), &mut all);
    }
    let mut used: Vec<&str> = all.iter().flat_map(|source| keys(source)).collect();
    used.sort_unstable();
    used.dedup();
    assert!(used.len() > 60, "the search finds the keys: {used:?}");
    let bare: Vec<&&str> = used.iter().filter(|key| flotilla_engine::catalog::text(false, key, &[]) == **key).collect();
    assert!(bare.is_empty(), "no text in catalog/english.rs for {bare:?}");
}
