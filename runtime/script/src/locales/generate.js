// Writes locales.jsonl and zones.txt: what Intl of scripts knows of languages and time zones, asked of a Node.js 20 with full ICU:
//   node generate.js $(cut -d' ' -f1 locales.jsonl)
'use strict';
const LOCALES = process.argv.slice(2);
const M = { numeric: 'n', '2-digit': '2', short: 's', long: 'l', narrow: 'a' };
const at = (mo, d = 3, h = 9, mi = 5, s = 7, y = 2009) => new Date(Date.UTC(y, mo, d, h, mi, s));
// V8 writes the narrow no-break space as a space.
const esc = (t) => t.replace(/[{}]/g, '').replace(/\u202f/g, ' ');
const out = {};
for (const locale of LOCALES) {
  const fmt = (o) => new Intl.DateTimeFormat(locale, { timeZone: 'UTC', numberingSystem: 'latn', calendar: 'gregory', ...o });
  const ro = new Intl.DateTimeFormat(locale).resolvedOptions();
  const names = (o, type, dates) => dates.map((d) => fmt(o).formatToParts(d).find((p) => p.type === type)?.value);
  const months = [...Array(12).keys()].map((m) => at(m));
  const days = [...Array(7).keys()].map((d) => at(1, 1 + d)); // 2009-02-01 is a Sunday
  const L = {};
  L.ml = names({ month: 'long', day: 'numeric' }, 'month', months);
  L.Ml = names({ month: 'long' }, 'month', months);
  L.ms = names({ month: 'short', day: 'numeric' }, 'month', months);
  L.Ms = names({ month: 'short' }, 'month', months);
  L.ma = names({ month: 'narrow' }, 'month', months);
  L.wl = names({ weekday: 'long', day: 'numeric', month: 'long' }, 'weekday', days);
  L.ws = names({ weekday: 'short', day: 'numeric', month: 'long' }, 'weekday', days);
  L.Wl = names({ weekday: 'long' }, 'weekday', days);
  L.Ws = names({ weekday: 'short' }, 'weekday', days);
  L.wa = names({ weekday: 'narrow' }, 'weekday', days);
  for (const [a, b] of [['Ml', 'ml'], ['Ms', 'ms'], ['Wl', 'wl'], ['Ws', 'ws']]) if (L[a].join() === L[b].join()) delete L[a];
  const p12 = (h) => fmt({ hour: 'numeric', hour12: true }).formatToParts(at(0, 3, h)).find((p) => p.type === 'dayPeriod')?.value;
  L.ap = [p12(9), p12(15)].map((t) => t && esc(t));
  // A field's form, from two dates that tell numeric from 2-digit and names apart.
  const template = (o) => {
    const f = fmt(o);
    const a = f.formatToParts(at(1, 3, 9, 5, 7));
    let t = '';
    for (const p of a) {
      if (p.type === 'literal') t += esc(p.value);
      else if (p.type === 'year') t += p.value.length === 2 ? '{y2}' : '{y}';
      else if (p.type === 'month') {
        const v = p.value;
        const q = /^\d/.test(v) && !L.ms.includes(v) ? (v.length === 2 ? 'm2' : 'm')
          : v === L.ml[1] && o.month !== 'short' ? 'ml' : L.Ml && v === L.Ml[1] ? 'Ml' : v === L.ms[1] ? 'ms' : L.Ms && v === L.Ms[1] ? 'Ms' : v === L.ml[1] ? 'ml' : v === L.ma[1] ? 'ma' : /^\d+$/.test(v) ? (v.length === 2 ? 'm2' : 'm') : null;
        if (!q) { t += '{' + (o.month === 'long' ? 'ml' : 'ms') + '}'; } else t += `{${q}}`;
      } else if (p.type === 'day') t += p.value.length === 2 ? '{d2}' : '{d}';
      else if (p.type === 'weekday') t += o.weekday === 'long' ? (p.value === L.wl[2] ? '{wl}' : L.Wl && p.value === L.Wl[2] ? '{Wl}' : '{wl}') : p.value === L.ws[2] ? '{ws}' : L.Ws && p.value === L.Ws[2] ? '{Ws}' : p.value === L.wl[2] ? '{wl}' : '{ws}';
      else if (p.type === 'hour') t += p.value.length === 2 ? '{h2}' : '{h}';
      else if (p.type === 'minute') t += p.value.length === 2 ? '{i2}' : '{i}';
      else if (p.type === 'second') t += p.value.length === 2 ? '{s2}' : '{s}';
      else if (p.type === 'dayPeriod') t += '{p}';
      else if (p.type === 'era' || p.type === 'relatedYear' || p.type === 'yearName') t += `{e}`;
      else if (p.type === 'timeZoneName') t += '{z}';
      else t += esc(p.value);
    }
    return t;
  };
  const K = { weekday: [undefined, 'short', 'long'], year: [undefined, 'numeric', '2-digit'], month: [undefined, 'numeric', '2-digit', 'short', 'long'], day: [undefined, 'numeric', '2-digit'] };
  L.d = {};
  for (const weekday of K.weekday) for (const year of K.year) for (const month of K.month) for (const day of K.day) {
    if (!weekday && !year && !month && !day) continue;
    const o = {}; for (const [k, v] of Object.entries({ weekday, year, month, day })) if (v) o[k] = v;
    L.d[[weekday, year, month, day].map((v) => (v ? M[v] : '-')).join('')] = template(o);
  }
  L.t = {};
  for (const hour of [undefined, 'numeric', '2-digit']) for (const minute of [undefined, 'numeric']) for (const second of [undefined, 'numeric']) for (const c of hour ? ['h12', 'h23'] : ['']) {
    if (!hour && !minute && !second) continue;
    const o = {}; for (const [k, v] of Object.entries({ hour, minute, second })) if (v) o[k] = v;
    if (c) o.hourCycle = c;
    L.t[[hour, minute, second].map((v) => (v ? M[v] : '-')).join('') + (c === 'h12' ? 'p' : '')] = template(o);
  }
  L.hc = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions().hourCycle;
  // What stands between date and time.
  const glue = (o) => {
    const parts = fmt(o).formatToParts(at(1));
    const T = new Set(['hour', 'minute', 'second', 'dayPeriod', 'timeZoneName']);
    const isD = (p) => p.type !== 'literal' && !T.has(p.type); const isT = (p) => T.has(p.type);
    const fd = parts.findIndex(isD), ft = parts.findIndex(isT);
    let a = '', i;
    if (fd < ft) { i = ft - 1; while (i >= 0 && parts[i].type === 'literal') { a = esc(parts[i].value) + a; i--; } return a; }
    i = fd - 1; while (i >= 0 && parts[i].type === 'literal') { a = parts[i].value + a; i--; } return '<' + a;
  };
  const tail = (t) => { const m = /[^}]*$/.exec(t); return m ? m[0] : ''; };
  const g = {};
  for (const [n, month] of [['n', 'numeric'], ['s', 'short'], ['l', 'long']]) for (const w of ['', 'w']) {
    const o = { year: 'numeric', month, day: 'numeric', hour: 'numeric', minute: 'numeric' }; if (w) o.weekday = 'long';
    const d = { ...o }; delete d.hour; delete d.minute;
    const full = glue(o), end = tail(template(d));
    g[n + w] = end && full.startsWith(end) ? full.slice(end.length) : full;
  }
  L.ds = {}; L.ts = {}; L.dg = {};
  for (const s of ['full', 'long', 'medium', 'short']) {
    const wm = s === 'full' || s === 'long' ? { month: 'long', weekday: s === 'full' ? 'long' : undefined } : { month: 'short' };
    const f = fmt({ dateStyle: s });
    L.ds[s] = (() => { // the same, with the forms of this style
      const parts = f.formatToParts(at(1)); let t = '';
      for (const p of parts) {
        if (p.type === 'literal') t += esc(p.value);
        else if (p.type === 'year') t += p.value.length === 2 ? '{y2}' : '{y}';
        else if (p.type === 'month') t += /^\d+$/.test(p.value) ? (p.value.length === 2 ? '{m2}' : '{m}') : p.value === L.ml[1] ? '{ml}' : L.Ml && p.value === L.Ml[1] ? '{Ml}' : p.value === L.ms[1] ? '{ms}' : L.Ms && p.value === L.Ms[1] ? '{Ms}' : '{ms}';
        else if (p.type === 'day') t += p.value.length === 2 ? '{d2}' : '{d}';
        else if (p.type === 'weekday') t += p.value === L.wl[2] ? '{wl}' : '{ws}';
        else if (p.type === 'era') t += esc(p.value); else t += esc(p.value);
      } return t;
    })();
    L.ts[s] = template({ timeStyle: s });
    const full = glue({ dateStyle: s, timeStyle: 'medium' }); const end = tail(L.ds[s]);
    L.dg[s] = end && full.startsWith(end) ? full.slice(end.length) : full;
  }
  L.g = g;
  // Numbers.
  const nf = (o) => new Intl.NumberFormat(locale, { numberingSystem: 'latn', ...o });
  const part = (o, v, type) => nf(o).formatToParts(v).find((p) => p.type === type)?.value;
  L.n = { d: part({}, 1.5, 'decimal'), g: part({}, 1234567.5, 'group') || '', m: nf({}).format(-1).replace('1', ''), min: /\D/.test(nf({ maximumFractionDigits: 0 }).format(1234)) ? 1 : 2,
    s: nf({ maximumFractionDigits: 0 }).format(12345678).split(/\D/).map((x) => x.length).slice(-2)[0] === 2 ? 2 : 3,
    p: nf({ style: 'percent' }).format(0.5).replace('50', '{}'), np: nf({ style: 'percent' }).format(-0.5).replace('50', '{}'), nan: nf({}).format(NaN) };
  const CUR = 'USD EUR GBP JPY CNY INR KRW BRL RUB CHF SEK NOK DKK PLN CZK HUF RON BGN TRY UAH ILS AUD CAD NZD MXN ARS CLP COP UYU ZAR SGD HKD TWD THB VND IDR MYR PHP AED SAR EGP NGN KES PKR BDT'.split(' ');
  const cur = (c, v = 5, o = {}) => nf({ style: 'currency', currency: c, minimumFractionDigits: 0, maximumFractionDigits: 0, ...o }).format(v);
  const sym = (c, o) => nf({ style: 'currency', currency: c, ...o }).formatToParts(5).find((p) => p.type === 'currency').value;
  L.c = { p: cur('EUR').replace(sym('EUR'), '¤').replace('5', '{}'), np: cur('EUR', -5).replace(sym('EUR'), '¤').replace('5', '{}'), pc: cur('CHF', 5, { currencyDisplay: 'code' }).replace('CHF', '¤').replace('5', '{}'), npc: cur('CHF', -5, { currencyDisplay: 'code' }).replace('CHF', '¤').replace('5', '{}'), s: {}, w: {} };
  const cg = part({ style: 'currency', currency: 'EUR' }, 1234567.5, 'group'), cd = part({ style: 'currency', currency: 'EUR' }, 1.5, 'decimal');
  if (cg !== L.n.g) L.c.g = cg; if (cd !== L.n.d) L.c.d = cd;
  for (const c of CUR) { const s = sym(c, {}); if (s !== c) L.c.s[c] = s; const w = sym(c, { currencyDisplay: 'narrowSymbol' }); if (w !== s) L.c.w[c] = w; }
  // Plurals: one letter for each of 0..99, then what 100.. , decimals and a million are.
  const C = { zero: 'z', one: '1', two: '2', few: 'f', many: 'm', other: 'o' };
  const pr = new Intl.PluralRules(locale), po = new Intl.PluralRules(locale, { type: 'ordinal' });
  const row = (p, from) => [...Array(100).keys()].map((n) => C[p.select(n + from)]).join('');
  const pack = (s) => (new Set(s).size === 1 ? s[0] : s);
  L.p = [pack(row(pr, 0)), pack(row(pr, 100)), [0.5, 1.5, 2.5, 0.1, 1.1].map((n) => C[pr.select(n)]).join(''), C[pr.select(1e6)]];
  L.o = [pack(row(po, 0)), pack(row(po, 100))];
  if (ro.numberingSystem !== 'latn') L.digits = new Intl.NumberFormat(locale, { useGrouping: false }).format(1234567890).replace(/^(.*)(.)$/u, '$2$1');
  if (ro.calendar !== 'gregory') L.calendar = ro.calendar;
  // How letters beyond a to z are ordered.
  const letters = [...'äåæöøœßñçáàâãéèêëíìîïóòôõúùûüýÿčćďěňřšťůžąęłńśźżğışțșăîâđőűöõ'];
  const coll = new Intl.Collator(locale);
  const own = [];
  for (const l of new Set(letters)) { const base = l.normalize('NFD')[0]; const ref = { æ: 'a', ø: 'o', œ: 'o', ß: 's', ł: 'l', đ: 'd', ı: 'i' }[l] || base;
    // after all words that begin with its base letter
    if (coll.compare(l, ref + 'zzz') > 0) { const next = [...'abcdefghijklmnopqrstuvwxyz'].find((x) => x > ref && coll.compare(l, x) < 0); own.push([l, next || '~']); } }
  if (own.length) { own.sort((a, b) => coll.compare(a[0], b[0])); L.k = own; }
  out[locale] = L;
}
// Shared strings once.
require('fs').writeFileSync('locales.jsonl', LOCALES.map((l) => `${l} ${JSON.stringify(out[l])}\n`).join(''));
const zones = {};
for (const zone of Intl.supportedValuesOf('timeZone')) {
  const name = (m) => new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'long' }).formatToParts(new Date(Date.UTC(2025, m, 15))).find((p) => p.type === 'timeZoneName').value;
  const key = [...new Set([name(0), name(6)])].join('|');
  (zones[key] = zones[key] || []).push(zone);
}
require('fs').writeFileSync('zones.txt', Object.keys(zones).sort().filter((k) => !/^GMT/.test(k)).map((k) => `${k}\t${zones[k].join(' ')}\n`).join(''));
