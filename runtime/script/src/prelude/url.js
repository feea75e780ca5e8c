// URL and URLSearchParams.
((natives) => {
  'use strict';
  const decode = (text) => natives.fromUtf8(bytesOf(text.replace(/\+/g, ' ')).toBase64());
  const bytesOf = (text) => {
    const raw = natives.utf8(text);
    const out = [];
    for (let i = 0; i < raw.length; i++) {
      const hex = raw[i] === 0x25 && String.fromCharCode(raw[i + 1], raw[i + 2]);
      if (hex && /^[0-9a-fA-F]{2}$/.test(hex)) { out.push(Number.parseInt(hex, 16)); i += 2; } else out.push(raw[i]);
    }
    return Uint8Array.from(out);
  };
  const encode = (text) => encodeURIComponent(String(text).toWellFormed())
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replace(/%20/g, '+');

  class URLSearchParams {
    #list = [];
    #changed;
    constructor(init = '', changed = undefined) {
      this.#changed = typeof changed === 'function' ? changed : () => {};
      if (init === null || init === undefined) return;
      if (typeof init === 'object' && typeof init[Symbol.iterator] === 'function') {
        for (const [key, value] of init) this.#list.push([String(key), String(value)]);
      } else if (typeof init === 'object') {
        for (const key of Object.keys(init)) this.#list.push([key, String(init[key])]);
      } else {
        this.#parse(String(init));
      }
    }
    #parse(text) {
      for (const part of text.replace(/^\?/, '').split('&')) {
        if (!part) continue;
        const at = part.indexOf('=');
        this.#list.push(at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
      }
    }
    get size() { return this.#list.length; }
    append(key, value) { this.#list.push([String(key), String(value)]); this.#changed(this); }
    delete(key, value) {
      this.#list = this.#list.filter(([k, v]) => k !== String(key) || (value !== undefined && v !== String(value)));
      this.#changed(this);
    }
    get(key) { const found = this.#list.find(([k]) => k === String(key)); return found ? found[1] : null; }
    getAll(key) { return this.#list.filter(([k]) => k === String(key)).map(([, v]) => v); }
    has(key, value) { return this.#list.some(([k, v]) => k === String(key) && (value === undefined || v === String(value))); }
    set(key, value) {
      const at = this.#list.findIndex(([k]) => k === String(key));
      if (at < 0) this.#list.push([String(key), String(value)]);
      else {
        this.#list[at][1] = String(value);
        this.#list = this.#list.filter(([k], i) => i === at || k !== String(key));
      }
      this.#changed(this);
    }
    sort() { this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(this); }
    forEach(fn, self) { for (const [key, value] of this.#list) fn.call(self, value, key, this); }
    * keys() { for (const [key] of this.#list) yield key; }
    * values() { for (const [, value] of this.#list) yield value; }
    * entries() { for (const [key, value] of this.#list) yield [key, value]; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&'); }
    get [Symbol.toStringTag]() { return 'URLSearchParams'; }
  }

  const PARTS = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

  class URL {
    #parts; #params;
    constructor(href, base) {
      this.#parts = natives.parseUrl(String(href), base === undefined ? undefined : String(base));
      if (!this.#parts) {
        const error = new TypeError('Invalid URL');
        error.code = 'ERR_INVALID_URL';
        error.input = String(href);
        throw error;
      }
    }
    static canParse(href, base) { return !!natives.parseUrl(String(href), base === undefined ? undefined : String(base)); }
    static parse(href, base) { return URL.canParse(href, base) ? new URL(href, base) : null; }
    get href() { return this.#parts.href; }
    set href(value) { this.#parts = new URL(value).#parts; this.#params = undefined; }
    get origin() { return this.#parts.origin; }
    get searchParams() {
      if (!this.#params) this.#params = new URLSearchParams(this.search, (params) => this.#change('search', String(params)));
      return this.#params;
    }
    #change(part, value) { this.#parts = natives.changeUrl(this.#parts.href, part, String(value)) || this.#parts; }
    static {
      for (const part of PARTS) {
        Object.defineProperty(URL.prototype, part, {
          get() { return this.#parts[part]; },
          set(value) { this.#change(part, value); if (part === 'search') this.#params = undefined; },
          enumerable: true, configurable: true,
        });
      }
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
    get [Symbol.toStringTag]() { return 'URL'; }
    [util.inspect.custom]() { return `URL { href: '${this.href}' }`; }
  }

  for (const [name, value] of Object.entries({ URL, URLSearchParams })) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
})
