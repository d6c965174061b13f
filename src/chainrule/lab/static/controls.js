/** Elements, and form controls, each with its label. Texts come from the caller, except about allowed numbers. */
import { shell as say } from "./words/shell.js";

const SVG = "http://www.w3.org/2000/svg";

let made = 0;

/** Return an id that nothing else on the page has. */
export const newId = () => `c${++made}`;

/**
 * Return an element.
 * @param {string} name of the tag
 * @param {object|string} [properties] its class, or `on: {event: listener}`, `data: {…}` and attributes, which are left out where
 *   null or, but for aria-…, false
 * @param {...(Node|string|null)} children
 */
export const element = (name, properties = {}, ...children) => filled(document.createElement(name), properties, children);

/** Return an element of a drawing, as of `element`. */
export const svg = (name, properties = {}, ...children) => filled(document.createElementNS(SVG, name), properties, children);

function filled(made, properties, children) {
  for (const [key, value] of Object.entries(typeof properties === "string" ? { class: properties } : properties)) {
    if (key === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (key === "data") Object.assign(made.dataset, value);
    else if ((value ?? null) !== null && (value !== false || key.startsWith("aria-"))) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => (child ?? null) !== null));
  return made;
}

/** Return an icon of one line, in a square of so many units. */
export const icon = (size, d) => svg("svg", { viewBox: `0 0 ${size} ${size}`, "aria-hidden": true }, svg("path", { d }));

/** Return a table of texts; the first row and the first of each row are headings. */
export function tableOf([head, ...body], caption) {
  const cell = (text, scope) => element(scope ? "th" : "td", { scope }, text);
  const top = element("tr", {}, ...head.map((text) => cell(text, "col")));
  const rows = body.map((row) => element("tr", {}, ...row.map((text, i) => cell(text, i === 0 && "row"))));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, top), element("tbody", {}, ...rows));
}

