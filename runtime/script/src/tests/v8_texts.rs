//! Error texts, each as Node.js 20.20.2 writes it.

use super::host::{function, msg};

/// What the bodies below find: an odd set of names, so that rows stay short.
const NAMES: &str = "var x = 'str', y = 2, u = undefined, n = null, arr = [1, 2], i = 1, a = {}, b = {}, f = function () { return {}; };";

#[test]
fn errors_have_the_texts_of_v8() {
    let rows = [
        ("msg.payload.foo()", "TypeError: msg.payload.foo is not a function"),
        ("msg.payload[0].foo()", "TypeError: msg.payload[0].foo is not a function"),
        ("msg[\"a b\"]()", "TypeError: msg.a b is not a function"),
        ("arr[i]()", "TypeError: arr[i] is not a function"),
        ("f()()", "TypeError: f(...) is not a function"),
        ("f(1,2).g()", "TypeError: f(...).g is not a function"),
        ("\"abc\".foo()", "TypeError: \"abc\".foo is not a function"),
        ("new msg.payload.Foo(1)", "TypeError: msg.payload.Foo is not a constructor"),
        ("[1,2].foo()", "TypeError: [1,2].foo is not a function"),
        ("({a:1}).foo()", "TypeError: {(intermediate value)}.foo is not a function"),
        ("(a+b).foo()", "TypeError: (a + b).foo is not a function"),
        ("(x||y).foo()", "TypeError: (x || y).foo is not a function"),
        ("a?.b()", "TypeError: a?.b is not a function"),
        ("arr?.[0]()", "TypeError: arr?.[0] is not a function"),
        ("arr[arr.length-1]()", "TypeError: arr[(arr.length - 1)] is not a function"),
        ("new Date().foo()", "TypeError: (intermediate value).foo is not a function"),
        ("msg.payload\n.foo\n()", "TypeError: msg.payload.foo is not a function"),
        ("arr.forEach(q=>q.zz())", "TypeError: q.zz is not a function"),
        ("(x=5)()", "TypeError: x is not a function"),
        ("(!x).foo()", "TypeError: (!x).foo is not a function"),
        ("for (const q of n) {}", "TypeError: n is not iterable"),
        ("const [q] = u", "TypeError: u is not iterable"),
        ("const {q} = u", "TypeError: Cannot destructure property 'q' of 'u' as it is undefined."),
        ("const {q} = msg.nope", "TypeError: Cannot destructure property 'q' of 'msg.nope' as it is undefined."),
        ("let q; ({q} = u)", "TypeError: Cannot destructure property 'q' of 'u' as it is undefined."),
        ("(function({q}){})()", "TypeError: Cannot destructure property 'q' of 'undefined' as it is undefined."),
        ("[...u]", "TypeError: u is not iterable"),
        ("f(...u)", "TypeError: u is not iterable (cannot read property undefined)"),
        ("f(...{})", "TypeError: Spread syntax requires ...iterable[Symbol.iterator] to be a function"),
        ("Math.max(...u)", "TypeError: u is not iterable (cannot read property undefined)"),
        ("for (const [q] of [1]) {}", "TypeError: .for is not iterable"),
        ("let {q=1}=u", "TypeError: Cannot read properties of undefined (reading 'q')"),
        ("arr.map(\"abc\")", "TypeError: abc is not a function"),
        ("arr.forEach({})", "TypeError: #<Object> is not a function"),
        ("[].reduce((a,b)=>a)", "TypeError: Reduce of empty array with no initial value"),
        ("arr.sort(5)", "TypeError: The comparison function must be either a function or undefined"),
        ("const cc = 1; cc = 2", "TypeError: Assignment to constant variable."),
        ("cc2++; const cc2=1", "ReferenceError: Cannot access 'cc2' before initialization"),
        ("\"x\" in 5", "TypeError: Cannot use 'in' operator to search for 'x' in 5"),
        ("x instanceof 5", "TypeError: Right-hand side of 'instanceof' is not an object"),
        ("u.x", "TypeError: Cannot read properties of undefined (reading 'x')"),
        ("u[msg]", "TypeError: Cannot read properties of undefined"),
        ("u['{}']", "TypeError: Cannot read properties of undefined (reading '{}')"),
        ("u[msg] = 1", "TypeError: Cannot set properties of undefined"),
        ("u[msg] += 1", "TypeError: Cannot read properties of undefined"),
        ("n[[3,1]]=1", "TypeError: Cannot set properties of null"),
        ("u[true]=1", "TypeError: Cannot set properties of undefined (setting 'true')"),
        ("n.x=1", "TypeError: Cannot set properties of null (setting 'x')"),
        ("new Array(-1)", "RangeError: Invalid array length"),
        ("(5).toFixed(101)", "RangeError: toFixed() digits argument must be between 0 and 100"),
        ("\"a\".repeat(-1)", "RangeError: Invalid count value: -1"),
        ("new Date(NaN).toISOString()", "RangeError: Invalid time value"),
        ("decodeURIComponent(\"%\")", "URIError: URI malformed"),
        ("new RegExp(\"(\")", "SyntaxError: Invalid regular expression: /(/: Unterminated group"),
        ("JSON.parse(u)", "SyntaxError: \"undefined\" is not valid JSON"),
        ("JSON.parse(\"{a:1}\")", "SyntaxError: Expected property name or '}' in JSON at position 1"),
        (
            "var c={a:{b:[1]}};c.a.b.push(c);JSON.stringify(c)",
            "TypeError: Converting circular structure to JSON\n    --> starting at object with constructor 'Object'\n    |     property 'a' -> object with constructor 'Object'\n    |     property 'b' -> object with constructor 'Array'\n    --- index 1 closes the circle",
        ),
        ("new Promise(5)", "TypeError: Promise resolver 5 is not a function"),
        ("class A extends u {}", "TypeError: Class extends value undefined is not a constructor or null"),
        ("Map()", "TypeError: Constructor Map requires 'new'"),
        ("JSON.stringify(10n)", "TypeError: Do not know how to serialize a BigInt"),
        ("Symbol()+\"\"", "TypeError: Cannot convert a Symbol value to a string"),
        ("Object.keys(u)", "TypeError: Cannot convert undefined or null to object"),
        ("zz()", "ReferenceError: zz is not defined"),
    ];
    assert_thrown(&rows);
}

