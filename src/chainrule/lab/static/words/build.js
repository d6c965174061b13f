/** What the view says in which a network is put together. */
export const build = {
  heading: "Build a network",
  network: "Network",
  layers: "Layers",
  layersWords: "Number of layers",
  activation: "Activation of all layers",
  different: "different ones",
  loss: "Loss",
  inputs: "Inputs",
  layer: (number) => `Layer ${number}`,
  units: (layer) => `Units of ${layer}`,
  fewer: (what) => `${what}: one fewer`,
  more: (what) => `${what}: one more`,
  activationOf: (layer) => `Activation of ${layer}`,
  bias: "bias",
  biasOf: (layer) => `Bias of ${layer}`,
  remove: (layer) => `Remove ${layer}`,
  add: "Add a layer",
  sample: "One sample",
  input: (name) => `Input ${name}`,
  target: (name) => `Target ${name}`,
  targetClass: "Class y of the sample",
  parameters: "Parameters",
  seed: "Seed",
  seedHint: "The same seed draws the same weights.",
  draw: "Draw others",
  drawn: (seed) => `Weights drawn with seed ${seed}.`,
  weight: (layer, from, to) => `weight of layer ${layer}, from ${layer === 1 ? "input" : "unit"} ${from} to unit ${to}`,
  biasWords: (layer, unit) => `bias of unit ${unit} of layer ${layer}`,
  matrix: (layer) => `Layer ${layer}: a row for each unit it comes from, a column for each it leads to`,
  from: (layer, unit) => (layer === 1 ? `x${subscript(unit)}` : `f${subscript(layer - 1)},${subscript(unit)}`),
  to: (layer, unit) => `z${subscript(layer)},${subscript(unit)}`,
  summary: (layer, rows, columns, hasBias) => `Layer ${layer}: ${rows} × ${columns}${hasBias ? ", and biases" : ""}`,
};

function subscript(number) {
  return String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}