/** Tell whether a key is for the browser, not for the page. */
export const isCommand = ({ ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey;

export function panel(title, ...content) {
  const heading = element("h2", { id: newId() }, title);
  return element("section", { class: "panel", "aria-labelledby": heading.id }, heading, ...content);
}

/** Return a label above a control, with a hint below where there is one; the control gets an id. */
export function field(label, control, hint) {
  control.id ||= newId();
  const below = hint ? element("small", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (below) control.setAttribute("aria-describedby", `${below.id} ${control.getAttribute("aria-describedby") ?? ""}`);
  return element("div", "field", element("label", { for: control.id }, label), control, below);
}

/**
 * Return a button.
 * @param {string} text
 * @param {(event: Event) => void} onClick
 * @param {object} [properties] as of `element`; `label` where the text alone would not say what it does
 */
export function button(text, onClick, { label, ...properties } = {}) {
  return element("button", { type: "button", "aria-label": label, title: label, on: { click: onClick }, ...properties }, text);
}

/**
 * Return a list to choose from.
 * @param {Array<string|[string, string]>} options values, or values with what they are called
 * @param {string} value
 * @param {(value: string) => void} onChange
 * @param {object} [properties] as of `element`
 */
export function select(options, value, onChange, properties = {}) {
  const made = element("select", { ...properties, on: { change: () => onChange(made.value) } });
  for (const option of options) {
    const [key, text] = Array.isArray(option) ? option : [option, option.replaceAll("_", " ")];
    made.append(element("option", { value: key, selected: key === value }, text));
  }
  return made;
}

/** Return a switch with its label; `onChange` is called with whether it is on. */
export function toggle(label, on, onChange, properties = {}) {
  const box = element("input", { type: "checkbox", role: "switch", ...properties, on: { change: () => onChange(box.checked) } });
  box.checked = on;
  return element("label", "toggle", box, element("span", {}, label));
}

/**
 * Return a choice of a few, as buttons of which one is pressed; the arrow keys move between them.
 * @param {string} legend
 * @param {Array<[string, string]>} options values, with what they are called
 * @param {string} value
 * @param {(value: string) => void} onChange
 * @param {{kind?: string, name?: string, pictures?: Element[]}} [more] its class; a name that several have who are one choice;
 *   and what stands above the texts
 */
export function choice(legend, options, value, onChange, { kind = "choice", name = newId(), pictures = [] } = {}) {
  const radios = options.map(([key, text], k) => {
    const radio = element("input", { type: "radio", name, value: key, checked: key === value, on: { change: () => onChange(key) } });
    return element("label", {}, radio, pictures[k], element("span", {}, text));
  });
  return element("fieldset", kind, element("legend", {}, legend), element("div", {}, ...radios));
}

const TYPED = 8; // digits, all of which are shown: somebody may have typed them

/** Return a number as it is shown in a field: five digits, or fewer, are enough to look at. */
const shown = (value, digits = 5) => String(Number(value.toPrecision(digits))).replace("-", "−");

/**
 * Return a field for a number, which is typed or changed by the arrow keys.
 * What is no number that fits gives way, at the end, to the one before, and below it is said what fits.
 * @param {number|null} value
 * @param {{min?: number, max?: number, whole?: boolean, step?: number, digits?: number, optional?: boolean}}
 *   limits, how many digits it shows, and whether it may be empty, which is null
 * @param {(value: number|null, final: boolean) => void} onInput called for each number that is typed, and, final, at the end
 * @param {object} [properties] as of `element`
 */
export function numberField(value, { min = -Infinity, max = Infinity, whole = false, step = whole ? 1 : 0.05, digits, optional = false }, onInput, properties = {}) {
  let before = value;
  const about = element("small", { class: "bad about", id: newId(), role: "status" });
  const isShort = (number) => whole || Number(number.toPrecision(TYPED)) === number;
  const write = (number) => (number === null ? "" : shown(number, isShort(number) ? 16 : digits));
  const read = () => {
    const typed = box.value.trim().replace("−", "-").replace(",", ".");
    const number = Number(typed);
    if (optional && typed === "") return null;
    const fits = typed !== "" && Number.isFinite(number) && number >= min && number <= max && (!whole || Number.isInteger(number));
    return fits ? number : undefined;
  };
  const refuse = () => {
    box.value = write(before);
    about.textContent = ""; // a text is said when it comes later than its place
    (box.closest(".stepper") ?? box).after(about);
    requestAnimationFrame(() => (about.textContent = say.allowed(whole, write(min), write(max))));
  };
  /** Take what is typed; where it is none that fits, what was there before, at the end. */
  const take = (number, final) => {
    box.ariaInvalid = number === undefined && !final;
    if (number === undefined) {
      if (final) refuse();
      return;
    }
    about.remove();
    before = number;
    if (final) box.value = write(number);
    onInput(number, final);
  };
  const listen = {
    input: () => take(read(), false),
    change: () => take(read(), true),
    keydown: (event) => {
      const by = { ArrowUp: step, ArrowDown: -step, PageUp: 10 * step, PageDown: -10 * step }[event.key];
      if (by === undefined || isCommand(event)) return;
      event.preventDefault();
      take(Math.min(max, Math.max(min, Number((before + by).toPrecision(12)))), true);
    },
  };
  const box = element("input", {
    type: "text",
    inputmode: whole && min >= 0 ? "numeric" : "decimal",
    autocomplete: "off",
    class: "number",
    size: 8, // where no style makes it as wide as its digits
    value: write(value),
    "aria-describedby": about.id,
    ...properties,
    on: listen,
  });
  /** Show another number, but not while this one is being typed. */
  box.put = (number) => {
    before = number;
    if (document.activeElement === box) return;
    about.remove();
    box.value = write(number);
  };
  return box;
}

/**
 * Return a slider and a field for the same number. The element has `put(value)`, which shows another number.
 * @param {string} label of both
 * @param {number} value
 * @param {{min: number, max: number, whole?: boolean, step?: number, least?: number, most?: number}} limits
 *   of the slider, and `least` and `most` of what may be typed
 * @param {(value: number, final: boolean) => void} onInput not final while the slider moves or digits are typed
 * @param {{words?: string, key?: string}} [more] a longer name for those who do not see the page; and what its data-name is
 */
export function range(label, value, { min, max, whole = false, step = whole ? 1 : 0.05, least = min, most = max }, onInput, { words, key } = {}) {
  const id = newId();
  const slider = element("input", { type: "range", id, min, max, step, "aria-label": words, data: key && { name: `${key}.slider` } });
  slider.value = value;
  const box = numberField(
    value,
    { min: least, max: most, step, whole },
    (number, final) => {
      slider.value = number;
      onInput(number, final);
    },
    { "aria-label": words ?? label, data: key && { name: key } },
  );
  const slide = (final) => () => {
    const number = Number(slider.value);
    box.put(number);
    onInput(number, final);
  };
  slider.addEventListener("input", slide(false));
  slider.addEventListener("change", slide(true));
  const made = element("div", "range", element("label", { for: id }, label), slider, box);
  made.put = (number) => {
    slider.value = number;
    box.put(number);
  };
  return made;
}

/**
 * Show a dialog, which Escape or its button closes.
 * @param {string} title
 * @param {string} closing what the button says
 * @param {...(Node|string)} content
 * @returns {HTMLDialogElement}
 */
export function dialog(title, closing, ...content) {
  const heading = element("h2", { id: newId() }, title);
  const close = button(closing, () => made.close());
  const made = element("dialog", { "aria-labelledby": heading.id }, heading, ...content, element("p", "row end", close));
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
  return made;
}
