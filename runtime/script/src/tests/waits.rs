//! Timers, promises, and who holds a delivery.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::LocalSet;

use super::host::{Host, function, json, msg, new_host, show, with_host};
use crate::{FunctionScript, Setup};
use flotilla_engine::message::{Deliveries, Delivery, Msg, Outcome};

async fn until(what: &str, ready: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !ready() {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn local(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

type Ended = Arc<Mutex<Option<Outcome>>>;

fn delivered(text: &str) -> (Msg, Ended) {
    let ended = Ended::default();
    let sink = ended.clone();
    let delivery =
        Delivery::begin(&Arc::new(Deliveries::default()), "in".into(), move |outcome| *sink.lock() = Some(outcome));
    (Msg::from_value(json(text), Some(delivery)), ended)
}

fn run(body: &str) -> (Rc<FunctionScript>, Rc<Host>, Ended) {
    let (code, host) = function(body);
    let (msg, ended) = delivered("{}");
    code.receive(msg);
    (code, host, ended)
}

#[test]
fn a_delivery_ends_with_the_call() {
    let (_, host, ended) = run("return msg;");
    assert_eq!(*ended.lock(), None, "the sent message holds it");
    host.sent.borrow_mut().clear();
    host.done.borrow_mut().clear();
    assert_eq!(*ended.lock(), Some(Outcome::Completed));
}

#[test]
fn timers_hold_the_delivery_and_pass_it_on() {
    local(async {
        let (_code, host, ended) = run("setTimeout(() => node.send({payload: 1}), 5);");
        host.done.borrow_mut().clear();
        assert_eq!(*ended.lock(), None, "the timer holds it");
        until("the timer", || !host.sent.borrow().is_empty()).await;
        assert!(host.sent.borrow()[0].1.delivery().is_some());
        host.sent.borrow_mut().clear();
        until("the end", || ended.lock().is_some()).await;
        assert_eq!(*ended.lock(), Some(Outcome::Completed));
    });
}

#[test]
fn an_interval_does_not_hold_the_delivery() {
    local(async {
        let (code, host, ended) = run("setInterval(() => node.send({payload: 1}), 1);");
        host.done.borrow_mut().clear();
        assert_eq!(*ended.lock(), Some(Outcome::Completed));
        until("two ticks", || host.sent.borrow().len() >= 2).await;
        drop(code.close(false));
        let count = host.sent.borrow().len();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(host.sent.borrow().len(), count, "no tick after close");
    });
}

#[test]
fn done_is_called_by_the_script_or_by_the_end_of_the_call() {
    let (_, host, ended) = run("return msg; // node.done()");
    assert_eq!(host.done.borrow().len(), 1);
    drop(ended);
    local(async {
        let (_code, host, ended) = run("setTimeout(() => { node.done(); }, 2);");
        assert!(host.done.borrow().is_empty());
        assert_eq!(*ended.lock(), None);
        until("done", || host.done.borrow().len() == 1).await;
        host.done.borrow_mut().clear();
        until("the end", || ended.lock().is_some()).await;
    });
    let (_, host, ended) = run("if (msg.never) node.done();");
    assert!(host.done.borrow().is_empty());
    assert_eq!(*ended.lock(), Some(Outcome::Completed), "nobody can call done any more");
}

#[test]
fn awaiting_functions_hold_until_they_are_through() {
    local(async {
        let (_code, host, ended) = run(
            "await new Promise((resolve) => setTimeout(resolve, 3)); await null; msg.payload = 'late'; return msg;",
        );
        assert!(host.sent.borrow().is_empty());
        assert_eq!(*ended.lock(), None);
        until("the answer", || !host.sent.borrow().is_empty()).await;
        assert_eq!(show(&host.sent.borrow()[0].1.get("payload")), "\"late\"");
        assert_eq!(host.done.borrow().len(), 1);
    });
}

#[test]
fn timers_are_cleared_by_the_script_and_at_close() {
    local(async {
        let (code, host, ended) = run(
            "const t = setTimeout(() => node.send({payload: 'cleared'}), 1); clearTimeout(t); setTimeout(() => node.send({payload: 'closed'}), 3000);",
        );
        host.done.borrow_mut().clear();
        drop(code.close(true));
        until("the end", || ended.lock().is_some()).await;
        assert_eq!(*ended.lock(), Some(Outcome::Abandoned), "what the timer held was not finished");
        assert!(host.sent.borrow().is_empty());
    });
}

#[test]
fn a_failing_timer_is_reported_and_the_next_one_runs() {
    local(async {
        let (_code, host, _) =
            run("setTimeout(() => { throw new Error('in timer'); }, 1); setTimeout(() => node.send({payload: 2}), 2);");
        until("the second timer", || !host.sent.borrow().is_empty()).await;
        assert_eq!(host.errors.borrow()[0].0.to_text(), "Error: in timer");
    });
}

#[test]
fn on_start_may_take_its_time_or_fail() {
    local(async {
        let host = new_host();
        let code = with_host(
            &host,
            "await new Promise((r) => setTimeout(r, 2)); ready = true;",
            "msg.payload = ready; return msg;",
            "",
        );
        let result = Rc::new(RefCell::new(None));
        let sink = result.clone();
        assert_eq!(code.start(move |ended| *sink.borrow_mut() = Some(ended)), Setup::Waiting);
        until("On Start", || result.borrow().is_some()).await;
        code.receive(msg("{}"));
        assert_eq!(show(&host.sent.borrow()[0].1.get("payload")), "true");
        let code = with_host(&host, "throw new Error('no start')", "", "");
        let sink = result.clone();
        code.start(move |ended| *sink.borrow_mut() = Some(ended));
        until("On Start", || result.borrow().as_ref().is_some_and(Result::is_err)).await;
    });
}

#[test]
fn close_listeners_and_on_stop_run_once() {
    let host = new_host();
    let code = with_host(
        &host,
        "",
        "node.on('close', () => node.log('closed')); node.status({text: 'x'});",
        "node.log('stopped'); node.send({});",
    );
    code.receive(msg("{}"));
    drop(code.close(true));
    drop(code.close(true));
    let logs: Vec<String> = host.logs.borrow().iter().map(|(_, text)| text.to_text().to_string()).collect();
    assert_eq!(logs, ["closed", "stopped"]);
    assert_eq!(host.errors.borrow()[0].0.to_text(), "Cannot send from close function");
    assert_eq!(show(host.statuses.borrow().last().unwrap()), "{}");
}

#[test]
fn a_link_call_holds_the_delivery_until_its_answer_or_its_time_is_up() {
    local(async {
        let (code, host, ended) = run("return await node.linkcall('there', {payload: 1});");
        assert_eq!(*ended.lock(), None, "the call holds it");
        let (call, mut sent) = host.called.borrow_mut().pop().unwrap();
        assert!(sent.get("_msgid").truthy(), "a message without an id gets one");
        sent.set("payload", "answer");
        code.take_return(&call, sent.clone());
        assert_eq!(show(&host.sent.borrow()[0].1.get("payload")), "\"answer\"");
        code.take_return(&call, sent);
        assert_eq!(host.sent.borrow().len(), 1, "a second answer is for nobody");
        host.sent.borrow_mut().clear();
        host.done.borrow_mut().clear();
        assert_eq!(*ended.lock(), Some(Outcome::Completed));

        let (code, host, ended) = run("return await node.linkcall('there', {payload: 1}, { timeout: 3600000 });");
        host.called.borrow_mut().clear();
        drop(code.close(true));
        assert_eq!(*ended.lock(), Some(Outcome::Abandoned), "nobody answers a node that is gone");
    });
}
