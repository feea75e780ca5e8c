//! What code does to built-ins stays with it.

use std::time::Instant;

use rquickjs::{Atom, Function};

use super::host::{function, json, msg, new_host, payload, show, with_host};
use crate::realms::Builtins;
use crate::{FunctionScript, Lib, Script, Source};

fn last(host: &super::host::Host) -> String {
    show(&host.sent.borrow().last().expect("the function sends a message").1.get("payload"))
}

#[test]
fn a_patch_is_seen_by_its_node_and_by_no_other() {
    let host = new_host();
    let patch = "Array.prototype.last = function () { return this[this.length - 1]; }; Math.random = () => 4;
                 String.prototype.trim = () => 'mine';";
    let one = with_host(&host, patch, "msg.payload = [[1, 2].last(), Math.random(), ' a '.trim()]; return msg;", "");
    one.start(|result| assert_eq!(result, Ok(())));
    let others = "msg.payload = [typeof [].last, Math.random() === 4, ' a '.trim()]; return msg;";
    for _ in 0..2 {
        one.receive(msg("{}"));
        assert_eq!(last(&host), r#"[2,4,"mine"]"#);
        assert_eq!(payload(others, "{}"), r#"["undefined",false,"a"]"#);
    }
    // Another node with a patch of its own, and the first one made anew without its patch: as after a deploy.
    assert_eq!(
        payload("Date.now = () => 1; msg.payload = [Date.now(), typeof [].last]; return msg;", "{}"),
        r#"[1,"undefined"]"#
    );
    drop(one.close(false));
    assert_eq!(payload(others, "{}"), r#"["undefined",false,"a"]"#);
}

#[test]
fn what_is_not_seen_beforehand_meets_frozen_built_ins() {
    let (code, host) = function(
        "const all = [[].constructor['proto' + 'type'], ({})['__pro' + 'to__'], (async () => {}).constructor];
         const told = [];
         for (const each of all) { try { each.leak = 1; } catch (error) { told.push(error.name); } }
         try { all[0].map = 1; } catch (error) { told.push(error.name); }
         msg.payload = [all.map((each) => Object.isFrozen(each) && !('leak' in each)), told]; return msg;",
    );
    code.receive(msg("{}"));
    let told = r#"["TypeError","TypeError","TypeError","TypeError"]"#;
    assert_eq!(last(&host), format!("[[true,true,true],{told}]"), "nothing is lost without a word");
    assert_eq!(
        payload("msg.payload = [typeof [].leak, typeof ({}).leak]; return msg;", "{}"),
        r#"["undefined","undefined"]"#
    );
    // Also through what is older than the code: `eval` and `Function`.
    let (code, host) =
        function("Function('x', 'x.constructor.proto' + '; Array[\"proto\" + \"type\"].leak = 1')([]); return msg;");
    code.receive(msg("{}"));
    drop(host);
    assert_eq!(payload("msg.payload = typeof [].leak; return msg;", "{}"), r#""undefined""#);
}

#[test]
fn whatever_is_reached_from_the_globals_is_frozen() {
    // Code that names what it is reached by has a realm of its own.
    let walk = "const protoOf = ({}).constructor['getProto' + 'typeOf']; const paths = new Map(); const waiting = [];
        const see = (value, path) => {
            if (value !== null && (typeof value === 'object' || typeof value === 'function') && !paths.has(value)) {
                paths.set(value, path);
                waiting.push(value);
            }
        };
        const look = (value) => {
            see(protoOf(value), paths.get(value) + '^');
            for (const key of Reflect.ownKeys(value)) {
                const found = Object.getOwnPropertyDescriptor(value, key);
                for (const part of ['value', 'get', 'set']) see(found[part], paths.get(value) + '.' + String(key));
            }
        };
        const all = protoOf(globalThis);
        paths.set(all, '');
        look(all);
        while (waiting.length) look(waiting.pop());
        const isOpen = ([value]) => !ArrayBuffer.isView(value) && !Object.isFrozen(value);
        msg.payload = [paths.size > 500, [...paths].filter(isOpen).map(([, path]) => path)];
        return msg;";
    assert_eq!(payload(walk, "{}"), "[true,[]]");
}

#[test]
fn the_global_object_of_all_is_nobodys_and_no_module_of_the_prelude_is_to_be_had() {
    let (one, host) = function(
        "const f = () => {}; const g = f['constr' + 'uctor']('return this')(); let told = [];
         for (const name of ['shared', 'structuredClone', 'util']) { try { g[name] = 'mine'; } catch (e) { told.push(e.name); } }
         msg.payload = [g.shared === 'mine', g.structuredClone === 'mine', g.util === 'mine'];
         node.send(msg);
         return import('prelude/' + 'util.js').then(() => ({ payload: 'imported' }), (e) => ({ payload: e instanceof Error }));",
    );
    one.receive(msg("{}"));
    let sent: Vec<String> = host.sent.borrow().iter().map(|(_, msg)| show(&msg.get("payload"))).collect();
    assert_eq!(sent, ["[false,false,false]", "true"]);
    // Code that says that it makes code has a realm of its own.
    assert_eq!(payload("const g = Function('return this')(); g.own = 1; msg.payload = g.own; return msg;", "{}"), "1");
    assert_eq!(payload("msg.payload = typeof own; return msg;", "{}"), "\"undefined\"");
}

#[test]
fn objects_of_ones_own_have_any_property() {
    let body = "const o = {}; const told = [];
        for (const key of ['toString', 'constructor', 'valueOf', 'hasOwnProperty', 'isPrototypeOf', 'toLocaleString']) {
          o[key] = key; told.push(o[key] === key && Object.keys(o).includes(key));
        }
        const error = new Error(); error.message = 'm'; error.name = 'N'; told.push(String(error) === 'N: m');
        class Own extends TypeError { constructor(text) { super(text); this.name = 'Own'; } }
        told.push(`${new Own('x')}` === 'Own: x');
        const date = new Date(0); date.toJSON = () => 'd'; told.push(JSON.stringify(date) === '\"d\"');
        const list = []; list.toString = () => 'l'; list.map = 1; told.push(`${list}` === 'l' && list.map === 1);
        const f = () => {}; f.call = 1; f.toString = () => 'f'; told.push(f.call === 1 && `${f}` === 'f');
        function Old() {} Old.prototype = Object.create(Error.prototype); Old.prototype.constructor = Old;
        told.push(new Old().constructor === Old && new Error().constructor === Error);
        list.filter = () => 'mine'; list.sort = 2; list[Symbol.iterator] = null;
        told.push(list.filter() === 'mine' && list.sort === 2 && Object.keys(list).includes('filter') && [1].filter(Boolean).length === 1);
        const map = new Map(); map.get = () => 3; told.push(map.get() === 3 && new Map([[1, 2]]).get(1) === 2);
        const bytes = Buffer.from('a'); bytes.slice = () => 4; told.push(bytes.slice() === 4 && Buffer.from('ab').slice(1).length === 1);
        const url = new URL('http://h/'); url.toJSON = () => 5; told.push(url.toJSON() === 5);
        const text = /a/; text.exec = () => null; told.push(!text.test('a') && /a/.test('a'));
        const promise = Promise.resolve(); promise.finally = 6; told.push(promise.finally === 6);
        class List extends Array {} List.from = 7; List.prototype.find = 8;
        told.push(List.from === 7 && new List().find === 8 && Array.from([1]).length === 1);
        const child = Object.create(Object.freeze({x: 1})); child.x = 2; told.push(child.x === 1);
        msg.toString = 'in the message'; told.push(Object.keys(msg).includes('toString'));
        msg.payload = told.every(Boolean) ? 'all' : told; return msg;";
    assert_eq!(payload(body, r#"{"payload":1}"#), r#""all""#);
    assert_eq!(
        payload("return msg;", r#"{"payload":{"constructor":1,"toString":"a","__x":2}}"#),
        r#"{"constructor":1,"toString":"a","__x":2}"#
    );
    let read =
        "msg.payload = [msg.payload.constructor, msg.payload.valueOf, typeof msg.payload.hasOwnProperty]; return msg;";
    assert_eq!(payload(read, r#"{"payload":{"constructor":1}}"#).split(',').next(), Some("[1"));
}

#[test]
fn modules_share_a_realm_whose_built_ins_are_theirs() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("patching.js"),
        "Array.prototype.second = function () { return this[1]; }; exports.n = 0;",
    )
    .unwrap();
    let run = |body: &str| {
        let host = new_host();
        *host.modules.borrow_mut() = Some(folder.path().to_owned());
        let lib = Lib { var: "patching".to_owned(), module: "patching".to_owned() };
        let source = Source::new(body, "", "", vec![lib], true);
        let code = FunctionScript::new(Script::current().unwrap(), host.clone(), source).unwrap();
        code.receive(msg("{}"));
        assert!(host.errors.borrow().is_empty(), "{:?}", host.errors.borrow());
        last(&host)
    };
    assert_eq!(run("patching.n += 1; msg.payload = [[1, 2].second(), patching.n]; return msg;"), "[2,1]");
    assert_eq!(run("patching.n += 1; msg.payload = patching.n; return msg;"), "2", "loaded once, as by Node.js");
    assert_eq!(payload("msg.payload = typeof [].second; return msg;", "{}"), r#""undefined""#);
}

fn collect_garbage(script: &Script) {
    // What the first search finds may be the last that holds something else.
    for _ in 0..2 {
        script.enter(None, |ctx| {
            ctx.run_gc();
        });
    }
}

/// A node that changes built-ins comes and goes, as in a deploy.
fn deploy_patch(round: usize) {
    let host = new_host();
    let body = format!("Array.prototype.round = {round}; msg.payload = [].round; return msg;");
    let code = with_host(&host, "", &body, "");
    code.receive(msg("{}"));
    assert_eq!(last(&host), json(&round.to_string()).to_text().to_string());
    drop(code.close(true));
}

#[test]
fn realms_of_closed_nodes_give_their_memory_back() {
    const REALMS: usize = 40;
    (0..8).for_each(deploy_patch);
    let script = Script::current().unwrap();
    let now = || {
        collect_garbage(script);
        (script.thread.realms.get(), script.memory_used())
    };
    let (before, used) = now();
    (0..REALMS).for_each(deploy_patch);
    let (after, grown) = now();
    assert_eq!(after, before, "realms that are left");
    // A realm takes about a megabyte.
    let grown = grown.saturating_sub(used);
    assert!(grown < REALMS * (10 << 10), "{REALMS} realms left {grown} bytes");
}

#[test]
fn a_realm_ends_with_the_last_that_runs_in_it() {
    let script = Script::current().unwrap();
    let count = || {
        collect_garbage(script);
        script.thread.realms.get()
    };
    deploy_patch(0);
    let before = count();
    let (host, other) = (new_host(), new_host());
    let body = "Array.prototype.mine = 1; node.send({payload: [].mine}); await new Promise(() => {}); return msg;";
    let code = with_host(&host, "", body, "");
    code.receive(msg("{}"));
    assert_eq!(last(&host), "1");
    assert_eq!(count(), before + 1, "the node is open");
    drop(code.close(true));
    drop(code);
    assert_eq!(count(), before);
    // Code that does not compile has its realm no longer than that.
    let source = Source::new("Array.prototype.mine = ;", "", "", Vec::new(), true);
    assert!(FunctionScript::new(script, other, source).is_err());
    assert_eq!(count(), before);
}

#[test]
fn a_realm_whose_node_is_closed_keeps_nothing_in_the_turn_of_another() {
    let shared = Script::current().unwrap();
    let count = || {
        collect_garbage(shared);
        shared.thread.realms.get()
    };
    let before = count();
    let own = Script::make(&shared.thread, Builtins::Open).unwrap();
    own.retire();
    // Code of it that reads a message: a promise that settles late.
    let message = json(r#"{"a":1,"b":2,"c":3,"payload":{"deep":{"list":[1]}}}"#);
    shared.enter(None, |ctx| {
        let read = "(late) => { late.payload.deep.list[0]; Object.keys(late); }";
        let read = ctx.eval::<Function<'_>, _>(read).unwrap();
        // What repeats is kept from the second time on.
        for slim in [false, false, false, true, true, true] {
            own.slim.set(slim);
            let view = own.import(ctx, &message).unwrap();
            read.call::<_, ()>((view,)).unwrap();
        }
        own.name_of(ctx, &Atom::from_str(ctx.clone(), "late").unwrap()).unwrap();
    });
    assert!(own.accessors.borrow().is_empty() && own.names.borrow().is_empty());
    drop(own);
    assert_eq!(count(), before, "it is gone");
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement")]
fn a_thousand_functions() {
    let script = Script::current().unwrap();
    for (kind, prefix) in [("share the realm", ""), ("change built-ins", "Array.prototype.x = 1;")] {
        let (before, began) = (script.memory_used(), Instant::now());
        let all: Vec<_> = (0..1000)
            .map(|n| {
                let host = new_host();
                with_host(&host, "", &format!("{prefix} msg.step = {n}; return msg;"), "")
            })
            .collect();
        println!(
            "1,000 functions that {kind}: {} ms, {} KiB",
            began.elapsed().as_millis(),
            (script.memory_used() - before) / 1024
        );
        all.into_iter().for_each(|code| drop(code.close(true)));
    }
}
