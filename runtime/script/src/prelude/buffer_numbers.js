// Numbers in a Buffer: readInt16BE, writeDoubleLE and their kin.
((natives) => {
  'use strict';
  const { number, outOfBounds, outOfRange, wrongType } = natives.checks;
  const view = (b) => new DataView(b.buffer, b.byteOffset, b.byteLength);
  const define = (name, value) => Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true });

  const check = (value, name, least, most) => {
    if (Math.floor(value) !== value) {
      number(value, name);
      throw outOfRange(name, 'an integer', value);
    }
    if (value < least || value > most) throw outOfRange(name, `>= ${least} and <= ${most}`, value);
  };
  const place = (buffer, at, width) => {
    number(at, 'offset');
    const most = buffer.length - width;
    if (most < 0) {
      if (Math.floor(at) !== at) throw outOfRange('offset', 'an integer', at);
      throw outOfBounds();
    }
    check(at, 'offset', 0, most);
    return at;
  };
  const fits = (value, least, most, width) => {
    if (!(value < least || value > most)) return;
    const n = typeof least === 'bigint' ? 'n' : '';
    if (width <= 4) throw outOfRange('value', `>= ${least} and <= ${most}`, value);
    const bits = least < 0 ? width * 8 - 1 : width * 8;
    throw outOfRange('value', `>= ${least < 0 ? `-(2${n} ** ${bits}${n})` : `0${n}`} and < 2${n} ** ${bits}${n}`, value);
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
      alias(`read${suffix}${order}`, function read(offset = 0) {
        return view(this)[`get${kind}`](place(this, offset, width), little);
      });
      alias(`write${suffix}${order}`, function write(value, offset = 0) {
        const given = typeof least === 'bigint' ? value : +value;
        if (width === 1) number(offset, 'offset');
        if (least !== undefined) fits(given, least, most, width);
        const at = place(this, offset, width);
        if (typeof least === 'bigint' && typeof given !== 'bigint') {
          throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
        }
        view(this)[`set${kind}`](at, given, little);
        return at + width;
      });
    }
  }

  // Widths from 1 to 6 bytes.
  const read = (signed, little) => function readMany(offset, width) {
    if (offset === undefined) throw wrongType('The "offset" argument', 'of type number', offset);
    check(width, 'byteLength', 1, 6);
    const at = place(this, offset, width);
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this[little ? at + width - 1 - i : at + i];
    return signed && value >= 2 ** (8 * width - 1) ? value - 2 ** (8 * width) : value;
  };
  const write = (signed, little) => function writeMany(value, offset, width) {
    check(width, 'byteLength', 1, 6);
    const least = signed ? -(2 ** (8 * width - 1)) : 0;
    const most = (signed ? 2 ** (8 * width - 1) : 2 ** (8 * width)) - 1;
    const given = +value;
    if (width === 1) number(offset, 'offset');
    fits(given, least, most, width);
    const at = place(this, offset, width);
    const bytes = Math.trunc(given) || 0;
    let rest = bytes < 0 ? bytes + 2 ** (8 * width) : bytes;
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
  for (const name of ORDER) {
    const found = Object.getOwnPropertyDescriptor(proto, name)
      || (name in proto ? { value: name === 'toLocaleString' ? proto.toString : proto[name], writable: true, configurable: true } : undefined);
    if (!found) continue;
    delete proto[name];
    Object.defineProperty(proto, name, { ...found, enumerable: true });
  }
})
