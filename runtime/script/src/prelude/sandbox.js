// What a function node's code sees by name, made once per node around the node's own native functions `n`.
(() => {
  'use strict';
  const callbackOf = (store, callback) => {
    if (callback === undefined && typeof store === 'function') return [undefined, store];
    if (callback !== undefined && callback !== null && typeof callback !== 'function') {
      throw new Error('Callback must be a function');
    }
    return [store, callback];
  };

  // `#:(store)::key` names the store within the key.
  const split = (key, store) => {
    const found = typeof key === 'string' && /^#:\((\S+?)\)::(.*)$/.exec(key);
    return found ? [found[2], store === undefined ? found[1] : store] : [key, store];
  };

  const contextOf = (n, scope) => {
    const one = (key, store) => {
      const [name, from] = split(key, store);
      return n.get(scope, name, from);
    };
    const answer = (callback, work) => {
      if (!callback) return work();
      let result;
      try { result = work(); } catch (error) { callback(error); return undefined; }
      if (Array.isArray(result) && result.many) callback(undefined, ...result); else callback(undefined, result);
      return undefined;
    };
    return {
      get(key, storeName, then) {
        const [store, callback] = callbackOf(storeName, then);
        return answer(callback, () => {
          if (!Array.isArray(key)) return one(key, store);
          const values = key.map((each) => one(each, store));
          if (callback) Object.defineProperty(values, 'many', { value: true });
          return values;
        });
      },
      set(key, value, storeName, then) {
        const [store, callback] = callbackOf(storeName, then);
        return answer(callback, () => {
          const keys = Array.isArray(key) ? key : [key];
          const values = Array.isArray(key) ? (Array.isArray(value) ? value : [value]) : [value];
          keys.forEach((each, at) => {
            const [name, to] = split(each, store);
            // As in Node-RED: keys without a value of their own become null.
            n.set(scope, name, at < values.length ? values[at] : null, to);
          });
          return undefined;
        });
      },
      keys(storeName, then) {
        const [store, callback] = callbackOf(storeName, then);
        return answer(callback, () => n.keys(scope, store));
      },
      incr(key, by = 1, store = undefined) {
        const [name, to] = split(key, store);
        return n.incr(scope, name, Number(by), to);
      },
      cas(key, expected, value, store) {
        const [name, to] = split(key, store);
        return n.cas(scope, name, expected, value, to);
      },
    };
  };

  const timersOf = (n) => {
    const start = (fn, ms, repeat, args) => {
      if (typeof fn !== 'function') fn = () => {};
      const delay = Number(ms);
      return n.startTimer(args.length ? () => fn(...args) : fn, delay >= 1 ? delay : 1, repeat);
    };
    const stop = (id) => { if (id !== undefined && id !== null) n.stopTimer(Number(id)); };
    const setTimeout = (fn, ms, ...args) => start(fn, ms, false, args);
    Object.defineProperty(setTimeout, util.promisify.custom, {
      value: (ms, value) => new Promise((resolve) => start(() => resolve(value), ms, false, [])),
    });
    return {
      setTimeout,
      clearTimeout: stop,
      setInterval: (fn, ms, ...args) => start(fn, ms, true, args),
      clearInterval: stop,
      setImmediate: (fn, ...args) => start(fn, 0, false, args),
      clearImmediate: stop,
    };
  };

  // JSONata expressions of a node, as RED.util hands them out. Results come in a later turn, as Node-RED's do.
  const expressionsOf = (n) => {
    const prepareJSONataExpression = (value) => {
      const source = String(value);
      n.jsonata(source);
      const bound = {};
      return {
        assign(name, to) { bound[name] = to; },
        async evaluate(input, bindings) { return n.jsonata(source, input, { ...bound, ...bindings }); },
        registerFunction() { throw new Error('registerFunction is not available: JSONata expressions cannot call functions of a function node'); },
      };
    };
    const evaluateJSONataExpression = (expression, msg, callback) => {
      if (!callback) throw new Error('Calls to RED.util.evaluateJSONataExpression must include a callback.');
      expression.evaluate(msg).then((result) => callback(null, result), (error) => callback(error));
    };
    return { prepareJSONataExpression, evaluateJSONataExpression };
  };

  // `node.linkcall(target, msg, { timeout, clone })`, of Node-RED 5. Messages are always copied on their way: with
  // `clone: false` the message that was given becomes the answer.
  const linkcallOf = (n) => async function linkcall(target, msg, options) {
    const { timeout, clone } = options || {};
    const answer = await new Promise((resolve, reject) => {
      n.linkCall.call(this, target, msg, Number(timeout || 5000), resolve, reject);
    });
    if (clone !== false) return answer;
    for (const key of Object.keys(msg)) if (!(key in answer)) delete msg[key];
    return Object.assign(msg, answer);
  };

  return (n, info) => {
    const flow = contextOf(n, 'flow');
    const global = contextOf(n, 'global');
    const own = contextOf(n, 'node');
    Object.defineProperties(own, { flow: { get: () => flow }, global: { get: () => global } });
    const env = { get: (name) => n.env(name) };
    const log = { log: n.log, warn: n.warn, debug: n.debug, trace: n.trace, error: n.error, status: n.status };
    const about = { id: info.id, name: info.name, path: info.path, outputCount: info.outputCount };
    const node = { ...about, ...log, on: n.on, send: n.send, done: n.done, linkcall: linkcallOf(n) };
    const red = { util: Object.create(REDUtil) };
    red.util.getSetting = (_node, name) => n.env(name);
    const expressions = expressionsOf(n);
    Object.assign(red.util, expressions);
    red.util.evaluateNodeProperty = (value, type, _node, msg, callback) => (type === 'jsonata'
      ? expressions.evaluateJSONataExpression(expressions.prepareJSONataExpression(value), msg, callback)
      : REDUtil.evaluateWith({ flow, global, env: n.env }, value, type, msg, callback));
    const scope = Object.create(globalThis, { msg: { value: undefined, writable: true, configurable: true } });
    const makeRequire = n.require ? (name) => n.require(name) : undefined;
    Object.assign(scope, { context: own, flow, global, env, RED: red });
    const names = {
      globalThis: scope, context: own, flow, global, env, RED: red, require: makeRequire, ...timersOf(n),
    };
    return {
      names,
      node,
      setup: { ...about, ...log, send: n.sendSetup },
      cleanup: { ...about, ...log, send: () => n.error('Cannot send from close function') },
      scope,
    };
  };
})()
