// The languages that Intl knows here, and what its parts share.
((natives) => {
  'use strict';
  const known = new Map();
  const DEFAULT = 'en-US';
  const incorrect = (tag) => new RangeError(`Incorrect locale information provided${tag === undefined ? '' : `: ${tag}`}`);
  const canonical = (tag) => {
    if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null)) throw new TypeError('Incorrect locale information provided');
    const text = String(tag);
    if (!/^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$/.test(text)) throw incorrect(/^\w[\w-]*$/.test(text) ? text : undefined);
    return text.replace(/_/g, '-').split('-').map((part, at) => (at === 0 ? part.toLowerCase()
      : part.length === 2 ? part.toUpperCase() : part.length === 4 ? part[0].toUpperCase() + part.slice(1).toLowerCase() : part)).join('-');
  };
  const load = (tag) => {
    if (!known.has(tag)) {
      const found = natives.locale(tag);
      known.set(tag, found && { tag: found.slice(0, found.indexOf(' ')), shown: tag, ...JSON.parse(found.slice(found.indexOf(' ') + 1)) });
    }
    return known.get(tag);
  };
  const find = (tag) => load(tag.replace(/-[a-z0-9]-.*$/i, '').replace(/-[A-Z][a-z]{3}(?=-|$)/, ''));
  // The first of the wanted languages. One that is not here is an error: English in its place would go unseen.
  const locale = (wanted) => {
    const list = wanted === undefined ? [] : Array.isArray(wanted) ? wanted : [wanted];
    const tags = list.map(canonical);
    for (const tag of tags) {
      const found = find(tag);
      if (found) return found;
    }
    if (tags.length) throw new RangeError(`Intl: the locale ${tags[0]} is not available here`);
    return load(DEFAULT);
  };
  // Options are read by name, as ECMA-402 does it: a message that is given for options may be a slim view.
  const read = (options) => { const given = {}; for (const key in options) given[key] = options[key]; return given; };
  const choose = (given, name, choices, where) => {
    const value = given[name];
    if (value !== undefined && !choices.includes(String(value))) {
      throw new RangeError(`Value ${value} out of range for ${where} options property ${name}`);
    }
  };
  const digits = (text, l) => (l.digits ? text.replace(/\d/g, (d) => [...l.digits][d]) : text);
  const supported = (locales) => [].concat(locales ?? []).map(canonical).filter((tag) => find(tag));
  natives.intl = { locale, canonical, supported, read, choose, digits };
})
