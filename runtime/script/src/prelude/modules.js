((natives) => {
  'use strict';
  // Parts of Node.js that exist here.
  const builtIn = {
    util: () => util,
    url: () => ({ URL, URLSearchParams, parse: (text) => new URL(text), format: (u) => String(u) }),
    querystring: () => querystring,
    events: () => EventEmitter,
    buffer: () => ({ Buffer, constants: { MAX_LENGTH: 0x7fffffff } }),
    crypto: () => nodeCrypto,
    os: () => ({ hostname: natives.hostname, EOL: '\n', platform: () => 'linux', type: () => 'Linux' }),
    path: () => path,
    assert: () => assert,
    timers: () => ({ setTimeout, clearTimeout, setInterval, clearInterval }),
    process: () => nodeProcess,
  };

  // Parts that cannot exist here: they reach outside of the script.
  const refused = new Set(('fs child_process net http https http2 dgram dns tls cluster worker_threads stream zlib vm '
    + 'readline repl tty v8 async_hooks perf_hooks inspector module string_decoder constants punycode').split(' '));

  class EventEmitter {
    #listeners = new Map();
    on(event, fn) {
      if (!this.#listeners.has(event)) this.#listeners.set(event, []);
      this.#listeners.get(event).push(fn);
      return this;
    }
    addListener(event, fn) { return this.on(event, fn); }
    once(event, fn) {
      const wrapped = (...args) => { this.off(event, wrapped); fn.apply(this, args); };
      wrapped.listener = fn;
      return this.on(event, wrapped);
    }
    off(event, fn) {
      const left = (this.#listeners.get(event) || []).filter((each) => each !== fn && each.listener !== fn);
      this.#listeners.set(event, left);
      return this;
    }
    removeListener(event, fn) { return this.off(event, fn); }
    removeAllListeners(event) {
      if (event === undefined) this.#listeners.clear(); else this.#listeners.delete(event);
      return this;
    }
    emit(event, ...args) {
      const all = [...(this.#listeners.get(event) || [])];
      if (!all.length && event === 'error') throw args[0];
      for (const fn of all) fn.apply(this, args);
      return all.length > 0;
    }
    listeners(event) { return [...(this.#listeners.get(event) || [])]; }
    listenerCount(event) { return this.listeners(event).length; }
    setMaxListeners() { return this; }
  }
  EventEmitter.EventEmitter = EventEmitter;

  const normalize = (text) => {
    const out = [];
    for (const part of text.split('/')) {
      if (part === '' || part === '.') continue;
      if (part === '..' && out.length && out[out.length - 1] !== '..') out.pop();
      else if (part !== '..' || !text.startsWith('/')) out.push(part);
    }
    const tail = text.endsWith('/') && out.length ? '/' : '';
    return (text.startsWith('/') ? '/' : '') + out.join('/') + tail || (text.startsWith('/') ? '/' : '.');
  };
  const basename = (text, suffix) => {
    const base = text.replace(/\/+$/, '').split('/').pop();
    return suffix && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
  };
  const extname = (text) => { const at = basename(text).lastIndexOf('.'); return at > 0 ? basename(text).slice(at) : ''; };
  const dirname = (text) => {
    const at = text.replace(/\/+$/, '').lastIndexOf('/');
    if (at < 0) return '.';
    return at === 0 ? '/' : text.slice(0, at);
  };
  const path = {
    sep: '/', delimiter: ':', normalize, basename, extname, dirname,
    join: (...parts) => normalize(parts.filter(Boolean).join('/') || '.'),
    isAbsolute: (text) => text.startsWith('/'),
    resolve: (...parts) => {
      let out = '';
      for (const part of parts) out = part.startsWith('/') ? part : `${out}/${part}`;
      return normalize(`/${out}`).replace(/(.)\/$/, '$1');
    },
    parse: (text) => ({
      root: text.startsWith('/') ? '/' : '', dir: dirname(text), base: basename(text), ext: extname(text),
      name: basename(text, extname(text)),
    }),
  };
  path.posix = path;

  const querystring = {
    parse: (text) => {
      const out = {};
      for (const [key, value] of new URLSearchParams(text)) {
        if (!(key in out)) out[key] = value;
        else if (Array.isArray(out[key])) out[key].push(value);
        else out[key] = [out[key], value];
      }
      return out;
    },
    stringify: (object) => Object.entries(object || {}).flatMap(([key, value]) => (Array.isArray(value) ? value : [value])
      .map((each) => `${encodeURIComponent(key)}=${encodeURIComponent(each ?? '')}`)).join('&'),
    escape: encodeURIComponent,
    unescape: decodeURIComponent,
  };

  const began = Date.now();
  const since = () => BigInt(Math.round(performance.now() * 1e6));
  const hrtime = (from) => {
    let now = since();
    if (from) now -= BigInt(from[0]) * 1000000000n + BigInt(from[1]);
    return [Number(now / 1000000000n), Number(now % 1000000000n)];
  };
  hrtime.bigint = since;
  const nodeProcess = {
    env: {}, platform: 'linux', arch: 'x64', version: 'v20.0.0', versions: { node: '20.0.0' }, argv: [], pid: 1,
    nextTick: (fn, ...args) => queueMicrotask(() => fn(...args)),
    hrtime, uptime: () => (Date.now() - began) / 1000, cwd: () => '/', on() { return this; }, once() { return this; },
  };

  const fail = (message) => { throw new Error(message || 'Assertion failed'); };
  const assert = Object.assign((value, message) => { if (!value) fail(message); }, {
    ok: (value, message) => { if (!value) fail(message); },
    equal: (a, b, message) => { if (a != b) fail(message); },
    strictEqual: (a, b, message) => { if (!Object.is(a, b)) fail(message); },
    deepEqual: (a, b, message) => { if (!util.isDeepStrictEqual(a, b)) fail(message); },
    deepStrictEqual: (a, b, message) => { if (!util.isDeepStrictEqual(a, b)) fail(message); },
  });

  const loaded = new Map();
  const bare = (name) => (name.startsWith('node:') ? name.slice(5) : name);
  const known = (name) => {
    const plain = bare(name);
    if (Object.hasOwn(builtIn, plain)) return builtIn[plain]();
    if (refused.has(plain.split('/')[0])) {
      throw new Error(`Module ${name} is part of Node.js and not available here`);
    }
    return undefined;
  };

  const loadFile = (file, root) => {
    const cached = loaded.get(file);
    if (cached) return cached.exports;
    const module = { exports: {}, id: file, filename: file, loaded: false };
    loaded.set(file, module);
    try {
      const compiled = natives.compileModule(file);
      if (typeof compiled === 'function' && !file.endsWith('.json')) {
        const directory = dirname(file);
        const require = (name) => load(name, root, directory);
        compiled.call(module.exports, module.exports, require, module, file, directory);
      } else {
        module.exports = compiled;
      }
    } catch (error) {
      loaded.delete(file);
      throw error;
    }
    module.loaded = true;
    return module.exports;
  };

  // The package of `lodash/fp` is lodash, that of `@scope/name/part` is @scope/name.
  const packageOf = (name) => name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/');
  const fetchIt = (name, range) => `It is the npm package ${packageOf(name)}${range ? `, version ${range}` : ''}: fetch it with `
    + '`flotilla modules install FLOWS.json` and start the replicas with --node-modules DIR';

  const load = (name, root, from, range) => {
    const own = known(name);
    if (own !== undefined) return own;
    if (!root) {
      throw new Error(`Module ${name} cannot be loaded: no folder with npm modules is given. ${fetchIt(name, range)}`);
    }
    const file = natives.resolveModule(name, from || root, root);
    if (!file) {
      const error = new Error(`Cannot find module '${name}' in ${root}. ${fetchIt(name, range)}`);
      error.code = 'MODULE_NOT_FOUND';
      throw error;
    }
    return loadFile(file, root);
  };

  const defaultOf = (lib) => (lib && typeof lib === 'object' && lib.__esModule && lib.default ? lib.default : lib);
  // For the native part alone: a script that could call it would choose the folder.
  natives.loadModule = (name, root, range) => defaultOf(load(name, root, undefined, range));
  Object.defineProperty(globalThis, 'global', { value: globalThis, writable: true, configurable: true });
  Object.defineProperty(globalThis, 'process', { value: nodeProcess, writable: true, configurable: true });
})
