/**
 * A network, drawn, and the timeline of one sample through it: forward, loss, back, gradients, update.
 *
 * Everything that it shows it takes from a source, and it computes nothing:
 *
 * - `source.timeline(scene)` → a promise of what the lab's /api/timeline answers: the network, its numbers, the steps;
 * - `source.check(scene)` → a promise of what /api/check answers: difference quotients beside the gradients.
 *
 * What is drawn has keys: `u2.1` is unit 1 of layer 2 (layer 0 are the inputs), `w2.1.3` the weight from unit 1 of layer 1
 * into unit 3 of layer 2, `b2.3` a bias, `loss`, and `y1` a target.
 */
import { button, element as node, icon, isCommand, svg, tableOf } from "./controls.js";
import { scrollable } from "./scrolling.js";
import { network as say } from "./words/network.js";

const PLAY_EVERY = 1600; // ms
const HEAD = 46; // px, for what stands above the columns
const MOST_INPUTS = 12; // that are drawn; of more, the first ten and the last
const FEW_EDGES = 4; // between two layers: then all have their numbers
const MANY_EDGES = 36; // then none has a + or −, only the dashes
const MOST_LABELS = 16; // at what a step uses
const MOST_ARROWS = 16;
const MOST_FACTORS = 4; // that stand with their words; of more, the word of the one that is pointed at is shown
const PHASE = { z: "forward", f: "forward", loss: "loss", delta: "backward", gradient: "gradients", update: "update" };
const CLASS = { x: "input", f: "unit", w: "edge", b: "bias", loss: "loss", y: "target" };
const DRAWN_AS = { x: "x", y: "y", z: "f", f: "f", delta: "f", slope: "f", loss: "loss", loss_slope: "loss", w: "w", b: "b", eta: "nothing" };
const KEYS = { " ": "play", ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last" };
const ROWS = ["words", "symbols", "numbers", "result", "check"];
const ICONS = {
  first: "M6 5v14M19 5l-10 7 10 7z",
  previous: "M16 5l-10 7 10 7z",
  play: "M7 4.5l12 7.5-12 7.5z",
  pause: "M8 5v14M16 5v14",
  next: "M8 5l10 7-10 7z",
  last: "M18 5v14M5 5l10 7-10 7z",
};

/**
 * Show a network and its timeline in an element.
 * @param {HTMLElement} element
 * @param {{timeline: (scene: object) => Promise<object>, check: (scene: object) => Promise<object>}} source
 * @param {object} [options]
 * @param {boolean} [options.interactive] false: only the drawing and its table, with all numbers
 * @param {boolean} [options.log] bars for the size of δ and of gradients, on a logarithmic scale
 * @param {boolean} [options.predict] ask for sign or size before a δ or a gradient is shown
 * @param {{x: string[], y: string[]}} [options.called] what inputs and outputs are called in the data
 * @param {(text: string) => void} [options.announce] says a step to those who do not see it
 * @param {(step: object, index: number) => void} [options.onStep]
 * @param {(updated: {weights: object, biases: object}, another: boolean) => Promise<void>} [options.nextSample]
 *   the update is to be applied and, if `another`, the next sample to be taken: calls `show` with `restart`
 * @returns {object} `show(scene, {restart})`, `go(index or name)`, `play()`, `pause()`, `set(options)`, `key(event)`, `destroy()`,
 *   and `timeline`, the one that is shown, with its `steps`
 */
export const mount = (element, source, options = {}) => new Stepper(element, source, { interactive: true, log: false, ...options });

/** The timeline: where we are, and everything that follows from it. */
class Stepper {
  constructor(element, source, options) {
    Object.assign(this, { source, options, index: 0, steps: [], shows: 0 });
    this.guesses = new Map(); // step index → what was said of the guess
    this.score = { right: 0, all: 0 };
    // What its buttons and keys do.
    this.acts = {
      first: () => this.go(0),
      previous: () => this.go(this.index - 1),
      play: () => (this.playing ? this.pause() : this.play()),
      next: () => this.next(),
      last: () => this.go(this.steps.length - 1),
    };
    this.drawing = new Drawing((key) => this.lightDrawn(key), options.interactive);
    this.table = new Table();
    if (options.interactive) [this.controls, this.rows] = [new Controls(this), new Rows(this)];
    const side = this.controls && node("div", "net-side stack", this.controls.element, this.rows.element);
    this.element = node("div", { class: "net stack", on: { keydown: (event) => this.key(event) } }, this.drawing.element, side, this.table.element);
    element.replaceChildren(this.element);
    this.resizing = new ResizeObserver(() => this.layout());
    this.resizing.observe(this.element);
  }

  get step() {
    return this.steps[this.index];
  }

  /** The last step whose result may be seen. */
  get known() {
    return this.question() ? this.index - 1 : this.index;
  }

  /** Show a scene; unless it is to restart, the step stays, if there is one of its name. */
  async show(scene, { restart = false } = {}) {
    const mine = ++this.shows;
    const timeline = await this.source.timeline(scene);
    if (mine !== this.shows) return;
    const same = restart ? 0 : timeline.steps.findIndex(({ name }) => name === this.step?.name);
    Object.assign(this, { scene, timeline, steps: timeline.steps, check: null });
    this.index = this.controls ? Math.max(0, same) : this.steps.length - 1;
    this.guesses.clear();
    this.numbers = new Numbers(timeline, scene.notation, this.options.called);
    this.drawing.take(this.numbers, scene.notation);
    this.controls?.take();
    this.layout();
    this.render();
    if (restart) this.tell();
  }

  set(changed) {
    this.options = { ...this.options, ...changed };
    if ("predict" in changed) this.guesses.clear();
    if (!this.timeline) return;
    if (!("called" in changed)) return this.render();
    this.numbers.called = changed.called;
    this.drawing.fill();
    this.draw();
    this.table.show(this.numbers, this.known);
  }

  destroy() {
    this.shows += 1;
    this.pause();
    this.resizing.disconnect();
    this.element.remove();
  }

  /** Go to a step, by its place or its name. */
  go(step) {
    const index = typeof step === "string" ? this.steps.findIndex(({ name }) => name === step) : step;
    const to = Math.min(this.steps.length - 1, Math.max(0, index));
    if (!this.timeline || to === this.index) return;
    this.index = to;
    this.render();
    this.tell();
  }

  /** Go to the next step; the last one is followed by the next sample, if there is one. */
  next() {
    if (this.question()) return this.reveal(null);
    if (this.index < this.steps.length - 1) return this.go(this.index + 1);
    return this.apply(true);
  }

  async apply(another) {
    if (!this.options.nextSample || this.applying) return;
    this.applying = true;
    await this.options.nextSample(this.timeline.updated, another).finally(() => (this.applying = false));
  }

  tell(text = this.question()?.text ?? this.step.announcement) {
    this.options.announce?.(text);
    this.options.onStep?.(this.step, this.index);
  }

  play() {
    if (this.playing || !this.timeline) return;
    const isEnd = () => this.index === this.steps.length - 1 && !this.options.nextSample;
    if (isEnd()) this.go(0);
    const turn = async () => {
      await this.next()?.catch((error) => {
        this.pause();
        throw error;
      });
      if (this.question() || isEnd()) this.pause();
      else if (this.playing) this.playing = setTimeout(turn, PLAY_EVERY);
    };
    this.playing = setTimeout(turn, PLAY_EVERY / 3);
    this.controls?.played(true);
  }

  pause() {
    clearTimeout(this.playing);
    this.playing = null;
    this.controls?.played(false);
  }

  key(event) {
    const { target, key } = event;
    if (isCommand(event) || event.defaultPrevented || !this.controls) return;
    const hasOwn = target.matches(key === " " ? "button, summary" : "input, select, textarea, summary, .scrolls");
    const question = this.question();
    if (question && "123".includes(key)) this.reveal(question.answers[key - 1][0]);
    else if (key in KEYS && !hasOwn) this.acts[KEYS[key]]();
    else return;
    event.preventDefault();
  }

  render() {
    const hadFocus = this.element.contains(document.activeElement);
    this.controls?.show(this.index); // first, as to move the focus asks for styles
    this.draw();
    this.table.show(this.numbers, this.known);
    this.rows?.show(this.question());
    if (hadFocus && document.activeElement === document.body) this.rows?.title.focus({ preventScroll: true }); // what had it is gone
    this.lightDrawn(this.drawing.pointed);
    if (this.rows && this.step.kind === "gradient") this.compare();
    this.settle();
  }

  /** Draw what is known by now; without a timeline nothing is computed just now. */
  draw() {
    this.drawing.show(this.rows ? this.step : { parts: [] }, this.known, this.options.log);
  }

  layout() {
    if (!this.timeline || !this.element.clientWidth) return;
    const size = parseFloat(getComputedStyle(this.element).fontSize);
    const isWide = this.element.clientWidth >= 62 * size;
    this.element.classList.toggle("net-beside", Boolean(this.rows) && isWide && this.drawing.rows > 2);
    if (this.drawing.layout(size)) this.draw();
    this.settle();
  }

  /** Do what asks where things are, once for all and after they are: so the browser lays out the page once a step. */
  settle() {
    cancelAnimationFrame(this.settling);
    this.settling = requestAnimationFrame(() => {
      this.drawing.follow();
      this.controls?.follow(this.index);
      this.rows?.measure();
    });
  }

  /** Light symbols in all rows, and what is drawn for them. */
  light(symbols, keys) {
    this.drawing.light(keys);
    this.rows?.light(symbols);
  }

  lightSymbol(symbol) {
    const part = this.numbers?.parts.get(symbol);
    this.light(part ? [symbol] : [], part ? this.drawing.find(part).map(({ key }) => key) : []);
  }

  /** Light what is drawn, and those symbols of this step for which it stands. */
  lightDrawn(key) {
    const { step, drawing } = this;
    const all = key ? [...step.parts, { ...step, symbol: symbolOf(step) }] : [];
    const symbols = all.filter((part) => drawing.find(part).some((item) => item.key === key)).map(({ symbol }) => symbol);
    this.light(symbols, [key]);
  }

  /** Ask for the difference quotients, once for a scene, and show those of this step. */
  async compare() {
    const mine = this.shows;
    this.check ??= this.source.check(this.scene).catch(() => null);
    const check = await this.check;
    if (mine === this.shows && this.step.kind === "gradient") this.rows.compare(check);
  }

  /** Return what is asked before this step is shown; null when there is nothing to ask, or it was answered. */
  question() {
    if (!this.options.predict || !this.rows || !this.timeline || this.guesses.has(this.index)) return null;
    const { step } = this;
    if ((step.kind !== "delta" && step.kind !== "gradient") || step.value === null) return null;
    const { widths } = this.timeline.network;
    const steps = widths.length - 1 - step.layer; // from the output: every other δ is asked for its size
    const isSize = step.kind === "delta" && steps > 0 && steps % 2 === 0 && Math.max(...widths) === 1;
    if (!isSize) return { text: say.askSign(step.title), hint: say.hintSign[step.kind === "delta" && !steps ? "output" : step.kind], answers: say.signs };
    const before = this.steps[this.index - 1];
    return { text: say.askSize(step.title, before.title), hint: say.hintSize, answers: say.sizes, before };
  }

  /** Take a guess, or none, and show the step. */
  reveal(guess) {
    const { score, step } = this;
    const { answers, before } = this.question();
    const truth = Math.sign(before ? Math.abs(step.value) - Math.abs(before.value) : step.value);
    const answer = answers.find(([key]) => key === truth)[1].replace(/^[−0+] /, "");
    const fact = [step.title, answer, shown(step.value)];
    const text = [before ? say.isSize(...fact, before.title, shown(before.value)) : say.isSign(...fact)];
    const isRight = guess === null ? null : guess === truth;
    if (isRight !== null) {
      this.score = { right: score.right + isRight, all: score.all + 1 };
      text.unshift(isRight ? say.right : say.wrong);
    }
    if (isRight === false) text.push(say.why);
    this.guesses.set(this.index, { isRight, text: text.join(" ") });
    this.render();
    this.tell(text.join(" "));
  }
}

/** Buttons, scrubber and the names of all steps. */
class Controls {
  constructor(stepper) {
    this.stepper = stepper;
    this.buttons = {};
    for (const [name, click] of Object.entries(stepper.acts)) {
      this.buttons[name] = button("", click, { class: `icon net-icon net-${name}` });
      this.name(name, name);
    }
    const go = (step) => {
      if (!step) return;
      stepper.pause();
      if (step === "next") stepper.apply(true);
      else stepper.go(Number(step));
    };
    const scrubbed = ({ target }) => go(target.value);
    const chosen = ({ target }) => go(target.closest("button")?.dataset.step);
    this.scrubber = node("input", { type: "range", min: 0, class: "net-scrubber", "aria-label": say.scrubber, title: say.keys, on: { input: scrubbed } });
    this.chips = node("div", { class: "net-chips", role: "group", "aria-label": say.timeline, on: { click: chosen } });
    const buttons = node("div", "net-buttons", ...Object.values(this.buttons));
    this.element = node("div", "net-controls stack", node("div", "row", buttons, this.scrubber), this.chips);
  }

  name(of, name) {
    const made = this.buttons[of];
    made.title = made.ariaLabel = say[name];
    made.replaceChildren(icon(24, ICONS[name]));
  }

  /** Take another timeline: a chip for each of its steps, in groups. */
  take() {
    const { steps, options } = this.stepper;
    this.scrubber.max = steps.length - 1;
    const titles = steps.map(({ title }) => title).join();
    if (titles === this.titles) return;
    this.titles = titles;
    const groups = {};
    const add = (phase, step, text) => (groups[phase] ??= []).push(button(text, null, { class: "net-chip", data: { step }, tabindex: -1 }));
    steps.forEach(({ kind, title }, at) => add(PHASE[kind], at, title));
    if (options.nextSample) add("next", "next", say.nextSample);
    const made = Object.entries(groups).map(([phase, chips]) => {
      const text = say.phases[phase];
      return node("div", { class: "net-group", role: "group", "aria-label": text }, node("span", "net-phase muted", text), node("div", {}, ...chips));
    });
    this.chips.replaceChildren(...made);
    this.all = Object.values(groups).flat();
  }

  show(index) {
    const { stepper, scrubber, buttons, all } = this;
    const hadFocus = this.chips.contains(document.activeElement);
    const isLast = index === stepper.steps.length - 1;
    buttons.first.ariaDisabled = buttons.previous.ariaDisabled = index === 0;
    buttons.last.ariaDisabled = isLast;
    buttons.next.ariaDisabled = isLast && !stepper.options.nextSample;
    scrubber.value = index;
    scrubber.ariaValueText = stepper.step.title;
    all.forEach((chip, at) => {
      chip.tabIndex = at === index ? 0 : -1;
      chip.classList.toggle("is-done", at < index);
      chip.ariaCurrent = at === index ? "step" : null;
    });
    if (hadFocus) all[index].focus({ preventScroll: true });
  }

  follow(index) {
    scrollable(this.chips, null);
    const { scrollLeft, clientWidth } = this.chips;
    const { offsetLeft, offsetWidth } = this.all[index];
    const [least, most] = [offsetLeft + offsetWidth + 48 - clientWidth, offsetLeft - 48];
    this.chips.scrollLeft = Math.min(most, Math.max(least, scrollLeft));
  }

  played(isPlaying) {
    this.name("play", isPlaying ? "pause" : "play");
  }
}

/** Words, symbols, numbers, result: the four rows of a step, linked. */
class Rows {
  constructor(stepper) {
    this.stepper = stepper;
    const values = [...ROWS, "unrolled"].map((name) => [name, node("div", `net-value net-value-${name}`)]);
    this.value = Object.fromEntries(values);
    const rows = ROWS.map((name) => node("div", `net-row net-row-${name}`, node("dt", "muted", say[name]), node("dd", {}, this.value[name])));
    this.title = node("h2", { class: "net-title", tabindex: -1 });
    this.place = node("p", "net-place muted");
    this.asking = node("div");
    const more = node("details", { class: "net-more", on: { toggle: () => this.measure() } }, node("summary", {}, say.unrolled), this.value.unrolled);
    const apply = (text, another, name) => button(text, () => stepper.apply(another), { class: name });
    this.after = node("p", "net-after row", apply(say.applyAndNext, true, "main"), apply(say.apply, false));
    this.note = node("p", "net-note hint");
    const head = node("div", "net-step-head row", this.title, this.place);
    // Pointing at a symbol, a number or a word, or focusing its button, lights what belongs to it.
    const light = ({ target }) => stepper.lightSymbol(target.closest("[data-symbol]")?.dataset.symbol);
    const dim = () => stepper.lightSymbol(null);
    const on = { pointerover: light, focusin: light, click: light, pointerleave: dim, focusout: dim };
    this.element = node("section", { class: "net-step panel", on }, head, this.asking, node("dl", "net-rows", ...rows), more, this.after, this.note);
  }

  /** Show the step, or, where something is asked before, what does not give it away. */
  show(question) {
    const { stepper, value } = this;
    const { step, steps, index, timeline, options } = stepper;
    this.title.textContent = step.title;
    this.title.dataset.symbol = symbolOf(step);
    this.place.textContent = say.place(say.phases[PHASE[step.kind]], index + 1, steps.length);
    value.words.replaceChildren(node("p", {}, step.words), ...this.factors(step.parts));
    value.symbols.innerHTML = step.symbols;
    for (const name of ["numbers", "result", "unrolled"]) value[name].innerHTML = (question ? null : step[name]) ?? "";
    paint(value.result, step.value);
    value.check.textContent = !question && step.kind === "gradient" ? say.checking : "";
    for (const one of Object.values(value)) one.closest(".net-row, .net-more").hidden = !one.hasChildNodes();
    this.after.hidden = step.kind !== "update" || !options.nextSample;
    this.note.hidden = !timeline.in_matrices;
    this.note.textContent = options.predict ? `${say.matrices} ${say.noPrediction}` : say.matrices;
    this.ask(question);
  }

  /** Return the factors of a step as buttons, each with its word. */
  factors(parts) {
    const isLong = parts.length > MOST_FACTORS;
    const wordClass = isLong ? "unseen" : "net-factor-word muted";
    const made = parts.map(({ symbol, label, word }) => {
      const factor = button("", null, { class: "net-factor", data: { symbol } });
      factor.append(node("b", {}, label), " ", node("span", wordClass, word));
      return node("li", {}, factor);
    });
    this.word = isLong ? node("p", { class: "net-word", "aria-hidden": true }) : "";
    return [node("ul", { class: "net-factors row", "aria-label": say.factors }, ...made), this.word];
  }

  ask(question) {
    const { stepper, asking } = this;
    const guess = stepper.guesses.get(stepper.index);
    asking.hidden = !question && !guess;
    asking.className = `net-predict is-${guess?.isRight}`;
    if (question) {
      const answer = ([key, text], name = "net-guess") => button(text, () => stepper.reveal(key), { class: name });
      const choices = [...question.answers.map((one) => answer(one)), answer([null, say.reveal], "net-skip muted")];
      asking.replaceChildren(
        node("p", "net-question", question.text),
        node("div", { class: "net-guesses row", role: "group", "aria-label": question.text }, ...choices),
        node("p", "hint", question.hint),
      );
    } else if (guess) {
      const { right, all } = stepper.score;
      const mark = { true: "✓ ", false: "✗ " }[guess.isRight] ?? "";
      asking.replaceChildren(node("p", "net-verdict", `${mark}${guess.text} `, node("span", "hint", all ? say.score(right, all) : "")));
    }
  }

  compare(check) {
    const { stepper, value } = this;
    const put = (...parts) => value.check.replaceChildren(...parts);
    if (stepper.question()) return;
    if (check === null) return put(say.noCheck);
    const places = stepper.numbers.placesOf(stepper.step);
    const agreement = places.map((place) => parameter(check.agreement, place)); // null where it is not judged
    const count = (verdict) => agreement.filter((one) => one === verdict).length;
    const [right, wrong, kinks] = [count(true), count(false), places.filter((place) => parameter(check, place) === null).length];
    const hidden = count(null) - kinks;
    const verdict = (good, bad) => node("span", wrong ? "bad" : "good", wrong ? `✗ ${bad}` : `✓ ${good}`);
    if (kinks === places.length) return put(say.kink(kinks));
    const judged = right || wrong ? verdict(say.allAgree(right), say.someDiffer(wrong)) : "";
    if (places.length > 1) return put(judged, kinks ? say.someKinks(kinks) : "", hidden ? ` ${say.hidden(hidden)}` : "");
    const figure = (name, number) => node("span", {}, node("b", "net-number", shown(number, 8)), ` ${name}`);
    const [analytic, quotient, h] = [stepper.timeline.gradient, check, check.h].map((of) => parameter(of, places[0]));
    return put(figure(say.analytic, analytic), figure(say.quotient(shown(h)), quotient), hidden ? say.hidden(1) : verdict(say.agree, say.differ));
  }

  light(symbols) {
    for (const one of this.element.querySelectorAll("[data-symbol]")) one.classList.toggle("is-linked", symbols.includes(one.dataset.symbol));
    if (!this.word) return;
    const parts = symbols.map((symbol) => this.stepper.numbers.parts.get(symbol)).filter((part) => part?.word);
    this.word.textContent = parts.map(({ label, word }) => `${label}: ${word}`).join(", ");
  }

  measure() {
    for (const [name, value] of Object.entries(this.value)) scrollable(value, say.scrolled(say[name]));
  }
}

/** The drawing. Its items are units, edges, biases, the loss and targets: `{ key, kind, layer, unit, from, element, … }`. */
class Drawing {
  constructor(point, isStepped) {
    Object.assign(this, { isStepped, items: new Map(), room: null, pointed: null });
    const pointAt = ({ target }) => {
      const { key, of } = target?.closest("[data-key], [data-of]")?.dataset ?? {};
      const found = key ?? of ?? null;
      if (found !== this.pointed) point((this.pointed = found));
      this.read();
      return this.items.get(found);
    };
    const on = {
      pointerover: pointAt,
      pointerleave: () => pointAt({}),
      focusin: (event) => pointAt(event) && this.rove(this.pointed),
      focusout: () => pointAt({}),
      click: (event) => pointAt(event)?.element.focus({ preventScroll: true }),
      keydown: (event) => this.key(event),
    };
    this.svg = svg("svg", { class: "net-svg", role: "group", "aria-label": `${say.drawing}. ${say.drawingHelp}`, on });
    this.scroller = node("div", "net-scroller", this.svg);
    this.readout = node("p", "net-readout");
    const keys = isStepped ? ["now", "used", "positive", "negative"] : ["positive", "negative"];
    const entries = keys.map((name) => node("span", `net-key is-${name}`, say.legend[name]));
    this.legend = node("p", "net-legend row muted", ...entries, node("span", {}, say.legend.width), node("span", "net-scale"));
    this.element = node("figure", "net-figure panel", this.scroller, node("figcaption", {}, this.readout, this.legend));
  }

  /** Up and down go from part to part, page up and down from column to column. */
  key(event) {
    const order = [...this.items.values()];
    const at = order.findIndex(({ element }) => element === event.target);
    if (at < 0 || isCommand(event)) return;
    const { column } = order[at];
    const before = order.findLast((item) => item.column < column)?.column;
    const to = {
      ArrowDown: () => order[at + 1],
      ArrowUp: () => order[at - 1],
      PageDown: () => order.find((item) => item.column > column),
      PageUp: () => order.find((item) => item.column === before),
    }[event.key];
    if (!to) return;
    to()?.element.focus();
    event.preventDefault();
  }

  /** Make one part the one that the tab key reaches. */
  rove(key) {
    this.items.get(this.roving)?.element.setAttribute("tabindex", "-1");
    this.roving = this.items.has(key) ? key : this.items.keys().next().value;
    this.items.get(this.roving).element.setAttribute("tabindex", "0");
  }

  /** Take other numbers; what is drawn stays where the network is the same. */
  take(numbers, notation) {
    const { network, y } = numbers.timeline;
    Object.assign(this, { numbers, network, last: network.layers.length, isFolded: network.inputs > MOST_INPUTS });
    this.counts = [Math.min(network.inputs, MOST_INPUTS), ...network.widths.slice(1)];
    this.rows = Math.max(...this.counts);
    const shape = JSON.stringify([network, y.length, notation]);
    if (shape !== this.shape) this.room = null; // to be laid out anew
    this.shape = shape;
    if (this.room !== null) this.fill();
  }

  /** Return what is drawn for a factor or a step; one without a unit is of the whole layer. */
  find(part) {
    const isHidden = (unit) => unit > MOST_INPUTS - 2 && unit < this.network.inputs;
    const is = (wanted, has) => (wanted ?? has) === has || (has === "more" && isHidden(wanted));
    const kind = DRAWN_AS[part.kind] ?? (isBias(part) ? "b" : "w");
    if (kind === "loss") return [this.items.get("loss")];
    return [...this.items.values()].filter(
      (item) => item.kind === kind && item.layer === part.layer && is(part.unit, item.unit) && (kind !== "w" || is(part.from, item.from)),
    );
  }

  /** Lay out and draw, if the room has changed; tell whether it was. All lengths are px of a page with text of 16 px. */
  layout(fontSize) {
    const scale = fontSize / 16;
    const room = this.scroller.clientWidth / scale;
    if (room === this.room && scale === this.scale) return false;
    const { rows, last } = this;
    const isChain = rows === 1;
    const isWithin = (each) => room >= (last + 2) * each;
    const isWide = isChain && isWithin(140);
    const isRoomy = isChain || (rows <= 5 && room >= (last + 2.6) * 96);
    const [radius, between, least] = isRoomy ? [isWide ? 34 : 29, 32, 104] : [22, 15, 90];
    const side = radius + 16;
    const end = Math.min(150, Math.max(least - 10, isChain ? (room - 2 * side) / (last + 2) : 0)); // to the loss, and on to the target
    const pitch = Math.min(240, Math.max(least, (room - 2 * side - 2 * end) / last));
    // From a unit to its δ: in a chain below the gradients, if these are near.
    const under = isChain && !isWithin(190) ? 68 - radius : isRoomy ? 17 : 11;
    const rowPitch = 2 * radius + between + 2 * under;
    const drawn = pitch * last + 2 * end;
    const width = Math.max(room, 2 * side + drawn);
    const height = HEAD + rows * rowPitch;
    Object.assign(this, { room, scale, width, isChain, isRoomy, radius, end, pitch, under, rowPitch });
    this.left = (width - drawn) / 2;
    this.digits = isWide ? 4 : 3;
    this.isDense = this.counts.some((count, layer) => layer > 0 && count * this.counts[layer - 1] > MANY_EDGES);
    for (const [name, is] of Object.entries({ roomy: isRoomy, chain: isChain, dense: this.isDense })) this.svg.classList.toggle(`is-${name}`, is);
    const size = { width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}` };
    for (const [name, value] of Object.entries(size)) this.svg.setAttribute(name, value);
    const hadFocus = this.svg.contains(document.activeElement);
    this.draw();
    this.fill();
    if (hadFocus) this.items.get(this.roving).element.focus({ preventScroll: true });
    scrollable(this.scroller, say.scrolled(say.drawing));
    return true;
  }

  /** Return where a column is: the input, the layers, the loss, the target. */
  column(at) {
    return this.left + Math.min(at, this.last) * this.pitch + Math.max(0, at - this.last) * this.end;
  }

  spot(column, row, count) {
    return [this.column(column), HEAD + this.rowPitch * (row + (this.rows - count) / 2 + 0.5)];
  }

  draw() {
    this.items.clear();
    const group = (name) => svg("g", { class: `net-${name}`, "aria-hidden": name !== "lines" && name !== "bodies" });
    this.groups = Object.fromEntries(["heads", "wires", "lines", "bodies", "arrows", "labels"].map((name) => [name, group(name)]));
    this.svg.replaceChildren(...Object.values(this.groups));
    let before = [];
    this.counts.forEach((count, layer) => {
      const { activation, bias } = this.network.layers[layer - 1] ?? {};
      this.head(layer, layer ? say.layer(layer) : say.input, activation);
      const units = Array.from({ length: count }, (_, row) => {
        const fromLast = this.isFolded && layer === 0 ? count - row : Infinity;
        return { layer, unit: { 1: this.network.inputs, 2: "more" }[fromLast] ?? row + 1, spot: this.spot(layer, row, count) };
      });
      for (const from of before) for (const to of units) this.drawEdge(from, to, before.length * count);
      for (const unit of units) this.drawUnit(unit, bias);
      before = units;
    });
    this.drawLoss(before);
    this.rove(this.roving);
  }

  head(column, title, below = "") {
    const x = this.column(column);
    this.groups.heads.append(text(x, HEAD - 26, "", title), text(x, HEAD - 10, "net-activation", below.replaceAll("_", " ")));
  }

  item(made, group, ...drawn) {
    const element = svg("g", { class: `net-item net-${CLASS[made.kind]}`, "data-key": made.key, role: "button", tabindex: -1 }, ...drawn);
    this.items.set(made.key, { column: made.layer, ...made, element });
    this.groups[group].append(element);
  }

  drawUnit(place, hasBias) {
    const { radius, isRoomy, under } = this;
    const { layer, unit, spot } = place;
    const [x, y] = spot;
    const circle = svg("circle", { cx: x, cy: y, r: radius, class: "net-body" });
    const drawn = [circle, text(x, y - (isRoomy ? 8 : -4), "net-name"), text(x, y + (isRoomy ? 11 : 4), "net-f")];
    if (hasBias) {
      const reach = radius * 0.71;
      const d = `M${x - reach - 11} ${y - reach - 11}L${x - reach} ${y - reach}`;
      this.item({ ...place, key: `b${layer}.${unit}`, kind: "b", from: 0, column: layer - 0.5 }, "lines", ...line(d));
    }
    if (layer) {
      if (isRoomy) drawn.push(text(x, y - radius - 9, "net-z"));
      drawn.push(text(x, y + radius + under, "net-delta"), ...bar(x, y + radius + under + (isRoomy ? 6 : 3), isRoomy ? 56 : 44));
    }
    this.item({ ...place, key: `u${layer}.${unit}`, kind: layer ? "f" : "x" }, "bodies", ...drawn);
  }

  drawEdge(from, to, count) {
    const { layer, unit } = to;
    const way = wayFrom(from.spot, to.spot, this.radius, this.radius, count > MANY_EDGES);
    const drawn = line(way.d);
    if (count > FEW_EDGES && count <= MANY_EDGES) {
      const [x, y] = way.quarter;
      drawn.push(svg("circle", { cx: x, cy: y, r: 6, class: "net-sign-body" }), text(x, y + 4, "net-sign"));
    }
    const isCrossing = count === 4 && this.counts[layer] === 2 && from.unit !== unit; // two labels would be in one place
    const made = { key: `w${layer}.${from.unit}.${unit}`, kind: "w", layer, unit, from: from.unit, way, isLabelled: count <= FEW_EDGES };
    this.item({ ...made, spot: isCrossing ? way.third : way.middle, column: layer - 0.5 }, "lines", ...drawn);
  }

  drawLoss(outputs) {
    const { last, radius } = this;
    const targets = this.numbers.timeline.y;
    const half = radius * 0.95;
    const wire = (from, to, gap) => this.groups.wires.append(svg("path", { d: wayFrom(from, to, gap, half).d, class: "net-wire" }));
    const box = (item) => {
      const [x, y] = item.spot;
      const body = svg("rect", { x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 8, class: "net-body" });
      this.item(item, "bodies", body, text(x, y - 5, "net-name"), text(x, y + 12, "net-f"));
    };
    const spot = this.spot(last + 1, 0, 1);
    for (const output of outputs) wire(output.spot, spot, radius);
    box({ key: "loss", kind: "loss", column: last + 1, spot });
    targets.forEach((_, at) => {
      const place = this.spot(last + 2, at, targets.length);
      wire(spot, place, half);
      box({ key: `y${at + 1}`, kind: "y", layer: last, unit: at + 1, column: last + 2, spot: place });
    });
    this.loss = { spot, half };
    this.head(last + 1, say.loss, this.network.loss_name);
    this.head(last + 2, say.target);
  }

  /** Write in what does not change from step to step: names, weights, how long bars are, what a part is called. */
  fill() {
    const { numbers, isDense } = this;
    const parameters = [...this.items.values()].filter(isParameter);
    this.largest = Math.max(1e-9, ...parameters.map((item) => Math.abs(numbers.value(item.kind, item))));
    this.known = -1;
    this.log = logScale(numbers.timeline);
    this.legend.lastChild.textContent = say.legend.log(power(this.log.low), power(this.log.high));
    for (const item of this.items.values()) {
      const { element, kind, unit } = item;
      const isMore = unit === "more" || item.from === "more";
      if (kind === "w" || kind === "b") {
        item.value = undefined; // to be weighed anew
        if (!item.isLabelled && !isMore) element.style.setProperty("--log", `${0.4 + (isDense ? 2 : 5.5) * this.log.share(numbers.value("gradient", item))}px`);
      } else if (isMore) {
        put(element, "f", `⋮ ${this.network.inputs - MOST_INPUTS + 1}`);
      } else {
        put(element, "name", numbers.name(kind, item));
        if (kind === "x" || kind === "y") this.putInside(element, numbers.value(kind, item));
        if (kind === "f") stretch(element, this.log.share(numbers.value("delta", item)));
      }
      element.ariaLabel = this.tell(item);
    }
  }

  /** Show the sign and the size of a weight or a bias, if it has become another. */
  weigh(item) {
    const value = this.present(item);
    if (value === item.value) return;
    item.value = value;
    paint(item.element, value);
    put(item.element, "sign", signOf(value, true) || "0");
    const share = Math.min(1, Math.abs(value / this.largest));
    item.element.style.setProperty("--width", `${this.isDense ? 0.6 + 1.9 * share : 1.2 + 4.3 * share}px`);
  }

  /** Return what a weight or a bias is by now: after its update the new one. */
  present(item) {
    return this.numbers.value(this.isUpdated(item) ? "update" : item.kind, item);
  }

  /** Return its name, after its update with what it was before. */
  called(item, written) {
    const name = this.numbers.name(item.kind, item);
    return this.isUpdated(item) ? `${name} ${written(this.numbers.value(item.kind, item))} →` : name;
  }

  isUpdated(item) {
    return this.isStepped && this.isKnown("update", item);
  }

  /** Write a number, if it is known, into a unit or a box: with fewer digits, and smaller, where it would be too long. */
  putInside(element, value) {
    const all = value === undefined ? [""] : [this.digits, 3, 2, 1].map((digits) => this.number(value, false, digits));
    const written = all.find((one) => one.length * 4 < this.radius) ?? all.at(-1);
    if (this.isRoomy) element.querySelector(".net-f").style.fontSize = `${Math.min(13, (this.radius * 2.7) / written.length)}px`;
    put(element, "f", written);
  }

  number(value, sign, digits = this.digits) {
    return this.isRoomy && value !== null ? shown(value, digits, sign) : short(value, sign);
  }

  /** Show a step: accent what it computes, light what it uses, and show what is known by then, with bars or without. */
  show(step, known, log) {
    if (this.room === null) return;
    const now = new Set(this.find(step));
    const used = new Set(step.parts.flatMap((part) => this.find(part)));
    Object.assign(this, { known, now });
    for (const one of [this.svg, this.legend]) one.classList.toggle("is-log", log);
    this.svg.dataset.now = step.kind ?? "";
    const hasLabels = [...now, ...used].filter(({ kind }) => kind === "w").length <= MOST_LABELS;
    const labels = [];
    for (const item of this.items.values()) {
      const { kind, element } = item;
      const isNow = now.has(item);
      const isUsed = !isNow && used.has(item);
      element.classList.toggle("is-now", isNow);
      element.classList.toggle("is-used", isUsed);
      if (kind === "f" || kind === "loss") this.showKnown(item);
      if (isParameter(item)) this.weigh(item);
      if (kind === "b" && (isNow || isUsed) && this.isRoomy) labels.push(this.labelBias(item));
      if (kind !== "w" || item.from === "more") continue;
      const isLit = hasLabels && (isNow || isUsed);
      element.classList.toggle("is-labelled", isLit);
      element.classList.toggle("is-known", this.isKnown("gradient", item));
      if (isLit || item.isLabelled) labels.push(this.labelEdge(item, log, isLit));
    }
    this.groups.labels.replaceChildren(...labels);
    this.groups.arrows.replaceChildren(...this.arrows(step));
    this.read();
  }

  isKnown(kind, item) {
    return this.numbers.at(kind, item) <= this.known;
  }

  showKnown(item) {
    const { numbers, isChain } = this;
    const { element, kind } = item;
    const value = (what) => (this.isKnown(what, item) ? numbers.value(what, item) : undefined);
    const [inside, delta] = [value(kind), value("delta")];
    element.classList.toggle("is-known", inside !== undefined);
    this.putInside(element, inside);
    if (kind === "loss") return;
    const write = (what, name, sign) => put(element, what, value(what) === undefined ? "" : `${isChain ? numbers.name(what, item) : name} ${this.number(value(what), sign)}`);
    write("z", "z");
    write("delta", "δ", true);
    element.classList.toggle("has-delta", delta !== undefined);
    paint(element, delta);
  }

  /** Label an edge; outside a chain, where others are near, the label of one that matters just now is a tag. */
  labelEdge(item, log, isLit) {
    const { numbers, isRoomy, isChain } = this;
    const [x, y] = item.spot;
    const [weight, gradient] = [this.present(item), numbers.value("gradient", item)];
    const hasNames = isRoomy && (isChain || isLit);
    const isTag = hasNames && !isChain;
    const isNew = isTag && this.isUpdated(item);
    const written = (value) => (this.digits === 4 || isNew ? shown(value, 4, true) : short(value, true));
    const isKnown = this.isKnown("gradient", item);
    const hasGradient = hasNames && isKnown;
    const hasBar = isKnown && log;
    const [name, below] = isChain ? [10, 20] : [6, 14]; // from the edge up to the weight, and down to the gradient's name
    const bottom = hasGradient ? below + 16 : 0;
    const half = isNew ? 66 : 29;
    const label = svg("g", { class: "net-label", "data-of": item.key });
    if (isTag) label.append(svg("rect", { x: x - half, y: y - 34, width: 2 * half, height: 36 + bottom + (hasBar ? 11 : 5) * hasGradient, rx: 6, class: "net-tag" }));
    label.append(text(x, y - name, "net-weight", written(weight)));
    if (hasNames) label.append(text(x, y - name - 16, "net-name", this.called(item, written)));
    if (hasGradient) label.append(text(x, y + below, "net-name", isChain ? numbers.name("gradient", item) : "∂ℒ/∂w"), text(x, y + bottom, "net-gradient", written(gradient)));
    if (hasBar) label.append(...bar(x, y + bottom + 6, isRoomy ? 46 : 30));
    paint(label, weight);
    stretch(label, this.log.share(gradient));
    return label;
  }

  labelBias(item) {
    const [x, y] = item.spot;
    const written = (value) => shown(value, 3, true);
    return text(x, y - this.radius - 25, "net-weight", `${this.called(item, written)} ${written(this.present(item))}`);
  }

  /** Return arrows along what a step sends: forward to the right, δ to the left. */
  arrows({ kind, layer, unit }) {
    const isBack = kind === "delta";
    let ways = [];
    if (kind === "loss" || (isBack && layer === this.last)) {
      const outputs = isBack ? [...this.now] : this.find({ kind: "f", layer: this.last });
      ways = outputs.map(({ spot }) => wayFrom(spot, this.loss.spot, this.radius, this.loss.half));
    } else if (kind === "z" || isBack) {
      const edges = this.find({ kind: "w", layer: layer + isBack, [isBack ? "from" : "unit"]: unit });
      ways = (edges.length > MOST_ARROWS ? edges.filter((edge) => edge.unit === edge.from) : edges).map(({ way }) => way);
    }
    return ways.map(({ d }) => {
      const arrow = svg("path", { d: "M-6 -7L8 0L-6 7Z", class: `net-arrow ${isBack ? "is-back" : ""}` });
      arrow.style.setProperty("offset-path", `path("${d}")`);
      return arrow;
    });
  }

  light(keys) {
    for (const { element, key } of this.items.values()) element.classList.toggle("is-linked", keys.includes(key));
  }

  /** Keep what is computed now in sight, where the drawing is wider than its room. */
  follow() {
    const [item] = this.now ?? [];
    if (!item || this.width <= this.room) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    this.scroller.scrollTo({ left: (item.spot[0] - this.room / 2) * this.scale, behavior });
  }

  /** Say below the drawing what is pointed at, and its numbers. */
  read() {
    const item = this.items.get(this.pointed);
    this.readout.textContent = item ? this.tell(item) : "";
    if (item) item.element.ariaLabel = this.readout.textContent;
  }

  /** Return what a part is, with the numbers that are known of it. */
  tell(item) {
    const { numbers } = this;
    const { kind, layer, unit, from } = item;
    if (unit === "more" || from === "more") return say.others(this.network.inputs - MOST_INPUTS + 1);
    const source = kind === "w" ? numbers.name(layer === 1 ? "x" : "f", { layer: layer - 1, unit: from }) : null;
    const about = say.about[kind]({ layer, unit, isAlone: this.network.widths[layer] === 1, from: source, to: numbers.name("z", item) });
    const kinds = { f: ["z", "f", "delta"], w: ["w", "gradient", "update"], b: ["b", "gradient", "update"] }[kind] ?? [kind];
    const called = (one) => (one === "update" ? say.after : `${numbers.name(one, item)} =`);
    const known = kinds.filter((one) => this.isKnown(one, item)).map((one) => `${called(one)} ${shown(numbers.value(one, item), 6)}`);
    return [`${known.join(", ") || numbers.name(kind, item)}: ${about}`, numbers.meaning(kind, item)].filter(Boolean).join(", ");
  }
}

/** The drawing as a table, for those who do not see it. */
class Table {
  constructor() {
    this.place = node("div", "net-tables");
    this.element = node("details", { class: "net-as-table", on: { toggle: () => this.fill() } }, node("summary", {}, say.asTable), this.place);
  }

  show(numbers, known) {
    Object.assign(this, { numbers, known });
    this.fill();
  }

  fill() {
    const { numbers, known } = this;
    if (!this.element.open || !numbers) return;
    const { y, network } = numbers.timeline;
    const row = (place, kinds, named = kinds[0]) => {
      const cell = (kind) => (numbers.at(kind, place) <= known ? shown(numbers.value(kind, place), 6) : say.notYet);
      const name = [numbers.name(named, place), numbers.meaning(named, place)].filter(Boolean).join(" ");
      return [name, ...kinds.map((kind) => (kind ? cell(kind) : ""))];
    };
    const units = (layer, count = network.widths[layer]) => upTo(count).map((unit) => ({ layer, unit }));
    const alone = (kind) => (place) => row(place, ["", kind, ""], kind);
    const unitRows = units(0).map(alone("x"));
    const parameterRows = [];
    network.layers.forEach(({ bias }, at) => {
      const into = units(at + 1);
      const weights = units(at).flatMap(({ unit: from }) => into.map((place) => ({ ...place, from })));
      unitRows.push(...into.map((place) => row(place, ["z", "f", "delta"], "f")));
      parameterRows.push(...weights.map((place) => row(place, ["w", "gradient", "update"])));
      if (bias) parameterRows.push(...into.map((place) => row({ ...place, from: 0 }, ["b", "gradient", "update"])));
    });
    unitRows.push(alone("loss")({}), ...units(network.layers.length, y.length).map(alone("y")));
    const before = Array.from(this.place.children, (one) => one.scrollTop);
    const table = (caption, ...rows) => node("div", {}, tableOf(rows, caption));
    this.place.replaceChildren(table(say.units, say.unitColumns, ...unitRows), table(say.parameters, say.parameterColumns, ...parameterRows));
    [...this.place.children].forEach((one, at) => {
      scrollable(one, say.scrolled(say.asTable));
      one.scrollTop = before[at] ?? 0;
    });
  }
}

/** What can be looked up in a timeline, by a kind and a place `{ layer, unit, from }`: numbers, names, when it is known. */
class Numbers {
  constructor(timeline, notation, called) {
    Object.assign(this, { timeline, called });
    this.isSuper = notation === "superscript";
    this.isChain = Math.max(...timeline.network.widths) === 1;
    this.steps = new Map(timeline.steps.map((step, at) => [mark(step.kind, { ...step, from: isBias(step) ? 0 : step.from }), at]));
    this.parts = new Map([["loss", { kind: "loss" }]]); // by their symbols
    for (const { parts, unrolled_parts } of timeline.steps) for (const part of [...parts, ...unrolled_parts]) this.parts.set(part.symbol, part);
  }

  /** Return what an input or an output is called in the data, if it is. */
  meaning(kind, { unit }) {
    return this.called?.[kind]?.[unit - 1] ?? "";
  }

  value(kind, place) {
    const { timeline } = this;
    if (kind === "loss") return timeline.loss;
    if (kind === "x" || kind === "y") return timeline[kind][place.unit - 1];
    if (kind === "z" || kind === "f" || kind === "delta") return timeline[kind][place.layer][place.unit - 1];
    return parameter({ gradient: timeline.gradient, update: timeline.updated }[kind] ?? timeline, place);
  }

  /** Return at which step a number becomes known. */
  at(kind, place) {
    if ("xywb".includes(kind)) return -1;
    return this.steps.get(mark(kind, place)) ?? this.steps.get(mark(kind, { ...place, unit: null })) ?? Infinity;
  }

  /** Return what it is called, as the steps call it. */
  name(kind, place) {
    const { layer, unit, from } = place;
    if (kind === "loss") return "ℒ";
    if (kind === "gradient") return `∂ℒ/∂${this.name(from ? "w" : "b", place)}`;
    const indices = this.isChain ? [] : from ? [from, unit] : [unit];
    if (kind === "x" || kind === "y") return kind + below(indices.join());
    const letter = { delta: "δ", f: this.isSuper ? "a" : "f" }[kind] ?? kind;
    return this.isSuper ? `${letter}⁽${above(layer)}⁾${below(indices.join())}` : letter + below([layer, ...indices].join());
  }

  placesOf({ layer, unit, from, ...step }) {
    const { widths } = this.timeline.network;
    const all = (one, count) => (one === null ? upTo(count) : [one]);
    const sources = isBias({ from, ...step }) ? [0] : all(from, widths[layer - 1]);
    return sources.flatMap((source) => all(unit, widths[layer]).map((into) => ({ layer, unit: into, from: source })));
  }
}

const upTo = (count) => Array.from({ length: count }, (_, at) => at + 1);
const mark = (kind, { layer, unit, from }) => `${kind} ${layer ?? ""} ${unit ?? ""} ${unit || from === 0 ? (from ?? "") : ""}`;
const isParameter = ({ kind, from }) => (kind === "w" || kind === "b") && from !== "more";
const isBias = ({ kind, from, name, symbol }) => kind === "b" || from === 0 || / b/.test(name ?? symbol);

/** Return the `data-symbol` of what a step finds. */
const symbolOf = ({ name }) => name.replace("update ", "");

/** Return a parameter, or what stands in its place; a bias is from 0. */
const parameter = ({ weights, biases }, { layer, unit, from }) => (from ? weights[layer - 1][from - 1][unit - 1] : biases[layer - 1][unit - 1]);

/** Return the powers of ten between which all δ and gradients are, and where a number lies between them. */
function logScale({ delta, gradient }) {
  const exponent = (value) => Math.log10(Math.abs(value));
  const exponents = [delta, gradient.weights, gradient.biases].flat(4).filter((value) => value).map(exponent);
  const high = exponents.length ? Math.ceil(Math.max(...exponents)) : 0;
  const low = Math.min(high - 4, ...exponents.map(Math.floor));
  const share = (value) => (value ? Math.max(0.03, (exponent(value) - low) / (high - low)) : 0);
  return { low, high, share };
}

/* Numbers as text */

export const below = (text) => String(text).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const above = (text) => String(text).replace(/[\d-]/g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(sign)]);
export const power = (exponent) => `10${above(exponent)}`;

const signOf = (value, always) => (value < 0 ? "−" : always && value > 0 ? "+" : "");

/** Return a number with a few digits, written as figures.py does; if asked for, with a + sign. */
export function shown(value, digits = 4, sign = false) {
  if (value === null) return say.noNumber;
  const size = Number(Math.abs(value).toPrecision(digits));
  if (size === 0 || (size >= 1e-3 && size < 1e6)) return signOf(value, sign) + size;
  const [mantissa, exponent] = size.toExponential().split("e");
  return `${signOf(value, sign)}${mantissa}·${power(Number(exponent))}`;
}

/** Return a number in at most six characters. */
function short(value, sign) {
  const size = Math.abs(value);
  if (value === null) return "–";
  if (size < 0.001 || size >= 100) return shown(value, size < 0.001 ? 1 : 3, sign);
  return signOf(value, sign) + size.toFixed(size < 0.01 ? 3 : size < 10 ? 2 : 1);
}

/* Elements */

const text = (x, y, name, written = "") => svg("text", { x, y, class: name }, written);
const line = (d) => [svg("path", { d, class: "net-hit" }), svg("path", { d, class: "net-line" })];

/** Return the way between two things, with points on it; where there are many, straight lines are clearer. */
function wayFrom([fromX, y0], [toX, y1], gapFrom, gapTo, isStraight = false) {
  const [x0, x1] = [fromX + gapFrom, toX - gapTo];
  const x = (x0 + x1) / 2;
  const bend = isStraight ? "L" : `C${x} ${y0} ${x} ${y1} `;
  const point = (across, down) => [x0 + across * (x1 - x0), y0 + down * (y1 - y0)];
  return { d: `M${x0} ${y0}${bend}${x1} ${y1}`, middle: point(0.5, 0.5), third: point(0.395, 0.3), quarter: point(0.28, 0.17) };
}

/** Return a bar that grows to the right, on a faint track. */
function bar(x, y, length) {
  const place = { x: x - length / 2, y, height: 4, rx: 2 };
  return [svg("rect", { ...place, class: "net-track", width: length }), svg("rect", { ...place, class: "net-bar", "data-length": length })];
}

function stretch(element, share) {
  const found = element.querySelector(".net-bar");
  found?.setAttribute("width", found.dataset.length * share);
}

/** Write into a part of an element, if it has that part and says something else. */
function put(element, name, written) {
  const place = element.querySelector(`.net-${name}`);
  if (place && place.textContent !== written) place.textContent = written;
}

function paint(element, value) {
  element.classList.toggle("is-positive", value > 0);
  element.classList.toggle("is-negative", value < 0);
}
