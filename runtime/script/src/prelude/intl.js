// Intl and toLocaleString in English: en-US, and en-GB's order of dates. Other locales are answered in en-US.
((natives) => {
  'use strict';
  const MONTHS = 'January February March April May June July August September October November December'.split(' ');
  const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
  const ZONES = { UTC: 'Coordinated Universal Time', GMT: 'Greenwich Mean Time' };
  const localeOf = (locales) => {
    const first = Array.isArray(locales) ? locales[0] : locales;
    if (first === undefined) return 'en-US';
    const text = String(first);
    if (!/^[A-Za-z]{2,8}([-_][A-Za-z0-9]+)*$/.test(text)) throw new RangeError(`Incorrect locale information provided: ${text}`);
    return /^en-(GB|AU|NZ|IE|IN|ZA)/i.test(text) ? 'en-GB' : 'en-US';
  };
  // Options are read by name, as ECMA-402 does it: a message that is given for options may be a slim view.
  const read = (options) => { const given = {}; for (const key in options) given[key] = options[key]; return given; };
  const two = (n) => String(n).padStart(2, '0');

  class DateTimeFormat {
    #locale; #options; #zone;
    constructor(locales, options = {}) {
      this.#locale = localeOf(locales);
      const given = read(options);
      const zone = given.timeZone;
      const found = natives.zone(zone === undefined ? undefined : String(zone), Date.now());
      if (!found) throw new RangeError(`Invalid time zone specified: ${zone}`);
      this.#zone = zone === undefined ? undefined : String(zone);
      const dateKeys = ['weekday', 'era', 'year', 'month', 'day'];
      const timeKeys = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
      const styles = {
        date: { full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, long: { year: 'numeric', month: 'long', day: 'numeric' },
          medium: { year: 'numeric', month: 'short', day: 'numeric' }, short: { year: '2-digit', month: 'numeric', day: 'numeric' } },
        time: { full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' },
          long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
          medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' }, short: { hour: 'numeric', minute: '2-digit' } },
      };
      if (given.dateStyle || given.timeStyle) {
        Object.assign(given, styles.date[given.dateStyle], styles.time[given.timeStyle]);
      } else if (![...dateKeys, ...timeKeys].some((key) => given[key] !== undefined)) {
        if (given.defaults !== 'time') Object.assign(given, { year: 'numeric', month: 'numeric', day: 'numeric' });
        if (given.defaults) Object.assign(given, given.defaults === 'date' ? {} : { hour: 'numeric', minute: '2-digit', second: '2-digit' });
      }
      if (this.#locale === 'en-GB' && !given.dateStyle && ['numeric', undefined].includes(given.month) && given.day === 'numeric' && given.year) {
        Object.assign(given, { day: '2-digit', month: '2-digit' });
      }
      this.#options = given;
    }
    static supportedLocalesOf(locales) { return [].concat(locales ?? []).filter((l) => /^en\b/i.test(l)); }
    resolvedOptions() {
      const zone = this.#zone || natives.zone(undefined, Date.now()).name;
      return { locale: this.#locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: zone, ...this.#given() };
    }
    #given() { const { defaults, ...rest } = this.#options; return { ...rest, timeZone: this.#zone || natives.zone(undefined, Date.now()).name }; }
    get format() { return (date) => this.formatToParts(date).map((part) => part.value).join(''); }
    formatRange(a, b) { return `${this.format(a)} – ${this.format(b)}`; }
    formatToParts(date) {
      const ms = date === undefined ? Date.now() : Number(date);
      if (Number.isNaN(ms)) throw new RangeError('Invalid time value');
      const o = this.#options;
      const zone = natives.zone(this.#zone, ms);
      const t = new Date(ms + zone.offset * 60000);
      const british = this.#locale === 'en-GB';
      const parts = [];
      const add = (type, value) => parts.push({ type, value: String(value) });
      const literal = (value) => { if (parts.length) add('literal', value); };
      const year = o.year && (o.year === '2-digit' ? two(t.getUTCFullYear() % 100) : t.getUTCFullYear());
      const day = o.day && (o.day === '2-digit' ? two(t.getUTCDate()) : t.getUTCDate());
      const named = o.month && o.month !== 'numeric' && o.month !== '2-digit';
      const m = t.getUTCMonth();
      const month = o.month && (named ? MONTHS[m].slice(0, o.month === 'long' ? undefined : o.month === 'narrow' ? 1 : british && m === 8 ? 4 : 3) : o.month === '2-digit' ? two(m + 1) : m + 1);
      if (o.weekday) {
        const w = DAYS[t.getUTCDay()];
        add('weekday', o.weekday === 'long' ? w : o.weekday === 'narrow' ? w[0] : w.slice(0, 3));
      }
      const order = british ? [['day', day], ['month', month], ['year', year]] : [['month', month], ['day', day], ['year', year]];
      let before = o.weekday ? (british && o.weekday === 'long' ? ' ' : ', ') : '';
      for (const [type, value] of order) {
        if (value === undefined) continue;
        if (before) literal(before);
        add(type, value);
        before = !named ? '/' : british || type === 'month' ? ' ' : ', ';
      }
      const wantsTime = o.hour || o.minute || o.second || o.fractionalSecondDigits;
      if (wantsTime) {
        literal(named && (o.dateStyle === 'full' || o.dateStyle === 'long') ? ' at ' : ', ');
        const twelve = o.hour12 !== undefined ? o.hour12 : o.hourCycle ? /^h1[12]$/.test(o.hourCycle) : !british;
        const h = t.getUTCHours();
        let colon = '';
        if (o.hour) {
          const shown = twelve ? h % 12 || 12 : o.hour12 === false && !o.hourCycle && !british && h === 0 ? 24 : h;
          add('hour', o.hour === '2-digit' || (!twelve) ? two(shown) : shown);
          colon = ':';
        }
        if (o.minute) { if (colon) add('literal', ':'); add('minute', colon || o.second ? two(t.getUTCMinutes()) : t.getUTCMinutes()); colon = ':'; }
        if (o.second) { if (colon) add('literal', ':'); add('second', colon ? two(t.getUTCSeconds()) : t.getUTCSeconds()); }
        if (o.fractionalSecondDigits) {
          add('literal', '.');
          add('fractionalSecond', String(t.getUTCMilliseconds()).padStart(3, '0').slice(0, o.fractionalSecondDigits));
        }
        if (o.hour && twelve) { add('literal', '\u202f'); add('dayPeriod', british ? (h < 12 ? 'am' : 'pm') : h < 12 ? 'AM' : 'PM'); }
      }
      if (o.timeZoneName) {
        literal(' ');
        add('timeZoneName', o.timeZoneName === 'long' ? ZONES[zone.abbreviation] || zone.name : /^[A-Z]/.test(zone.abbreviation) ? zone.abbreviation
          : `GMT${zone.offset < 0 ? '-' : '+'}${Math.trunc(Math.abs(zone.offset) / 60)}${zone.offset % 60 ? `:${two(Math.abs(zone.offset) % 60)}` : ''}`);
      }
      return parts;
    }
  }

  const SYMBOLS = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', AUD: 'A$', CAD: 'CA$', NZD: 'NZ$', MXN: 'MX$', BRL: 'R$' };
  const UNITS = { celsius: '°C', fahrenheit: '°F', percent: '%', kilometer: ' km', meter: ' m', centimeter: ' cm', kilogram: ' kg', gram: ' g',
    liter: ' L', 'kilometer-per-hour': ' km/h', second: ' sec', minute: ' min', hour: ' hr', byte: ' byte', kilobyte: ' kB', megabyte: ' MB' };
  const significant = (n, most, least) => {
    let text = Number(n.toPrecision(most)).toString();
    if (/e/.test(text)) text = Number(text).toLocaleString === undefined ? text : BigInt(Math.round(Number(text))).toString();
    const digits = text.replace(/^-?0*\.?0*/, '').replace('.', '').length;
    if (digits < least) text += (text.includes('.') ? '' : '.') + '0'.repeat(least - digits);
    return text;
  };

  class NumberFormat {
    #locale; #o;
    constructor(locales, options = {}) {
      this.#locale = localeOf(locales);
      const style = options.style || 'decimal';
      if (style === 'currency' && !options.currency) throw new TypeError('Currency code is required with currency style.');
      const digits = style === 'currency' ? (['JPY', 'KRW'].includes(options.currency) ? 0 : 2) : 0;
      const least = options.minimumFractionDigits ?? (style === 'currency' ? Math.min(digits, options.maximumFractionDigits ?? digits) : 0);
      const most = options.maximumFractionDigits ?? Math.max(least, style === 'currency' ? digits : style === 'percent' ? 0 : 3);
      for (const n of [least, most]) if (!(n >= 0 && n <= 100)) throw new RangeError('maximumFractionDigits value is out of range.');
      if (least > most) throw new RangeError('maximumFractionDigits value is out of range.');
      this.#o = { ...read(options), style, minimumFractionDigits: least, maximumFractionDigits: most };
    }
    static supportedLocalesOf(locales) { return [].concat(locales ?? []).filter((l) => /^en\b/i.test(l)); }
    resolvedOptions() { return { locale: this.#locale, numberingSystem: 'latn', useGrouping: 'auto', ...this.#o }; }
    get format() { return (value) => this.#text(value); }
    formatToParts(value) { return [{ type: 'literal', value: this.#text(value) }]; }
    #text(value) {
      const o = this.#o;
      if (typeof value === 'bigint') return this.#dress(this.#group(String(value < 0n ? -value : value)), value < 0n);
      let n = Number(value);
      if (Number.isNaN(n)) return this.#dress('NaN', false);
      const negative = n < 0 || Object.is(n, -0);
      n = Math.abs(n);
      if (n === Infinity) return this.#dress('∞', negative);
      if (o.style === 'percent') n *= 100;
      let suffix = '';
      if (o.notation === 'compact') {
        const tier = n >= 1e12 ? [1e12, 'T'] : n >= 1e9 ? [1e9, 'B'] : n >= 1e6 ? [1e6, 'M'] : n >= 1e3 ? [1e3, 'K'] : [1, ''];
        n /= tier[0];
        [, suffix] = tier;
        n = n < 100 ? Number(n.toPrecision(2)) : Math.round(n);
      }
      let text;
      if (o.maximumSignificantDigits || o.minimumSignificantDigits) text = significant(n, o.maximumSignificantDigits || 21, o.minimumSignificantDigits || 1);
      else {
        text = n >= 1e21 ? BigInt(n).toString() : this.#round(n, o.maximumFractionDigits);
        const [whole, fraction = ''] = text.split('.');
        const cut = fraction.replace(/0+$/, '').padEnd(o.minimumFractionDigits, '0');
        text = cut ? `${whole}.${cut}` : whole;
      }
      const [whole, fraction] = text.split('.');
      const padded = whole.padStart(o.minimumIntegerDigits || 1, '0');
      return this.#dress(`${this.#group(padded)}${fraction ? `.${fraction}` : ''}${suffix}`, negative);
    }
    // Halves away from zero on the decimal digits, as Intl does; toFixed works on the binary value.
    #round(n, digits) {
      const shortest = String(n);
      if (/e/.test(shortest) || !shortest.includes('.')) return n.toFixed(Math.min(digits, 100));
      const [whole, fraction] = shortest.split('.');
      if (fraction.length <= digits) return n.toFixed(digits);
      const up = fraction[digits] >= '5' ? 1n : 0n;
      const scaled = String(BigInt(whole + fraction.slice(0, digits)) + up).padStart(digits + 1, '0');
      return digits ? `${scaled.slice(0, -digits)}.${scaled.slice(-digits)}` : scaled;
    }
    #group(whole) { return this.#o.useGrouping === false ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ','); }
    #dress(text, negative) {
      const o = this.#o;
      const sign = negative ? (o.signDisplay === 'never' ? '' : '-') : o.signDisplay === 'always' || (o.signDisplay === 'exceptZero' && /[1-9]/.test(text)) ? '+' : '';
      if (o.style === 'currency') {
        const code = String(o.currency).toUpperCase();
        const symbol = o.currencyDisplay === 'code' ? `${code}\u00a0` : SYMBOLS[code] || `${code}\u00a0`;
        return `${sign}${symbol}${text}`;
      }
      if (o.style === 'percent') return `${sign}${text}%`;
      if (o.style === 'unit') return `${sign}${text}${UNITS[o.unit] || ` ${o.unit}`}`;
      return sign + text;
    }
  }

  class PluralRules {
    #type;
    constructor(_locales, { type = 'cardinal' } = {}) { this.#type = type; }
    select(n) {
      if (this.#type === 'cardinal') return n === 1 ? 'one' : 'other';
      const ten = n % 10; const hundred = n % 100;
      if (ten === 1 && hundred !== 11) return 'one';
      if (ten === 2 && hundred !== 12) return 'two';
      return ten === 3 && hundred !== 13 ? 'few' : 'other';
    }
  }
  class Collator {
    #o;
    constructor(_locales, options = {}) { this.#o = options; }
    get compare() {
      const fold = (t) => String(t).normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
      return (a, b) => {
        if (this.#o.numeric && /\d/.test(a) && /\d/.test(b)) {
          const x = String(a).split(/(\d+)/); const y = String(b).split(/(\d+)/);
          for (let i = 0; i < Math.min(x.length, y.length); i++) {
            const d = i % 2 ? Number(x[i]) - Number(y[i]) : fold(x[i]) < fold(y[i]) ? -1 : fold(x[i]) > fold(y[i]) ? 1 : 0;
            if (d) return Math.sign(d);
          }
          return Math.sign(x.length - y.length);
        }
        const [x, y] = [fold(a), fold(b)];
        if (x !== y) return x < y ? -1 : 1;
        if (this.#o.sensitivity === 'base' || a === b) return 0;
        return a > b ? -1 : 1;
      };
    }
  }
  class ListFormat {
    #o;
    constructor(_locales, options = {}) { this.#o = options; }
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
    getCanonicalLocales: (l) => [].concat(l ?? []),
    supportedValuesOf: () => [],
  };
  const define = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, configurable: true });
  define(globalThis, 'Intl', Intl);
  const dates = (defaults) => function toLocale(locales, options) {
    if (Number.isNaN(this.getTime())) return 'Invalid Date';
    return new DateTimeFormat(locales, { ...read(options), defaults }).format(this);
  };
  define(Date.prototype, 'toLocaleString', dates('both'));
  define(Date.prototype, 'toLocaleDateString', dates('date'));
  define(Date.prototype, 'toLocaleTimeString', dates('time'));
  const numbers = function toLocaleString(locales, options) { return new NumberFormat(locales, options).format(this.valueOf()); };
  define(Number.prototype, 'toLocaleString', numbers);
  define(BigInt.prototype, 'toLocaleString', numbers);
  define(String.prototype, 'localeCompare', function localeCompare(other, locales, options) {
    return new Collator(locales, options).compare(String(this), String(other));
  });
})
