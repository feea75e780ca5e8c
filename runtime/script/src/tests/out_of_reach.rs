//! What code does not reach.

use super::host::{new_host, payload, show};
use crate::{FunctionScript, Script, Source};

#[test]
fn code_reads_no_file_but_through_require_below_the_folder_of_modules() {
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().join("modules");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(folder.path().join("secret.json"), r#"{"found":"secret"}"#).unwrap();
    std::fs::write(root.join("ok.json"), r#"{"found":"ok"}"#).unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.json"), root.join("link.json")).unwrap();
    let secret = folder.path().join("secret.json");
    // Everything that can be reached from the real global object, tried as a loader.
    let hunt = format!(
        "const real = Function('return this')(); let found = 'nothing'; const seen = new Set();
         const look = (thing, depth) => {{
           if (thing === null || (typeof thing !== 'object' && typeof thing !== 'function') || seen.has(thing) || depth > 3) return;
           seen.add(thing);
           for (const key of Reflect.ownKeys(thing)) {{
             let each; try {{ each = thing[key]; }} catch {{ continue; }}
             if (typeof each === 'function' && /load|compile|module|require/i.test(String(key))) {{
               for (const args of [[{secret:?}, '/'], [{secret:?}], ['./secret.json', {folder:?}, '/']]) {{
                 try {{ if (/secret/.test(JSON.stringify(each.apply(thing, args)))) found = String(key); }} catch {{}}
               }}
             }}
             look(each, depth + 1);
           }}
         }};
         look(real, 0); msg.payload = found; return msg;",
        secret = secret.display().to_string(),
        folder = folder.path().display().to_string(),
    );
    assert_eq!(payload(&hunt, r#"{"payload":1}"#), r#""nothing""#);
    let host = new_host();
    *host.modules.borrow_mut() = Some(root);
    let body = format!(
        "msg.payload = [require('ok').found]; for (const name of ['../secret.json', './../secret', 'link.json', {:?}]) {{
           try {{ msg.payload.push(require(name).found); }} catch (error) {{ msg.payload.push(error.code); }}
         }} return msg;",
        secret.display().to_string()
    );
    let source = Source::new(&body, "", "", Vec::new(), true);
    let code = FunctionScript::new(Script::current().unwrap(), host.clone(), source).unwrap();
    code.receive(super::host::msg("{}"));
    assert_eq!(
        show(&host.sent.borrow()[0].1.get("payload")),
        r#"["ok","MODULE_NOT_FOUND","MODULE_NOT_FOUND","MODULE_NOT_FOUND","MODULE_NOT_FOUND"]"#
    );
}
