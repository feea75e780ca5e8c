// Intl.NumberFormat and numbers in words.
((natives) => {
  'use strict';
  const { locale, supported, read, choose, digits } = natives.intl;
  const WHOLE = ['JPY', 'KRW', 'CLP', 'VND', 'ISK', 'PYG', 'XAF', 'XOF', 'XPF', 'UGX', 'RWF'];
  const THREE = ['BHD', 'KWD', 'OMR', 'JOD', 'TND', 'IQD', 'LYD'];
  const UNITS = { celsius: '°C', fahrenheit: '°F', percent: '%', kilometer: ' km', meter: ' m', centimeter: ' cm', kilogram: ' kg', gram: ' g',
    liter: ' L', 'kilometer-per-hour': ' km/h', second: ' sec', minute: ' min', hour: ' hr', byte: ' byte', kilobyte: ' kB', megabyte: ' MB' };
  const significant = (n, most, least) => {
    let text = Number(n.toPrecision(most)).toString();
    if (/e/.test(text)) text = Number(text) >= 1 ? BigInt(Math.round(Number(text))).toString() : Number(text).toFixed(20).replace(/0+$/, '');
    const count = text.replace(/^-?0*\.?0*/, '').replace('.', '').length;
    if (count < least) text += (text.includes('.') ? '' : '.') + '0'.repeat(least - count);
    return text;
  };

  class NumberFormat {
    #l; #o;
    constructor(locales, options = {}) {
      const l = locale(locales);
      const o = read(options);
      choose(o, 'style', ['decimal', 'percent', 'currency', 'unit'], 'Intl.NumberFormat');
      choose(o, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'Intl.NumberFormat');
      choose(o, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'Intl.NumberFormat');
      const style = o.style || 'decimal';
      if (style === 'currency' && !o.currency) throw new TypeError('Currency code is required with currency style.');
      if (o.currency !== undefined && !/^[A-Za-z]{3}$/.test(o.currency)) throw new RangeError(`Invalid currency code : ${o.currency}`);
      const english = l.tag.startsWith('en-');
      const missing = (what) => { throw new RangeError(`Intl.NumberFormat: ${what} is not available${english ? '' : ` for ${l.shown}`} here`); };
      if (o.notation === 'scientific' || o.notation === 'engineering') missing(`notation ${o.notation}`);
      if (o.notation === 'compact' && (!english || o.compactDisplay === 'long')) missing('notation compact');
      if (style === 'unit' && !english) missing(`the unit ${o.unit}`);
      if (style === 'unit' && !UNITS[o.unit]) missing(`the unit ${o.unit}`);
      if (o.currencyDisplay === 'name' || o.currencySign === 'accounting') missing(o.currencySign ? 'currencySign accounting' : 'currencyDisplay name');
      const code = String(o.currency ?? '').toUpperCase();
      const cents = style !== 'currency' ? 0 : WHOLE.includes(code) ? 0 : THREE.includes(code) ? 3 : 2;
      for (const name of ['minimumFractionDigits', 'maximumFractionDigits']) {
        if (o[name] !== undefined && !(Number(o[name]) >= 0 && Number(o[name]) <= 100)) throw new RangeError(`${name} value is out of range.`);
      }
      const given = o.maximumFractionDigits === undefined ? undefined : Math.floor(o.maximumFractionDigits);
      const least = o.minimumFractionDigits === undefined ? Math.min(cents, given ?? cents) : Math.floor(o.minimumFractionDigits);
      const most = given ?? Math.max(least, style === 'currency' ? cents : style === 'percent' ? 0 : 3);
      if (least > most) throw new RangeError('maximumFractionDigits value is out of range.');
      this.#l = l;
      this.#o = { ...o, style, minimumFractionDigits: least, maximumFractionDigits: most };
    }
    static supportedLocalesOf(locales) { return supported(locales); }
    resolvedOptions() { return { locale: this.#l.shown, numberingSystem: 'latn', useGrouping: 'auto', ...this.#o }; }
    get format() { return (value) => this.#text(value); }
    formatToParts(value) { return [{ type: 'literal', value: this.#text(value) }]; }
    #text(value) {
      const o = this.#o;
      if (typeof value === 'bigint') return this.#dress(this.#group(String(value < 0n ? -value : value)), value < 0n);
      let n = Number(value);
      if (Number.isNaN(n)) return this.#dress(this.#l.n.nan, false);
      const negative = n < 0 || Object.is(n, -0);
      n = Math.abs(n);
      if (n === Infinity) return this.#dress('∞', negative);
      if (o.style === 'percent') n = Number(`${n}e2`) || n * 100;
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
      const { d } = o.style === 'currency' && this.#l.c.d ? this.#l.c : this.#l.n;
      return this.#dress(`${this.#group(padded)}${fraction ? `${d}${fraction}` : ''}${suffix}`, negative && !(o.signDisplay === 'negative' && !/[1-9]/.test(text)));
    }
    // Halves away from zero on the decimal digits, as Intl does; toFixed works on the binary value.
    #round(n, places) {
      const shortest = String(n);
      if (/e/.test(shortest) || !shortest.includes('.')) return n.toFixed(Math.min(places, 100));
      const [whole, fraction] = shortest.split('.');
      if (fraction.length <= places) return n.toFixed(places);
      const up = fraction[places] >= '5' ? 1n : 0n;
      const scaled = String(BigInt(whole + fraction.slice(0, places)) + up).padStart(places + 1, '0');
      return places ? `${scaled.slice(0, -places)}.${scaled.slice(-places)}` : scaled;
    }
    #group(whole) {
      const { n, c } = this.#l; const o = this.#o;
      if (o.useGrouping === false || o.useGrouping === 'false') return whole;
      const least = o.useGrouping === 'always' ? 1 : n.min;
      if (whole.length < 3 + least) return whole;
      const mark = o.style === 'currency' && c.g !== undefined ? c.g : n.g;
      if (n.s === 3) return whole.replace(/\B(?=(\d{3})+$)/g, mark);
      return whole.slice(0, -3).replace(/\B(?=(\d{2})+$)/g, mark) + mark + whole.slice(-3);
    }
    #dress(text, negative) {
      const o = this.#o; const { n, c } = this.#l;
      const shown = digits(text, this.#l);
      const minus = negative && o.signDisplay !== 'never' && !(o.signDisplay === 'exceptZero' && !/[1-9]/.test(text));
      const plus = !negative && (o.signDisplay === 'always' || (o.signDisplay === 'exceptZero' && /[1-9]/.test(text))) ? '+' : '';
      if (o.style === 'currency') {
        const code = String(o.currency).toUpperCase();
        const symbol = o.currencyDisplay === 'code' ? code : (o.currencyDisplay === 'narrowSymbol' && c.w[code]) || c.s[code] || code;
        const worded = /[A-Za-z]$/.test(symbol);
        const pattern = minus ? (worded ? c.npc : c.np) : worded ? c.pc : c.p;
        return plus + pattern.replace('¤', () => symbol).replace('{}', () => shown);
      }
      if (o.style === 'percent') return plus + (minus ? n.np : n.p).replace('{}', () => shown);
      const signed = `${minus ? n.m : plus}${shown}`;
      return o.style === 'unit' ? signed + UNITS[o.unit] : signed;
    }
  }
  natives.intl.NumberFormat = NumberFormat;
  const define = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, configurable: true });
  const { toLocaleString } = { toLocaleString(locales, options) { return new NumberFormat(locales, options).format(this.valueOf()); } };
  define(Number.prototype, 'toLocaleString', toLocaleString);
  define(BigInt.prototype, 'toLocaleString', toLocaleString);
})
