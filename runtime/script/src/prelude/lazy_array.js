// The traps of lazy arrays: see lazy_array.rs.
((natives) => {
  'use strict';
  const whole = (name) => function trap(target, ...rest) {
    natives.fillArray(this, target);
    return Reflect[name](target, ...rest);
  };
  const traps = { __proto__: null, get: natives.readElement };
  for (const name of ['has', 'deleteProperty', 'ownKeys', 'getOwnPropertyDescriptor', 'defineProperty', 'isExtensible', 'preventExtensions', 'setPrototypeOf']) {
    traps[name] = whole(name);
  }
  // The receiver is the proxy itself: what it forwards to is the target.
  traps.set = function set(target, key, value, receiver) {
    natives.fillArray(this, target);
    return Reflect.set(target, key, value, receiver);
  };
  return traps;
})
