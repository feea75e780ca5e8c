// Numbers in a Buffer: readInt16BE, writeDoubleLE and their kin.
(() => {
  'use strict';
  const view = (b) => new DataView(b.buffer, b.byteOffset, b.byteLength);
  const define = (name, value) => Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true });

  const outOfRange = (name, range, value) => {
    const error = new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${value}`);
    error.code = 'ERR_OUT_OF_RANGE';
    throw error;
  };
  const place = (buffer, offset, width) => {
    const at = offset === undefined ? 0 : offset;
    if (typeof at !== 'number') throw new TypeError('The "offset" argument must be of type number');
    if (!Number.isInteger(at)) outOfRange('offset', 'an integer', at);
    if (at < 0 || at + width > buffer.length) {
      if (buffer.length < width) {
        const error = new RangeError('Attempt to access memory outside buffer bounds');
        error.code = 'ERR_BUFFER_OUT_OF_BOUNDS';
        throw error;
      }
      outOfRange('offset', `>= 0 and <= ${buffer.length - width}`, at);
    }
    return at;
  };

  const alias = (name, value) => {
    // In Node.js those of floating-point numbers are called after the order of this machine's bytes.
    const own = /(Float|Double)[LB]E$/.test(name) ? name.replace('LE', 'Forwards').replace('BE', 'Backwards') : name;
    Object.defineProperty(value, 'name', { value: own, configurable: true });
    define(name, value);
    if (name.includes('UInt')) define(name.replace('UInt', 'Uint'), value);
  };

  // Suffix, DataView's name, width, least and greatest value.
  const FIXED = [
    ['Int8', 'Int8', 1, -0x80, 0x7f], ['UInt8', 'Uint8', 1, 0, 0xff],
    ['Int16', 'Int16', 2, -0x8000, 0x7fff], ['UInt16', 'Uint16', 2, 0, 0xffff],
    ['Int32', 'Int32', 4, -0x80000000, 0x7fffffff], ['UInt32', 'Uint32', 4, 0, 0xffffffff],
    ['BigInt64', 'BigInt64', 8, -(2n ** 63n), 2n ** 63n - 1n], ['BigUInt64', 'BigUint64', 8, 0n, 2n ** 64n - 1n],
    ['Float', 'Float32', 4], ['Double', 'Float64', 8],
  ];
  for (const [suffix, kind, width, least, most] of FIXED) {
    for (const order of width === 1 ? [''] : ['LE', 'BE']) {
      const little = order === 'LE';
      alias(`read${suffix}${order}`, function read(offset) {
        return view(this)[`get${kind}`](place(this, offset, width), little);
      });
      alias(`write${suffix}${order}`, function write(value, offset) {
        const number = typeof least === 'bigint' ? value : Number(value);
        if (least !== undefined && (number < least || number > most)) outOfRange('value', `>= ${least} and <= ${most}`, value);
        const at = place(this, offset, width);
        view(this)[`set${kind}`](at, number, little);
        return at + width;
      });
    }
  }

  // Widths from 1 to 6 bytes.
  const read = (signed, little) => function readMany(offset, width) {
    if (!(width >= 1 && width <= 6)) outOfRange('byteLength', '>= 1 and <= 6', width);
    const at = place(this, offset, width);
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this[little ? at + width - 1 - i : at + i];
    return signed && value >= 2 ** (8 * width - 1) ? value - 2 ** (8 * width) : value;
  };
  const write = (signed, little) => function writeMany(value, offset, width) {
    if (!(width >= 1 && width <= 6)) outOfRange('byteLength', '>= 1 and <= 6', width);
    const least = signed ? -(2 ** (8 * width - 1)) : 0;
    const most = (signed ? 2 ** (8 * width - 1) : 2 ** (8 * width)) - 1;
    if (value < least || value > most) outOfRange('value', `>= ${least} and <= ${most}`, value);
    const at = place(this, offset, width);
    let rest = value < 0 ? value + 2 ** (8 * width) : value;
    for (let i = 0; i < width; i++) {
      this[little ? at + i : at + width - 1 - i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return at + width;
  };
  for (const [sign, signed] of [['Int', true], ['UInt', false]]) {
    for (const [order, little] of [['LE', true], ['BE', false]]) {
      alias(`read${sign}${order}`, read(signed, little));
      alias(`write${sign}${order}`, write(signed, little));
    }
  }

  // `for (key in buffer)` lists the methods, as in Node.js, in its order.
  const ORDER = ('readBigUInt64LE readBigUInt64BE readBigUint64LE readBigUint64BE readBigInt64LE readBigInt64BE writeBigUInt64LE '
    + 'writeBigUInt64BE writeBigUint64LE writeBigUint64BE writeBigInt64LE writeBigInt64BE readUIntLE readUInt32LE readUInt16LE '
    + 'readUInt8 readUIntBE readUInt32BE readUInt16BE readUintLE readUint32LE readUint16LE readUint8 readUintBE readUint32BE '
    + 'readUint16BE readIntLE readInt32LE readInt16LE readInt8 readIntBE readInt32BE readInt16BE writeUIntLE writeUInt32LE '
    + 'writeUInt16LE writeUInt8 writeUIntBE writeUInt32BE writeUInt16BE writeUintLE writeUint32LE writeUint16LE writeUint8 '
    + 'writeUintBE writeUint32BE writeUint16BE writeIntLE writeInt32LE writeInt16LE writeInt8 writeIntBE writeInt32BE '
    + 'writeInt16BE readFloatLE readFloatBE readDoubleLE readDoubleBE writeFloatLE writeFloatBE writeDoubleLE writeDoubleBE '
    + 'asciiSlice base64Slice base64urlSlice latin1Slice hexSlice ucs2Slice utf8Slice asciiWrite base64Write base64urlWrite '
    + 'latin1Write hexWrite ucs2Write utf8Write parent offset copy toString equals inspect compare indexOf lastIndexOf includes '
    + 'fill write toJSON subarray slice swap16 swap32 swap64 toLocaleString').split(' ');
  const proto = Buffer.prototype;
  for (const [encoding, name] of ['ascii', 'base64', 'base64url', 'latin1', 'hex', 'ucs2', 'utf8'].map((e) => [e, e])) {
    define(`${name}Slice`, { [`${name}Slice`](start, end) { return this.toString(encoding, start, end); } }[`${name}Slice`]);
    define(`${name}Write`, { [`${name}Write`](text, offset, length) { return this.write(text, offset, length, encoding); } }[`${name}Write`]);
  }
  for (const name of ORDER) {
    const found = Object.getOwnPropertyDescriptor(proto, name)
      || (name in proto ? { value: name === 'toLocaleString' ? proto.toString : proto[name], writable: true, configurable: true } : undefined);
    if (!found) continue;
    delete proto[name];
    Object.defineProperty(proto, name, { ...found, enumerable: true });
  }
})
