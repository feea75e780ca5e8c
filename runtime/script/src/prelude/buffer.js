// Node.js's Buffer on Uint8Array: making and encodings. Its methods are in buffer_methods.js and buffer_numbers.js.
((natives) => {
  'use strict';
  const MAX = 0x7fffffff;

  const encodingOf = (name) => {
    switch (typeof name === 'symbol' ? '' : `${name}`.toLowerCase()) {
      case 'utf8': case 'utf-8': return 'utf8';
      case 'hex': return 'hex';
      case 'base64': return 'base64';
      case 'base64url': return 'base64url';
      case 'latin1': case 'binary': return 'latin1';
      case 'ascii': return 'ascii';
      case 'utf16le': case 'utf-16le': case 'ucs2': case 'ucs-2': return 'utf16le';
      default: return undefined;
    }
  };
  const { isArrayBuffer, number, offset, outOfBounds, unknownEncoding, within, wrongType } = natives.checks;
  // Any value; `undefined` and what else has no name are for the caller to judge.
  const knownEncoding = (name) => {
    const encoding = name === undefined || name === 'utf8' ? 'utf8' : encodingOf(name);
    if (encoding) return encoding;
    throw unknownEncoding(name);
  };
  const isBytes = (value) => ArrayBuffer.isView(value) && value[Symbol.toStringTag] === 'Uint8Array';
  const bytesOf = (value, name) => {
    if (!isBytes(value)) throw wrongType(`The "${name}" argument`, 'an instance of Buffer or Uint8Array', value);
    return value;
  };

  const encode = (text, encoding) => {
    switch (encoding) {
      case 'hex': {
        const digits = /^(?:[0-9a-fA-F]{2})*/.exec(text)[0];
        return Uint8Array.fromHex(digits);
      }
      case 'base64': case 'base64url': {
        const end = text.indexOf('=');
        const clean = (end < 0 ? text : text.slice(0, end)).replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
        const whole = clean.length % 4 === 1 ? clean.slice(0, -1) : clean;
        return Uint8Array.fromBase64(whole + '='.repeat((4 - (whole.length % 4)) % 4));
      }
      case 'latin1': case 'ascii': {
        const bytes = new Uint8Array(text.length);
        for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
        return bytes;
      }
      case 'utf16le': {
        const bytes = new Uint8Array(text.length * 2);
        for (let i = 0; i < text.length; i++) {
          const unit = text.charCodeAt(i);
          bytes[2 * i] = unit;
          bytes[2 * i + 1] = unit >> 8;
        }
        return bytes;
      }
      default: return natives.utf8(text);
    }
  };

  const decode = (bytes, encoding) => {
    switch (encoding) {
      case 'hex': return bytes.toHex();
      case 'base64': return bytes.toBase64();
      case 'base64url': return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
      case 'latin1': case 'ascii': {
        const mask = encoding === 'ascii' ? 0x7f : 0xff;
        const units = mask === 0xff ? bytes : bytes.map((b) => b & mask);
        let out = '';
        for (let i = 0; i < units.length; i += 4096) out += String.fromCharCode.apply(null, units.subarray(i, i + 4096));
        return out;
      }
      case 'utf16le': {
        let out = '';
        for (let i = 0; i + 1 < bytes.length; i += 2) out += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
        return out;
      }
      default: return natives.fromUtf8(bytes.toBase64());
    }
  };
  const plain = (v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength);

  const wrap = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);
  const size = (value) => {
    number(value, 'size');
    within(value, 'size');
    // What Node.js has and this engine has not.
    if (value > MAX) throw new RangeError(`Array buffer allocation failed: ${value} bytes`);
    return value;
  };
  const clamp = (value, fallback, length) => {
    if (value === undefined) return fallback;
    const n = Math.trunc(value) || 0;
    return n < 0 ? Math.max(length + n, 0) : Math.min(n, length);
  };

  function Buffer(value, encoding, length) {
    if (typeof value !== 'number') return Buffer.from(value, encoding, length);
    if (typeof encoding === 'string') throw wrongType('The "string" argument', 'of type string', value);
    return Buffer.alloc(value);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Buffer.prototype = Object.create(Uint8Array.prototype, {
    constructor: { value: Buffer, writable: true, configurable: true },
  });

  const fromString = (text, encoding) =>
    wrap(encode(text, typeof encoding === 'string' && encoding !== '' ? knownEncoding(encoding) : 'utf8'));
  const fromArrayBuffer = (buffer, at, count) => {
    const start = +at || 0;
    const most = buffer.byteLength - start;
    if (most < 0) throw outOfBounds('offset');
    if (start <= -1) throw new RangeError(`Start offset ${start} is outside the bounds of the buffer`);
    const length = count === undefined ? most : +count;
    if (length > most) throw outOfBounds('length');
    return wrap(new Uint8Array(buffer, start, length > 0 ? length : 0));
  };
  const fromArrayLike = (list) => {
    if (!(list.length > 0)) return wrap(new Uint8Array(0));
    if (list.length > MAX) throw new RangeError(`Invalid typed array length: ${Math.min(list.length, Number.MAX_SAFE_INTEGER)}`);
    return wrap(new Uint8Array(list));
  };
  const from = (value, encodingOrOffset, length) => {
    if (typeof value === 'string') return fromString(value, encodingOrOffset);
    if (value !== null && typeof value === 'object') {
      if (isArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
      const primitive = value.valueOf && value.valueOf();
      const stands = typeof primitive === 'string' || (typeof primitive === 'object' && primitive !== null);
      if (stands && primitive !== value) return from(primitive, encodingOrOffset, length);
      if (value.length !== undefined || isArrayBuffer(value.buffer)) {
        return typeof value.length === 'number' ? fromArrayLike(value) : wrap(new Uint8Array(0));
      }
      if (value.type === 'Buffer' && Array.isArray(value.data)) return fromArrayLike(value.data);
      const text = typeof value[Symbol.toPrimitive] === 'function' ? value[Symbol.toPrimitive]('string') : undefined;
      if (typeof text === 'string') return fromString(text, encodingOrOffset);
    }
    const wanted = 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object';
    throw wrongType('The first argument', wanted, value);
  };

  // Without decoding, as Node.js estimates it.
  const lengthAs = (text, encoding) => {
    switch (encoding) {
      case 'hex': return text.length >>> 1;
      case 'latin1': case 'ascii': return text.length;
      case 'utf16le': return text.length * 2;
      case 'base64': case 'base64url': {
        const padding = !text.endsWith('=') ? 0 : text.length > 2 && text.endsWith('==') ? 2 : 1;
        return ((text.length - padding) * 3) >>> 2;
      }
      default: return natives.utf8(text).length;
    }
  };

  const statics = {
    from,
    of: (...items) => wrap(Uint8Array.from(items)),
    alloc(length, fill, encoding) {
      const made = wrap(new Uint8Array(size(length)));
      return fill === undefined || fill === 0 || !made.length ? made : natives.buffers.filled(made, fill, 0, made.length, encoding);
    },
    allocUnsafe: (length) => wrap(new Uint8Array(size(length))),
    allocUnsafeSlow: (length) => wrap(new Uint8Array(size(length))),
    isBuffer: (value) => value instanceof Buffer,
    isEncoding: (name) => typeof name === 'string' && encodingOf(name) !== undefined,
    byteLength(value, encoding) {
      if (typeof value === 'string') return lengthAs(value, encoding ? encodingOf(encoding) : 'utf8');
      if (ArrayBuffer.isView(value) || isArrayBuffer(value)) return value.byteLength;
      throw wrongType('The "string" argument', 'of type string or an instance of Buffer or ArrayBuffer', value);
    },
    compare(a, b) {
      bytesOf(a, 'buf1');
      bytesOf(b, 'buf2');
      const length = Math.min(a.length, b.length);
      for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return Math.sign(a.length - b.length);
    },
    concat(list, total) {
      if (!Array.isArray(list)) throw wrongType('The "list" argument', 'an instance of Array', list);
      if (!list.length) return wrap(new Uint8Array(0));
      if (total !== undefined) offset(total, 'length');
      const length = total === undefined ? list.reduce((sum, each) => sum + (each.length || 0), 0) : total;
      const made = wrap(new Uint8Array(size(length)));
      list.forEach((each, i) => bytesOf(each, `list[${i}]`));
      let at = 0;
      for (const each of list) {
        if (at >= length) break;
        const part = at + each.length > length ? each.subarray(0, length - at) : each;
        made.set(part, at);
        at += part.length;
      }
      return made;
    },
  };
  for (const [name, value] of Object.entries(statics)) {
    Object.defineProperty(Buffer, name, { value, writable: true, configurable: true });
  }
  Buffer.poolSize = 8192;

  natives.buffers = { bytesOf, clamp, decode, encode, encodingOf, isBytes, knownEncoding, plain, wrap };
  Object.defineProperty(globalThis, 'Buffer', { value: Buffer, writable: true, configurable: true });
})
