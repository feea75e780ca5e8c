// What an object is, by what is inside of it. `instanceof` knows the objects of its own realm only, and takes
// `Object.create(Date.prototype)` for a date. All that is asked is kept here, before any code can change it.
(natives) => {
  'use strict';
  const { apply } = Reflect;
  const { getPrototypeOf, prototype: plain } = Object;
  const { toString } = plain;
  const { isArray } = Array;
  const { isError } = Error;
  const { isView } = ArrayBuffer;
  const { resolve } = Promise;
  const getter = (proto, name) => Object.getOwnPropertyDescriptor(proto, name).get;
  const typed = getter(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

  // `ask` throws for all others.
  const kind = (Kind, ask, ...args) => ({ Kind, tag: `[object ${Kind.name}]`, ask, args });
  const KINDS = {
    Date: kind(Date, Date.prototype.getTime),
    RegExp: kind(RegExp, getter(RegExp.prototype, 'source')),
    Map: kind(Map, getter(Map.prototype, 'size')),
    Set: kind(Set, getter(Set.prototype, 'size')),
    WeakMap: kind(WeakMap, WeakMap.prototype.has, {}),
    WeakSet: kind(WeakSet, WeakSet.prototype.has, {}),
    String: kind(String, String.prototype.valueOf),
    Number: kind(Number, Number.prototype.valueOf),
    Boolean: kind(Boolean, Boolean.prototype.valueOf),
  };
  const PROMISE = '[object Promise]';

  const isObject = (value) => typeof value === 'object' && value !== null;
  const tagOf = (value) => {
    try { return apply(toString, value, []); } catch { return ''; }
  };
  // Only who looks like it is asked: an error costs more than looking.
  const is = (name, value, tag = tagOf(value)) => {
    const { Kind, tag: own, ask, args } = KINDS[name];
    try {
      if (tag !== own && !(value instanceof Kind)) return false;
      apply(ask, value, args);
      return true;
    } catch {
      return false;
    }
  };
  // `resolve` gives a promise of this class back, and makes another one of all else.
  const isPromise = (value, tag = tagOf(value)) => {
    try {
      return (tag === PROMISE || value instanceof Promise) && apply(resolve, value.constructor, [value]) === value;
    } catch {
      return false;
    }
  };
  const check = (name) => (value) => isObject(value) && is(name, value);

  natives.brands = {
    isDate: check('Date'),
    isRegExp: check('RegExp'),
    isMap: check('Map'),
    isSet: check('Set'),
    isPromise: (value) => isObject(value) && isPromise(value),
    isNativeError: (value) => isError(value),
    // Also what inherits from an error of this realm, as Node.js's `util` has it.
    isError: (value) => isError(value) || value instanceof Error,
    isView: (value) => isView(value),
    // `Uint8Array` and its like; undefined for a DataView and what is no view.
    typedName: (value) => (isView(value) ? apply(typed, value, []) : undefined),
    time: (date) => apply(KINDS.Date.ask, date, []),
    unbox: (value) => {
      const name = is('String', value) ? 'String' : is('Number', value) ? 'Number' : 'Boolean';
      return apply(KINDS[name].ask, value, []);
    },
    // Date, RegExp, Map, Set, Promise, Weak, Boxed; undefined for other objects, of which most are plain.
    kindOf: (value) => {
      if (isArray(value) || getPrototypeOf(value) === plain) return undefined;
      const tag = tagOf(value);
      if (is('Date', value, tag)) return 'Date';
      if (is('RegExp', value, tag)) return 'RegExp';
      if (is('Map', value, tag)) return 'Map';
      if (is('Set', value, tag)) return 'Set';
      if (isPromise(value, tag)) return 'Promise';
      if (is('WeakMap', value, tag) || is('WeakSet', value, tag)) return 'Weak';
      return is('String', value, tag) || is('Number', value, tag) || is('Boolean', value, tag) ? 'Boxed' : undefined;
    },
  };
}
