// RED.util, Node-RED's helpers for scripts.
((natives) => {
  'use strict';
  const { isArrayBuffer } = natives.checks;
  const { isError, isView, kindOf, time, unbox } = natives.brands;
  const invalid = (message) => Object.assign(new Error(message), { code: 'INVALID_EXPR' });

  // Deep copies; functions, promises and live host objects (msg.req, msg.res) stay what they are.
  const copy = (value, seen) => {
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (made) => { seen.set(value, made); return made; };
    if (Buffer.isBuffer(value)) return keep(Buffer.from(value));
    const kind = kindOf(value);
    if (kind === 'Date') return keep(new Date(time(value)));
    if (kind === 'RegExp') return keep(new RegExp(value.source, value.flags));
    if (isArrayBuffer(value)) return keep(value.slice(0));
    if (isView(value)) return keep(new value.constructor(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)));
    if (kind === 'Map') {
      const made = keep(new Map());
      for (const [k, v] of value) made.set(copy(k, seen), copy(v, seen));
      return made;
    }
    if (kind === 'Set') {
      const made = keep(new Set());
      for (const v of value) made.add(copy(v, seen));
      return made;
    }
    if (kind === 'Boxed') return keep(Object(unbox(value)));
    if (kind === 'Promise' || kind === 'Weak') return value;
    if (isError(value)) {
      const made = keep(Object.create(Object.getPrototypeOf(value)));
      for (const key of Object.getOwnPropertyNames(value)) {
        Object.defineProperty(made, key, { value: copy(value[key], seen), writable: true, configurable: true, enumerable: Object.prototype.propertyIsEnumerable.call(value, key) });
      }
      return made;
    }
    if (Array.isArray(value)) {
      const made = keep(new Array(value.length));
      for (let i = 0; i < value.length; i++) if (i in value) made[i] = copy(value[i], seen);
      return made;
    }
    const proto = Object.getPrototypeOf(value);
    const made = keep(proto === null || proto.constructor === Object ? {} : Object.create(proto));
    for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
    return made;
  };
  const cloneMessage = (msg) => {
    if (typeof msg !== 'object' || msg === null) return msg;
    const seen = new Map();
    for (const live of [msg.req, msg.res]) if (live && typeof live === 'object') seen.set(live, live);
    return copy(msg, seen);
  };

  const compareObjects = (a, b) => {
    if (a === b) return true;
    if (a === null || a === undefined || b === null || b === undefined) return false;
    if (Array.isArray(a) !== Array.isArray(b) || Buffer.isBuffer(a) !== Buffer.isBuffer(b)) return false;
    if (Array.isArray(a)) return a.length === b.length && a.every((each, i) => compareObjects(each, b[i]));
    if (Buffer.isBuffer(a)) return a.equals(b);
    if (typeof a !== 'object' || typeof b !== 'object') return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => compareObjects(a[key], b[key]));
  };

  // The steps of a property expression: names, indexes, and nested ['msg', ...] lists without a message.
  const parse = (text, msg) => {
    const bad = (what) => { throw invalid(`Invalid property expression: ${what}`); };
    if (text.length === 0) bad('zero-length');
    const steps = [];
    const step = (word) => { steps.push(/^\d+$/.test(word) ? Number.parseInt(word, 10) : word); };
    let at = 0;
    const word = /[^.[\]'" ]+/y;
    while (at < text.length) {
      const c = text[at];
      if (c === '[') {
        if (at === 0) bad(`unexpected ${c} at position ${at}`);
        const next = text[at + 1];
        if (next === undefined) bad('unterminated expression');
        if (/^msg[.[]/.test(text.slice(at + 1))) {
          let depth = 1;
          let end = at + 1;
          for (let quote; end < text.length; end++) {
            const d = text[end];
            if (quote) { if (d === quote) quote = undefined; } else if (d === '"' || d === "'") quote = d;
            if (d === '[') depth++;
            if (d === ']' && --depth === 0) break;
          }
          if (depth > 0) bad(`unmatched '[' at position ${at}`);
          const inner = text.slice(at + 1, end);
          if (msg) {
            const found = getMessageProperty(msg, inner);
            if (found === undefined) throw invalid(`Invalid expression: undefined reference at position ${at + 1} : ${inner}`);
            steps.push(found);
          } else {
            steps.push(parse(inner));
          }
          at = end + 1;
        } else if (next === '"' || next === "'") {
          const end = text.indexOf(next, at + 2);
          if (end < 0) bad('unterminated expression');
          if (end === at + 2) bad(`zero-length string at position ${at + 2}`);
          if (text[end + 1] !== ']') bad(`unexpected array expression at position ${at + 2}`);
          steps.push(text.slice(at + 2, end));
          at = end + 2;
        } else if (/\d/.test(next)) {
          const found = /^\d+/.exec(text.slice(at + 1))[0];
          if (text[at + 1 + found.length] !== ']') bad(`unexpected array expression at position ${at + 1}`);
          steps.push(Number.parseInt(found, 10));
          at += found.length + 2;
        } else {
          bad(`unexpected ${next} at position ${at + 1}`);
        }
        const follow = text[at];
        if (follow !== undefined && follow !== '.' && follow !== '[') bad(`unexpected ${follow} at position ${at}`);
      } else if (c === '.') {
        if (at === 0) bad('unexpected . at position 0');
        if (at === text.length - 1) bad('unterminated expression');
        if (!/[a-z0-9$_]/i.test(text[at + 1])) bad(`unexpected ${text[at + 1]} at position ${at + 1}`);
        at++;
      } else if (c === '"' || c === "'") {
        if (at !== 0) bad(`unexpected ${c} at position ${at}`);
        const end = text.indexOf(c, 1);
        if (end < 0) bad('unterminated expression');
        if (end === 1) bad('zero-length string at position 1');
        steps.push(text.slice(1, end));
        at = end + 1;
        if (text[at] !== undefined && text[at] !== '.' && text[at] !== '[') bad(`unexpected ${text[at]} expression at position ${at}`);
      } else if (c === ' ' || c === ']') {
        bad(`unexpected ${c === ' ' ? "' '" : c} at position ${at}`);
      } else {
        word.lastIndex = at;
        const found = word.exec(text)[0];
        step(found);
        at += found.length;
      }
    }
    return steps;
  };
  const normalisePropertyExpression = (text, msg, asString) => {
    const steps = parse(text, msg);
    if (!asString) return steps;
    return steps.reduce((out, each, i) => {
      if (Array.isArray(each)) return `${out}[${normalisePropertyExpression(each.join('.'), undefined, true)}]`;
      if (typeof each === 'number') return `${out}[${each}]`;
      return i === 0 ? each : `${out}["${each}"]`;
    }, '');
  };

  const getObjectProperty = (object, text) => {
    let at = object;
    for (const key of parse(text, object)) at = at[key];
    return at;
  };
  function getMessageProperty(msg, text) {
    return getObjectProperty(msg, text.startsWith('msg.') ? text.slice(4) : text);
  }
  const setObjectProperty = (object, text, value, createMissing) => {
    const create = createMissing === undefined ? value !== undefined : createMissing;
    const steps = parse(text, object);
    const last = steps.pop();
    let at = object;
    for (let i = 0; i < steps.length; i++) {
      const key = steps[i];
      const following = i + 1 < steps.length ? steps[i + 1] : last;
      if (at[key] === undefined) {
        if (!create) return undefined;
        at[key] = typeof following === 'number' ? [] : {};
      } else if (typeof at[key] !== 'object' || at[key] === null) {
        return false;
      }
      at = at[key];
    }
    if (value !== undefined) at[last] = value;
    else if (Array.isArray(at)) at.splice(Number.parseInt(last, 10), 1);
    else delete at[last];
    return true;
  };
  const setMessageProperty = (msg, text, value, create) =>
    setObjectProperty(msg, text.startsWith('msg.') ? text.slice(4) : text, value, create);

  const parseContextStore = (key) => {
    const found = /^#:\((\S+?)\)::(.*)$/.exec(key);
    return found ? { store: found[1], key: found[2] } : { key };
  };

  const ensureString = (value) => {
    if (Buffer.isBuffer(value)) return value.toString();
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  const ensureBuffer = (value) => {
    if (Buffer.isBuffer(value)) return value;
    return Buffer.from(typeof value === 'object' ? JSON.stringify(value) : String(value));
  };

  const evaluateEnvProperty = (env, text) => {
    const whole = /^\${([^}]+)}$/.exec(text);
    if (whole) return env(whole[1]) ?? '';
    if (!/\${[^}]+}/.test(text)) return env(text) ?? '';
    return text.replace(/\${([^}]+)}/g, (_, name) => env(name) ?? '');
  };

  const evaluate = (around, value, type, msg) => {
    switch (type) {
      case 'str': return String(value);
      case 'num': return Number(value);
      case 'json': return JSON.parse(value);
      case 're': return new RegExp(value);
      case 'date': return value === 'object' ? new Date() : value === 'iso' ? new Date().toISOString() : Date.now();
      case 'bin': {
        const data = JSON.parse(value);
        if (!Array.isArray(data) && typeof data !== 'string') throw Object.assign(new Error('Invalid buffer data'), { code: 'INVALID_BUFFER_DATA' });
        return Buffer.from(data);
      }
      case 'msg': if (msg) return getMessageProperty(msg, value); throw invalid('no message to read from');
      case 'flow': case 'global': {
        const { key, store } = parseContextStore(value);
        return around[type].get(key, store);
      }
      case 'bool': return /^true$/i.test(value);
      case 'env': return evaluateEnvProperty(around.env, value);
      default: return value;
    }
  };
  const evaluateWith = (around, value, type, msg, callback) => {
    if (!callback) return evaluate(around, value, type, msg);
    let result;
    try { result = evaluate(around, value, type, msg); } catch (error) { callback(error); return undefined; }
    callback(null, result);
    return undefined;
  };

  // What the debug sidebar gets: { format, msg }.
  const encodeObject = (msg, { maxLength = 1000 } = {}) => {
    const value = msg.msg;
    if (isError(value)) {
      msg.format = 'error';
      msg.msg = JSON.stringify({ name: value.name, message: Object.hasOwn(value, 'message') ? value.message : String(value), stack: value.stack });
    } else if (Buffer.isBuffer(value)) {
      msg.format = `buffer[${value.length}]`;
      msg.msg = value.toString('hex').slice(0, maxLength);
    } else if (typeof value === 'object' && value !== null) {
      msg.format = Array.isArray(value) ? `array[${value.length}]` : (value.constructor && value.constructor.name) || 'Object';
      const seen = new Set();
      msg.msg = JSON.stringify(value, (key, each) => {
        if (typeof each === 'object' && each !== null) {
          if (seen.has(each)) return '[Circular]';
          seen.add(each);
        }
        return typeof each === 'bigint' ? { __enc__: true, type: 'bigint', data: String(each) } : each;
      });
    } else {
      msg.format = value === null ? 'null' : typeof value === 'string' ? `string[${value.length}]` : typeof value;
      msg.msg = value === null || value === undefined ? '(undefined)' : String(value);
      if (typeof value === 'string' && value.length > maxLength) msg.msg = `${value.slice(0, maxLength)}...`;
    }
    return msg;
  };

  const normaliseNodeTypeName = (name) => {
    const camel = name.trim().replace(/[\s-_]+(.)?/g, (_, c) => (c ? c.toUpperCase() : ''));
    return camel.charAt(0).toLowerCase() + camel.slice(1);
  };

  const REDUtil = {
    encodeObject, ensureString, ensureBuffer, cloneMessage, compareObjects, generateId: natives.generateId,
    getMessageProperty, setMessageProperty, getObjectProperty, setObjectProperty, normalisePropertyExpression,
    normaliseNodeTypeName, parseContextStore, evaluateWith,
  };
  Object.defineProperty(globalThis, 'REDUtil', { value: REDUtil });
})
