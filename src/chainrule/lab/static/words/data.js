/** What is said where data are chosen. */
export const data = {
  heading: "Data",
  points: "Points in the plane",
  pointSets: { circles: "Circles", moons: "Moons", spiral: "Spiral", xor: "Xor", gaussians: "Gaussians", regression: "Plane" },
  tables: "Tables",
  tableSets: { penguins: "Penguins", iris: "Iris", wine: "Wine", digits: "Digits", breast_cancer: "Breast cancer", diabetes: "Diabetes" },
  own: "Your own table",
  chooseFile: "Choose a CSV file…",
  drop: "or drop one anywhere on this page. It stays on this machine and is not kept.",
  ownName: (name) => `${name} is loaded.`,
  tooLarge: (name) => `${name} is larger than 2 MB: leave out rows or columns, or use “chainrule train”.`,
  notText: (name) => `${name} is no UTF-8 text: save it as CSV in UTF-8.`,
  target: "To predict",
  noise: "Noise %",
  rows: "Points",
  heldOut: "Held out %",
  seed: "Seed of the data",
  summary: (told) =>
    `${told.rows} rows to learn from, ${told.held_out} held out; ${told.inputs} ${told.inputs === 1 ? "input" : "inputs"}` +
    (told.classes ? `, ${told.classes.length} classes.` : ", a number to predict.") +
    (told.target ? " Numbers are standardised." : ""),
  shape: (widths) => `The network is now ${widths}.`,
  refused: (name, why) => `${name} is not taken: ${why}`,
};
