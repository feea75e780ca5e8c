// console: to the replica's log.
((natives) => {
  'use strict';
  const say = (level) => (...args) => natives.console(level, util.format(...args));
  const counts = new Map();
  const starts = new Map();
  const console = {
    log: say('info'), info: say('info'), debug: say('debug'), trace: say('debug'), warn: say('warn'), error: say('error'),
    dir: (value, options) => natives.console('info', util.inspect(value, options)),
    table: (value) => natives.console('info', util.inspect(value, { depth: 3 })),
    assert: (value, ...args) => { if (!value) natives.console('error', `Assertion failed${args.length ? `: ${util.format(...args)}` : ''}`); },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) || 0) + 1);
      natives.console('info', `${label}: ${counts.get(label)}`);
    },
    time: (label = 'default') => { starts.set(label, Date.now()); },
    timeEnd: (label = 'default') => {
      if (starts.has(label)) natives.console('info', `${label}: ${Date.now() - starts.get(label)}ms`);
      starts.delete(label);
    },
    group() {}, groupEnd() {}, groupCollapsed() {},
  };
  Object.defineProperty(globalThis, 'console', { value: console, writable: true, configurable: true });
})
