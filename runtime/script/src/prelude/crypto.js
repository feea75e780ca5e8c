// The Web's `crypto` and the common part of Node.js's module of that name.
((natives) => {
  'use strict';
  const bytesOf = (value, encoding) => (typeof value === 'string' ? Buffer.from(value, encoding) : Buffer.from(value.buffer || value, value.byteOffset, value.byteLength));
  const random = (count) => Buffer.from(natives.randomBytes(count).buffer);
  const uuid = () => {
    const b = random(16);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    return b.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
  const crypto = {
    randomUUID: uuid,
    getRandomValues(array) {
      const target = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      if (target.length > 65536) throw new DOMException('The requested length exceeds 65,536 bytes', 'QuotaExceededError');
      target.set(natives.randomBytes(target.length));
      return array;
    },
  };

  class Digest {
    #parts = []; #end; #done = false;
    constructor(end) { this.#end = end; }
    update(data, encoding) {
      if (this.#done) throw new Error('Digest already called');
      this.#parts.push(bytesOf(data, encoding));
      return this;
    }
    digest(encoding) {
      if (this.#done) throw new Error('Digest already called');
      this.#done = true;
      const result = Buffer.from(this.#end(Buffer.concat(this.#parts).toString('base64')).buffer);
      return encoding && encoding !== 'buffer' ? result.toString(encoding) : result;
    }
  }
  const nodeCrypto = {
    ...crypto,
    webcrypto: crypto,
    createHash(name) {
      natives.hash(name, '');
      return new Digest((data) => natives.hash(name, data));
    },
    createHmac(name, key) {
      const secret = bytesOf(key).toString('base64');
      natives.hmac(name, secret, '');
      return new Digest((data) => natives.hmac(name, secret, data));
    },
    getHashes: () => ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'],
    randomBytes(count, callback) {
      if (!callback) return random(count);
      queueMicrotask(() => callback(null, random(count)));
      return undefined;
    },
    randomInt(least, most) {
      if (most === undefined) [least, most] = [0, least];
      return least + Number(random(6).readUIntBE(0, 6) % (most - least));
    },
    timingSafeEqual: (a, b) => {
      if (a.length !== b.length) throw new RangeError('Input buffers must have the same byte length');
      let difference = 0;
      for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
      return difference === 0;
    },
  };
  Object.defineProperty(globalThis, 'crypto', { value: crypto, writable: true, configurable: true });
  Object.defineProperty(globalThis, 'nodeCrypto', { value: nodeCrypto, configurable: true });
})
