// What conversions between the runtime's values and JavaScript's need.
((natives) => {
  'use strict';
  const { isArrayBuffer } = natives.checks;
  const { brands } = natives;
  const ERRORS = { Error, TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError };
  const bytesOf = (v) => {
    if (isArrayBuffer(v)) return new Uint8Array(v);
    return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  };
  return {
    date: (ms) => new Date(ms),
    time: brands.time,
    bigint: (digits) => BigInt(digits),
    text: (value) => String(value),
    regexp: (source, flags) => new RegExp(source, flags),
    typed: (kind, buffer) => (kind === 'ArrayBuffer' ? buffer : new (globalThis[kind] || Uint8Array)(buffer)),
    map: (flat) => {
      const map = new Map();
      for (let i = 0; i + 1 < flat.length; i += 2) map.set(flat[i], flat[i + 1]);
      return map;
    },
    set: (items) => new Set(items),
    entries: (map) => { const flat = []; for (const [k, v] of map) flat.push(k, v); return flat; },
    items: (set) => [...set],
    blank: (length) => new Array(length).fill(undefined),
    // What stands for a function that came through a message or context.
    lost: (name) => ({
      [name]() {
        throw new TypeError(`functions are not kept outside of the function node that made them: "${name || 'anonymous'}" `
          + 'came through a message or context and cannot be called; put shared code into a module (require), a subflow, or a link call');
      },
    })[name],
    base64: (v) => bytesOf(v).toBase64(),
    error: (name, message, stack) => {
      const error = new (ERRORS[name] || Error)(message);
      const hidden = (key, value) =>
        Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
      if (error.name !== name) hidden('name', name);
      hidden('stack', stack === undefined ? `${name}: ${message}` : stack);
      return error;
    },
    // The class of an object whose prototype is none of the usual ones.
    kindOf: (v) => {
      if (brands.isView(v)) return v instanceof Buffer ? 'Buffer' : brands.typedName(v) || 'DataView';
      const kind = brands.kindOf(v);
      if (kind === 'Weak') return 'Object';
      return kind || (isArrayBuffer(v) ? 'ArrayBuffer' : 'Object');
    },
    unbox: brands.unbox,
    json: (v) => JSON.stringify(v),
  };
})
