/**
 * Trains TensorFlow Playground's default network by its own code, for benchmarks/playground.py.
 *
 * `node playground.mjs CHECKOUT`, with JSON on standard input: { training, heldOut, epochs, seconds }, the points as
 * [x₁, x₂, y]. Prints { training: { rows, seconds }, whole: { rows, seconds }, loss }: how many rows went through in how
 * long, by training alone and by the whole of its epoch, with both losses; and the loss after so many epochs. The loops
 * are those of oneStep and getLoss in its src/playground.ts, without pictures.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const checkout = resolve(process.argv[2]);
const BATCH = 10;
const RATE = 0.03;

/** Return src/nn.ts as a module, its types taken off by the TypeScript that is installed in the checkout. */
async function network() {
  let typescript;
  try {
    typescript = createRequire(join(checkout, "package.json"))("typescript");
  } catch {
    console.error(`TypeScript is missing: npm install --prefix ${checkout} --no-save typescript@5`);
    process.exit(1);
  }
  const source = readFileSync(join(checkout, "src", "nn.ts"), "utf8");
  const { outputText } = typescript.transpileModule(source, { compilerOptions: { module: "ES2015", target: "ES2017" } });
  return import(`data:text/javascript;base64,${Buffer.from(outputText).toString("base64")}`);
}

const { training, heldOut, epochs, seconds } = JSON.parse(readFileSync(0, "utf8"));
const nn = await network();
const { TANH } = nn.Activations;
const made = nn.buildNetwork([2, 4, 2, 1], TANH, TANH, null, ["x", "y"]);

function train() {
  for (let i = 0; i < training.length; i++) {
    const [x, y, label] = training[i];
    nn.forwardProp(made, [x, y]);
    nn.backProp(made, label, nn.Errors.SQUARE);
    if ((i + 1) % BATCH === 0) nn.updateWeights(made, RATE, 0);
  }
}

function loss(points) {
  let total = 0;
  for (const [x, y, label] of points) total += nn.Errors.SQUARE.error(nn.forwardProp(made, [x, y]), label);
  return total / points.length;
}

function timed(epoch) {
  epoch();
  const began = performance.now();
  let rows = 0;
  while (performance.now() - began < 1000 * seconds) {
    epoch();
    rows += training.length;
  }
  return { rows, seconds: (performance.now() - began) / 1000 };
}

for (let k = 0; k < epochs; k++) train(); // by then it has been compiled, too
const learnt = loss(training);
const alone = timed(train);
const losses = [];
const whole = timed(() => {
  train();
  losses[0] = loss(training);
  losses[1] = loss(heldOut);
});
console.log(JSON.stringify({ training: alone, whole, loss: learnt }));
