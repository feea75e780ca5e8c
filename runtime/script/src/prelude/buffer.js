// Node.js's Buffer on Uint8Array: making, encodings, searching, copying. Numbers are in buffer_numbers.js.
((natives) => {
  'use strict';
  const MAX = 0x7fffffff;

  const encodingOf = (name) => {
    switch (String(name === undefined || name === null ? 'utf8' : name).toLowerCase()) {
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
  const knownEncoding = (name) => {
    const encoding = encodingOf(name);
    if (encoding) return encoding;
    const error = new TypeError(`Unknown encoding: ${name}`);
    error.code = 'ERR_UNKNOWN_ENCODING';
    throw error;
  };

  // What Node.js says that it got (determineSpecificType).
  const received = (value) => {
    if (value === null || value === undefined) return String(value);
    if (typeof value === 'function') return `function ${value.name}`;
    if (typeof value === 'object') {
      const maker = value.constructor && value.constructor.name;
      return maker ? `an instance of ${maker}` : '[Object: null prototype] {}';
    }
    if (typeof value !== 'string') return `type ${typeof value} (${String(value)}${typeof value === 'bigint' ? 'n' : ''})`;
    const text = value.length > 28 ? `${value.slice(0, 25)}...` : value;
    return `type string (${text.includes("'") ? JSON.stringify(text) : `'${text}'`})`;
  };
  const wrongType = (what, wanted, value) => {
    const error = new TypeError(`${what} must be ${wanted}. Received ${received(value)}`);
    error.code = 'ERR_INVALID_ARG_TYPE';
    return error;
  };
  const bytesOf = (value, name) => {
    // The tag is the same in every realm.
    const is = ArrayBuffer.isView(value) && value[Symbol.toStringTag] === 'Uint8Array';
    if (!is) throw wrongType(`The "${name}" argument`, 'an instance of Buffer or Uint8Array', value);
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
    if (typeof value !== 'number') throw wrongType('The "size" argument', 'of type number', value);
    if (!(value >= 0 && value <= MAX)) {
      const error = new RangeError(`The value of "size" is out of range. It must be >= 0 && <= 4294967296. Received ${value}`);
      error.code = 'ERR_OUT_OF_RANGE';
      throw error;
    }
    return value;
  };
  const clamp = (value, fallback, length) => {
    if (value === undefined) return fallback;
    const n = Math.trunc(Number(value)) || 0;
    return n < 0 ? Math.max(length + n, 0) : Math.min(n, length);
  };

  function Buffer(value, encoding, length) {
    return typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value, encoding, length);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Buffer.prototype = Object.create(Uint8Array.prototype, {
    constructor: { value: Buffer, writable: true, configurable: true },
  });

  const from = (value, encodingOrOffset, length) => {
    if (typeof value === 'string') return wrap(encode(value, knownEncoding(encodingOrOffset)));
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      return wrap(new Uint8Array(value, encodingOrOffset, length));
    }
    if (ArrayBuffer.isView(value)) return wrap(value instanceof DataView ? plain(value).slice() : Uint8Array.from(value));
    if (value !== null && typeof value === 'object') {
      if (Array.isArray(value)) return wrap(Uint8Array.from(value));
      if (value.type === 'Buffer' && Array.isArray(value.data)) return wrap(Uint8Array.from(value.data));
      const primitive = value.valueOf && value.valueOf();
      const stands = typeof primitive === 'string' || (typeof primitive === 'object' && primitive !== null);
      if (stands && primitive !== value) return from(primitive, encodingOrOffset, length);
      if (value.length !== undefined) return wrap(Uint8Array.from(typeof value.length === 'number' ? Array.from(value) : []));
      const text = typeof value[Symbol.toPrimitive] === 'function' ? value[Symbol.toPrimitive]('string') : undefined;
      if (typeof text === 'string') return wrap(encode(text, knownEncoding(encodingOrOffset)));
    }
    const wanted = 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object';
    throw wrongType('The first argument', wanted, value);
  };

  const statics = {
    from,
    of: (...items) => wrap(Uint8Array.from(items)),
    alloc(length, fill, encoding) {
      const made = wrap(new Uint8Array(size(length)));
      return fill === undefined || fill === 0 ? made : made.fill(fill, encoding);
    },
    allocUnsafe: (length) => wrap(new Uint8Array(size(length))),
    allocUnsafeSlow: (length) => wrap(new Uint8Array(size(length))),
    isBuffer: (value) => value instanceof Buffer,
    isEncoding: (name) => typeof name === 'string' && encodingOf(name) !== undefined,
    byteLength(value, encoding) {
      if (typeof value === 'string') return encode(value, encodingOf(encoding) || 'utf8').length;
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return value.byteLength;
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
      if (total !== undefined && typeof total !== 'number') throw wrongType('The "length" argument', 'of type number', total);
      const length = total === undefined ? list.reduce((sum, each) => sum + (each.length || 0), 0) : total;
      list.forEach((each, i) => bytesOf(each, `list[${i}]`));
      const made = wrap(new Uint8Array(size(length)));
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

  const needleOf = (value, encoding) => {
    if (typeof value === 'number') return new Uint8Array([value]);
    if (typeof value === 'string') return encode(value, knownEncoding(encoding));
    if (ArrayBuffer.isView(value)) return value;
    throw wrongType('The "value" argument', 'one of type number or string or an instance of Buffer or Uint8Array', value);
  };
  const matches = (hay, needle, at) => {
    for (let j = 0; j < needle.length; j++) if (hay[at + j] !== needle[j]) return false;
    return true;
  };

  const methods = {
    toString(encoding, start, end) {
      const from = start === undefined ? 0 : Math.max(0, Math.trunc(start) || 0);
      const to = end === undefined ? this.length : Math.min(this.length, Math.trunc(end) || 0);
      if (from >= to) return '';
      return decode(plain(this).subarray(from, to), knownEncoding(encoding));
    },
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; },
    equals(other) { return this === bytesOf(other, 'otherBuffer') || Buffer.compare(this, other) === 0; },
    compare(other, otherStart = 0, otherEnd = bytesOf(other, 'target').length, start = 0, end = this.length) {
      bytesOf(other, 'target');
      return Buffer.compare(this.subarray(start, end), other.subarray(otherStart, otherEnd));
    },
    slice(start, end) { return this.subarray(start, end); },
    subarray(start, end) {
      const from = clamp(start, 0, this.length);
      const to = clamp(end, this.length, this.length);
      return wrap(new Uint8Array(this.buffer, this.byteOffset + from, Math.max(0, to - from)));
    },
    copy(target, targetStart = 0, start = 0, end = this.length) {
      const length = Math.max(0, Math.min(end - start, this.length - start, bytesOf(target, 'target').length - targetStart));
      target.set(plain(this).subarray(start, start + length), targetStart);
      return length;
    },
    fill(value, start, end, encoding) {
      if (typeof start === 'string') [encoding, start, end] = [start, undefined, undefined];
      else if (typeof end === 'string') [encoding, end] = [end, undefined];
      const from = start === undefined ? 0 : start;
      const to = end === undefined ? this.length : end;
      if (typeof value !== 'string' && !ArrayBuffer.isView(value)) {
        Uint8Array.prototype.fill.call(this, value & 255, from, to);
        return this;
      }
      const pattern = needleOf(value, encoding);
      for (let i = from; i < to; i++) this[i] = pattern.length ? pattern[(i - from) % pattern.length] : 0;
      return this;
    },
    indexOf(value, offset, encoding) {
      if (typeof offset === 'string') [encoding, offset] = [offset, 0];
      const needle = needleOf(value, encoding);
      const first = clamp(offset, 0, this.length);
      if (!needle.length) return first;
      for (let i = first; i + needle.length <= this.length; i++) if (matches(this, needle, i)) return i;
      return -1;
    },
    lastIndexOf(value, offset, encoding) {
      if (typeof offset === 'string') [encoding, offset] = [offset, undefined];
      const needle = needleOf(value, encoding);
      const first = Math.min(clamp(offset, this.length, this.length), this.length - needle.length);
      for (let i = first; i >= 0; i--) if (matches(this, needle, i)) return i;
      return -1;
    },
    includes(value, offset, encoding) { return this.indexOf(value, offset, encoding) !== -1; },
    write(text, offset, length, encoding) {
      if (typeof text !== 'string') {
        const error = new TypeError('argument must be a string');
        error.code = 'ERR_INVALID_ARG_TYPE';
        throw error;
      }
      if (typeof offset === 'string') [encoding, offset, length] = [offset, 0, undefined];
      else if (typeof length === 'string') [encoding, length] = [length, undefined];
      const at = offset === undefined ? 0 : offset;
      if (at < 0 || at > this.length) {
        throw new RangeError(`The value of "offset" is out of range. It must be >= 0 && <= ${this.length}. Received ${at}`);
      }
      const room = Math.min(this.length - at, length === undefined ? Infinity : length);
      let bytes = encode(text, knownEncoding(encoding));
      if (bytes.length > room) {
        let end = room;
        // No half characters.
        if (knownEncoding(encoding) === 'utf8') while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
        bytes = bytes.subarray(0, end);
      }
      this.set(bytes, at);
      return bytes.length;
    },
    inspect() {
      const shown = plain(this).subarray(0, 50).toHex().replace(/(..)(?=.)/g, '$1 ');
      return `<Buffer ${shown}${this.length > 50 ? ` ... ${this.length - 50} more bytes` : ''}>`.replace('<Buffer >', '<Buffer >');
    },
  };
  const swap = (buffer, width) => {
    if (buffer.length % width) throw new RangeError(`Buffer size must be a multiple of ${width * 8}-bits`);
    for (let i = 0; i < buffer.length; i += width) plain(buffer).subarray(i, i + width).reverse();
    return buffer;
  };
  Object.assign(methods, {
    toLocaleString: methods.toString,
    swap16() { return swap(this, 2); },
    swap32() { return swap(this, 4); },
    swap64() { return swap(this, 8); },
  });
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true, enumerable: true });
  }
  Object.defineProperty(Buffer.prototype, util.inspect.custom, { value: methods.inspect, configurable: true });
  Object.defineProperty(Buffer.prototype, 'parent', { get() { return this.buffer; }, configurable: true });
  Object.defineProperty(Buffer.prototype, 'offset', { get() { return this.byteOffset; }, configurable: true });
  Object.defineProperty(globalThis, 'Buffer', { value: Buffer, writable: true, configurable: true });
})
