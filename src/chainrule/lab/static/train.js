/**
 * The view Train: a network learns while one watches.
 *
 * The lab trains and measures; a run is a stream of frames, and what a frame has is enough to go on from it. While it
 * runs, the weights go into the state now and then, and at its end, so that every other view shows the network as it is.
 */
import { cloud, confusion, curves, grouped, plane, short } from "./charts.js";
import { button, choice, element, field, numberField, panel, select } from "./controls.js";
import { SEED, chooser, fitted } from "./data.js";
import { fits as isFit } from "./fit.js";
import { train as say } from "./words/train.js";

const MOST_POINTS = 1200; // of a curve, before it is thinned
const MOST_KEPT = 30; // frames
const KEEP_EVERY = 500; // ms between two times that the weights go into the state
const CALM = 1000; // ms between two pictures, where less motion is wanted
const COUNT = { min: 1, max: 1_000_000, whole: true };
const SIZE = { min: 0, max: 1e6, step: 0.001 };
const OF_LAYERS = { delta: { log: true }, gradient: { log: true }, saturated: { most: 1 } }; // what is measured, and its scale

const nothing = () => ({ kept: new Map(), frame: null, losses: [], layers: [] });

/** What was seen of the run; it outlives the view. `kept` has the frames whose weights a state has or had, by its key. */
let seen = nothing();

/** Return what tells whether a state is the one that was seen. */
function keyOf({ scene, data }) {
  const { inputs, layers, loss, seed, weights, biases } = scene;
  return JSON.stringify([inputs, layers, loss, seed, weights, biases, { ...data, csv: data.csv?.length }]);
}

/** Go back to what was seen when the state was this one. */
function recall(state) {
  const frame = seen.kept.get(keyOf(state));
  if (!frame) {
    seen = nothing();
    return;
  }
  seen.frame = frame;
  seen.losses = seen.losses.filter(([epoch]) => epoch <= frame.epoch);
  seen.layers = seen.layers.filter(({ epoch }) => epoch <= frame.epoch);
}

