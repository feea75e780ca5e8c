// structuredClone.
((natives) => {
  'use strict';
  const { isArrayBuffer } = natives.checks;
  const { isNativeError, isView, kindOf, time, typedName, unbox } = natives.brands;
  // What is made is of this realm, wherever the value is from.
  const VIEWS = { DataView };
  for (const Kind of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    BigInt64Array, BigUint64Array, Float32Array, Float64Array]) VIEWS[Kind.name] = Kind;
  if (typeof Float16Array === 'function') VIEWS.Float16Array = Float16Array;
  const copyOf = (bytes) => (bytes[Symbol.toStringTag] === 'SharedArrayBuffer' ? bytes.slice(0) : new Uint8Array(new Uint8Array(bytes)).buffer);
  const refuse = (value) => {
    throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
  };
  const clone = (value, seen) => {
    if (typeof value === 'function' || typeof value === 'symbol') refuse(value);
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (made) => { seen.set(value, made); return made; };
    const kind = kindOf(value);
    if (kind === 'Date') return keep(new Date(time(value)));
    if (kind === 'RegExp') return keep(new RegExp(value.source, value.flags));
    if (isArrayBuffer(value)) return keep(copyOf(value));
    if (isView(value)) {
      const bytes = new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)).buffer;
      return keep(new VIEWS[typedName(value) || 'DataView'](bytes));
    }
    if (kind === 'Boxed') return keep(Object(unbox(value)));
    if (kind === 'Promise' || kind === 'Weak') refuse(`#<${value.constructor.name}>`);
    if (kind === 'Map') {
      const made = keep(new Map());
      for (const [k, v] of value) made.set(clone(k, seen), clone(v, seen));
      return made;
    }
    if (kind === 'Set') {
      const made = keep(new Set());
      for (const v of value) made.add(clone(v, seen));
      return made;
    }
    if (isNativeError(value)) {
      const made = keep(new (globalThis[value.name] || Error)(value.message));
      Object.defineProperty(made, 'stack', { value: value.stack, writable: true, configurable: true });
      if ('cause' in value) Object.defineProperty(made, 'cause', { value: clone(value.cause, seen), writable: true, configurable: true });
      return made;
    }
    const made = keep(Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) made[key] = clone(value[key], seen);
    return made;
  };
  Object.defineProperty(globalThis, 'structuredClone', {
    value: function structuredClone(...values) {
      if (!values.length) throw new TypeError('The value argument must be specified');
      return clone(values[0], new Map());
    },
    writable: true,
    configurable: true,
  });
})
