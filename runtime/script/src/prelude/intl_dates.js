// Intl.DateTimeFormat and dates in words.
((natives) => {
  'use strict';
  const { locale, supported, read, choose, digits } = natives.intl;
  const two = (n) => String(n).padStart(2, '0');
  const DATE_KEYS = ['weekday', 'year', 'month', 'day'];
  const TIME_KEYS = ['hour', 'minute', 'second', 'fractionalSecondDigits'];
  const CHOICES = {
    weekday: ['narrow', 'short', 'long'], year: ['2-digit', 'numeric'], month: ['2-digit', 'numeric', 'narrow', 'short', 'long'],
    day: ['2-digit', 'numeric'], hour: ['2-digit', 'numeric'], minute: ['2-digit', 'numeric'], second: ['2-digit', 'numeric'],
    dateStyle: ['full', 'long', 'medium', 'short'], timeStyle: ['full', 'long', 'medium', 'short'], hourCycle: ['h11', 'h12', 'h23', 'h24'],
    timeZoneName: ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'], era: ['narrow', 'short', 'long'],
  };
  const LETTER = { numeric: 'n', '2-digit': '2', short: 's', long: 'l', narrow: 's' };
  const NAMED = { ml: 'Ml', ms: 'Ms', wl: 'Wl', ws: 'Ws', Ml: 'Ml', Ms: 'Ms', Wl: 'Wl', Ws: 'Ws' };
  const TYPES = { y: 'year', m: 'month', M: 'month', d: 'day', w: 'weekday', W: 'weekday', h: 'hour', i: 'minute', s: 'second', p: 'dayPeriod', z: 'timeZoneName', f: 'fractionalSecond' };

  const offsetOf = (zone, long) => {
    const minutes = Math.abs(zone.offset);
    const hours = Math.trunc(minutes / 60);
    if (zone.offset === 0) return 'GMT';
    const rest = minutes % 60 || long ? `:${two(minutes % 60)}` : '';
    return `GMT${zone.offset < 0 ? '-' : '+'}${long ? two(hours) : hours}${rest}`;
  };
  const AMERICAN = /^([ECMPAH][SD]T|AK[SD]T|UTC)$/;
  const BRITISH = /^(GMT|BST|CES?T|EES?T|WES?T|MSK|UTC)$/;
  const nameOfZone = (l, style, zone, ms) => {
    if (style === 'shortOffset') return offsetOf(zone, false);
    if (style === 'longOffset') return offsetOf(zone, true);
    const english = l.tag.startsWith('en-');
    if (style === 'long' && english) return natives.zoneName(zone.name, zone.dst) || offsetOf(zone, true);
    if (style === 'short' && english) {
      const usual = l.tag === 'en-US' || l.tag === 'en-CA' ? AMERICAN : BRITISH;
      return usual.test(zone.abbreviation) ? zone.abbreviation : offsetOf(zone, false);
    }
    if (style === 'short' && zone.offset === 0) return 'UTC';
    throw new RangeError(`Intl.DateTimeFormat: timeZoneName ${style} is not available for ${l.shown} here`);
  };

  class DateTimeFormat {
    #l; #o; #zone; #pattern;
    constructor(locales, options = {}) {
      const l = locale(locales);
      const o = read(options);
      for (const key of Object.keys(CHOICES)) choose(o, key, CHOICES[key], 'Intl.DateTimeFormat');
      if (o.dayPeriod !== undefined || o.era !== undefined) throw new RangeError('Intl.DateTimeFormat: dayPeriod and era are not available here');
      const calendar = o.calendar ?? (/-u(?:-\w{3,8})*-ca-(\w+)/.exec([].concat(locales ?? '')[0]) || [])[1] ?? l.calendar;
      if (calendar !== undefined && calendar !== 'gregory' && calendar !== 'buddhist' && calendar !== 'iso8601') {
        throw new RangeError(`Intl.DateTimeFormat: the calendar ${calendar} is not available here`);
      }
      const found = natives.zone(o.timeZone === undefined ? undefined : String(o.timeZone), Date.now());
      if (!found) throw new RangeError(`Invalid time zone specified: ${o.timeZone}`);
      this.#zone = o.timeZone === undefined ? undefined : String(o.timeZone);
      const styled = o.dateStyle !== undefined || o.timeStyle !== undefined;
      if (styled) {
        for (const key of [...DATE_KEYS, ...TIME_KEYS, 'timeZoneName']) {
          if (o[key] !== undefined) throw new TypeError(`Can't set option ${key} when ${o.dateStyle === undefined ? 'timeStyle' : 'dateStyle'} is used`);
        }
      } else {
        const has = (keys) => keys.some((key) => o[key] !== undefined);
        // What is missing: all of it for toLocaleString and the constructor, its own half for the others.
        const wants = o.defaults === 'date' ? !has(DATE_KEYS) : o.defaults === 'time' ? !has(TIME_KEYS) : !has(DATE_KEYS) && !has(TIME_KEYS);
        if (wants && o.defaults !== 'time') Object.assign(o, { year: 'numeric', month: 'numeric', day: 'numeric' });
        if (wants && (o.defaults === 'time' || o.defaults === 'both')) Object.assign(o, { hour: 'numeric', minute: 'numeric', second: 'numeric' });
      }
      o.calendar = calendar ?? 'gregory';
      this.#l = l; this.#o = o;
      this.#pattern = this.#build(styled);
    }
    static supportedLocalesOf(locales) { return supported(locales); }
    #cycle() {
      const { hour12, hourCycle } = this.#o;
      const twelve = this.#l.hc === 'h12' || this.#l.hc === 'h11';
      if (hour12 === true) return this.#l.tag === 'ja-JP' ? 'h11' : 'h12';
      // As ICU has it: a language of twelve hours counts to 24 when it may not say AM and PM.
      if (hour12 === false) return twelve && !this.#o.timeStyle ? 'h24' : 'h23';
      return hourCycle ?? this.#l.hc;
    }
    #build(styled) {
      const l = this.#l; const o = this.#o;
      const cycle = this.#cycle();
      const p = cycle === 'h12' || cycle === 'h11' ? 'p' : '';
      let date = ''; let time = ''; let between = '';
      if (styled) {
        if (o.dateStyle) date = l.ds[o.dateStyle];
        if (o.timeStyle) {
          time = l.ts[o.timeStyle];
          const isTwelve = time.includes('{p}');
          if (isTwelve !== (p === 'p')) {
            const zone = /(.)\(?\{z\}\)?/.exec(time);
            time = l.t[o.timeStyle === 'short' ? `nn-${p}` : `nnn${p}`] + (zone ? ` {z}` : '');
          }
        }
        between = l.dg[o.dateStyle];
      } else {
        const key = DATE_KEYS.map((name) => (o[name] === undefined ? '-' : LETTER[o[name]])).join('');
        if (key !== '----') date = l.d[key];
        if (o.weekday === 'narrow') date = date.replace(/\{[wW][sl]\}/, '{wa}');
        if (o.month === 'narrow') date = date.replace(/\{[mM][sl]\}/, '{ma}');
        const fields = [o.hour === undefined ? '-' : LETTER[o.hour], o.minute === undefined ? '-' : 'n', o.second === undefined ? '-' : 'n'].join('');
        if (fields !== '---') time = l.t[fields + (o.hour === undefined ? '' : p)];
        if (o.fractionalSecondDigits) time = /\{s2?\}/.test(time) ? time.replace(/\{s2?\}/, `$&${l.n.d}{f}`) : `${time}${time ? ' ' : ''}{f}`;
        if (o.timeZoneName) { if (time) time += ' {z}'; else date += `${/^en-/.test(l.tag) ? ', ' : ' '}{z}`; }
        between = l.g[(LETTER[o.month] === 'l' ? 'l' : LETTER[o.month] === 's' ? 's' : 'n') + (o.weekday ? 'w' : '')];
      }
      if (!date || !time) return date || time;
      return between[0] === '<' ? `${time}${between.slice(1)}${date}` : `${date}${between}${time}`;
    }
    resolvedOptions() {
      const { defaults, ...rest } = this.#o;
      return { locale: this.#l.shown, numberingSystem: 'latn', timeZone: this.#zone || natives.zone(undefined, Date.now()).name, ...rest,
        ...(/\{h/.test(this.#pattern) ? { hourCycle: this.#cycle(), hour12: /h1[12]/.test(this.#cycle()) } : {}) };
    }
    get format() { return (date) => this.formatToParts(date).map((part) => part.value).join(''); }
    formatRange(a, b) { const [x, y] = [this.format(a), this.format(b)]; return x === y ? x : `${x} – ${y}`; }
    formatToParts(date) {
      const ms = date === undefined ? Date.now() : Number(date);
      if (Number.isNaN(ms) || Math.abs(ms) > 8.64e15) throw new RangeError('Invalid time value');
      const l = this.#l; const o = this.#o;
      const zone = natives.zone(this.#zone, ms);
      const t = new Date(ms + zone.offset * 60000);
      const year = t.getUTCFullYear() + (o.calendar === 'buddhist' ? 543 : 0);
      const hours = t.getUTCHours();
      const cycle = this.#cycle();
      const hour = cycle === 'h12' ? hours % 12 || 12 : cycle === 'h11' ? hours % 12 : cycle === 'h24' ? hours || 24 : hours;
      const value = (field) => {
        switch (field) {
          case 'y': return String(year <= 0 ? 1 - year : year);
          case 'y2': return two(year % 100);
          case 'm': return String(t.getUTCMonth() + 1);
          case 'm2': return two(t.getUTCMonth() + 1);
          case 'd': return String(t.getUTCDate());
          case 'd2': return two(t.getUTCDate());
          case 'h': return String(hour);
          case 'h2': return two(hour);
          case 'i': return String(t.getUTCMinutes());
          case 'i2': return two(t.getUTCMinutes());
          case 's': return String(t.getUTCSeconds());
          case 's2': return two(t.getUTCSeconds());
          case 'p': return l.ap[hours < 12 ? 0 : 1];
          case 'f': return String(t.getUTCMilliseconds()).padStart(3, '0').slice(0, o.fractionalSecondDigits);
          case 'z': return nameOfZone(l, o.timeZoneName ?? (o.timeStyle === 'full' ? 'long' : 'short'), zone, ms);
          default: {
            const names = l[field] || l[(NAMED[field] || field).toLowerCase()];
            return names[field[0] === 'w' || field[0] === 'W' ? t.getUTCDay() : t.getUTCMonth()];
          }
        }
      };
      const parts = [];
      for (const piece of this.#pattern.split(/(\{\w+\})/)) {
        if (piece === '') continue;
        if (piece[0] !== '{') { parts.push({ type: 'literal', value: piece }); continue; }
        const field = piece.slice(1, -1);
        parts.push({ type: TYPES[field[0]] || 'literal', value: digits(value(field), l) });
      }
      return parts;
    }
  }
  natives.intl.DateTimeFormat = DateTimeFormat;

  const define = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, configurable: true });
  const dates = (name, defaults) => ({
    [name](locales, options) {
      if (Number.isNaN(this.getTime())) return 'Invalid Date';
      return new DateTimeFormat(locales, { ...read(options), defaults }).format(this);
    },
  })[name];
  define(Date.prototype, 'toLocaleString', dates('toLocaleString', 'both'));
  define(Date.prototype, 'toLocaleDateString', dates('toLocaleDateString', 'date'));
  define(Date.prototype, 'toLocaleTimeString', dates('toLocaleTimeString', 'time'));
  // `... GMT+0100 (Central European Standard Time)`
  for (const name of ['toString', 'toTimeString']) {
    const plain = Date.prototype[name];
    define(Date.prototype, name, {
      [name]() {
        const text = plain.call(this);
        const ms = this.getTime();
        if (Number.isNaN(ms)) return text;
        const zone = natives.zone(undefined, ms);
        return `${text} (${natives.zoneName(zone.name, zone.dst) || offsetOf(zone, true)})`;
      },
    }[name]);
  }
})
