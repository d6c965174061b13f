/** How data and a network go together: whether they do, and what is called how. */

/** Tell whether a network has the inputs and outputs that data need. */
export function fits({ inputs, layers }, told) {
  const outputs = layers.at(-1).units;
  return inputs === told.inputs && (outputs === told.outputs || (told.classes?.length === 2 && outputs <= 2));
}

export const firstRow = ({ x, y }) => ({ x: x[0], y: [y[0]].flat() });

/** Return what a scene's inputs and targets are called in a table; nothing for points, and where it does not fit. */
export function called(scene, told) {
  if (!told?.target || !fits(scene, told)) return { x: [], y: [] };
  const { names, classes, target } = told;
  const isClass = scene.y.length < scene.layers.at(-1).units;
  return { x: names, y: isClass ? [classes.map((name, k) => `${k} ${name}`).join(", ")] : scene.y.length > 1 ? classes : [target] };
}
