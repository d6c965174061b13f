/** A field for a formula or a number, which shows how the lab understands what is typed. */
import { latest } from "./api.js";
import { button, element, isCommand, newId } from "./controls.js";
import { html, understood } from "./lessons.js";
import { practise as say } from "./words/practise.js";

const WAIT = 150; // ms after a key, before the lab is asked

/**
 * Return a field.
 * @param {object} app
 * @param {object} shown the problem, as /api/practice/problem has it
 * @returns {{element: HTMLElement, value: string, blame: (malformed: object) => void, focus: () => void, disable: () => void}}
 *   `blame` shows what of it cannot be read
 */
export function formulaField(app, shown) {
  const id = newId();
  const below = element("div", { class: "below", id: `${id}-below` });
  const input = element("input", {
    id,
    type: "text",
    class: "code formula",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    maxlength: 2000,
    "aria-describedby": `${below.id} ${id}-how`,
    on: { input: changed },
  });
  const label = element("label", { for: id }, shown.kind === "number" ? say.number : say.formula);
  if (shown.asked) label.append(` ${say.forWhat} `, html("span", {}, shown.asked));
  const how = element("small", { id: `${id}-how`, class: "hint" }, shown.kind === "formula" ? say.howToType : "");
  const keys = shown.names?.length ? toolbar(shown.names, insert) : null;
  const made = element("div", "field", label, keys, input, below, how);
  let waiting = null;

  function changed() {
    clearTimeout(waiting);
    waiting = setTimeout(preview, WAIT);
  }

  const preview = latest(async () => {
    const typed = input.value;
    const seen = typed.trim() ? await app.ask("/api/practice/preview", { id: shown.id, typed }) : null;
    if (typed !== input.value || input.disabled) return;
    if (seen?.malformed) blame(seen.malformed);
    else put(true, ...(seen ? understood(seen) : []));
  });

  function blame({ message, begin, end }) {
    const signs = [...input.value]; // the lab counts characters, of which some are two of JavaScript's
    const bad = element("mark", {}, signs.slice(begin, end).join("") || "\u00a0");
    const mirror = element("p", { class: "code formulae mirror", "aria-hidden": true }, signs.slice(0, begin).join(""), bad, signs.slice(end).join(""));
    put(false, mirror, element("p", "bad", message));
  }

  function put(isFine, ...what) {
    input.ariaInvalid = !isFine;
    below.replaceChildren(...what);
  }

  /** Write a name where the cursor is, apart from a name or a number before it. */
  function insert(name) {
    const { selectionStart: from, selectionEnd: to, value } = input;
    const gap = /[\p{L}\p{N})]$/u.test(value.slice(0, from)) ? " " : "";
    input.setRangeText(gap + name, from, to, "end");
    input.focus();
    changed();
  }

  return {
    element: made,
    get value() {
      return input.value;
    },
    blame,
    focus: () => input.focus(),
    disable() {
      put(true);
      for (const one of made.querySelectorAll("input, button")) one.disabled = true;
    },
  };
}

/** Return buttons of which one can be reached by Tab, and the others from it by the arrow keys. */
function toolbar(names, insert) {
  const buttons = names.map((name, place) => button(name, () => insert(name), { label: say.insert(name), class: "code", tabindex: place ? -1 : 0 }));
  function moved(event) {
    const from = buttons.indexOf(event.target);
    const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || isCommand(event)) return;
    event.preventDefault();
    const next = buttons.at(to % buttons.length);
    for (const one of buttons) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  }
  return element("div", { class: "row name-keys", role: "toolbar", "aria-label": say.names, on: { keydown: moved } }, ...buttons);
}
