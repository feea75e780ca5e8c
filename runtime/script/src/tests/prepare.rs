//! What a function's code sees by name is made when it first runs.

use super::host::{function, msg, new_host, show, with_host};
use crate::{FunctionScript, Lib, Script, Source};

fn is_made(code: &FunctionScript) -> bool {
    code.program.borrow().is_some()
}

#[test]
fn code_that_has_not_run_has_no_sandbox_and_works_all_the_same() {
    let (code, host) =
        function("count = (typeof count === 'number' ? count : 0) + 1; msg.payload = count; return msg;");
    code.start(|result| assert_eq!(result, Ok(())));
    assert!(code.compiled.borrow().is_some() && !is_made(&code));
    code.receive(msg("{}"));
    assert!(is_made(&code));
    code.receive(msg("{}"));
    let sent: Vec<String> = host.sent.borrow().iter().map(|(_, sent)| show(&sent.get("payload"))).collect();
    assert_eq!(sent, ["1", "2"], "its variables stay");
    drop(code.close(false));
    assert!(code.compiled.borrow().is_none() && !is_made(&code));
    code.receive(msg("{}"));
    assert_eq!(host.sent.borrow().len(), 2);
    assert!(host.errors.borrow()[0].0.to_text().contains("was closed"), "{:?}", host.errors.borrow());
}

#[test]
fn on_stop_runs_also_where_no_message_came() {
    let host = new_host();
    let code = with_host(&host, "", "return msg;", "node.warn('stopped ' + node.name);");
    code.start(|result| assert_eq!(result, Ok(())));
    assert!(!is_made(&code));
    drop(code.close(true));
    assert_eq!(host.logs.borrow().len(), 1, "{:?}", host.logs.borrow());
    assert!(host.errors.borrow().is_empty(), "{:?}", host.errors.borrow());
}

#[test]
fn a_node_that_closes_without_a_message_leaves_nothing_behind() {
    let script = Script::current().unwrap();
    let idle = |round: usize| {
        let (code, _) = function(&format!("msg.payload = 'some text that takes memory {round}'; return msg;"));
        code.start(|result| assert_eq!(result, Ok(())));
        drop(code.close(true));
    };
    (0..50).for_each(idle);
    let before = script.memory_used();
    (50..1050).for_each(idle);
    let more = script.memory_used().saturating_sub(before);
    assert!(more < 256 << 10, "{more} bytes after 1,000 nodes");
}

#[test]
fn a_module_that_cannot_be_loaded_is_told_when_the_node_starts() {
    let lib = Lib { var: "gone".to_owned(), module: "gone".to_owned() };
    let source = Source::new("return msg;", "", "", vec![lib], true);
    assert!(FunctionScript::new(Script::current().unwrap(), new_host(), source).is_err());
}
