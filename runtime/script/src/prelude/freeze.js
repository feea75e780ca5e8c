// Freezes what all functions of the realm share. `Object.freeze(x, Object.freeze)` is of the patched QuickJS: it marks what is
// frozen as shared. What code sets on its own objects although a prototype has a property of that name (`error.name = ...`,
// `list.filter = ...`) goes on working as in Node.js, where built-ins are not frozen; and code that changes what is shared gets a
// TypeError instead of losing the change without a word.
(function () {
    const { freeze, getOwnPropertyDescriptor, getPrototypeOf } = Object;
    const keysOf = Reflect.ownKeys;

    const seen = new Set([globalThis]);
    const waiting = [];
    const see = (value) => {
        if (value !== null && (typeof value === "object" || typeof value === "function") && !seen.has(value)) {
            seen.add(value);
            waiting.push(value);
        }
    };
    const isText = (value) => typeof value === "string" || typeof value === "number";
    const look = (value) => {
        see(getPrototypeOf(value));
        const isFunction = typeof value === "function";
        for (const key of keysOf(value)) {
            // Of what a function has, most are its name and length, which are no objects.
            if (isFunction && (key === "name" || key === "length") && isText(value[key])) {
                continue;
            }
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
    for (const value of seen) {
        // An array of bytes cannot be frozen while it has elements; nothing that is shared is one.
        if (!(ArrayBuffer.isView(value) && value.byteLength > 0)) {
            freeze(value, freeze);
        }
    }
})
