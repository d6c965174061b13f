/** What the view Step says. */
export const step = {
  title: "Step",
  sign: "Differences",
  signs: [
    ["f-y", "2(f − y)"],
    ["y-f", "−2(y − f)"],
  ],
  notation: "Notation",
  notations: [
    ["lecture", "f₂, w₂"],
    ["superscript", "a⁽²⁾, w⁽²⁾"],
  ],
  log: "Size bars",
  logHint: "Bars for the size of δ and of the gradients, on a logarithmic scale: so a gradient that vanishes is seen.",
  predict: "Predict first",
  predictHint: "Before each δ and each gradient the page asks which sign it will have, or whether it is larger.",
  rate: "Learning rate η",
  learnt: "ℒ, sample by sample",
};
