// `util` as far as function nodes and pure-JavaScript modules use it.
((natives) => {
  'use strict';
  const { isArrayBuffer } = natives.checks;
  const { isDate, isError, isMap, isNativeError, isPromise, isRegExp, isSet, isView, kindOf, time, typedName, unbox } = natives.brands;
  const custom = Symbol.for('nodejs.util.promisify.custom');
  const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

  const quote = (text) => (text.includes("'") ? JSON.stringify(text) : `'${text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}'`);
  const keyOf = (key) => (typeof key === 'symbol' ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key));

  const inspectAt = (value, depth, seen) => {
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (Object.is(value, -0)) return '-0';
    if (typeof value === 'function') {
      const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function';
      return value.name ? `[${kind}${kind === 'class' ? ' ' : ': '}${value.name}]` : `[${kind} (anonymous)]`;
    }
    if (value === null || typeof value !== 'object') return String(value);
    if (seen.includes(value)) return '[Circular *1]';
    if (typeof value[inspectCustom] === 'function') {
      const shown = value[inspectCustom](depth, {}, (v) => inspectAt(v, depth - 1, seen));
      return typeof shown === 'string' ? shown : inspectAt(shown, depth, seen);
    }
    const brand = kindOf(value);
    if (brand === 'Date') return Number.isNaN(time(value)) ? 'Invalid Date' : value.toISOString();
    if (brand === 'RegExp') return String(value);
    const inner = [...seen, value];
    const next = (v) => inspectAt(v, depth - 1, inner);
    const own = () => Reflect.ownKeys(value).filter((k) => Object.prototype.propertyIsEnumerable.call(value, k));
    if (isError(value)) {
      const extra = own().map((k) => `${keyOf(k)}: ${next(value[k])}`);
      const text = value.stack && !value.stack.startsWith(' ') ? value.stack.trimEnd() : `${value}\n${value.stack || ''}`.trimEnd();
      return extra.length ? `${text} { ${extra.join(', ')} }` : text;
    }
    const name = value.constructor && value.constructor.name;
    if (depth < 0) return Array.isArray(value) ? '[Array]' : `[${name || 'Object: null prototype'}]`;
    let open = '{'; let close = '}'; let prefix = ''; let parts;
    if (Array.isArray(value)) {
      open = '['; close = ']';
      parts = value.slice(0, 100).map(next);
      if (value.length > 100) parts.push(`... ${value.length - 100} more items`);
    } else if (typedName(value)) {
      open = '['; close = ']'; prefix = `${name}(${value.length}) `;
      parts = [...value.slice(0, 100)].map(String);
      if (value.length > 100) parts.push(`... ${value.length - 100} more items`);
    } else if (brand === 'Map') {
      prefix = `Map(${value.size}) `;
      parts = [...value].map(([k, v]) => `${next(k)} => ${next(v)}`);
    } else if (brand === 'Set') {
      prefix = `Set(${value.size}) `;
      parts = [...value].map(next);
    } else if (brand === 'Promise') {
      return 'Promise { <pending> }';
    } else {
      if (name && name !== 'Object') prefix = `${name} `;
      if (Object.getPrototypeOf(value) === null) prefix = '[Object: null prototype] ';
      parts = own().map((k) => `${keyOf(k)}: ${next(value[k])}`);
    }
    if (!parts.length) return `${prefix}${open}${close}`;
    const line = `${prefix}${open} ${parts.join(', ')} ${close}`;
    if (line.length <= 72 && !line.includes('\n')) return line;
    return `${prefix}${open}\n  ${parts.map((p) => p.replace(/\n/g, '\n  ')).join(',\n  ')}\n${close}`;
  };

  const inspect = (value, options) => {
    const given = typeof options === 'object' && options ? options.depth : undefined;
    const depth = given === null || given === Infinity ? 100 : given === undefined ? 2 : given;
    return inspectAt(value, depth, []);
  };
  inspect.custom = inspectCustom;

  const shown = (value) => (typeof value === 'string' ? value : inspect(value));
  const format = (first, ...rest) => {
    if (typeof first !== 'string') return [first, ...rest].map(shown).join(' ');
    const text = first.replace(/%[sdifjoOc%]/g, (mark) => {
      if (mark === '%%') return '%';
      if (!rest.length) return mark;
      const value = rest.shift();
      switch (mark) {
        case '%s': return typeof value === 'object' && value !== null ? inspect(value, { depth: 0 }) : String(value);
        case '%d': return typeof value === 'object' ? 'NaN' : String(Number(value));
        case '%i': return String(Number.parseInt(value, 10));
        case '%f': return String(Number.parseFloat(value));
        case '%j': try { return JSON.stringify(value); } catch { return '[Circular]'; }
        case '%c': return '';
        default: return inspect(value, { depth: 4 });
      }
    });
    return [text, ...rest.map(shown)].join(' ');
  };

  const promisify = (fn) => {
    if (typeof fn !== 'function') throw new TypeError('The "original" argument must be of type function');
    if (fn[custom]) return fn[custom];
    return function promisified(...args) {
      return new Promise((resolve, reject) => {
        fn.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)));
      });
    };
  };
  promisify.custom = custom;

  const callbackify = (fn) => (...args) => {
    const callback = args.pop();
    fn(...args).then((value) => queueMicrotask(() => callback(null, value)), (error) => queueMicrotask(() => callback(error)));
  };

  const same = (a, b, pairs) => {
    if (Object.is(a, b)) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (pairs.some(([x, y]) => x === a && y === b)) return true;
    const inner = [...pairs, [a, b]];
    const kind = kindOf(a);
    if (kind !== kindOf(b)) return false;
    if (kind === 'Date' && !Object.is(time(a), time(b))) return false;
    if (kind === 'Boxed' && !Object.is(unbox(a), unbox(b))) return false;
    if (kind === 'RegExp' && String(a) !== String(b)) return false;
    if (isError(a) && (a.name !== b.name || a.message !== b.message)) return false;
    if (isView(a)) return a.length === b.length && Array.prototype.every.call(a, (v, i) => Object.is(v, b[i]));
    if (kind === 'Map') {
      if (a.size !== b.size) return false;
      for (const [k, v] of a) if (!b.has(k) || !same(v, b.get(k), inner)) return false;
    }
    if (kind === 'Set') {
      if (a.size !== b.size) return false;
      for (const v of a) if (!b.has(v) && ![...b].some((w) => same(v, w, inner))) return false;
    }
    if (Array.isArray(a) && a.length !== b.length) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k], inner));
  };

  const util = {
    inspect, format, promisify, callbackify,
    isDeepStrictEqual: (a, b) => same(a, b, []),
    inherits: (child, parent) => {
      Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(child.prototype, parent.prototype);
    },
    deprecate: (fn) => fn,
    debuglog: () => () => {},
    isArray: Array.isArray,
    isDate, isRegExp, isError,
    isString: (v) => typeof v === 'string', isNumber: (v) => typeof v === 'number', isBoolean: (v) => typeof v === 'boolean',
    isFunction: (v) => typeof v === 'function', isObject: (v) => v !== null && typeof v === 'object',
    isUndefined: (v) => v === undefined, isNull: (v) => v === null, isNullOrUndefined: (v) => v == null,
    isBuffer: (v) => Buffer.isBuffer(v),
    stripVTControlCharacters: (text) => String(text).replace(/\u001b\[[0-9;]*[A-Za-z]/g, ''),
    types: {
      isDate, isRegExp, isMap, isSet, isPromise, isNativeError, isAnyArrayBuffer: isArrayBuffer,
      isArrayBuffer: (v) => isArrayBuffer(v) && v[Symbol.toStringTag] === 'ArrayBuffer',
      isUint8Array: (v) => typedName(v) === 'Uint8Array',
      isTypedArray: (v) => typedName(v) !== undefined,
    },
  };
  Object.defineProperty(globalThis, 'util', { value: util, writable: true, configurable: true });
  Object.defineProperty(globalThis, 'promisify', { value: promisify, writable: true, configurable: true });
})
