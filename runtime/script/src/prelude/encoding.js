// TextEncoder, TextDecoder.
((natives) => {
  'use strict';
  const { isArrayBuffer } = natives.checks;
  const bytesOf = (v) => {
    if (v === undefined) return new Uint8Array(0);
    if (isArrayBuffer(v)) return new Uint8Array(v);
    if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
    throw new TypeError('The "input" argument must be an instance of ArrayBuffer or ArrayBufferView');
  };

  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return natives.utf8(String(text)); }
    encodeInto(text, target) {
      let read = 0; let written = 0;
      for (const c of String(text)) {
        const bytes = natives.utf8(c);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += c.length;
      }
      return { read, written };
    }
  }

  const LABELS = {
    'utf-8': 'utf-8', utf8: 'utf-8', 'unicode-1-1-utf-8': 'utf-8',
    'utf-16le': 'utf-16le', 'utf-16': 'utf-16le', 'ucs-2': 'utf-16le', ucs2: 'utf-16le',
    latin1: 'windows-1252', 'iso-8859-1': 'windows-1252', ascii: 'windows-1252', 'us-ascii': 'windows-1252', 'windows-1252': 'windows-1252',
  };
  const HIGH = '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f'
    + '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

  class TextDecoder {
    #encoding; #fatal; #ignoreBOM; #rest = new Uint8Array(0);
    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
      this.#encoding = LABELS[String(label).trim().toLowerCase()];
      if (!this.#encoding) throw new RangeError(`The "${label}" encoding is not supported`);
      this.#fatal = fatal;
      this.#ignoreBOM = ignoreBOM;
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    decode(input, { stream = false } = {}) {
      let bytes = bytesOf(input);
      if (this.#rest.length) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
        this.#rest = new Uint8Array(0);
      }
      if (stream) {
        const keep = this.#unfinished(bytes);
        this.#rest = bytes.slice(bytes.length - keep);
        bytes = bytes.subarray(0, bytes.length - keep);
      }
      const text = this.#text(bytes);
      return !this.#ignoreBOM && text.startsWith('\ufeff') ? text.slice(1) : text;
    }
    #text(bytes) {
      if (this.#encoding === 'windows-1252') {
        let out = '';
        for (const b of bytes) out += b >= 0x80 && b < 0xa0 ? HIGH[b - 0x80] : String.fromCharCode(b);
        return out;
      }
      if (this.#encoding === 'utf-16le') {
        let out = '';
        for (let i = 0; i + 1 < bytes.length; i += 2) out += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
        return out;
      }
      const encoded = bytes.toBase64();
      if (this.#fatal && !natives.isUtf8(encoded)) throw new TypeError('The encoded data was not valid for encoding utf-8');
      return natives.fromUtf8(encoded);
    }
    // How many bytes at the end belong to a character that is not complete.
    #unfinished(bytes) {
      if (this.#encoding === 'utf-16le') return bytes.length % 2;
      if (this.#encoding !== 'utf-8') return 0;
      for (let back = 1; back <= Math.min(3, bytes.length); back++) {
        const b = bytes[bytes.length - back];
        if ((b & 0xc0) === 0x80) continue;
        const wants = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
        return wants > back ? back : 0;
      }
      return 0;
    }
  }

  for (const [name, value] of Object.entries({ TextEncoder, TextDecoder })) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
})
