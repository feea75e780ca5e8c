// Errors as V8 makes them: texts that show the expression which failed, stacks that begin with the text.
(natives) => {
  'use strict';
  const { completeError, jsonFault, place } = natives;
  const define = Object.defineProperty;
  const hidden = (object, key, value) =>
    define(object, key, { value, writable: true, configurable: true, enumerable: false });
  const headOf = (error) => {
    try {
      const { name, message } = error;
      const shown = name === undefined ? 'Error' : `${name}`;
      if (message === undefined || message === '') return shown;
      return shown === '' ? `${message}` : `${shown}: ${message}`;
    } catch {
      return 'Error';
    }
  };
  // QuickJS calls it whenever an error object is made.
  Error.prepareStackTrace = (error, sites) => {
    const own = Object.getOwnPropertyDescriptor(error, 'message');
    if (own !== undefined && typeof own.value === 'string' && own.value.charCodeAt(0) === 1) {
      const at = sites[0];
      const text = at === undefined
        ? completeError(own.value, '', 1, 1)
        : completeError(own.value, `${at.getFileName()}`, at.getLineNumber() || 1, at.getColumnNumber() || 1);
      if (text !== undefined) hidden(error, 'message', text);
    }
    let stack = headOf(error);
    for (let i = 0; i < sites.length; i += 1) {
      const site = sites[i];
      const name = site.getFunctionName();
      const file = site.isNative() ? undefined : `${site.getFileName()}`;
      const at = file === undefined ? undefined : place(file, site.getLineNumber() || 1, site.getColumnNumber() || 1);
      if (at !== undefined) stack += name ? `\n    at ${name} (${at})` : `\n    at ${at}`;
      else if (name && (file === undefined || file.startsWith('prelude/'))) stack += `\n    at ${name} (<anonymous>)`;
      else if (file !== undefined && !file.startsWith('prelude/')) {
        stack += `\n    at ${name || '<anonymous>'} (${file}:${site.getLineNumber()}:${site.getColumnNumber()})`;
      }
    }
    return stack;
  };
  // Flows may set it, as in V8; here it has no effect.
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  if (prepare.configurable) hidden(Error, 'prepareStackTrace', undefined);
  const { parse } = JSON;
  hidden(JSON, 'parse', {
    parse(text, reviver) {
      try {
        return parse(text, reviver);
      } catch (error) {
        const fault = error instanceof SyntaxError ? jsonFault(`${text}`) : undefined;
        throw fault === undefined ? error : new SyntaxError(fault);
      }
    },
  }.parse);
}
