/** The view in which a network is put together: its layers, its sample, its weights. */
import { latest } from "./api.js";
import { button, element, field, newId, numberField, panel, range, select, toggle } from "./controls.js";
import { chooser, fitted } from "./data.js";
import { called, firstRow, fits } from "./fit.js";
import { mount } from "./network.js";
import { at, replaced } from "./state.js";
import { build as say } from "./words/build.js";

const MOST_SLIDERS = 8; // of one layer, or of x or y; more are a table of fields
const MOST_OPEN = 60; // parameters of all layers; with more, only the first layer's are shown to begin with
const USUAL = 3; // a slider for a weight reaches from −3 to 3
const NEAR = 2; // and one for x or y from −2 to 2
const FINE = 0.01;

export async function show(place, app) {
  const view = new Build(place, app);
  await view.begin();
  return view;
}

class Build {
  constructor(place, app) {
    this.app = app;
    this.place = place;
    this.editing = Promise.resolve(); // the edits so far: each goes out from what the one before made
    this.edits = 0; // that wait
    this.before = null; // the scene before the number of layers began to be slid
    this.isOwn = false; // whether a change comes from a control here, which then shows it already
    this.drawing = element("section", { "aria-label": say.network });
    this.layers = element("div", "stack");
    this.sample = element("div");
    this.parameters = element("div");
    place.append(element("h1", "unseen", say.heading), this.drawing);
    place.classList.add("stack");
    this.follow = latest((scene) => this.fitted(scene));
  }

  async begin() {
    const { app } = this;
    this.picture = mount(this.drawing, app.source, { interactive: false, log: app.state.show.log });
    this.picture.show(app.state.scene);
    this.known = await app.catalogue();
    const { limits, activations } = this.known;
    this.hidden = activations.filter((one) => !one.output_only).map((one) => one.name);
    const { seed, layers } = app.state.scene;
    const slide = (count, final) => this.edit((scene) => resized(scene, count), { final });
    const draw = (number, final) => final && this.draw(number);
    this.count = range(say.layers, layers.length, { min: 1, max: limits.layers, whole: true }, slide, { words: say.layersWords, key: "layers" });
    this.seed = numberField(seed, { min: 0, max: limits.seed, whole: true }, draw, { id: newId(), data: { name: "seed" } });
    const again = button(say.draw, () => this.draw((app.state.scene.seed + 1) % (limits.seed + 1)), { data: { name: "draw" } });
    const seeds = element("p", { class: "row", title: say.seedHint }, element("label", { for: this.seed.id }, say.seed), this.seed, again);
    const put = (data, final, isOther) => this.set({ data }, final && !isOther);
    this.data = chooser(app, put, (told, isOther) => this.take(told, isOther), { withScene: true });
    const left = element("div", "stack", panel(say.network, this.count, this.layers), panel(say.parameters, seeds, this.parameters));
    const right = element("div", "stack", panel(say.sample, this.sample), this.data);
    this.place.append(element("div", "panels", left, right));
    this.data.show();
    this.following = this.follow(app.state.scene);
    await this.following;
  }

  update(state, what) {
    if ("log" in (what.show ?? {})) this.picture.set({ log: state.show.log });
    if (what.scene) this.picture.show(state.scene);
    if (this.isOwn) return;
    this.before = null;
    if (what.data) this.data.show();
    if (what.scene) this.following = this.follow(state.scene);
  }

  leave() {
    this.picture.destroy();
    this.data?.stop();
  }

  /** Ask for all numbers of a scene and their names, and show them. */
  async fitted(scene) {
    this.render(await this.app.ask("/api/fit", { scene }));
  }

