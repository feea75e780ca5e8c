// The rest of Intl: plurals, order of texts, lists; and the object itself.
((natives) => {
  'use strict';
  const { locale, canonical, supported, read, choose, DateTimeFormat, NumberFormat } = natives.intl;
  const CATEGORY = { z: 'zero', 1: 'one', 2: 'two', f: 'few', m: 'many', o: 'other' };

  class PluralRules {
    #l; #type;
    constructor(locales, options = {}) {
      const o = read(options);
      choose(o, 'type', ['cardinal', 'ordinal'], 'Intl.PluralRules');
      this.#l = locale(locales);
      this.#type = o.type || 'cardinal';
    }
    static supportedLocalesOf(locales) { return supported(locales); }
    resolvedOptions() { return { locale: this.#l.shown, type: this.#type }; }
    select(value) {
      const n = Math.abs(Number(value));
      const { p, o } = this.#l;
      const at = (row) => row[row.length === 1 ? 0 : n % 100];
      if (!Number.isFinite(n)) return 'other';
      if (this.#type === 'ordinal') return Number.isInteger(n) ? CATEGORY[at(o[n < 100 ? 0 : 1])] : 'other';
      if (!Number.isInteger(n)) {
        const known = [0.5, 1.5, 2.5, 0.1, 1.1].indexOf(n);
        return CATEGORY[p[2][known >= 0 ? known : n < 1 ? 0 : n < 2 ? 1 : 2]];
      }
      if (n >= 1e6 && n % 1e6 === 0) return CATEGORY[p[3]];
      return CATEGORY[at(p[n < 100 ? 0 : 1])];
    }
  }

  // Letters that a language orders behind their base letter, and letters that are written as two.
  const EXPANDED = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i' };
  const orders = new Map();
  const orderOf = (l) => {
    if (!orders.has(l.tag)) {
      const own = {};
      (l.k || []).forEach(([letter, before], rank) => { own[letter] = `${before === '~' ? '{' : String.fromCharCode(before.charCodeAt(0) - 1)}\uffff${String.fromCharCode(0xe000 + rank)}`; });
      orders.set(l.tag, own);
    }
    return orders.get(l.tag);
  };
  // Punctuation, then digits, then letters.
  const rank = (c) => (/[\p{L}\p{M}]/u.test(c) ? 2 : /\d/.test(c) ? 1 : 0);
  const base = (text, own) => {
    let key = '';
    for (const c of String(text).normalize('NFC').toLowerCase()) {
      const plain = own[c] || EXPANDED[c] || c.normalize('NFD').replace(/[\u0300-\u036f]/g, '');
      key += own[c] ? `\u0002${plain}` : [...plain].map((x) => String.fromCharCode(rank(x)) + x).join('');
    }
    return key;
  };
  class Collator {
    #l; #o;
    constructor(locales, options = {}) {
      this.#l = locale(locales);
      this.#o = read(options);
      choose(this.#o, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'Intl.Collator');
    }
    static supportedLocalesOf(locales) { return supported(locales); }
    resolvedOptions() { return { locale: this.#l.shown, usage: 'sort', sensitivity: 'variant', ignorePunctuation: false, collation: 'default', numeric: false, caseFirst: 'false', ...this.#o }; }
    get compare() {
      const own = orderOf(this.#l);
      const { numeric, sensitivity = 'variant', caseFirst } = this.#o;
      const bases = (a, b) => { const [x, y] = [base(a, own), base(b, own)]; return x < y ? -1 : x > y ? 1 : 0; };
      const primary = (a, b) => {
        if (!numeric || !/\d/.test(a) || !/\d/.test(b)) return bases(a, b);
        const x = a.split(/(\d+)/); const y = b.split(/(\d+)/);
        for (let i = 0; i < Math.min(x.length, y.length); i++) {
          const d = i % 2 ? Number(x[i]) - Number(y[i]) : bases(x[i], y[i]);
          if (d) return Math.sign(d);
        }
        return Math.sign(x.length - y.length);
      };
      const accents = (t) => t.normalize('NFD').toLowerCase().replace(/[^\u0300-\u036f]/g, '\u0001');
      const cases = (t) => [...t].map((c) => (c !== c.toLowerCase() ? 1 : 0)).join('');
      return (left, right) => {
        const a = String(left); const b = String(right);
        if (a === b) return 0;
        const first = primary(a, b);
        if (first || sensitivity === 'base') return first;
        if (sensitivity !== 'case') {
          const [x, y] = [accents(a), accents(b)];
          if (x !== y) return x < y ? -1 : 1;
          if (sensitivity === 'accent') return 0;
        }
        const [x, y] = [cases(a), cases(b)];
        if (x !== y) return (x < y ? -1 : 1) * (caseFirst === 'upper' ? -1 : 1);
        return 0;
      };
    }
  }
  class ListFormat {
    #o;
    constructor(locales, options = {}) {
      const l = locale(locales);
      if (!l.tag.startsWith('en-')) throw new RangeError(`Intl.ListFormat is not available for ${l.shown} here`);
      this.#o = read(options);
    }
    format(list) {
      const all = [...list]; const word = this.#o.type === 'disjunction' ? 'or' : 'and';
      if (all.length < 2) return all.join('');
      return all.length === 2 ? all.join(` ${word} `) : `${all.slice(0, -1).join(', ')}, ${word} ${all.at(-1)}`;
    }
  }

  // Constructors that work without `new`, as the language has them.
  const callable = (Class) => new Proxy(Class, { apply: (target, _self, args) => new target(...args) });
  const Intl = {
    DateTimeFormat: callable(DateTimeFormat), NumberFormat: callable(NumberFormat), Collator: callable(Collator), PluralRules, ListFormat,
    getCanonicalLocales: (l) => [].concat(l ?? []).map(canonical),
    supportedValuesOf: () => [],
  };
  for (const name of ['RelativeTimeFormat', 'DisplayNames', 'Segmenter', 'Locale', 'DurationFormat']) {
    Intl[name] = function missing() { throw new Error(`Intl.${name} is not available here`); };
  }
  const define = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, configurable: true });
  define(globalThis, 'Intl', Intl);
  const plain = new Collator();
  define(String.prototype, 'localeCompare', { localeCompare(other, locales, options) {
    if (this === undefined || this === null) throw new TypeError('String.prototype.localeCompare called on null or undefined');
    const collator = locales === undefined && options === undefined ? plain : new Collator(locales, options);
    return collator.compare(String(this), String(other));
  } }.localeCompare);
})
