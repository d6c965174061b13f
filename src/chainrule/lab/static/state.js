/** What the page shows, as one object: its defaults, and how it is written into an address. */

/** What a newcomer sees: the lecture's chain of three layers. The same as in lab/scene.py, data.py and training.py. */
export const DEFAULTS = Object.freeze({
  scene: {
    inputs: 1,
    layers: [1, 2, 3].map(() => ({ units: 1, activation: "tanh", bias: false })),
    loss: "squared_error",
    seed: 0,
    weights: null,
    biases: null,
    x: [0.5],
    y: [0.8],
    learning_rate: 0.1,
    sign: "f-y",
    notation: "lecture",
  },
  data: { name: "circles", noise: 0.1, rows: 200, seed: 0, target: null, csv: null, held_out: 0.25 },
  training: {
    optimizer: "sgd",
    learning_rate: 0.03,
    batch_size: 10,
    epochs: 1000,
    l1: 0,
    l2: 0,
    loss_below: null,
    patience: null,
    seconds: 60,
    seed: 0,
    start_epoch: 0,
    epochs_a_frame: 1,
  },
  show: { log: false, predict: false },
  practise: { family: null, seed: null, parameters: {} },
  teach: { title: null, seed: 1, show_solution: "after last attempt", entries: [] },
  read: { page: null },
});

/** A table of one's own that is longer than this stays out of the address. */
const LONGEST_TABLE = 4000;

/** Tell whether two values are the same, all the way down. */
export const same = (one, other) => one === other || (typeof one === typeof other && JSON.stringify(one) === JSON.stringify(other));

/** Return the state in which one or more sections have members replaced. */
export function merged(state, patch) {
  const sections = Object.keys(patch).map((name) => [name, { ...state[name], ...patch[name] }]);
  return { ...state, ...Object.fromEntries(sections) };
}

/** Return nested objects and lists with one value replaced. */
export function replaced(all, [first, ...rest], value) {
  const next = rest.length ? replaced(all[first], rest, value) : value;
  return Array.isArray(all) ? all.with(first, next) : { ...all, [first]: next };
}

/** Return a state as text for an address; it is empty for the defaults. */
export function encode(state) {
  const told = {};
  for (const [section, members] of Object.entries(DEFAULTS)) {
    const differing = Object.entries(state[section]).filter(([name, value]) => !same(value, members[name]));
    const kept = differing.filter(([name, value]) => !(name === "csv" && value.length > LONGEST_TABLE));
    if (kept.length) told[section] = Object.fromEntries(kept);
  }
  if (!Object.keys(told).length) return "";
  const bytes = new TextEncoder().encode(JSON.stringify(told));
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Return the state that an address tells of.
 * @throws {Error} when it is not what `encode` writes
 */
export function decode(text) {
  if (!text) return DEFAULTS;
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const told = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(letters, (one) => one.charCodeAt(0))));
  for (const [section, members] of Object.entries(told)) {
    if (!Object.hasOwn(DEFAULTS, section)) throw new Error(section);
    for (const [name, value] of Object.entries(members)) {
      const usual = DEFAULTS[section][name];
      if (usual === undefined || (usual !== null && kind(usual) !== kind(value))) throw new Error(`${section}.${name}`);
    }
  }
  return merged(DEFAULTS, told);
}

function kind(value) {
  return Array.isArray(value) ? "array" : typeof value;
}