  /** Show what the lab has made of a scene. */
  render(made) {
    const { scene, weights, biases } = made;
    this.made = made;
    this.numbers = { x: scene.x, y: scene.y, weights, biases, seed: scene.seed, layers: scene.layers.length };
    this.called = called(scene, this.told);
    const structure = JSON.stringify([scene.inputs, scene.layers, scene.loss, scene.notation, scene.y.length, this.called]);
    if (structure !== this.structure) {
      this.structure = structure;
      this.build();
      this.picture.set({ called: this.called });
    }
    for (const [key, control] of this.controls) if (key !== "layers" || !this.edits) control.put(this.at(key));
  }

  /** Make the controls anew that depend on the structure; what had the focus has it again. */
  build() {
    const focused = document.activeElement.dataset.name;
    this.controls = new Map([
      ["layers", this.count],
      ["seed", this.seed],
    ]);
    this.buildLayers();
    this.buildSample();
    this.buildParameters();
    if (focused) (this.place.querySelector(`[data-name="${focused}"]`) ?? this.place.querySelector("[data-name=add]")).focus();
  }

  /**
   * Change the structure: `change` gets the scene with all its numbers, and returns what is other. The lab makes its parts
   * go together; of loss and output, `keep` stays. Until a change is final, each is one of what was there before the first.
   */
  edit(change, { keep = "loss", final = true } = {}) {
    this.edits += 1;
    const make = async () => {
      this.edits -= 1;
      await this.following.catch(() => {}); // what went wrong then has been told
      const { weights, biases } = this.numbers;
      const before = this.before ?? { ...this.app.state.scene, weights, biases };
      const made = await this.app.ask("/api/fit", { scene: { ...before, ...change(before) }, keep });
      this.set({ scene: made.scene }, final);
      this.before = final ? null : before;
      this.render(made);
      if (made.changed.length) this.app.announce(made.changed.join(" "), true);
    };
    this.editing = this.editing.then(make).catch((error) => {
      this.app.notice(error);
      this.build(); // what was chosen is not so
      this.count.put(this.numbers.layers);
    });
  }

  /** Change the state in a way that fits as it is, and is shown here already. */
  set(patch, final) {
    this.before = null;
    this.isOwn = true;
    try {
      this.app.set(patch, { undo: final });
    } finally {
      this.isOwn = false;
    }
  }

  /** Take the first row of data as the sample, and make the network one that fits; with the choice, that is one step for undo. */
  take(told, isOther) {
    const { app } = this;
    this.told = told;
    if (isOther) app.set({ scene: fits(app.state.scene, told) ? firstRow(told) : fitted(app, told) });
    else if (told?.target) this.following = this.follow(app.state.scene); // to show what the columns are called
  }

  buildLayers() {
    const { known, hidden } = this;
    const { layers, inputs, loss } = this.made.scene;
    const shared = hidden.find((name) => layers.every((layer) => layer.activation === name));
    const activate = (activation) => activation && this.edit((scene) => ({ layers: scene.layers.map((layer) => ({ ...layer, activation })) }));
    const activations = shared ? hidden : [["", say.different], ...hidden];
    const losses = known.losses.map((one) => [one.name, one.words]);
    const activationList = select(activations, shared ?? "", activate, { data: { name: "activation" } });
    const lossList = select(losses, loss, (name) => this.edit(() => ({ loss: name })), { data: { name: "loss" } });
    const about = (all, name) => all.find((one) => one.name === name)?.about;
    const count = (next) => this.edit((scene) => ({ inputs: next(scene.inputs) }));
    const inputRow = element("li", "row", element("span", {}, say.inputs), this.stepper(say.inputs, inputs, known.limits.inputs, count, "inputs"));
    const isFull = layers.length === known.limits.layers;
    const add = (scene) => resized(scene, Math.min(scene.layers.length + 1, known.limits.layers));
    this.layers.replaceChildren(
      element("div", "fields", field(say.activation, activationList, about(known.activations, shared)), field(say.loss, lossList, about(known.losses, loss))),
      element("ol", "build-layers", inputRow, ...layers.map((layer, place) => this.layerRow(layer, place))),
      element("p", "row", button(say.add, () => isFull || this.edit(add), { "aria-disabled": isFull, data: { name: "add" } })),
    );
  }

