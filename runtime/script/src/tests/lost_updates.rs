//! Get, then set of a key that another replica set in between.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_engine::context::SharedStore;
use flotilla_engine::observe::Level;

use super::host::{Host, msg, new_host, with_host};

/// A host with two replicas' handles to one store: `shared` is the function's own, `other` another replica's.
async fn two_replicas(folder: &tempfile::TempDir) -> Rc<Host> {
    let url = format!("sqlite:{}", folder.path().join("s.db").display());
    let host = new_host();
    for name in ["shared", "other"] {
        let store = flotilla_store::open(&url).await.unwrap();
        host.contexts.add(name, Arc::new(SharedStore::new(&store, "g/")));
    }
    host
}

fn warnings(host: &Host) -> Vec<String> {
    let logs = host.logs.borrow();
    logs.iter().filter(|(level, _)| *level == Level::Warn).map(|(_, text)| text.to_text().to_string()).collect()
}

#[tokio::test]
async fn an_update_that_is_lost_is_told_once_and_the_write_is_made() {
    let folder = tempfile::TempDir::new().unwrap();
    let host = two_replicas(&folder).await;
    let body = "const n = flow.get('n', 'shared') || 0; flow.set('n', 7, 'other'); flow.set('n', n + 1, 'shared');
                msg.payload = flow.get('n', 'other'); return msg;";
    let code = with_host(&host, "", body, "");
    code.receive(msg("{}"));
    code.receive(msg("{}"));
    let warnings = warnings(&host);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("\"n\"") && warnings[0].contains("flow.incr(\"n\", 1, \"shared\")"), "{warnings:?}");
    assert_eq!(host.sent.borrow()[0].1.get("payload").to_text(), "1");
}

#[tokio::test]
async fn updates_that_nobody_interferes_with_are_not_told() {
    let folder = tempfile::TempDir::new().unwrap();
    let host = two_replicas(&folder).await;
    for body in [
        "flow.set('n', (flow.get('n', 'shared') || 0) + 1, 'shared'); return msg;",
        "flow.set('n', (flow.get('n', 'shared') || 0) + 1, 'shared'); flow.set('n', 5, 'other'); return msg;",
        "flow.get('n', 'shared'); flow.set('m', 5, 'other'); flow.set('m', 1, 'shared'); return msg;",
        "flow.get('n', 'shared'); flow.set('n', 5, 'other'); flow.incr('n', 1, 'shared'); return msg;",
    ] {
        let code = with_host(&host, "", body, "");
        code.receive(msg("{}"));
        code.receive(msg("{}"));
        assert_eq!(warnings(&host), Vec::<String>::new(), "{body}");
    }
    assert!(host.errors.borrow().is_empty());
}
