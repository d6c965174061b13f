/** What the page shows, as one object: its defaults, and how it is written into an address. */

/** What a newcomer sees: the lecture's chain of three layers. The same as in lab/scene.py, data.py and training.py. */
export const DEFAULTS = Object.freeze({
  __proto__: null,
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
    clip_norm: null,
    loss_below: null,
    patience: null,
    seconds: 60,
    seed: 0,
    start_epoch: 0,
    epochs_a_frame: 1,
  },
  show: { log: false, predict: false },
  practise: { family: null, seed: null, parameters: {}, hints: 0 },
  teach: { title: null, seed: 1, show_solution: "after last attempt", entries: [] },
  read: { page: null },
});

/** What may stand in place of the usual, by its name. */
const EXAMPLES = { weights: [], biases: [], target: "", csv: "", clip_norm: 0, epochs_a_frame: null, loss_below: 0, patience: 0, family: "", seed: 0, title: "", page: "" };

/** A table of one's own that is longer than this stays out of the address. */
const LONGEST_TABLE = 4000;

/** Tell whether two values are the same, all the way down. */
export const same = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);

/** Return the state in which one or more sections have members replaced. */
export function merged(state, patch) {
  const sections = Object.keys(patch).map((name) => [name, { ...state[name], ...patch[name] }]);
  return { ...state, ...Object.fromEntries(sections) };
}

/** Return what is at a path in nested objects and lists. */
export const at = (all, path) => path.reduce((inside, key) => inside?.[key], all);

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
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Return the state that an address tells of.
 * @param {string[]} leftOut gets the names of what no state has, or not in this form
 * @throws {Error} when it is not what `encode` writes
 */
export function decode(text, leftOut = []) {
  if (!text) return DEFAULTS;
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const told = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(letters, (one) => one.charCodeAt(0))));
  if (kind(told) !== "object") throw new Error(text);
  let state = DEFAULTS;
  for (const [section, members] of Object.entries(told)) {
    const usual = DEFAULTS[section];
    if (!usual || kind(members) !== "object") {
      leftOut.push(section);
      continue;
    }
    for (const [name, value] of Object.entries(members)) {
      const fits = name in usual && [usual[name], EXAMPLES[name]].map(kind).includes(kind(value));
      if (fits) state = merged(state, { [section]: { [name]: value } });
      else leftOut.push(`${section}.${name}`);
    }
  }
  return state;
}

const kind = (value) => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);
