//! `flotilla modules install`, with a program in npm's place: what it is asked for, and what becomes of what it fetches.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use flotilla_tests::flotilla;
use serde_json::json;

/// Writes down how it was called, and "fetches" what the test put beside it.
const NPM: &str = "#!/bin/sh\necho \"$@\" >> ../calls\ncp -r ../registry/. .\n";

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn modules_are_fetched_locked_and_tried() {
    let dir = tempfile::TempDir::new().unwrap();
    let at = |path: &str| dir.path().join(path);
    let flow = |extra: serde_json::Value| {
        let mut libs = vec![json!({"var": "good", "module": "good@1.2.3"}), json!({"var": "needy", "module": "needy"})];
        libs.extend(extra.as_array().unwrap().iter().cloned());
        let flow = json!([{"id": "f", "type": "function", "name": "count", "func": "return msg;", "libs": libs}]);
        write(&at("flows.json"), &flow.to_string());
    };
    write(&at("npm"), NPM);
    std::fs::set_permissions(at("npm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    write(&at("registry/node_modules/good/package.json"), r#"{"name":"good","main":"lib/x.js"}"#);
    write(&at("registry/node_modules/good/lib/x.js"), "exports.add = (a, b) => a + b;");
    write(&at("registry/node_modules/needy/index.js"), "require('child_process');");
    let lock = json!({"lockfileVersion": 3, "packages": {"": {},
        "node_modules/good": {"version": "1.2.3", "integrity": "sha512-abc"},
        "node_modules/needy": {"version": "4.0.0", "integrity": "sha512-def", "hasInstallScript": true},
        "node_modules/strange": {"version": "1.0.0", "resolved": "git+ssh://somewhere"}}});
    write(&at("registry/package-lock.json"), &lock.to_string());
    let install = || {
        let npm = at("npm");
        let mut command = Command::new(flotilla().unwrap());
        command.args(["modules", "install", "flows.json", "--into", "mods", "--npm"]).arg(npm).current_dir(dir.path());
        let ended = command.output().unwrap();
        let text = [ended.stdout, ended.stderr].concat();
        (String::from_utf8(text).unwrap(), ended.status.code())
    };
    flow(json!([{"var": "fs", "module": "fs"}]));
    let (text, code) = install();
    assert_eq!(code, Some(1), "{text}");
    for part in [
        "runs      good 1.2.3",
        "refused   needy 4.0.0",
        "needy 4.0.0 does not run here, and \"count\" needs it: Error: Module child_process is part of Node.js",
        "It has native code",
        "function \"count\" needs fs, a part of Node.js",
        "strange has no hash",
        "--node-modules mods",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let manifest = std::fs::read_to_string(at("mods/package.json")).unwrap();
    assert!(manifest.contains(r#""good": "1.2.3""#) && manifest.contains(r#""needy": "*""#), "{manifest}");
    // The same again takes exactly what is locked; other modules are looked for anew.
    install();
    flow(json!([{"var": "other", "module": "other@^2"}]));
    install();
    let calls = std::fs::read_to_string(at("calls")).unwrap();
    let verbs: Vec<&str> = calls.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(verbs, ["install", "ci", "install"], "{calls}");
    assert!(calls.lines().all(|line| line.contains("--ignore-scripts")), "{calls}");

    // Another package's folder is left alone, and two versions of a package are refused.
    write(&at("mods/package.json"), r#"{"name":"mine"}"#);
    let (text, code) = install();
    assert!(code == Some(1) && text.contains("holds another npm package"), "{text}");
    flow(json!([{"var": "again", "module": "good@2.0.0"}]));
    assert!(install().0.contains("\"count\" needs good in version 2.0.0"));
}
