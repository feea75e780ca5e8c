// What Node.js says of arguments that Buffer does not take: lib/buffer.js, lib/internal/validators.js and errors.js of Node.js 20.
(natives) => {
  'use strict';
  const withCode = (Kind, code, text) => {
    const error = new Kind(text);
    error.code = code;
    return error;
  };

  const simple = (value) => (Object.is(value, -0) ? '-0' : `${String(value)}${typeof value === 'bigint' ? 'n' : ''}`);
  // What Node.js says that it got (determineSpecificType).
  const received = (value) => {
    if (value === null || value === undefined) return String(value);
    if (typeof value === 'function') return `function ${value.name}`;
    if (typeof value === 'object') {
      const maker = value.constructor && value.constructor.name;
      return maker ? `an instance of ${maker}` : '[Object: null prototype] {}';
    }
    if (typeof value !== 'string') return `type ${typeof value} (${simple(value)})`;
    const text = value.length > 28 ? `${value.slice(0, 25)}...` : value;
    return `type string (${text.includes("'") ? JSON.stringify(text) : `'${text}'`})`;
  };
  const wrongType = (what, wanted, value) =>
    withCode(TypeError, 'ERR_INVALID_ARG_TYPE', `${what} must be ${wanted}. Received ${received(value)}`);

  const grouped = (digits) => digits.replace(/\B(?=(?:\d{3})+$)/g, '_');
  const shown = (value) => {
    if (typeof value === 'bigint') return `${value > 2n ** 32n || value < -(2n ** 32n) ? grouped(`${value}`) : value}n`;
    if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) return grouped(String(value));
    return Object.is(value, -0) ? '-0' : String(value);
  };
  const outOfRange = (name, range, value) => withCode(
    RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${shown(value)}`,
  );
  const outOfBounds = (name) => withCode(
    RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS',
    name ? `"${name}" is outside of buffer bounds` : 'Attempt to access memory outside buffer bounds',
  );

  // The most bytes that a Buffer of Node.js has, in its texts.
  const MOST = 2 ** 32;
  const number = (value, name) => {
    if (typeof value !== 'number') throw wrongType(`The "${name}" argument`, 'of type number', value);
  };
  const within = (value, name, most = MOST) => {
    if (!(value >= 0 && value <= most)) throw outOfRange(name, `>= 0 && <= ${most}`, value);
  };
  // validateOffset: a whole number from 0 to `most`.
  const offset = (value, name, most = MOST) => {
    number(value, name);
    if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
    within(value, name, most);
  };
  // toInteger: what is no number counts as 0.
  const whole = (value) => {
    const n = +value;
    return Number.isFinite(n) ? Math.floor(n) : 0;
  };

  const unknownEncoding = (name) => {
    const isPlain = typeof name === 'object' && name !== null && !ArrayBuffer.isView(name);
    const text = isPlain ? util.inspect(name, { depth: 0 }) : simple(name);
    return withCode(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${text}`);
  };
  const wrongValue = (name, value) => withCode(
    TypeError, 'ERR_INVALID_ARG_VALUE', `The argument '${name}' is invalid. Received ${util.inspect(value)}`,
  );

  // `instanceof` knows those of its own realm only; the getter goes by what an object is. The tag spares others an error.
  const tag = Symbol.toStringTag;
  const lengths = { ArrayBuffer, SharedArrayBuffer };
  for (const kind of Object.keys(lengths)) {
    lengths[kind] = Object.getOwnPropertyDescriptor(lengths[kind].prototype, 'byteLength').get;
  }
  const isArrayBuffer = (value) => {
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return true;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(lengths, value[tag])) return false;
    try {
      lengths[value[tag]].call(value);
      return true;
    } catch {
      return false;
    }
  };

  natives.checks = {
    isArrayBuffer, number, offset, outOfBounds, outOfRange, unknownEncoding, whole, within, withCode, wrongType, wrongValue,
  };
}
