/** Choosing data: points in the plane, a bundled table, or one's own, which may be dropped anywhere on the page. */
import { latest } from "./api.js";
import { dots, watchTheme } from "./charts.js";
import { button, choice, element, field, newId, numberField, panel, range, select } from "./controls.js";
import { firstRow } from "./fit.js";
import { data as say } from "./words/data.js";

const HIDDEN = [4, 2].map((units) => ({ units, activation: "tanh", bias: true })); // in place of the chain's single units
const LARGEST_TABLE = 2_000_000; // bytes
export const SEED = { min: 0, max: 2 ** 31 - 1, whole: true };
const PERCENT = { min: 0, max: 50, step: 5, whole: true };
const THUMB = 56;

let thumbs = null; // these two outlive the view
let ownFile = null; // the last one: its name and what it holds

const shape = ({ inputs, layers }) => say.shape([inputs, ...layers.map(({ units }) => units)].join("–"));

/** Return a scene's change to one that fits, and say so: its hidden layers stay, but for those of a chain. */
export function fitted(app, told) {
  const { inputs, outputs, loss, output_activation } = told.suggests;
  const before = app.state.scene.layers;
  const isChain = before.every((layer) => layer.units === 1 && !layer.bias);
  const layers = [...(isChain ? HIDDEN : before.slice(0, -1)), { units: outputs, activation: output_activation, bias: true }];
  app.announce(shape({ inputs, layers }));
  return { inputs, layers, loss, weights: null, biases: null, ...firstRow(told) };
}

/**
 * Return a panel in which data are chosen; `show()` shows what the state has and asks for it, and `stop()` ends. Other data
 * take the place of the former once they have come: where they are refused, those stay.
 * @param {object} app
 * @param {(patch: object, final: boolean, isOther: boolean) => void} put is to put it into the state; `isOther` where the data
 *   are of another kind, which the network is to follow
 * @param {(told: object|null, isOther: boolean) => void} came is called with what /api/data answers; null where it refuses
 *   what the state has
 * @param {{withScene?: boolean}} [options] whether targets are told as the network needs them, if it fits
 */