  layerRow(layer, place) {
    const { known, hidden } = this;
    const { length } = this.made.scene.layers;
    const name = say.layer(place + 1);
    const key = `layer.${place}`;
    const all = place === length - 1 ? known.activations.map((one) => one.name) : hidden;
    const alter = (next, keep) => this.edit(({ layers }) => ({ layers: layers.with(place, { ...layers[place], ...next(layers[place]) }) }), { keep });
    return element(
      "li",
      "row",
      element("span", {}, name),
      this.stepper(say.units(name), layer.units, known.limits.units, (next) => alter(({ units }) => ({ units: next(units) })), key),
      select(all, layer.activation, (activation) => alter(() => ({ activation }), "output"), {
        "aria-label": say.activationOf(name),
        data: { name: `${key}.activation` },
      }),
      toggle(say.bias, layer.bias, (bias) => alter(() => ({ bias })), { "aria-label": say.biasOf(name), data: { name: `${key}.bias` } }),
      button("×", () => length > 1 && this.edit((scene) => without(scene, place)), {
        label: say.remove(name),
        class: "icon",
        "aria-disabled": length === 1,
        data: { name: `${key}.remove` },
      }),
    );
  }

  /** Return a number with a button for one fewer, and one for one more. `onChange` gets how it changes. */
  stepper(what, value, most, onChange, key) {
    const by = (step, sign, label) => {
      const isOver = value + step < 1 || value + step > most;
      // Of two quick clicks, the second comes before the first is shown.
      const act = () => isOver || onChange((count) => Math.min(most, Math.max(1, count + step)));
      return button(sign, act, { label, class: "icon", "aria-disabled": isOver, data: { name: `${key}.${sign}` } });
    };
    const put = (count, final) => final && onChange(() => count);
    const box = numberField(value, { min: 1, max: most, whole: true }, put, { "aria-label": what, data: { name: `${key}.units` } });
    return element("span", "stepper", by(-1, "−", say.fewer(what)), box, by(1, "+", say.more(what)));
  }

  buildSample() {
    const { known } = this;
    const { scene, names } = this.made;
    const { size } = known.limits;
    const { units } = scene.layers.at(-1);
    const [low, high] = known.losses.find((one) => one.name === scene.loss).targets;
    const isClass = scene.y.length < units;
    const near = { min: -NEAR, max: NEAR, step: FINE, least: -size, most: size };
    const inside = isClass
      ? { min: 0, max: units - 1, whole: true }
      : { min: low ?? -NEAR, max: high ?? NEAR, step: FINE, least: low ?? -size, most: high ?? size };
    const numbers = (kind, words, limits, about) =>
      this.shown(names[kind].map((name, k) => ({ key: `${kind}.${k}`, name, words: `${words(name)} ${about[k] ?? ""}`, about: about[k], ...limits })));
    this.sample.replaceChildren(
      numbers("x", say.input, near, this.called.x),
      numbers("y", isClass ? () => say.targetClass : say.target, inside, this.called.y),
    );
  }

  buildParameters() {
    const { weights, biases } = this.made;
    const count = [...weights, ...biases].flat(2).length;
    this.parameters.replaceChildren(
      ...(count <= MOST_SLIDERS
        ? [this.shown(weights.flatMap((_, place) => this.parametersOf(place).flat()))]
        : weights.map((_, place) => this.layerGroup(place, count <= MOST_OPEN || place === 0))),
    );
    this.parameters.className = count <= MOST_SLIDERS ? "" : "build-groups";
  }

  draw(seed) {
    this.app.set({ scene: { seed, weights: null, biases: null } });
    this.app.announce(say.drawn(seed));
  }

