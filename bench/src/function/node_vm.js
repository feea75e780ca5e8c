// A function body in a vm context, compiled once, called once a message with the message as a global of the context:
// the way that Node-RED's function node runs. Prints microseconds a message.
const vm = require('vm');
const [code, message, count] = process.argv.slice(1);
const messages = Number(count);
const context = vm.createContext({ Buffer, console, setTimeout, clearTimeout, __results__: null });
const script = new vm.Script(`__results__ = (async function (msg) {\n${code}\n})(msg);`);

async function round(rounds) {
  const original = JSON.parse(message);
  const begun = process.hrtime.bigint();
  for (let i = 0; i < rounds; i++) {
    context.msg = original;
    script.runInContext(context);
    await context.__results__;
  }
  return Number(process.hrtime.bigint() - begun) / 1000 / rounds;
}

(async () => {
  await round(messages / 10);
  process.stdout.write(String(await round(messages)));
})();
