((compiled, load, read, exists, about) => {
  'use strict';
  // What `require` gives for a module that does not exist here: whatever is done with it gives the same again, so that a
  // file that only loads it works, and what is made with it is known where it is exported.
  const standIns = new WeakMap();
  const standIn = (name) => {
    const made = new Proxy(function () {}, {
      get: (_, key) => (key === Symbol.toPrimitive ? () => `[module ${name}]` : made),
      set: () => true,
      apply: () => made,
      construct: () => made,
    });
    standIns.set(made, name);
    return made;
  };

  // The content of a file that was read without an encoding: a certificate or a key, mostly. Its path is exported.
  class FileContent {
    constructor(path) { Object.defineProperty(this, 'path', { value: path }); }
    toString() { return read(this.path); }
    [Symbol.toPrimitive]() { return this.toString(); }
  }
  const fs = {
    readFileSync(path, options) {
      const encoding = typeof options === 'string' ? options : options?.encoding;
      const content = new FileContent(String(path));
      const text = read(content.path);
      return encoding ? text : content;
    },
    existsSync: (path) => exists(String(path)),
  };

  const modules = new Map();
  const remember = (name, found) => {
    if (found !== null && (typeof found === 'object' || typeof found === 'function')) modules.set(found, name);
    return found;
  };
  const require = (name) => {
    const bare = String(name).replace(/^node:/, '');
    if (bare === 'fs') return remember('fs', fs);
    try {
      const found = load(name, about.directory);
      const extended = bare === 'os' ? { ...found, homedir: () => about.env.HOME || '/', tmpdir: () => '/tmp' } : found;
      // What a file of the user's own exports is the user's data.
      return /^\.{0,2}\//.test(bare) ? extended : remember(bare, extended);
    } catch (error) {
      if (/^\.{0,2}\//.test(bare)) throw error;
      return standIn(bare);
    }
  };

  const module = { exports: {} };
  const process = {
    env: { ...about.env }, cwd: () => about.cwd, platform: 'linux', argv: [], pid: 0,
    version: globalThis.process.version, versions: globalThis.process.versions,
  };
  compiled.call(module.exports, module.exports, require, module, about.file, about.directory, process);

  const left = [];
  const seen = new Set();
  const data = (value, at) => {
    const leave = (what) => { left.push([at, what]); return undefined; };
    if (standIns.has(value)) return leave(`made with the module ${standIns.get(value)}`);
    if (modules.has(value)) return leave(`the module ${modules.get(value)}`);
    if (value instanceof FileContent) return { $file: value.path };
    if (typeof value === 'function') return leave('a function');
    if (typeof value === 'symbol' || typeof value === 'bigint') return leave(`a ${typeof value}`);
    if (typeof value === 'number' && !Number.isFinite(value)) return leave(String(value));
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof RegExp) return leave('a regular expression');
    if (value instanceof Promise) return leave('a promise');
    if (seen.has(value) || seen.size > 60) return leave('an object that contains itself');
    if (value instanceof Date) return value.toJSON();
    seen.add(value);
    let out;
    if (Array.isArray(value)) {
      out = value.map((item, index) => data(item, `${at}[${index}]`) ?? null);
    } else {
      out = {};
      for (const [key, item] of Object.entries(value)) {
        const found = data(item, at ? `${at}.${key}` : key);
        if (found !== undefined) out[key] = found;
      }
    }
    seen.delete(value);
    return out;
  };
  const exported = module.exports;
  if (exported === null || typeof exported !== 'object') {
    throw new Error(`module.exports is ${exported === null ? 'null' : `a ${typeof exported}`}: it must be an object of settings`);
  }
  return JSON.stringify([data(exported, ''), left]);
})