export function show(place, app) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let told = null; // of the data
  let stop = null; // the stream, while there is one
  let going = null; // "run" or "step", where it is not only a look at the network
  let ours = false; // whether a change of the state is this view's own
  let said = null; // of how the last run ended, while that is news
  let keptAt = 0;
  let drawnAt = 0;
  let drawing = 0;
  let isOver = false;
  recall(app.state);

  // The run

  const start = button(say.start, () => (going === "run" ? pause() : run()), { class: "main", data: { key: "start" } });
  const step = button(say.step, () => going === "step" || run("step"), { data: { key: "step" } });
  const again = button(say.reset, () => anew(app.state.scene.seed), { data: { key: "reset" } });
  const status = element("p", "status muted");
  const figures = element("dl", "figures numbers");
  const speed = element("div");
  const bar = element("section", { class: "panel run", "aria-label": say.controls }, element("div", "row", start, step, again, speed), status, figures);

  /** Train until the run ends, or for a step: one epoch of it. */
  function run(how = "run") {
    if (!told) return;
    if (going) keep(false);
    cut();
    if (!fits()) fit();
    const { scene, data, training } = app.state;
    const before = seen.frame;
    const memory = before?.optimizer === training.optimizer ? before.memory : null;
    const best = before?.best ?? null;
    const epochs = training.epochs - (training.start_epoch % training.epochs);
    const step = how === "step" ? { pause_after: 1, epochs_a_frame: 1 } : {};
    keptAt = performance.now();
    app.notice(null);
    going = how;
    said = null;
    stop = app.stream("/api/train", { scene, data, training: { ...training, epochs, memory, best, ...step } }, take, (error) => over(error, seen.frame === before));
    showRun();
    if (how === "run") app.announce(status.textContent);
  }

  /** Take in a frame. */
  function take(frame) {
    seen.frame = frame;
    const last = seen.losses.at(-1)?.[0] ?? -1;
    seen.losses = thinned(seen.losses, frame.curve.filter(([epoch]) => epoch > last));
    if (frame.epoch > (seen.layers.at(-1)?.epoch ?? -1)) seen.layers = thinned(seen.layers, [{ epoch: frame.epoch, of: frame.layers }]);
    const now = performance.now();
    if (going && now - keptAt > KEEP_EVERY) {
      keptAt = now;
      keep(false);
    }
    if (!drawing && (!calm.matches || now - drawnAt > CALM)) drawing = requestAnimationFrame(() => draw(false));
  }

  /** Put the weights of the last frame into the state; `final` makes them a step that can be undone. */
  function keep(final) {
    const { frame } = seen;
    if (!frame) return;
    change({ scene: { weights: frame.weights, biases: frame.biases }, training: { start_epoch: frame.epoch } }, final);
    hold();
  }

  /** Note that the state has the weights of the last frame. */
  function hold() {
    seen.kept.set(keyOf(app.state), seen.frame);
    if (seen.kept.size > MOST_KEPT) seen.kept.delete(seen.kept.keys().next().value);
  }

  function pause() {
    halt();
    tell(say.paused(grouped(app.state.training.start_epoch)));
  }

  /** Take in that the stream has ended, by itself or by an error, maybe before a frame came. */
  function over(error, isSilent) {
    const { frame } = seen;
    const isCut = error || isSilent || (going === "run" && !frame.ended);
    halt();
    const epoch = grouped(app.state.training.start_epoch);
    if (isCut) tell(say.stopped(epoch));
    else if (frame.ended) tell(say.ended(frame.ended, epoch, frame.error && seen.losses.length < 2));
    else tell(say.stepped(epoch, short(frame.loss)));
    const problem = isCut ? error : frame.error;
    if (problem) app.notice(problem);
  }

  /** End the stream, if there is one, without a word. */
  function cut() {
    stop?.();
    stop = going = null;
  }

  /** Cut a run short, if there is one, and keep what was seen of it last. */
  function halt() {
    if (going) keep(true);
    cut();
  }

  /** Say how a run ended, or what became of the network, and show it. */
  function tell(text) {
    said = text;
    showRun();
    draw(true);
    app.announce(text);
  }

  /** Draw the weights anew, by the seed. */
  function anew(seed) {
    halt();
    seen = nothing();
    change({ scene: { seed, weights: null, biases: null } });
    tell(say.wasReset);
    look();
  }

  /** Show the network as it is before anything is learnt. */
  function look() {
    draw(true);
    if (stop || isOver || !told || !fits() || seen.frame) return;
    const { scene, data, training } = app.state;
    stop = app.stream("/api/train", { scene, data, training: { ...training, pause_after: 0 } }, take, () => {
      cut();
      if (seen.frame) hold();
      draw(true);
    });
  }

  /** Change the state without hearing of it. */
  function change(patch, undo = true) {
    ours = true;
    app.set(patch, { undo });
    ours = false;
  }

  function showRun() {
    const { epochs, seconds, start_epoch: epoch } = app.state.training;
    start.textContent = going === "run" ? say.pause : epoch ? say.goOn : say.start;
    start.disabled = step.disabled = !told;
    if (going === "run") status.textContent = say.running(grouped(epoch - (epoch % epochs) + epochs), grouped(seconds));
    else if (!going) status.textContent = said ?? (!told ? say.noData : epoch ? say.at(grouped(epoch)) : say.idle);
  }

  // The data

  /** Take other data, and begin anew where something was learnt from the old. */
  function takeData(data, final, isOther) {
    halt();
    const isTrained = app.state.training.start_epoch > 0;
    const began = isTrained ? { scene: { weights: null, biases: null } } : {};
    seen = nothing();
    if (isOther) told = null;
    change({ data, ...began }, final && !isOther);
    if (isTrained) tell(say.wasReset);
    else showRun();
  }

  const dataPanel = chooser(app, takeData, (came, isOther) => {
    told = came;
    if (isOther) told && !fits() ? fit() : change({}); // with the choice, that is one step for undo
    showNetwork();
    showRun();
    choosePicture();
    look();
  });

  // The network

  const chips = element("ul", { class: "chips row", "aria-label": say.network });
  const unfit = element("div", { class: "stack", hidden: true });
  const seedField = numberField(app.state.scene.seed, SEED, (value, final) => final && anew(value));
  const networkPanel = panel(say.network, chips, unfit, element("div", "row ends", button(say.build, () => app.go("build")), field(say.seed, seedField)));

  const fits = () => isFit(app.state.scene, told);

  function fit() {
    seen = nothing();
    change({ scene: fitted(app, told) });
    showNetwork();
    showRun();
  }

  function showNetwork() {
    const { inputs, layers, loss } = app.state.scene;
    const texts = [say.inputs(inputs), ...layers.map(say.layer), loss.replaceAll("_", " ")];
    chips.replaceChildren(...texts.map((text) => element("li", {}, text)));
    seedField.put(app.state.scene.seed);
    unfit.hidden = !told || fits();
    if (unfit.hidden) return;
    const take = button(say.fit, () => {
      fit();
      look();
      start.focus();
    });
    unfit.replaceChildren(element("p", "bad", say.doesNotFit(told)), element("p", {}, take));
  }

  // How it learns

  const how = element("div", "stack");
  const howPanel = panel(say.how, how);

  async function showHow() {
    const { training } = app.state;
    const put = (member) => (value, final = true) => {
      const without = value === "lbfgs" ? { clip_norm: null } : {}; // which it cannot use
      change({ training: { [member]: value, ...without } }, final);
      if (member === "optimizer") showHow();
      if (final && going === "run") run();
    };
    const isLbfgs = training.optimizer === "lbfgs";
    const number = (member, limits, { hint, placeholder } = {}) => {
      const disabled = isLbfgs && ["learning_rate", "clip_norm"].includes(member);
      const more = { data: { key: member }, placeholder, disabled };
      return field(say.settings[member], numberField(training[member], { optional: !!placeholder, ...limits }, put(member), more), hint);
    };
    const names = (await app.catalogue()).optimizers;
    const optimizers = select(names.map((one) => [one, say.optimizers[one] ?? one]), training.optimizer, put("optimizer"), { data: { key: "optimizer" } });
    const rules = [
      number("learning_rate", { min: 1e-6, max: 1e6, step: 0.005 }),
      number("batch_size", COUNT),
      number("l1", SIZE),
      number("l2", SIZE),
      number("clip_norm", { ...SIZE, min: 1e-6, step: 0.1 }, { placeholder: say.noClip }),
    ];
    const ends = [
      number("epochs", { ...COUNT, step: 100 }),
      number("seconds", { min: 1, max: 600, step: 10 }),
      number("loss_below", { ...SIZE, step: 0.01 }, { placeholder: say.never }),
      number("patience", COUNT, { placeholder: say.never, hint: say.patienceHint }),
    ];
    const focused = how.contains(document.activeElement) && document.activeElement.dataset.key;
    how.replaceChildren(
      element("div", "fields", field(say.settings.optimizer, optimizers), ...rules),
      element("h3", {}, say.ends),
      element("div", "fields", ...ends),
    );
    if (focused) how.querySelector(`[data-key="${focused}"]`)?.focus();
    const pace = training.epochs_a_frame;
    const hadFocus = speed.contains(document.activeElement);
    speed.replaceChildren(
      choice(say.speed, say.speeds, pace === null ? "full" : String(pace), (value) => put("epochs_a_frame")(value === "full" ? null : Number(value))),
    );
    if (hadFocus) speed.querySelector(":checked").focus();
  }

  // The charts

  const losses = curves({ title: say.loss, log: true, canSwitch: true, words: say.charts });
  const ofLayers = new Map(Object.entries(OF_LAYERS).map(([member, scale]) => [member, curves({ ...say.ofLayers[member], ...scale, words: say.charts })]));
  const pictureAt = element("div", "picture");
  let picture = null; // { kind, chart }
  const results = element("div", "results", pictureAt, losses, ...ofLayers.values());

  function choosePicture() {
    if (!told) return;
    const kind = told.inputs === 2 ? (told.classes ? "plane" : "surface") : told.classes ? "confusion" : told.inputs === 1 ? "line" : "scatter";
    if (picture?.kind === kind) return;
    picture?.chart.stop();
    const makes = { plane, surface: plane, confusion, line: cloud, scatter: cloud };
    picture = { kind, chart: makes[kind]({ ...say.pictures[kind], words: say.charts }) };
    pictureAt.replaceChildren(picture.chart);
  }

  function draw(final) {
    drawing = 0;
    drawnAt = performance.now();
    if (isOver) return;
    const { frame } = seen;
    const isJudged = told?.held_out !== 0;
    const curve = isJudged ? seen.losses : seen.losses.map((point) => point.slice(0, 2));
    losses.show(isJudged ? [say.trainingLoss, say.heldOutLoss] : [say.trainingLoss], curve, final);
    const names = app.state.scene.layers.map((_, k) => say.layerName(k + 1));
    for (const [member, chart] of ofLayers) {
      chart.show(names, seen.layers.map(({ epoch, of }) => [epoch, ...of.map((layer) => layer[member])]), final);
    }
    showFigures(frame);
    if (told && picture) drawPicture(frame, final);
  }

  function drawPicture(frame, final) {
    const { chart, kind } = picture;
    const fit = frame?.fit ?? null;
    const { alt, across, up } = say.pictures[kind];
    const text = frame ? `${alt} ${say.figures.score[frame.score.name]} ${short(frame.score.value, 3)}` : alt;
    const paired = (xs, ys) => xs.map((x, k) => [x, ys[k]]);
    pictureAt.hidden = !fit && (kind === "confusion" || kind === "scatter");
    if (kind === "plane" || kind === "surface") {
      chart.show(told, fit, text, final);
    } else if (kind === "line") {
      chart.show({ dots: told.x.map(([x], k) => [x, told.y[k]]), line: fit ? paired(fit.x, fit.y) : [], across: told.names[0], up: told.target }, text, final);
    } else if (fit && kind === "confusion") {
      chart.show(fit);
    } else if (fit) {
      chart.show({ dots: paired(fit.wanted, fit.predicted), line: [], across, up }, text, final);
    }
  }

  function showFigures(frame) {
    const words = say.figures;
    const speed = (value) => (value ? grouped(value) : "–");
    const listed = {
      epoch: grouped(frame?.epoch ?? app.state.training.start_epoch),
      loss: short(frame?.loss),
      heldOut: short(frame?.held_out_loss),
      score: short(frame?.score.value, 3),
      steps: speed(frame?.steps_per_second),
      rows: speed(frame?.rows_per_second),
    };
    const names = { ...words, score: frame ? `${words.score[frame.score.name]} ${words.of[frame.score.of]}` : words.score.accuracy };
    figures.replaceChildren(...Object.entries(listed).map(([key, text]) => element("div", {}, element("dt", "muted", names[key]), element("dd", { data: { key } }, text))));
  }

  // Together

  const settings = element("div", "settings", dataPanel, networkPanel, howPanel);
  place.append(element("h1", "unseen", say.title), bar, element("div", "train stack", results, settings));
  showNetwork();
  showHow();
  showRun();
  draw(true);
  dataPanel.show();

  return {
    update(state, what) {
      if (ours) return;
      cut();
      said = null;
      recall(state);
      showNetwork();
      showHow();
      if (what.data) dataPanel.show();
      else look();
      showRun();
    },
    leave() {
      halt();
      isOver = true;
      dataPanel.stop();
      cancelAnimationFrame(drawing);
      for (const chart of [losses, ...ofLayers.values(), picture?.chart]) chart?.stop();
    },
  };
}

/** Return old and new points, of the old ones every second where they are too many. */
function thinned(old, added) {
  const kept = old.length + added.length > MOST_POINTS ? old.filter((_, k) => k % 2 === 0) : old;
  return [...kept, ...added];
}
