//! What Buffer, atob and structuredClone say of values that they do not take, each as Node.js 20.20.2 writes it.

use super::v8_texts::assert_thrown;

/// A body with the names of [`super::v8_texts`], and what it throws.
const ROWS: &[(&str, &str)] = &[
    (
        "Buffer.from({})",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object",
    ),
    (
        "Buffer.from(a)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object",
    ),
    (
        "Buffer.from(msg)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object",
    ),
    ("Buffer.from(new Date(0))", "nothing"),
    (
        "Buffer.from(new Map())",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Map",
    ),
    (
        "Buffer.from(new (class Foo {})())",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Foo",
    ),
    (
        "Buffer.from(Object.create(null))",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received [Object: null prototype] {}",
    ),
    (
        "Buffer.from(f)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received function f",
    ),
    (
        "Buffer.from(function foo() {})",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received function foo",
    ),
    (
        "Buffer.from(() => 1)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received function ",
    ),
    (
        "Buffer.from(Symbol('q'))",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type symbol (Symbol(q))",
    ),
    (
        "Buffer.from(10n)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type bigint (10n)",
    ),
    (
        "Buffer.from(NaN)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type number (NaN)",
    ),
    (
        "Buffer.from(u)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received undefined",
    ),
    (
        "Buffer.from(/x/)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of RegExp",
    ),
    (
        "Buffer.from(new Error('q'))",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Error",
    ),
    ("Buffer.from('x'.repeat(40), 'nope')", "TypeError: Unknown encoding: nope"),
    (
        "Buffer.from(1.5)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type number (1.5)",
    ),
    (
        "Buffer.from()",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received undefined",
    ),
    ("Buffer.from({length: 'x'})", "nothing"),
    (
        "Buffer.from({type: 'Buffer'})",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object",
    ),
    (
        "Buffer.from({type: 'Buffer', data: 'x'})",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object",
    ),
    ("Buffer.alloc('x')", r#"TypeError: The "size" argument must be of type number. Received type string ('x')"#),
    (
        "Buffer.alloc('x'.repeat(40))",
        r#"TypeError: The "size" argument must be of type number. Received type string ('xxxxxxxxxxxxxxxxxxxxxxxxx...')"#,
    ),
    ("Buffer.alloc()", r#"TypeError: The "size" argument must be of type number. Received undefined"#),
    ("Buffer.alloc(n)", r#"TypeError: The "size" argument must be of type number. Received null"#),
    ("Buffer.alloc({})", r#"TypeError: The "size" argument must be of type number. Received an instance of Object"#),
    ("Buffer.alloc([])", r#"TypeError: The "size" argument must be of type number. Received an instance of Array"#),
    (
        "Buffer.alloc(NaN)",
        r#"RangeError: The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received NaN"#,
    ),
    ("Buffer.alloc(5, {})", "nothing"),
    ("Buffer.alloc(5, '')", "nothing"),
    ("Buffer.alloc(5, 'x', 'nope')", "TypeError: Unknown encoding: nope"),
    ("Buffer.allocUnsafe('x')", r#"TypeError: The "size" argument must be of type number. Received type string ('x')"#),
    ("Buffer.concat()", r#"TypeError: The "list" argument must be an instance of Array. Received undefined"#),
    ("Buffer.concat(5)", r#"TypeError: The "list" argument must be an instance of Array. Received type number (5)"#),
    (
        "Buffer.concat('x')",
        r#"TypeError: The "list" argument must be an instance of Array. Received type string ('x')"#,
    ),
    (
        "Buffer.concat({})",
        r#"TypeError: The "list" argument must be an instance of Array. Received an instance of Object"#,
    ),
    (
        "Buffer.concat([1])",
        r#"TypeError: The "list[0]" argument must be an instance of Buffer or Uint8Array. Received type number (1)"#,
    ),
    (
        "Buffer.concat(['x'])",
        r#"TypeError: The "list[0]" argument must be an instance of Buffer or Uint8Array. Received type string ('x')"#,
    ),
    (
        "Buffer.concat([Buffer.from('x'), 'y'])",
        r#"TypeError: The "list[1]" argument must be an instance of Buffer or Uint8Array. Received type string ('y')"#,
    ),
    ("Buffer.concat([Buffer.from('x'), u])", "TypeError: Cannot read properties of undefined (reading 'length')"),
    (
        "Buffer.concat([[1]])",
        r#"TypeError: The "list[0]" argument must be an instance of Buffer or Uint8Array. Received an instance of Array"#,
    ),
    (
        "Buffer.concat([Buffer.from('x')], 'x')",
        r#"TypeError: The "length" argument must be of type number. Received type string ('x')"#,
    ),
    (
        "Buffer.byteLength(5)",
        r#"TypeError: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received type number (5)"#,
    ),
    (
        "Buffer.byteLength(u)",
        r#"TypeError: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received undefined"#,
    ),
    (
        "Buffer.byteLength({})",
        r#"TypeError: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received an instance of Object"#,
    ),
    (
        "Buffer.compare(1, 2)",
        r#"TypeError: The "buf1" argument must be an instance of Buffer or Uint8Array. Received type number (1)"#,
    ),
    (
        "Buffer.from('x').equals(1)",
        r#"TypeError: The "otherBuffer" argument must be an instance of Buffer or Uint8Array. Received type number (1)"#,
    ),
    (
        "Buffer.from('x').compare('x')",
        r#"TypeError: The "target" argument must be an instance of Buffer or Uint8Array. Received type string ('x')"#,
    ),
    (
        "Buffer.from('x').copy('x')",
        r#"TypeError: The "target" argument must be an instance of Buffer or Uint8Array. Received type string ('x')"#,
    ),
    (
        "Buffer.from('x').indexOf({})",
        r#"TypeError: The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an instance of Object"#,
    ),
    (
        "Buffer.from('x').includes(u)",
        r#"TypeError: The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received undefined"#,
    ),
    ("Buffer.from('x').write(5)", "TypeError: argument must be a string"),
    (
        "Buffer.from('x').write('a', 9)",
        r#"RangeError: The value of "offset" is out of range. It must be >= 0 && <= 1. Received 9"#,
    ),
    (
        "Buffer.from('x').readUInt8(1.5)",
        r#"RangeError: The value of "offset" is out of range. It must be an integer. Received 1.5"#,
    ),
    (
        "Buffer.from('x').readUInt8(-1)",
        r#"RangeError: The value of "offset" is out of range. It must be >= 0 and <= 0. Received -1"#,
    ),
    ("Buffer.from('x').readInt32LE(0)", "RangeError: Attempt to access memory outside buffer bounds"),
    (
        "Buffer.from('xxxx').readInt32LE(1)",
        r#"RangeError: The value of "offset" is out of range. It must be >= 0 and <= 0. Received 1"#,
    ),
    (
        "Buffer.from('xxxx').writeInt16BE(40000)",
        r#"RangeError: The value of "value" is out of range. It must be >= -32768 and <= 32767. Received 40000"#,
    ),
    (
        "Buffer.from('xxxx').writeUInt32BE(-1)",
        r#"RangeError: The value of "value" is out of range. It must be >= 0 and <= 4294967295. Received -1"#,
    ),
    (
        "Buffer.from('xxxx').writeUInt8(256, 0)",
        r#"RangeError: The value of "value" is out of range. It must be >= 0 and <= 255. Received 256"#,
    ),
    (
        "Buffer.from('xxxx').readFloatLE(2)",
        r#"RangeError: The value of "offset" is out of range. It must be >= 0 and <= 0. Received 2"#,
    ),
    (
        "Buffer.from('xxxx').readUIntBE(0, 7)",
        r#"RangeError: The value of "byteLength" is out of range. It must be >= 1 and <= 6. Received 7"#,
    ),
    ("Buffer.from('xxxx').readBigUInt64LE(0)", "RangeError: Attempt to access memory outside buffer bounds"),
    ("Buffer.from('xxxx').fill()", "nothing"),
    ("Buffer.from('xxxx').fill('x', 'y')", "TypeError: Unknown encoding: y"),
    ("Buffer.from('xxxx').swap64()", "RangeError: Buffer size must be a multiple of 64-bits"),
    ("Buffer.from('xxx').swap16()", "RangeError: Buffer size must be a multiple of 16-bits"),
    ("Buffer.from('xxxx').toString('latin2')", "TypeError: Unknown encoding: latin2"),
    ("atob('*')", "InvalidCharacterError: Invalid character"),
    ("atob('a')", "InvalidCharacterError: The string to be decoded is not correctly encoded."),
    ("atob('ab=c')", "InvalidCharacterError: Invalid character"),
    (r"btoa('\u1234')", "InvalidCharacterError: Invalid character"),
    ("structuredClone(f)", "DataCloneError: function () { return {}; } could not be cloned."),
    ("structuredClone({q: f})", "DataCloneError: function () { return {}; } could not be cloned."),
    ("structuredClone(Symbol('x'))", "DataCloneError: Symbol(x) could not be cloned."),
    ("structuredClone()", "TypeError: The value argument must be specified"),
    ("structuredClone(() => 1)", "DataCloneError: () => 1 could not be cloned."),
    (
        "new Buffer(-1)",
        r#"RangeError: The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received -1"#,
    ),
    (
        "Buffer(u)",
        "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received undefined",
    ),
];

#[test]
fn buffers_have_the_texts_of_node_js() {
    assert_thrown(ROWS);
}
