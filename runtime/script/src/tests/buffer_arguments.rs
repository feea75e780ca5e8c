//! What Buffer makes of each of its arguments, with the codes of its errors, as Node.js 20.20.2 does it.

use super::host::{function, json, msg, show};

/// An expression, and what comes of it: its value as a text, or `NAME [CODE]: MESSAGE`.
const ROWS: &[(&str, &str)] = &[
    (
        "Buffer.alloc(-1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received -1"#,
    ),
    (
        "Buffer.alloc(2 ** 33)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received 8_589_934_592"#,
    ),
    (
        "Buffer.allocUnsafe(NaN)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received NaN"#,
    ),
    (
        "Buffer.allocUnsafeSlow('x')",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "size" argument must be of type number. Received type string ('x')"#,
    ),
    (
        "Buffer.alloc(5, 'abc', 5)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "encoding" argument must be of type string. Received type number (5)"#,
    ),
    (
        "Buffer.alloc(5, 'zz', 'hex')",
        "TypeError [ERR_INVALID_ARG_VALUE]: The argument 'value' is invalid. Received 'zz'",
    ),
    (
        "Buffer.alloc(5, Buffer.alloc(0))",
        "TypeError [ERR_INVALID_ARG_VALUE]: The argument 'value' is invalid. Received <Buffer >",
    ),
    ("Buffer.alloc(5, 'abc', null).toString()", "abcab"),
    (
        "Buffer.concat([Buffer.from('x')], -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be >= 0 && <= 4294967296. Received -1"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], 1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], NaN)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be an integer. Received NaN"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], 2 ** 53)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be >= 0 && <= 4294967296. Received 9_007_199_254_740_992"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], null)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "length" argument must be of type number. Received null"#,
    ),
    ("Buffer.concat([], -1).length", "0"),
    ("Buffer.concat([], 'x').length", "0"),
    (
        "Buffer.concat([Buffer.from('x')], NaN)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be an integer. Received NaN"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], -1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be an integer. Received -1.5"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], 2 ** 33)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be >= 0 && <= 4294967296. Received 8_589_934_592"#,
    ),
    ("Buffer.from('abc').write(null, 0)", "TypeError [ERR_INVALID_ARG_TYPE]: argument must be a string"),
    ("Buffer.from('abc').write(undefined, 'hex')", "TypeError [ERR_INVALID_ARG_TYPE]: argument must be a string"),
    ("Buffer.from('abc').write(5, 0, 1, 'nope')", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: nope"),
    ("Buffer.from('abc').hexWrite(5)", "TypeError [ERR_INVALID_ARG_TYPE]: argument must be a string"),
    (
        "Buffer.from('abc').asciiWrite('a', 4)",
        r#"RangeError [ERR_BUFFER_OUT_OF_BOUNDS]: "offset" is outside of buffer bounds"#,
    ),
    ("Buffer.byteLength(new SharedArrayBuffer(4))", "4"),
    ("Buffer.byteLength(new DataView(new ArrayBuffer(4)))", "4"),
    (
        "Buffer.byteLength(new String('q'))",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received an instance of String"#,
    ),
    (
        "Buffer.concat([1], -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be >= 0 && <= 4294967296. Received -1"#,
    ),
    ("Buffer.concat([Buffer.from('ab')], 3).toString('hex')", "616200"),
    (
        "Buffer.from(new ArrayBuffer(8), 9)",
        r#"RangeError [ERR_BUFFER_OUT_OF_BOUNDS]: "offset" is outside of buffer bounds"#,
    ),
    (
        "Buffer.from(new ArrayBuffer(8), 0, 9)",
        r#"RangeError [ERR_BUFFER_OUT_OF_BOUNDS]: "length" is outside of buffer bounds"#,
    ),
    ("Buffer.from(new ArrayBuffer(8), -1)", "RangeError: Start offset -1 is outside the bounds of the buffer"),
    ("Buffer.from(new ArrayBuffer(8), 'x', '3').length", "3"),
    ("Buffer.from(new ArrayBuffer(8), 2, -5).length", "0"),
    ("Buffer.from('x', 5).length", "1"),
    ("Buffer.from({length: 1e10})", "RangeError: Invalid typed array length: 10000000000"),
    ("Buffer.from({length: -1}).length", "0"),
    ("Buffer.from('x', 'nope')", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: nope"),
    (
        "new Buffer(5, 'x')",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "string" argument must be of type string. Received type number (5)"#,
    ),
    (
        "Buffer.from(true)",
        "TypeError [ERR_INVALID_ARG_TYPE]: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type boolean (true)",
    ),
    ("Buffer.byteLength('zz', 'hex')", "1"),
    ("Buffer.byteLength('YQ==', 'base64')", "1"),
    ("Buffer.byteLength('x', 'nope')", "1"),
    (
        "Buffer.byteLength(null)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received null"#,
    ),
    (
        "Buffer.compare(Buffer.from('a'), 1)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "buf2" argument must be an instance of Buffer or Uint8Array. Received type number (1)"#,
    ),
    ("Buffer.from('abcdefgh').toString(null)", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: null"),
    ("Buffer.from('abcdefgh').toString({})", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: {}"),
    ("Buffer.from('abcdefgh').toString('utf8', '2')", "cdefgh"),
    ("Buffer.from('abcdefgh').toString('nope', 5, 1)", ""),
    (
        "Buffer.from('abcdefgh').equals()",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "otherBuffer" argument must be an instance of Buffer or Uint8Array. Received undefined"#,
    ),
    (
        "Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), 'x')",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "targetStart" argument must be of type number. Received type string ('x')"#,
    ),
    (
        "Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "targetStart" is out of range. It must be >= 0 && <= 4294967296. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), 0, 9)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "targetEnd" is out of range. It must be >= 0 && <= 8. Received 9"#,
    ),
    (
        "Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), 0, 8, 1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "sourceStart" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), 0, 8, 0, 9)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "sourceEnd" is out of range. It must be >= 0 && <= 8. Received 9"#,
    ),
    ("Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), 0, 8, 9)", "-1"),
    ("Buffer.from('abcdefgh').compare(Buffer.from('abcdefgh'), 4, 2)", "1"),
    (
        "Buffer.from('abcdefgh').copy([])",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "target" argument must be an instance of Buffer or Uint8Array. Received an instance of Array"#,
    ),
    (
        "Buffer.from('abcdefgh').copy(Buffer.from('abcdefgh'), -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "targetStart" is out of range. It must be >= 0. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').copy(Buffer.from('abcdefgh'), 0, 9)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "sourceStart" is out of range. It must be >= 0 && <= 8. Received 9"#,
    ),
    (
        "Buffer.from('abcdefgh').copy(Buffer.from('abcdefgh'), 0, -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "sourceStart" is out of range. It must be >= 0 && <= 8. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').copy(Buffer.from('abcdefgh'), 0, 0, -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "sourceEnd" is out of range. It must be >= 0. Received -1"#,
    ),
    ("Buffer.from('abcdefgh').copy(Buffer.from('abcdefgh'), '2', 'x', 99)", "6"),
    (
        "Buffer.from('abcdefgh').fill('x', -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 && <= 4294967296. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').fill('x', 0, 9)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "end" is out of range. It must be >= 0 && <= 8. Received 9"#,
    ),
    (
        "Buffer.from('abcdefgh').fill('x', 1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.from('abcdefgh').fill('x', null)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received null"#,
    ),
    ("Buffer.from('abcdefgh').fill('x', 0, 5, 'nope')", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: nope"),
    (
        "Buffer.from('abcdefgh').fill('x', 0, 5, 5)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "encoding" argument must be of type string. Received type number (5)"#,
    ),
    (
        "Buffer.from('abcdefgh').fill('zz', 'hex')",
        "TypeError [ERR_INVALID_ARG_VALUE]: The argument 'value' is invalid. Received 'zz'",
    ),
    (
        "Buffer.from('abcdefgh').fill(Buffer.alloc(0))",
        "TypeError [ERR_INVALID_ARG_VALUE]: The argument 'value' is invalid. Received <Buffer >",
    ),
    (
        "Buffer.from('abcdefgh').fill(5, 'x')",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received type string ('x')"#,
    ),
    ("Buffer.from('abcdefgh').fill('é', 'latin1').toString('hex')", "e9e9e9e9e9e9e9e9"),
    ("Buffer.from('abcdefgh').fill(new Uint16Array([1, 300])).toString('hex')", "01002c0101002c01"),
    ("Buffer.from('abcdefgh').fill('x', 5, 3).toString()", "abcdefgh"),
    (
        "Buffer.from('abcdefgh').indexOf([99])",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an instance of Array"#,
    ),
    (
        "Buffer.from('abcdefgh').indexOf(new Uint16Array([99]))",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an instance of Uint16Array"#,
    ),
    ("Buffer.from('abcdefgh').indexOf('c', 'nope')", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: nope"),
    ("Buffer.from('abcdefgh').indexOf('c', 0, null)", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: null"),
    ("Buffer.from('abcdefgh').indexOf('', 100)", "8"),
    ("Buffer.from('abcdefgh').lastIndexOf('c', null)", "-1"),
    ("Buffer.from('abcdefgh').lastIndexOf('', -100)", "0"),
    ("Buffer.from('abcdefgh').indexOf(355, -100)", "2"),
    ("Buffer.from('abcabc', 'utf16le').indexOf('c', 3, 'ucs2')", "4"),
    ("Buffer.from('abcdefgh').write(5)", "TypeError [ERR_INVALID_ARG_TYPE]: argument must be a string"),
    (
        "Buffer.from('abcdefgh').write('x', -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 && <= 8. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', 9)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 && <= 8. Received 9"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', 1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', null)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received null"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', 0, -1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be >= 0 && <= 8. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', 0, 9)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be >= 0 && <= 8. Received 9"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', 0, 1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "length" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.from('abcdefgh').write('x', 0, null)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "length" argument must be of type number. Received null"#,
    ),
    ("Buffer.from('abcdefgh').write('x', 'nope')", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: nope"),
    ("Buffer.from('abcdefgh').write('x', 0, 1, 5)", "TypeError [ERR_UNKNOWN_ENCODING]: Unknown encoding: 5"),
    ("Buffer.from('abcdefgh').write('zz', 0, 3, 'ucs2')", "2"),
    ("Buffer.from('abcdefgh').write('x', 8)", "0"),
    ("Buffer.from('abcdefgh').swap32().toString()", "dcbahgfe"),
    ("Buffer.from('xxx').swap16()", "RangeError [ERR_INVALID_BUFFER_SIZE]: Buffer size must be a multiple of 16-bits"),
    ("Buffer.from('abcdefgh').utf8Slice(0, 99)", "RangeError [ERR_OUT_OF_RANGE]: Index out of range"),
    (
        "Buffer.from('abcdefgh').utf8Write('x', 9)",
        r#"RangeError [ERR_BUFFER_OUT_OF_BOUNDS]: "offset" is outside of buffer bounds"#,
    ),
    ("Buffer.from('abcdefgh').utf8Write('x', -1)", "RangeError [ERR_OUT_OF_RANGE]: Index out of range"),
    ("Buffer.from('abcdefgh').hexWrite('61', 0, 99)", "1"),
    (
        "Buffer.from('abcdefgh').readUInt8('x')",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received type string ('x')"#,
    ),
    (
        "Buffer.from('abcdefgh').readUInt8(NaN)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be an integer. Received NaN"#,
    ),
    (
        "Buffer.from('abcdefgh').readUInt8(8)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 7. Received 8"#,
    ),
    (
        "Buffer.from('abcdefgh').readInt32LE(-1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 4. Received -1"#,
    ),
    (
        "Buffer.from('abcdefgh').readInt32LE(Infinity)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 4. Received Infinity"#,
    ),
    (
        "Buffer.from('abcdefgh').readDoubleBE(1)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 0. Received 1"#,
    ),
    (
        "Buffer.alloc(2).readInt32LE(0)",
        "RangeError [ERR_BUFFER_OUT_OF_BOUNDS]: Attempt to access memory outside buffer bounds",
    ),
    (
        "Buffer.alloc(2).readInt32LE(0.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be an integer. Received 0.5"#,
    ),
    (
        "Buffer.from('abcdefgh').readUIntBE()",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received undefined"#,
    ),
    (
        "Buffer.from('abcdefgh').readUIntBE(0)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "byteLength" argument must be of type number. Received undefined"#,
    ),
    (
        "Buffer.from('abcdefgh').readUIntBE(0, 1.5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "byteLength" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.from('abcdefgh').readUIntBE(0, '2')",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "byteLength" argument must be of type number. Received type string ('2')"#,
    ),
    (
        "Buffer.from('abcdefgh').readIntLE(7, 2)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 6. Received 7"#,
    ),
    (
        "Buffer.from('abcdefgh').writeInt8(200)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "value" is out of range. It must be >= -128 and <= 127. Received 200"#,
    ),
    (
        "Buffer.from('abcdefgh').writeUInt8(1, null)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received null"#,
    ),
    (
        "Buffer.from('abcdefgh').writeUInt32BE(2 ** 33)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "value" is out of range. It must be >= 0 and <= 4294967295. Received 8_589_934_592"#,
    ),
    (
        "Buffer.from('abcdefgh').writeInt16BE(1, 7)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 6. Received 7"#,
    ),
    (
        "Buffer.from('abcdefgh').writeUIntBE(2 ** 40, 0, 5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "value" is out of range. It must be >= 0 and < 2 ** 40. Received 1_099_511_627_776"#,
    ),
    (
        "Buffer.from('abcdefgh').writeIntLE(-(2 ** 47) - 1, 0, 6)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "value" is out of range. It must be >= -(2 ** 47) and < 2 ** 47. Received -140_737_488_355_329"#,
    ),
    (
        "Buffer.from('abcdefgh').writeUIntBE(1, undefined, 2)",
        r#"TypeError [ERR_INVALID_ARG_TYPE]: The "offset" argument must be of type number. Received undefined"#,
    ),
    (
        "Buffer.from('abcdefgh').writeBigInt64LE(5)",
        "TypeError: Cannot mix BigInt and other types, use explicit conversions",
    ),
    (
        "Buffer.from('abcdefgh').writeBigInt64LE(2n ** 70n)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "value" is out of range. It must be >= -(2n ** 63n) and < 2n ** 63n. Received 1_180_591_620_717_411_303_424n"#,
    ),
    (
        "Buffer.from('abcdefgh').writeBigUInt64BE(-1n)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "value" is out of range. It must be >= 0n and < 2n ** 64n. Received -1n"#,
    ),
    (
        "Buffer.from('abcdefgh').writeFloatLE(1, 5)",
        r#"RangeError [ERR_OUT_OF_RANGE]: The value of "offset" is out of range. It must be >= 0 and <= 4. Received 5"#,
    ),
    ("Buffer.from('abcdefgh').writeUIntLE(1.9, 0, 2)", "2"),
];

fn outcome(expression: &str) -> String {
    let (code, host) = function(&format!(
        "try {{ return {{ payload: String({expression}) }}; }} catch (e) {{ return {{ payload: e.code ? `${{e.name}} [${{e.code}}]: ${{e.message}}` : `${{e.name}}: ${{e.message}}` }}; }}"
    ));
    code.receive(msg("{}"));
    let sent = host.sent.borrow();
    let payload = sent.first().map(|(_, msg)| show(&msg.get("payload"))).unwrap_or_default();
    json(&payload).to_text().to_string()
}

#[test]
fn buffers_take_and_refuse_what_those_of_node_js_do() {
    let wrong: Vec<String> = ROWS
        .iter()
        .map(|(expression, wanted)| (expression, wanted, outcome(expression)))
        .filter(|(_, wanted, seen)| *wanted != seen)
        .map(|(expression, wanted, seen)| format!("{expression}\n  Node: {wanted}\n  here: {seen}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}