  /** Return the parameters of a layer, which are made when they are first looked at. */
  layerGroup(place, isOpen) {
    const rows = this.parametersOf(place);
    const isMany = rows.flat().length > MOST_SLIDERS;
    const fill = () => group.childElementCount < 2 && group.append(isMany ? this.matrix(place, rows) : this.shown(rows.flat()));
    const text = say.summary(place + 1, this.made.weights[place].length, rows[0].length, this.made.biases[place] !== null);
    const group = element("details", { open: isOpen, class: isMany ? "wide" : null, on: { toggle: fill } }, element("summary", {}, text));
    if (isOpen) fill();
    return group;
  }

  /** Return what there is to know of every parameter of a layer: rows of weights, and then of biases. */
  parametersOf(place) {
    const { weights, biases, names } = this.made;
    const { size } = this.known.limits;
    const layer = place + 1;
    const one = (value, key, name, words) => {
      const far = Math.max(USUAL, Math.ceil(Math.abs(value)));
      return { key, name, words: `${name}: ${words}`, min: -far, max: far, step: FINE, least: -size, most: size };
    };
    const rows = weights[place].map((row, from) =>
      row.map((value, to) => one(value, `weights.${place}.${from}.${to}`, names.weights[place][from][to], say.weight(layer, from + 1, to + 1))),
    );
    const last = biases[place]?.map((value, to) => one(value, `biases.${place}.${to}`, names.biases[place][to], say.biasWords(layer, to + 1)));
    return last ? [...rows, last] : rows;
  }

  matrix(place, rows) {
    const { f, z } = this.made.names;
    const head = z[place].map((text) => element("th", { scope: "col" }, text));
    const body = rows.map((row, from) => {
      const text = f[place][from] ?? say.bias;
      return element("tr", {}, element("th", { scope: "row" }, text), ...row.map((one) => element("td", {}, this.box(one))));
    });
    return element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": say.matrix(place + 1) },
      element("table", "build-matrix", element("thead", {}, element("tr", {}, element("td"), ...head)), element("tbody", {}, ...body)),
    );
  }

  /** Return sliders for some numbers, or fields where they are many. */
  shown(all) {
    if (all.length <= MOST_SLIDERS) return element("div", "build-sliders", ...all.map((one) => this.slider(one)));
    return element("div", "build-cells", ...all.map((one) => element("label", "build-cell row", one.name, this.box(one), below(one.about))));
  }

  slider({ key, name, words, about, ...limits }) {
    const made = range(name, this.at(key), limits, this.putting(key), { words, key });
    if (about) made.append(below(about));
    this.controls.set(key, made);
    return made;
  }

  box({ key, words, step, whole, least: min, most: max }) {
    const limits = { min, max, step, whole, digits: 3 };
    const made = numberField(this.at(key), limits, this.putting(key), { "aria-label": words, data: { name: key } });
    this.controls.set(key, made);
    return made;
  }

  /** Return the number that a key like "weights.0.1.2" tells of. */
  at(key) {
    return at(this.numbers, key.split("."));
  }

  /** Return what puts a number of x, y, the weights or the biases into the state. */
  putting(key) {
    return (value, final) => {
      this.numbers = replaced(this.numbers, key.split("."), value);
      const { x, y, weights, biases } = this.numbers;
      this.set({ scene: /^[xy]/.test(key) ? { x, y } : { weights, biases } }, final);
    };
  }
}

/** Return what stands below a number of which a table says what it is. */
const below = (text) => (text ? element("small", "about", text) : null);

/** Return a scene's change to so many layers: others, like the one before them, come or go before the output. */
function resized({ layers, weights, biases }, count) {
  const kept = Math.min(count, layers.length) - 1;
  const filled = (all, one) => [...all.slice(0, kept), ...Array(Math.max(0, count - layers.length)).fill(one), all.at(-1)];
  return { layers: filled(layers, layers.at(-2) ?? layers[0]), weights: filled(weights, []), biases: filled(biases, null) };
}

function without({ layers, weights, biases }, place) {
  const others = (all) => all.filter((_, i) => i !== place);
  return { layers: others(layers), weights: others(weights), biases: others(biases) };
}
