// Freezes what all functions of the realm share. What code commonly sets on its own objects although a prototype has a
// property of that name (`error.name = ...`, `object.toString = ...`) goes on working: a frozen data property would refuse it
// (the "override mistake" of the language), so those become accessors whose setter defines the property on the object itself.
// The constructors of arrays, dates and promises stay as they are: texts of errors read them without running code.
(function () {
    const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf } = Object;
    const keysOf = Reflect.ownKeys;
    const overridden = new Map([
        [Object.prototype, keysOf(Object.prototype).filter((key) => key !== "__proto__")],
        [Array.prototype, ["toString", "push", "concat", "map"]],
        [Function.prototype, ["constructor", "toString", "call", "apply", "bind"]],
        [Date.prototype, ["toString", "toJSON", "valueOf"]],
        [Promise.prototype, ["then"]],
    ]);
    for (const error of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError]) {
        overridden.set(error.prototype, ["constructor", "message", "name", "toString"]);
    }

    const overridable = (holder, key) => {
        const property = getOwnPropertyDescriptor(holder, key);
        if (!property || !("value" in property) || !property.configurable) {
            return;
        }
        const { value, enumerable } = property;
        defineProperty(holder, key, {
            get: () => value,
            set(other) {
                if (this === holder) {
                    throw new TypeError(`Cannot assign to read only property '${String(key)}' of object`);
                }
                defineProperty(this, key, { value: other, writable: true, enumerable: true, configurable: true });
            },
            enumerable,
            configurable: false,
        });
    };

    const seen = new Set([globalThis]);
    const waiting = [];
    const see = (value) => {
        if (value !== null && (typeof value === "object" || typeof value === "function") && !seen.has(value)) {
            seen.add(value);
            waiting.push(value);
        }
    };
    const look = (value) => {
        see(getPrototypeOf(value));
        for (const key of keysOf(value)) {
            const property = getOwnPropertyDescriptor(value, key);
            see(property.value);
            see(property.get);
            see(property.set);
        }
    };
    // What has no name of its own is reached through what it makes.
    const kinds = [
        async () => {},
        function* () {},
        async function* () {},
        [][Symbol.iterator](),
        new Map()[Symbol.iterator](),
        new Set()[Symbol.iterator](),
        ""[Symbol.iterator](),
        "".matchAll(/a/g),
        new Uint8Array(0),
        (function* () {})(),
        (async function* () {})(),
    ];
    kinds.forEach(look);
    look(globalThis);
    for (let value = waiting.pop(); value; value = waiting.pop()) {
        look(value);
    }
    seen.delete(globalThis);
    for (const [holder, keys] of overridden) {
        keys.forEach((key) => overridable(holder, key));
    }
    for (const value of seen) {
        // An array of bytes cannot be frozen while it has elements; nothing that is shared is one.
        if (!(ArrayBuffer.isView(value) && value.byteLength > 0)) {
            freeze(value);
        }
    }
})
