//! Values in and out, and that views behave like plain objects.

use std::sync::Arc;

use super::host::{eval, function, json, msg, payload, show};
use flotilla_engine::message::Msg;
use flotilla_value::{HostObject, Object, RegExpValue, Str, TypedArray, Value};

fn through(value: Value, body: &str) -> Value {
    let (code, host) = function(body);
    code.receive(Msg::new([("payload", value)].into_iter().collect()));
    assert!(host.errors.borrow().is_empty(), "{:?}", host.errors.borrow());
    let sent = host.sent.borrow();
    sent[0].1.get("payload")
}

#[test]
fn views_behave_like_plain_objects() {
    let input = r#"{"b":{"x":1},"a":[1,{"y":2}],"c":"s","10":1,"2":{"z":0}}"#;
    let run = |body: &str| {
        payload(
            &format!("msg = msg.payload; msg = {{payload: {body}}}; return msg;"),
            &format!(r#"{{"payload":{input}}}"#),
        )
    };
    assert_eq!(run("JSON.stringify(msg)"), show(&Value::from(show(&json(input)))));
    assert_eq!(run("Object.keys(msg)"), r#"["2","10","b","a","c"]"#);
    assert_eq!(
        run("Object.entries(msg).map(([k, v]) => k + typeof v)"),
        r#"["2object","10number","bobject","aobject","cstring"]"#
    );
    assert_eq!(run("({...msg}).b.x"), "1");
    assert_eq!(
        run("['b' in msg, 'q' in msg, msg.hasOwnProperty('b'), Array.isArray(msg.a), Array.isArray(msg.b)]"),
        "[true,false,true,true,false]"
    );
    assert_eq!(run("(delete msg.b, msg.b = {n:1}, Object.keys(msg))"), r#"["2","10","a","c","b"]"#);
    assert_eq!(run("(msg.b = 5, msg)"), r#"{"2":{"z":0},"10":1,"b":5,"a":[1,{"y":2}],"c":"s"}"#);
    assert_eq!(run("Object.assign({}, msg).a[1].y"), "2");
    assert_eq!(run("msg.a.concat([3]).length + msg.a.map(v => v).length + [...msg.a].length"), "7");
    assert_eq!(run("(() => { const { b, ...rest } = msg; return Object.keys(rest); })()"), r#"["2","10","a","c"]"#);
    assert_eq!(
        run("[String(msg), msg.constructor === Object, msg instanceof Object, typeof msg.b]"),
        r#"["[object Object]",true,true,"object"]"#
    );
    assert_eq!(
        run("(() => { const out = []; for (const k in msg) out.push(k); return out; })()"),
        r#"["2","10","b","a","c"]"#
    );
    assert_eq!(run("Object.freeze(msg).b.x"), "1");
    assert_eq!(run("RED.util.cloneMessage(msg).a[1].y"), "2");
    assert_eq!(run("structuredClone(msg).b.x"), "1");
}

#[test]
fn every_kind_goes_in_and_out() {
    let values = [
        Value::Date(1_700_000_000_000.0),
        Value::Buffer(vec![0, 255, 128].into()),
        Value::BigInt("123456789012345678901234567890".into()),
        Value::RegExp(Arc::new(RegExpValue { source: "a+".into(), flags: "gi".into() })),
        Value::Map(Arc::new(vec![(Value::from("k"), Value::Number(1.0))])),
        Value::Set(Arc::new(vec![Value::Number(1.0), Value::from("x")])),
        Value::Typed(Arc::new(TypedArray { kind: "Uint16Array".into(), bytes: vec![1, 0, 2, 0].into() })),
        Value::Null,
        Value::Number(-0.0),
        Value::from("\u{1F600} and \u{0} inside"),
        Value::from("x".repeat(1000)),
        json(r#"{"__proto__":{"a":1},"constructor":2}"#),
    ];
    for value in values {
        assert_eq!(through(value.clone(), "return msg;"), value, "untouched {value:?}");
        assert_eq!(through(value.clone(), "var p = msg.payload; return {payload: p};"), value, "touched {value:?}");
        assert_eq!(through(value.clone(), "return {payload: [msg.payload]};"), Value::array(vec![value]));
    }
    let error = through(Value::Undefined, "var e = new TypeError('no'); e.code = 'X'; return {payload: e};");
    let Value::Error(error) = error else { panic!("an error, not {error:?}") };
    assert_eq!((error.name.as_str(), error.message.as_str()), ("TypeError", "no"));
    assert_eq!(error.get("code"), Value::from("X"));
    assert!(error.stack.is_some());
}

#[test]
fn kinds_are_what_scripts_expect() {
    let is = |value: Value, test: &str| {
        assert_eq!(through(value, &format!("return {{payload: {test}}};")), Value::Bool(true), "{test}");
    };
    is(Value::Date(0.0), "msg.payload instanceof Date && msg.payload.getTime() === 0");
    is(
        Value::Buffer(vec![1, 2].into()),
        "Buffer.isBuffer(msg.payload) && msg.payload[1] === 2 && msg.payload.length === 2",
    );
    is(Value::BigInt("5".into()), "msg.payload === 5n");
    is(Value::Map(Arc::new(vec![(Value::from("k"), Value::from("v"))])), "msg.payload.get('k') === 'v'");
    is(
        Value::Error(Arc::new(flotilla_value::ErrorValue::new("m"))),
        "msg.payload instanceof Error && msg.payload.message === 'm'",
    );
    is(Value::Function(Str::new("f")), "typeof msg.payload === 'function' && msg.payload.name === 'f'");
}

#[test]
fn cycles_and_functions_leave_as_what_they_can_be() {
    let value = through(
        Value::Undefined,
        "var o = {n: 1}; o.self = o; o.list = [o]; o.f = function go() {}; return {payload: o};",
    );
    assert_eq!(value.get("self"), Value::Circular(1));
    assert_eq!(value.get("list").as_array().unwrap()[0], Value::Circular(2));
    assert_eq!(value.get("f"), Value::Function("go".into()));
}

struct Response(parking_lot::Mutex<Vec<String>>);

impl HostObject for Response {
    fn class_name(&self) -> &'static str {
        "ServerResponse"
    }
    fn get(&self, name: &str) -> Value {
        if name == "statusCode" { Value::Number(200.0) } else { Value::Undefined }
    }
    fn keys(&self) -> Vec<Str> {
        vec!["statusCode".into()]
    }
    fn methods(&self) -> &'static [&'static str] {
        &["status", "send"]
    }
    fn call(&self, method: &str, args: &[Value]) -> Result<Value, String> {
        if args.is_empty() {
            return Err(format!("{method} wants an argument"));
        }
        self.0.lock().push(format!("{method} {}", args[0].to_text()));
        Ok(Value::Undefined)
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[test]
fn host_objects_are_called_and_go_on_by_reference() {
    let response = Arc::new(Response(parking_lot::Mutex::default()));
    let host: Arc<dyn HostObject> = response.clone();
    let (code, seen) = function(
        "msg.res.status(404).send('no'); msg.payload = msg.res.statusCode; try { msg.res.send(); } catch (e) { msg.topic = e.message; } return msg;",
    );
    code.receive(Msg::new([("res", Value::Host(host.clone()))].into_iter().collect::<Object>()));
    assert_eq!(*response.0.lock(), ["status 404", "send no"]);
    let sent = seen.sent.borrow();
    assert_eq!(sent[0].1.get("res"), Value::Host(host));
    assert_eq!(sent[0].1.get("payload"), Value::Number(200.0));
    assert_eq!(sent[0].1.get("topic"), Value::from("send wants an argument"));
}

#[test]
fn buffers() {
    for (expression, expected) in [
        ("Buffer.from('héllo').toString('hex')", "68c3a96c6c6f"),
        ("Buffer.from('68656c6c6f', 'hex')", "hello"),
        ("Buffer.from('aGk', 'base64')", "hi"),
        ("Buffer.from([255,254]).toString('base64url')", "__4"),
        ("Buffer.from('hé', 'latin1').length", "2"),
        ("Buffer.from('hi', 'utf16le').toString('hex')", "68006900"),
        ("Buffer.concat([Buffer.from('a'), Buffer.alloc(2, 'b')])", "abb"),
        ("Buffer.from([1,2,3,4]).readUInt16BE(1)", "515"),
        ("Buffer.from([1,2,3,4]).readInt32LE()", "67305985"),
        ("(() => { const b = Buffer.alloc(8); b.writeDoubleBE(1.5); return b.toString('hex') })()", "3ff8000000000000"),
        (
            "(() => { const b = Buffer.alloc(3); b.writeUIntBE(0x123456, 0, 3); return b.readUIntLE(0, 3).toString(16) })()",
            "563412",
        ),
        ("Buffer.from('hello').subarray(1, -1)", "ell"),
        ("Buffer.from('hello').indexOf('lo')", "3"),
        ("Buffer.from('abcd').swap16()", "badc"),
        ("JSON.stringify(Buffer.from('hi'))", r#"{"type":"Buffer","data":[104,105]}"#),
        (
            "Buffer.from('a').equals(Buffer.from('a')) + '' + Buffer.compare(Buffer.from('a'), Buffer.from('b'))",
            "true-1",
        ),
        ("Buffer.byteLength('é')", "2"),
        ("(() => { const b = Buffer.from('xyz'); b.slice(0, 1)[0] = 65; return b })()", "Ayz"),
        ("util.inspect(Buffer.from('hi'))", "<Buffer 68 69>"),
    ] {
        assert_eq!(eval(expression), expected, "{expression}");
    }
}

#[test]
fn what_the_sandbox_has() {
    for (expression, expected) in [
        ("new URL('/p?a=1#h', 'http://user@h:81/x').href", "http://user@h:81/p?a=1#h"),
        (
            "(() => { const u = new URL('http://h/'); u.searchParams.append('q', 'a b'); return u.href })()",
            "http://h/?q=a+b",
        ),
        ("new URLSearchParams('a=1&b=%20x').get('b')", " x"),
        ("new TextDecoder().decode(new TextEncoder().encode('ü'))", "ü"),
        ("btoa('hi') + atob('aGk=')", "aGk=hi"),
        ("crypto.randomUUID().length", "36"),
        ("require('crypto').createHash('md5').update('a').digest('hex')", "0cc175b9c0f1b6a831c399e269772661"),
        (
            "require('crypto').createHmac('sha256', 'k').update('d').digest('base64')",
            "5+ohw7y2Ok2jrXhQMWjTa9ygvmIjgupgoQj61OSWZnk=",
        ),
        ("util.format('%s %d %j', 'a', 1, {b:2})", "a 1 {\"b\":2}"),
        ("util.inspect({a:[1,{b:{c:{}}}]})", "{ a: [ 1, { b: [Object] } ] }"),
        ("util.isDeepStrictEqual({a:[1]}, {a:[1]})", "true"),
        ("RED.util.getMessageProperty({a:{b:[1,2]}}, 'msg.a.b[1]')", "2"),
        ("JSON.stringify(RED.util.normalisePropertyExpression('a[\"b c\"].d[3]'))", r#"["a","b c","d",3]"#),
        (
            "(() => { const m = {}; RED.util.setMessageProperty(m, 'a.b[0].c', 1, true); return JSON.stringify(m) })()",
            r#"{"a":{"b":[{"c":1}]}}"#,
        ),
        ("RED.util.compareObjects({a:[1]}, {a:[1]})", "true"),
        ("RED.util.generateId().length", "16"),
        ("RED.util.evaluateNodeProperty('PLACE', 'env')", "here"),
        ("RED.util.ensureString({a:1})", r#"{"a":1}"#),
        ("(1234567.891).toLocaleString()", "1,234,567.891"),
        ("new Intl.NumberFormat('en-US', {style:'currency', currency:'USD'}).format(1234.5)", "$1,234.50"),
        ("new Date(0).toLocaleString('en-US', {timeZone:'UTC'})", "1/1/1970, 12:00:00 AM"),
        ("new Date(1721000000000).toLocaleTimeString('en-GB', {timeZone:'Europe/Berlin'})", "01:33:20"),
        (
            "new Intl.DateTimeFormat('en-US', {timeZone:'UTC', weekday:'long', year:'numeric', month:'long', day:'numeric'}).format(0)",
            "Thursday, January 1, 1970",
        ),
        ("require('path').join('/a', '../b', 'c.txt')", "/b/c.txt"),
    ] {
        assert_eq!(eval(expression), expected, "{expression}");
    }
}

#[test]
fn long_arrays_behave_like_plain_ones() {
    let items: Vec<String> = (0..40).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    let input = format!(r#"{{"payload":[{}]}}"#, items.join(","));
    let run = |body: &str| payload(&format!("var a = msg.payload; return {{payload: {body}}};"), &input);
    assert_eq!(
        run("[a.length, a[3].n, a[40], Array.isArray(a), a instanceof Array, '5' in a]"),
        "[40,3,null,true,true,true]"
    );
    assert_eq!(run("a.map((v) => v.n).reduce((x, y) => x + y, 0)"), "780");
    assert_eq!(run("JSON.stringify(a).length === JSON.stringify([...a]).length"), "true");
    assert_eq!(run("(a.push({n: 40}), [a.length, a[40].n])"), "[41,40]");
    assert_eq!(run("(a[0] = 5, a.length = 2, a)"), r#"[5,{"n":1}]"#);
    assert_eq!(
        run(
            "(() => { let s = 0; for (let i = 0; i < a.length; i++) s += a[i].n; for (const v of a) s += v.n; return s; })()"
        ),
        "1560"
    );
    assert_eq!(run("a.slice(1, 3).concat(a.filter((v) => v.n > 38)).map((v) => v.n)"), "[1,2,39]");
    assert_eq!(run("(a[1].n = 'x', a.splice(2), a)"), r#"[{"n":0},{"n":"x"}]"#);
    assert_eq!(run("Object.keys(a).length + a.indexOf(a[7])"), "47");
    assert_eq!(run("a.sort((x, y) => y.n - x.n)[0].n"), "39");
}

#[test]
fn an_element_that_changed_leaves_the_others_shared() {
    let items: Vec<Value> = (0..40).map(|n| json(&format!(r#"{{"n":{n}}}"#))).collect();
    let out = through(Value::array(items.clone()), "msg.payload[3].n = 'x'; return msg;");
    let list = out.as_array().unwrap();
    assert_eq!(list[3], json(r#"{"n":"x"}"#));
    let (Value::Object(a), Value::Object(b)) = (&items[4], &list[4]) else { panic!("objects") };
    assert!(Arc::ptr_eq(a, b));
    let whole = Value::array(items);
    let out = through(whole.clone(), "var x = msg.payload[3].n; return msg;");
    let (Value::Array(a), Value::Array(b)) = (&whole, &out) else { panic!("arrays") };
    assert!(Arc::ptr_eq(a, b));
}

#[test]
fn objects_with_names_that_repeat_are_the_same_each_time() {
    let input =
        r#"{"a":1,"it's \"so\"\n":"x","__proto__":2,"constructor":"c","3":true,"ä":null,"z":{"deep":[1]},"end":"e"}"#;
    let plain = r#"{"one":1,"two":"2","three":null,"constructor":"c","z":{"deep":[1]},"toString":"t","end":"e"}"#;
    for input in [input, plain] {
        let value = json(input);
        // The first message goes property by property, later ones by the run of their names.
        let (code, host) = function("var x = msg.payload.a; msg.keys = Object.keys(msg.payload); return msg;");
        for _ in 0..3 {
            code.receive(Msg::new([("payload", value.clone())].into_iter().collect()));
        }
        assert!(host.errors.borrow().is_empty(), "{:?}", host.errors.borrow());
        let Value::Object(sent) = &value else { panic!("an object") };
        let keys: Vec<Value> = sent.keys().map(|key| Value::String(key.clone())).collect();
        for (_, msg) in host.sent.borrow().iter() {
            assert_eq!(msg.get("keys"), Value::array(keys.clone()));
            let Value::Object(out) = msg.get("payload") else { panic!("an object") };
            assert!(Arc::ptr_eq(&out, sent), "an untouched object is the same one");
        }
    }
    let (code, host) = function("msg.payload.one = 2; delete msg.payload.two; msg.payload.two = 'new'; return msg;");
    for _ in 0..3 {
        code.receive(Msg::new([("payload", json(plain))].into_iter().collect()));
    }
    for (_, msg) in host.sent.borrow().iter() {
        let text = flotilla_value::stringify(&msg.get("payload")).unwrap().unwrap();
        let expected =
            r#"{"one":2,"three":null,"constructor":"c","z":{"deep":[1]},"toString":"t","end":"e","two":"new"}"#;
        assert_eq!(text, expected);
    }
}

#[test]
fn a_function_that_came_through_a_message_says_why_it_cannot_be_called() {
    let (code, host) = function("msg.lib = { cb: x => x * 2 }; return msg;");
    code.receive(msg("{}"));
    let sent = host.sent.borrow()[0].1.clone();
    let (code, host) = function("msg.lib.cb(4)");
    code.receive(sent);
    let error = host.errors.borrow()[0].0.to_text();
    assert!(error.contains("\"cb\"") && error.contains("functions are not kept outside"), "{error}");
}