export function chooser(app, put, came, { withScene = false } = {}) {
  let told = null;
  let wanted = null; // what is asked for and has not come: { data, isOther, name }, with a file's name
  let isOver = false;
  let puts = []; // which show what the state has in the fields
  const cards = element("div");
  const error = element("p", { class: "bad", role: "alert", hidden: true });
  const notes = element("div", "notes");
  const fields = element("div", "stack");
  const summary = element("p", "hint");
  const choose = () => file.files[0] && readTable(file.files[0]);
  const file = element("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", hidden: true, on: { change: choose } });
  const made = panel(say.heading, cards, error, notes, fields, summary, file);

  const load = latest(async (asked) => {
    const { data, isOther, name } = asked;
    const scene = withScene ? app.state.scene : null;
    const [answer, complaint] = await app.ask("/api/data", { data, scene }).then((one) => [one, ""], ({ message }) => [null, message]);
    if (isOver || asked !== wanted) return; // others are on their way
    wanted = null;
    complain(name && complaint ? say.refused(name, complaint) : complaint);
    if (isOther && answer) {
      if (name) ownFile = { name, csv: data.csv };
      put(data, true, true);
    }
    const isNew = answer || !isOther;
    if (isNew) told = answer;
    if (isOther) showCards();
    showFields();
    if (isNew) came(told, isOther);
    if (isOther && answer) app.announce([name ? say.ownName(name) : "", shape(app.state.scene), ...told.notes].join(" "), told.notes.length > 0);
  });

  function request(data, isOther, name) {
    wanted = { data, isOther, name };
    load(wanted);
  }

  function take(patch, final) {
    if (wanted?.isOther) return; // the fields are about to be others
    put(patch, final, false);
    request(app.state.data, false);
  }

  const takeOther = (patch, name) => request({ ...app.state.data, ...patch }, true, name);

  function complain(text) {
    error.textContent = text;
    error.hidden = !text;
  }

  async function readTable(given) {
    file.value = ""; // so that the same one can be chosen again
    if (given.size > LARGEST_TABLE) return complain(say.tooLarge(given.name));
    let csv;
    try {
      csv = new TextDecoder("utf-8", { fatal: true }).decode(await given.arrayBuffer());
    } catch {
      return complain(say.notText(given.name));
    }
    takeOther({ name: "own", csv, target: null }, given.name);
  }

  function showCards() {
    const name = newId();
    const chosen = app.state.data.name;
    const other = (chosen) => takeOther({ name: chosen, target: null });
    const group = (legend, sets, more) => choice(legend, Object.entries(sets), chosen, other, { name, ...more });
    const size = 2 * THUMB;
    const keys = Object.keys(say.pointSets);
    const pictures = keys.map(() => element("canvas", { width: size, height: size, "aria-hidden": true }));
    const isOwn = chosen === "own";
    const hadFocus = cards.contains(document.activeElement);
    const ownName = element("strong", {}, isOwn && ownFile?.csv === app.state.data.csv ? ownFile.name : say.own);
    const ownWays = element("div", "row", button(say.chooseFile, () => file.click(), { data: { key: "file" } }), element("small", {}, say.drop));
    cards.replaceChildren(
      group(say.points, say.pointSets, { kind: "choose", pictures }),
      group(say.tables, say.tableSets, { kind: "choose names" }),
      element("div", isOwn ? "own chosen" : "own", ownName, ownWays),
    );
    if (hadFocus) cards.querySelector(isOwn ? "button" : ":checked").focus();
    thumbs ??= Promise.all(keys.map((key) => app.ask("/api/data", { data: { name: key, rows: 120, noise: 0.05, held_out: 0 } })));
    thumbs.then(
      (all) => all.forEach((one, k) => dots(pictures[k].getContext("2d"), one, size, 4)),
      () => (thumbs = null),
    );
  }

  function showFields() {
    const { data } = app.state;
    notes.replaceChildren(...(told?.notes ?? []).map((text) => element("p", {}, text)));
    summary.textContent = told ? say.summary(told) : "";
    if (fields.contains(document.activeElement) && fields.dataset.of === data.name) {
      for (const put of puts) put(data);
      return;
    }
    fields.dataset.of = data.name;
    puts = [];
    const slider = (member, text, limits, scale = 1) => {
      const valueIn = (data) => Math.round(scale * data[member]);
      const made = range(text, valueIn(data), limits, (value, final) => take({ [member]: value / scale }, final), { key: member });
      puts.push((data) => made.put(valueIn(data)));
      return made;
    };
    const points = () => [
      slider("noise", say.noise, { ...PERCENT, most: 100 }, 100),
      slider("rows", say.rows, { min: 20, max: 1000, step: 20, whole: true }),
    ];
    const target = () => {
      const made = select(told.targets.map((one) => [one, one]), told.target, (name) => takeOther({ target: name }));
      puts.push(() => (made.value = told.target));
      return field(say.target, made);
    };
    const ofKind = data.name in say.pointSets ? points() : told ? [target()] : [];
    const draw = (seed, final) => final && take({ seed }, true);
    const seed = numberField(data.seed, SEED, draw, { data: { key: "data_seed" } });
    puts.push((data) => seed.put(data.seed));
    fields.replaceChildren(...ofKind, slider("held_out", say.heldOut, PERCENT, 100), field(say.seed, seed));
  }

  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  const drops = {
    dragover(event) {
      if (!isFile(event)) return;
      event.preventDefault();
      made.classList.add("dropping");
    },
    dragleave: (event) => event.relatedTarget === null && made.classList.remove("dropping"),
    drop(event) {
      made.classList.remove("dropping");
      if (!isFile(event)) return;
      event.preventDefault();
      readTable(event.dataTransfer.files[0]);
    },
  };
  for (const [name, listener] of Object.entries(drops)) addEventListener(name, listener);
  const endThemes = watchTheme(showCards); // whose pictures have its colours

  made.show = () => {
    showCards();
    showFields();
    request(app.state.data, false);
  };
  made.stop = () => {
    isOver = true;
    endThemes();
    for (const [name, listener] of Object.entries(drops)) removeEventListener(name, listener);
  };
  return made;
}
