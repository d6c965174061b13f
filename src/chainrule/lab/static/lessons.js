/** What Practise, Teach and Read share: HTML that the lab has made, and the choice of a family's parameters. */
import { element } from "./controls.js";
import { scrollable } from "./scrolling.js";
import { practise as say } from "./words/practise.js";

/**
 * Return an element with HTML in it.
 * @param {string} name of the tag
 * @param {object} properties as of `element`
 * @param {string} markup from the lab, which escapes whatever is not its own
 */
export function html(name, properties, markup) {
  const made = element(name, properties);
  made.innerHTML = markup;
  keepTogether(made);
  if (made.matches(".formulae")) scrollable(made);
  return made;
}

/** Let no line end before the comma, full stop or "=" after a formula: browsers let it, whatever follows. */
export function keepTogether(place) {
  for (const one of place.querySelectorAll("math, output")) {
    const after = one.nextSibling;
    const [mark] = after?.data?.match(/^([.,:;?]|\u00a0=\u00a0)/) ?? [];
    if (!mark) continue;
    after.splitText(mark.length);
    wrapped("span", "whole", one).append(after);
  }
}

/** Put an element into another one, which takes its place. */
export function wrapped(name, properties, inner) {
  const outer = element(name, properties);
  inner.replaceWith(outer);
  outer.append(inner);
  return outer;
}

export const paragraphs = (some) => some.map((one) => html("p", "formulae", one));

/** Return how the lab understands a reply, if it tells so, and what it warns of. */
export function understood({ understood, warnings }) {
  const read = understood && html("p", "formulae", `<span class="muted">${say.understood}</span> ${understood}`);
  return [...(read ? [read] : []), ...warnings.map((one) => html("p", "hint", one))];
}

/** Return a sign for right or wrong, and a word for those who do not see it. */
export const sign = (isRight, word) =>
  element("span", isRight ? "good" : "bad", element("span", { "aria-hidden": true }, isRight ? "✓ " : "✗ "), element("span", "unseen", word));

const called = (value) => (typeof value === "boolean" ? (value ? say.yes : say.no) : String(value).replaceAll("_", " "));

/**
 * Return boxes for the values that a family's parameters may have.
 * @param {object} family as of /api/practice/families
 * @param {object} given for some parameters a value, or values to draw from
 * @param {(given: object) => void} onChange
 */
export function picks(family, given, onChange) {
  let chosen = given;
  const sets = Object.entries(family.parameters).map(([name, { values, meaning }]) => {
    const boxes = values.map((value) => {
      const box = element("input", { type: "checkbox", on: { change: () => put(name, values.filter((_, place) => boxes[place].checked)) } });
      box.checked = [chosen[name]].flat().includes(value);
      return box;
    });
    const labels = boxes.map((box, place) => element("label", {}, box, element("span", {}, called(values[place]))));
    const legend = element("legend", {}, element("b", {}, name.replaceAll("_", " ")), ` ${meaning}`);
    return element("fieldset", "picks", legend, ...labels);
  });
  function put(name, some) {
    const { [name]: _, ...others } = chosen;
    chosen = some.length ? { ...others, [name]: some.length === 1 ? some[0] : some } : others;
    onChange(chosen);
  }
  return element("div", "stack all-picks", ...sets);
}
