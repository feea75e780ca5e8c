//! What a value is goes by what is inside of it, in whatever realm it was made.

use flotilla_value::Value;
use rquickjs::{Function, Object as JsObject, Persistent};

use super::host::{payload, show};
use crate::Script;

const FOREIGN: &str = "({
    date: new Date(5), re: /a/g, map: new Map([[1, { a: 2 }]]), set: new Set([1]), error: new TypeError('x'),
    floats: new Float64Array([1, 2]), view: new DataView(new ArrayBuffer(4)), bytes: new ArrayBuffer(3), text: new String('q'),
    promise: Promise.resolve(), weak: new WeakMap(),
})";

/// Objects of another realm than that of the worker.
fn foreign() -> Persistent<JsObject<'static>> {
    let other = Script::current().unwrap().realm_of_modules().unwrap();
    other.enter(None, |ctx| {
        let made: JsObject<'_> = ctx.eval(FOREIGN).unwrap();
        Persistent::save(ctx, made)
    })
}

/// What a function of the worker's realm says of them.
fn told(look: &str) -> String {
    let foreign = foreign();
    Script::current().unwrap().enter(None, |ctx| {
        let look: Function<'_> = ctx.eval(look).unwrap();
        look.call((foreign.restore(ctx).unwrap(),)).unwrap()
    })
}

#[test]
fn objects_of_another_realm_are_what_they_are() {
    let types = "(f) => [f.date instanceof Date, util.isDate(f.date), util.types.isRegExp(f.re), util.types.isMap(f.map),
        util.types.isSet(f.set), util.types.isNativeError(f.error), util.isError(f.error), util.types.isPromise(f.promise),
        util.types.isTypedArray(f.floats), util.types.isTypedArray(f.view)].join()";
    assert_eq!(told(types), "false,true,true,true,true,true,true,true,true,false");
    let shown = "(f) => [f.date, f.re, f.map, f.set, f.promise].map((each) => util.inspect(each)).join(' ')";
    assert_eq!(
        told(shown),
        "1970-01-01T00:00:00.005Z /a/g Map(1) { 1 => { a: 2 } } Set(1) { 1 } Promise { <pending> }"
    );
}

#[test]
fn array_buffers_of_another_realm_are_array_buffers() {
    let look = "(f) => { const b = new f.bytes.constructor(3); Buffer.from(b).write('abc');
        return [b instanceof ArrayBuffer, Buffer.byteLength(b), Buffer.from(b, 1), new TextDecoder().decode(b),
            structuredClone(b).byteLength, REDUtil.cloneMessage({ payload: b }).payload.byteLength,
            util.types.isArrayBuffer(b), util.types.isAnyArrayBuffer({ [Symbol.toStringTag]: 'ArrayBuffer' }),
            Buffer.byteLength(f.view), Buffer.from(f.floats).length].join(); }";
    assert_eq!(told(look), "false,3,bc,abc,3,3,true,false,4,2");
}

#[test]
fn clones_are_of_the_realm_that_makes_them() {
    let clones =
        "(f) => Object.entries({ date: Date, re: RegExp, map: Map, set: Set, error: TypeError, floats: Float64Array,
        view: DataView, bytes: ArrayBuffer, text: String })
        .filter(([name, Kind]) => !(structuredClone(f[name]) instanceof Kind)).map(([name]) => name).join()";
    assert_eq!(told(clones), "");
    let kept = "(f) => { const c = structuredClone(f); const m = REDUtil.cloneMessage({ payload: f }).payload;
        return [c.date.getTime(), c.re.flags, c.map.get(1).a, c.set.has(1), c.error.message, c.floats[1], c.bytes.byteLength, `${c.text}`,
            m.date.getTime(), m.map.get(1).a, m.map === f.map, m.floats[1], m.promise === f.promise].join(); }";
    // What cannot be cloned is refused: not here.
    let kept = kept.replace("structuredClone(f)", "structuredClone({ ...f, promise: 0, weak: 0 })");
    assert_eq!(told(&kept), "5,g,2,true,x,2,3,q,5,2,false,2,true");
    let refused = "(f) => [f.promise, f.weak].map((each) => { try { structuredClone(each); } catch (e) { return e.name; } }).join()";
    assert_eq!(told(refused), "DataCloneError,DataCloneError");
}

#[test]
fn objects_of_another_realm_leave_it_as_they_are() {
    let foreign = foreign();
    let script = Script::current().unwrap();
    let exported = script.enter(None, |ctx| {
        let value = foreign.restore(ctx).unwrap().into_value();
        script.export(ctx, &value).unwrap()
    });
    assert!(matches!(exported.get("date"), Value::Date(_)), "{exported:?}");
    assert!(matches!(exported.get("re"), Value::RegExp(_)), "{exported:?}");
    assert!(matches!(exported.get("map"), Value::Map(pairs) if pairs.len() == 1), "{exported:?}");
    assert!(matches!(exported.get("set"), Value::Set(items) if items.len() == 1), "{exported:?}");
    assert!(matches!(exported.get("error"), Value::Error(_)), "{exported:?}");
    assert!(matches!(exported.get("floats"), Value::Typed(array) if array.kind == "Float64Array"), "{exported:?}");
    assert!(matches!(exported.get("bytes"), Value::Typed(array) if array.kind == "ArrayBuffer"), "{exported:?}");
    assert!(matches!(exported.get("view"), Value::Typed(array) if array.kind == "DataView"), "{exported:?}");
    assert_eq!(show(&exported.get("text")), r#""q""#);
}

#[test]
fn what_only_looks_like_one_is_a_plain_object() {
    let fakes = "msg.payload = [Object.create(Date.prototype), Object.create(Map.prototype), { [Symbol.toStringTag]: 'Set', a: 1 },
        { [Symbol.toStringTag]: 'Promise', b: 2 }, { get [Symbol.toStringTag]() { throw new Error('no'); }, c: 3 }]; return msg;";
    assert_eq!(payload(fakes, "{}"), r#"[{},{},{"a":1},{"b":2},{"c":3}]"#);
    let typed = "msg.payload = structuredClone(Object.create(Date.prototype)) instanceof Date; return msg;";
    assert_eq!(payload(typed, "{}"), "false");
}

#[test]
fn objects_around_a_primitive_leave_as_the_primitive() {
    let boxed = "msg.payload = [new String('q'), new Number(1.5), new Boolean(false)]; return msg;";
    assert_eq!(payload(boxed, "{}"), r#"["q",1.5,false]"#);
}
