// Methods of a Buffer: searching, copying, filling, writing texts, swapping.
((natives) => {
  'use strict';
  const { offset, outOfBounds, outOfRange, unknownEncoding, whole, withCode, wrongType, wrongValue } = natives.checks;
  const { bytesOf, clamp, decode, encode, encodingOf, isBytes, knownEncoding, plain, wrap } = natives.buffers;

  const filled = (buffer, value, start, end, encoding) => {
    if (typeof value === 'string') {
      if (start === undefined || typeof start === 'string') [encoding, start, end] = [start, 0, buffer.length];
      else if (typeof end === 'string') [encoding, end] = [end, buffer.length];
      if (encoding !== undefined && encoding !== null && encoding !== '') {
        if (typeof encoding !== 'string') throw wrongType('The "encoding" argument', 'of type string', encoding);
        knownEncoding(encoding);
      }
    }
    if (start === undefined) [start, end] = [0, buffer.length];
    else {
      offset(start, 'offset');
      if (end === undefined) end = buffer.length;
      else offset(end, 'end', buffer.length);
      if (start >= end) return buffer;
    }
    if (value === '' || (typeof value !== 'string' && !ArrayBuffer.isView(value))) {
      Uint8Array.prototype.fill.call(buffer, value & 255, start, end);
      return buffer;
    }
    const pattern = typeof value === 'string' ? encode(value, knownEncoding(encoding || undefined)) : plain(value);
    if (!pattern.length) throw wrongValue('value', value);
    for (let i = start; i < end; i++) buffer[i] = pattern[(i - start) % pattern.length];
    return buffer;
  };

  // Where `needle` begins: the first place from `at` on, or the last one up to it; every `step` bytes.
  const find = (hay, needle, at, forward, step) => {
    // Not -0.
    let from = Math.trunc(at) + 0;
    if (from < 0) {
      if (from + hay.length >= 0) from += hay.length;
      else if (forward || !needle.length) from = 0;
      else return -1;
    } else if (from + needle.length > hay.length) {
      if (!needle.length) from = hay.length;
      else if (forward) return -1;
      else from = hay.length - 1;
    }
    if (!needle.length) return from;
    const last = hay.length - needle.length;
    const matches = (place) => {
      for (let j = 0; j < needle.length; j++) if (hay[place + j] !== needle[j]) return false;
      return true;
    };
    from -= from % step;
    if (forward) {
      for (let i = from; i <= last; i += step) if (matches(i)) return i;
    } else {
      for (let i = Math.min(from, last - (last % step)); i >= 0; i -= step) if (matches(i)) return i;
    }
    return -1;
  };
  const search = (hay, value, at, encoding, forward) => {
    if (typeof at === 'string') [encoding, at] = [at, undefined];
    else if (at > 0x7fffffff) at = 0x7fffffff;
    else if (at < -0x80000000) at = -0x80000000;
    at = +at;
    if (Number.isNaN(at)) at = forward ? 0 : hay.length;
    if (typeof value === 'number') return find(hay, [value & 255], at, forward, 1);
    const kind = encoding === undefined ? 'utf8' : encodingOf(encoding);
    const step = kind === 'utf16le' ? 2 : 1;
    if (typeof value === 'string') {
      if (!kind) throw unknownEncoding(encoding);
      return find(hay, encode(value, kind), at, forward, step);
    }
    if (isBytes(value)) return find(hay, value, at, forward, step);
    throw wrongType('The "value" argument', 'one of type number or string or an instance of Buffer or Uint8Array', value);
  };

  const put = (buffer, text, at, room, encoding) => {
    if (typeof text !== 'string') throw withCode(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
    let bytes = encode(text, encoding);
    if (bytes.length > room) {
      let end = encoding === 'utf16le' ? room - (room % 2) : room;
      // No half characters.
      if (encoding === 'utf8') while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
      bytes = bytes.subarray(0, end);
    }
    buffer.set(bytes, at);
    return bytes.length;
  };

  const methods = {
    toString(encoding, start, end) {
      if (arguments.length === 0) return decode(plain(this), 'utf8');
      const { length } = this;
      if (start >= length) return '';
      const from = start <= 0 ? 0 : start | 0;
      const to = end === undefined || end > length ? length : end | 0;
      if (from >= to) return '';
      return decode(plain(this).subarray(from, to), knownEncoding(encoding));
    },
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; },
    equals(other) { return this === bytesOf(other, 'otherBuffer') || Buffer.compare(this, other) === 0; },
    compare(other, otherStart = 0, otherEnd = bytesOf(other, 'target').length, start = 0, end = this.length) {
      bytesOf(other, 'target');
      offset(otherStart, 'targetStart');
      offset(otherEnd, 'targetEnd', other.length);
      offset(start, 'sourceStart');
      offset(end, 'sourceEnd', this.length);
      if (start >= end) return otherStart >= otherEnd ? 0 : -1;
      if (otherStart >= otherEnd) return 1;
      return Buffer.compare(plain(this).subarray(start, end), plain(other).subarray(otherStart, otherEnd));
    },
    slice(start, end) { return this.subarray(start, end); },
    subarray(start, end) {
      const from = clamp(start, 0, this.length);
      const to = clamp(end, this.length, this.length);
      return wrap(new Uint8Array(this.buffer, this.byteOffset + from, Math.max(0, to - from)));
    },
    copy(target, targetStart, start, end) {
      bytesOf(target, 'target');
      const to = whole(targetStart);
      if (to < 0) throw outOfRange('targetStart', '>= 0', to);
      const from = whole(start);
      if (from < 0 || from > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, from);
      const until = end === undefined ? this.length : whole(end);
      if (until < 0) throw outOfRange('sourceEnd', '>= 0', until);
      const length = Math.min(until - from, this.length - from, target.length - to);
      if (length <= 0) return 0;
      target.set(plain(this).subarray(from, from + length), to);
      return length;
    },
    fill(value, start, end, encoding) { return filled(this, value, start, end, encoding); },
    indexOf(value, at, encoding) { return search(this, value, at, encoding, true); },
    lastIndexOf(value, at, encoding) { return search(this, value, at, encoding, false); },
    includes(value, at, encoding) { return this.indexOf(value, at, encoding) !== -1; },
    write(text, at, length, encoding) {
      if (at === undefined) return put(this, text, 0, this.length, 'utf8');
      if (length === undefined && typeof at === 'string') [encoding, at, length] = [at, 0, this.length];
      else {
        offset(at, 'offset', this.length);
        const room = this.length - at;
        if (length === undefined) length = room;
        else if (typeof length === 'string') [encoding, length] = [length, room];
        else {
          offset(length, 'length', this.length);
          length = Math.min(length, room);
        }
      }
      return put(this, text, at, length, encoding ? knownEncoding(encoding) : 'utf8');
    },
    inspect() {
      const shown = plain(this).subarray(0, 50).toHex().replace(/(..)(?=.)/g, '$1 ');
      return `<Buffer ${shown}${this.length > 50 ? ` ... ${this.length - 50} more bytes` : ''}>`.replace('<Buffer >', '<Buffer >');
    },
  };
  // `hexSlice(start, end)`, `utf8Write(text, at, length)` and their kin, which check in their own way.
  const index = (value, fallback) => {
    const n = value === undefined ? fallback : Math.trunc(value) || 0;
    if (n < 0) throw withCode(RangeError, 'ERR_OUT_OF_RANGE', 'Index out of range');
    return n;
  };
  for (const encoding of ['ascii', 'base64', 'base64url', 'latin1', 'hex', 'ucs2', 'utf8']) {
    const kind = encodingOf(encoding);
    Object.assign(methods, {
      [`${encoding}Slice`](start, end) {
        const from = index(start, 0);
        const to = Math.max(from, index(end, this.length));
        if (to > this.length) throw withCode(RangeError, 'ERR_OUT_OF_RANGE', 'Index out of range');
        return decode(plain(this).subarray(from, to), kind);
      },
      [`${encoding}Write`](text, start, length) {
        if (typeof text !== 'string') return put(this, text);
        const at = index(start, 0);
        if (at > this.length) throw outOfBounds('offset');
        const room = this.length - at;
        return put(this, text, at, Math.min(index(length, room), room), kind);
      },
    });
  }
  const swap = (buffer, width) => {
    if (buffer.length % width) {
      throw withCode(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${width * 8}-bits`);
    }
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
  natives.buffers.filled = filled;
})