/// Each body throws its error, by name and text, as in Node.js.
pub(super) fn assert_thrown(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(body, wanted)| {
            let seen = thrown(body);
            (seen.as_deref() != Some(*wanted)).then(|| format!("{body}\n  Node: {wanted}\n  here: {seen:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// Name and text of the error that a body throws, or "nothing".
fn thrown(body: &str) -> Option<String> {
    let source = format!(
        "{NAMES}\nlet seen = 'nothing';\ntry {{ (function () {{\n{body}\n}})(); }} catch (e) {{ seen = `${{e.name}}: ${{e.message}}`; }}\nreturn {{payload: seen}};"
    );
    let (code, host) = function(&source);
    code.receive(msg(r#"{"payload":"hello","topic":"t"}"#));
    let sent = host.sent.borrow();
    sent.first().map(|(_, msg)| msg.get("payload").to_text().to_string())
}

#[test]
fn stacks_name_the_node_as_in_node_red() {
    let (code, host) = function("function inner() { return new Error('x').stack; }\nreturn {payload: inner()};");
    code.receive(msg("{}"));
    let stack = host.sent.borrow()[0].1.get("payload").to_text().to_string();
    let mut lines = stack.lines();
    assert_eq!(lines.next(), Some("Error: x"));
    assert!(
        lines.next().is_some_and(|line| line.trim().starts_with("at inner (Function node:") && line.contains(":1:")),
        "{stack}"
    );
}

#[test]
fn what_was_not_quite_v8_is() {
    let rows = [
        ("return {payload: JSON.stringify({...'ab'})}", r#"{"0":"a","1":"b"}"#),
        ("const d = new Date(0); d.setHours(NaN); return {payload: String(d.getTime())}", "NaN"),
        (
            "const k = []; for (const key in Buffer.from('a')) k.push(key); return {payload: k.slice(0, 2).join()}",
            "0,readBigUInt64LE",
        ),
        ("return {payload: new Date(0).toLocaleDateString('sv-SE', {timeZone: 'UTC'})}", "1970-01-01"),
        ("return {payload: new Date(0).toLocaleTimeString('en-US', {timeZone: 'UTC'})}", "12:00:00 AM"),
        ("return {payload: (1234.5).toLocaleString('de-DE', {style: 'currency', currency: 'EUR'})}", "1.234,50\u{a0}€"),
        ("return {payload: ['z', 'ä', 'a'].sort(new Intl.Collator('sv').compare).join()}", "a,z,ä"),
        ("return {payload: new Intl.PluralRules('pl').select(3)}", "few"),
        (
            "try { new Intl.Segmenter() } catch (e) { return {payload: e.message} }",
            "Intl.Segmenter is not available here",
        ),
        (
            "try { (1).toLocaleString('tlh') } catch (e) { return {payload: e.message} }",
            "Intl: the locale tlh is not available here",
        ),
    ];
    for (body, wanted) in rows {
        let (code, host) = function(body);
        code.receive(msg("{}"));
        let sent = host.sent.borrow();
        let seen = sent.first().map(|(_, msg)| msg.get("payload").to_text().to_string());
        assert_eq!(seen.as_deref(), Some(wanted), "{body}");
    }
}

/// Each ran for hours: native loops over a length that is only claimed.
#[test]
fn native_loops_end_with_the_time_out() {
    for body in [
        "new Array(4294967295).join('')",
        "Array.prototype.reverse.call({length: 2 ** 53 - 1})",
        "[].concat({length: 2 ** 40, [Symbol.isConcatSpreadable]: true})",
        "Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)",
        "Array.prototype.fill.call({length: 2 ** 53 - 1}, 1, 2 ** 40)",
    ] {
        let (code, host) = function(body);
        host.limit.set(std::time::Duration::from_millis(50));
        code.receive(msg("{}"));
        let errors = host.errors.borrow();
        let text = errors.first().map(|(error, _)| error.get("message").to_text().to_string()).unwrap_or_default();
        assert!(text.contains("timed out") || text.contains("out of memory"), "{body}: {errors:?}");
    }
}
