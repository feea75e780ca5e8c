// structuredClone.
((natives) => {
  'use strict';
  const { isArrayBuffer } = natives.checks;
  const refuse = (value) => {
    throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
  };
  const clone = (value, seen) => {
    if (typeof value === 'function' || typeof value === 'symbol') refuse(value);
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (made) => { seen.set(value, made); return made; };
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (isArrayBuffer(value)) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const bytes = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
      if (Buffer.isBuffer(value)) return keep(new Uint8Array(bytes));
      return keep(new value.constructor(bytes));
    }
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) refuse(`#<${value.constructor.name}>`);
    if (value instanceof Map) {
      const made = keep(new Map());
      for (const [k, v] of value) made.set(clone(k, seen), clone(v, seen));
      return made;
    }
    if (value instanceof Set) {
      const made = keep(new Set());
      for (const v of value) made.add(clone(v, seen));
      return made;
    }
    if (value instanceof Error) {
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
