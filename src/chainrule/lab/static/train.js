/**
 * The view Train: a network learns while one watches.
 *
 * The lab trains and measures; a run is a stream of frames, and what a frame has is enough to go on from it. While it
 * runs, the weights go into the state now and then, so that every other view shows the network as it is.
 */
import { cloud, confusion, curves, grouped, plane, short } from "./charts.js";
import { button, choice, element, field, numberField, panel, select } from "./controls.js";
import { chooser, fits as isFit, fitted } from "./data.js";

const MOST_POINTS = 1200; // of a curve, before it is thinned
const SAY_EVERY = 5000; // ms
const MOST_KEPT = 30; // frames
const KEEP_EVERY = 500; // ms between two times that the weights go into the state
const CALM = 1000; // ms between two pictures, where less motion is wanted
const SEED = { min: 0, max: 2 ** 31 - 1, step: 1, whole: true };

/** What was seen of the run; it outlives the view. `kept` has the frames whose weights a state has or had, by its key. */
let seen = nothing();

function nothing() {
  return { kept: new Map(), frame: null, losses: [], layers: [] };
}

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
  const say = app.words.train;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let told = null; // of the data
  let stop = null; // the stream, while there is one
  let runs = false; // whether it is a run, and not only a look at the network
  let ours = false; // whether a change of the state is this view's own
  let saidAt = 0;
  let keptAt = 0;
  let drawnAt = 0;
  let drawing = 0;
  let isOver = false;
  recall(app.state);

  // The run

  const start = button(say.start, () => (runs ? pause() : run(null)), { class: "main", data: { key: "start" } });
  const step = button(say.step, () => run(1), { data: { key: "step" } });
  const again = button(say.reset, reset, { data: { key: "reset" } });
  const status = element("p", { class: "status", text: say.idle });
  const figures = element("dl", "figures numbers");
  const speed = element("div");
  const bar = element(
    "section",
    { class: "panel run", "aria-label": say.controls },
    element("div", "row", start, step, again, speed),
    status,
    figures,
  );

  function run(epochs) {
    if (!told) return;
    if (runs) keep(false);
    halt();
    if (!fits()) fit();
    const { scene, data, training } = app.state;
    const remaining = training.epochs - training.start_epoch;
    const many = epochs ?? (remaining > 0 ? remaining : training.epochs);
    const body = { scene, data, training: { ...training, epochs: many, memory: seen.frame?.memory ?? null } };
    const isStep = epochs === 1;
    if (isStep) body.training.epochs_a_frame = 1;
    else app.announce(say.started);
    saidAt = keptAt = performance.now();
    app.notice(null);
    runs = true;
    stop = app.stream("/api/train", body, take, (error) => {
      halt();
      if (error) app.notice(error.message);
      finish(error ? null : isStep ? "step" : "end");
    });
    showRun();
  }

  /** Take in a frame. */
  function take(frame) {
    seen.frame = frame;
    const last = seen.losses.at(-1)?.[0] ?? -1;
    seen.losses = thinned(seen.losses, frame.curve.filter(([epoch]) => epoch > last));
    if (frame.epoch > (seen.layers.at(-1)?.epoch ?? -1)) seen.layers = thinned(seen.layers, [{ epoch: frame.epoch, of: frame.layers }]);
    const now = performance.now();
    if (runs && now - keptAt > KEEP_EVERY) {
      keptAt = now;
      keep(false);
    }
    if (runs && now - saidAt > SAY_EVERY) {
      saidAt = now;
      app.announce(say.going(frame.epoch, short(frame.loss, 3), frame.held_out_loss === null ? null : short(frame.held_out_loss, 3)));
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
    finish("pause");
  }

  /** End the stream, if there is one, without a word. */
  function halt() {
    stop?.();
    stop = null;
    runs = false;
  }

  function finish(how) {
    const { frame } = seen;
    if (frame) keep(true);
    if (frame && how) {
      const text =
        how === "pause"
          ? say.paused(grouped(frame.epoch))
          : how === "step" && !frame.error
            ? say.stepped(grouped(frame.epoch), short(frame.loss))
            : say.ended(frame.ended, grouped(frame.epoch));
      status.textContent = text;
      app.announce(text);
      if (frame.error) app.notice(frame.error.message);
    }
    showRun();
    draw(true);
  }

  /** Draw the weights anew, by the seed. */
  function anew(seed) {
    halt();
    seen = nothing();
    change({ scene: { seed, weights: null, biases: null } });
    showRun();
    look();
  }

  function reset() {
    anew(app.state.scene.seed);
    status.textContent = say.wasReset;
    app.announce(say.wasReset);
  }

  /** Show the network as it is before anything is learnt. */
  function look() {
    draw(true);
    if (stop || isOver || !told || !fits() || seen.frame) return;
    const { scene, data, training } = app.state;
    stop = app.stream("/api/train", { scene, data, training: { ...training, epochs: 0 } }, take, () => {
      halt();
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
    start.textContent = runs ? say.pause : app.state.training.start_epoch ? say.goOn : say.start;
    step.disabled = runs || !told;
    start.disabled = !told;
    place.classList.toggle("runs", runs);
    if (runs) status.textContent = say.started;
    else if (status.textContent === say.started) status.textContent = say.idle;
  }

  // The data

  /** Take other data, and begin anew where something was learnt from the old. */
  function takeData(data, final, isOther) {
    halt();
    const began = app.state.training.start_epoch > 0 ? { scene: { weights: null, biases: null } } : {};
    seen = nothing();
    if (isOther) told = null;
    change({ data, ...began }, final && !isOther);
    showRun();
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

  const chips = element("ul", { class: "chips", "aria-label": say.network });
  const unfit = element("div", { class: "stack", hidden: true });
  const seedField = numberField(app.state.scene.seed, SEED, (value, final) => final && anew(value));
  const networkPanel = panel(say.network, chips, unfit, element("div", "row ends", button(say.build, () => app.go("build")), field(say.seed, seedField)));

  const fits = () => isFit(app.state.scene, told);

  function fit() {
    seen = nothing();
    change({ scene: fitted(app, told) });
    showNetwork();
  }

  function showNetwork() {
    const { inputs, layers, loss } = app.state.scene;
    const texts = [say.inputs(inputs), ...layers.map(say.layer), loss.replaceAll("_", " ")];
    chips.replaceChildren(...texts.map((text) => element("li", { text })));
    seedField.put(app.state.scene.seed);
    unfit.hidden = !told || fits();
    if (unfit.hidden) return;
    const take = button(say.fit, () => {
      fit();
      look();
      start.focus();
    });
    unfit.replaceChildren(element("p", { class: "bad", text: say.doesNotFit(told) }), element("p", {}, take));
  }

  // How it learns

  const how = element("div", "stack");
  const howPanel = panel(say.how, how);

  async function showHow() {
    const { training } = app.state;
    const put = (member) => (value, final = true) => {
      change({ training: { [member]: value } }, final);
      if (member === "optimizer") {
        if (seen.frame) seen.frame = { ...seen.frame, memory: null };
        showHow();
      }
      if (final && runs) run(null);
    };
    const number = (member, limits, placeholder = null) => numberField(training[member], limits, put(member), { data: { key: member }, placeholder });
    const optional = (member, limits) => number(member, { ...limits, optional: true }, say.never);
    const names = (await app.catalogue()).optimizers;
    const isLbfgs = training.optimizer === "lbfgs";
    const rate = number("learning_rate", { min: 1e-6, max: 1e6, step: 0.005 });
    rate.disabled = isLbfgs;
    const focused = how.contains(document.activeElement) && document.activeElement.dataset.key;
    how.replaceChildren(
      element(
        "div",
        { class: "fields" },
        field(say.optimizer, select(names.map((one) => [one, say.optimizers[one] ?? one]), training.optimizer, put("optimizer"), { data: { key: "optimizer" } })),
        field(say.learningRate, rate),
        field(say.batch, number("batch_size", { min: 1, max: 1_000_000, step: 1, whole: true })),
        field(say.l1, number("l1", { min: 0, max: 1e6, step: 0.001 })),
        field(say.l2, number("l2", { min: 0, max: 1e6, step: 0.001 })),
      ),
      element("h3", { text: say.ends }),
      element(
        "div",
        { class: "fields" },
        field(say.epochs, number("epochs", { min: 1, max: 1_000_000, step: 100, whole: true })),
        field(say.seconds, number("seconds", { min: 1, max: 600, step: 10 })),
        field(say.lossBelow, optional("loss_below", { min: 0, max: 1e6, step: 0.01 })),
        field(say.patience, optional("patience", { min: 1, max: 1_000_000, step: 1, whole: true }), say.patienceHint),
      ),
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
  const deltas = curves({ title: say.delta, hint: say.deltaHint, log: true, words: say.charts });
  const gradients = curves({ title: say.gradient, hint: say.gradientHint, log: true, words: say.charts });
  const saturated = curves({ title: say.saturated, hint: say.saturatedHint, most: 1, words: say.charts });
  const pictureAt = element("div", "picture");
  let picture = null; // { kind, chart }
  const results = element("div", "results", pictureAt, losses, deltas, gradients, saturated);

  function choosePicture() {
    const of = told?.held_out ? "held_out" : "training";
    const makes = {
      plane: () => plane({ title: say.plane.title, hint: say.plane.hint, words: say.plane }),
      surface: () => plane({ title: say.plane.title, hint: say.plane.surfaceHint, words: say.plane }),
      confusion: () => confusion({ title: say.confusion.title, hint: say.confusion.hint[of], words: say.confusion }),
      line: () => cloud({ title: say.cloud.line, hint: say.cloud.lineHint, words: say.cloud }),
      scatter: () => cloud({ title: say.cloud.title, hint: say.cloud.hint, words: say.cloud }),
    };
    if (!told) return;
    const kind = told.inputs === 2 ? (told.classes ? "plane" : "surface") : told.classes ? "confusion" : told.inputs === 1 ? "line" : "scatter";
    if (picture?.kind === kind && picture.of === of) return;
    picture?.chart.stop();
    picture = { kind, of, chart: makes[kind]() };
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
    for (const [member, chart] of Object.entries({ delta: deltas, gradient: gradients, saturated })) {
      chart.show(names, seen.layers.map(({ epoch, of }) => [epoch, ...of.map((layer) => layer[member])]), final);
    }
    showFigures(frame);
    if (told && picture) drawPicture(frame, final);
  }

  function drawPicture(frame, final) {
    const { chart, kind } = picture;
    const fit = frame?.fit ?? null;
    const score = frame ? `${say.figures.score[frame.score.name]} ${short(frame.score.value, 3)}` : "";
    const paired = (xs, ys) => xs.map((x, k) => [x, ys[k]]);
    pictureAt.hidden = !fit && (kind === "confusion" || kind === "scatter");
    if (kind === "plane" || kind === "surface") {
      chart.show(told, fit, say.plane.alt(score), final);
    } else if (kind === "line") {
      const points = paired(told.x.map(([x]) => x), told.y);
      chart.show({ dots: points, line: fit ? paired(fit.x, fit.y) : [], across: told.names[0], up: told.target }, say.cloud.lineAlt(score), final);
    } else if (fit && kind === "confusion") {
      chart.show(fit);
    } else if (fit) {
      chart.show({ dots: paired(fit.wanted, fit.predicted), line: [], across: say.cloud.wanted, up: say.cloud.predicted }, say.cloud.alt(score), final);
    }
  }

  function showFigures(frame) {
    const words = say.figures;
    const listed = [
      ["epoch", words.epoch, grouped(frame?.epoch ?? app.state.training.start_epoch)],
      ["loss", words.loss, short(frame?.loss)],
      ["held-out", words.heldOut, short(frame?.held_out_loss)],
      ["score", frame ? `${words.score[frame.score.name]} ${words.of[frame.score.of]}` : words.score.accuracy, short(frame?.score.value, 3)],
      ["steps", words.stepsASecond, frame?.steps_per_second ? grouped(frame.steps_per_second) : "–"],
      ["rows", words.rowsASecond, frame?.rows_per_second ? grouped(frame.rows_per_second) : "–"],
    ];
    figures.replaceChildren(...listed.map(([key, name, value]) => element("div", {}, element("dt", { text: name }), element("dd", { text: value, data: { key } }))));
  }

  // Together

  place.append(
    element("h1", { class: "unseen", text: say.title }),
    bar,
    element("div", "train", results, element("div", "settings", dataPanel, networkPanel, howPanel)),
  );
  showNetwork();
  showHow();
  showRun();
  draw(true);
  dataPanel.show();

  return {
    update(state, what) {
      if (ours) return;
      halt();
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
      for (const chart of [losses, deltas, gradients, saturated, picture?.chart]) chart?.stop();
    },
  };
}

/** Return old and new points, of the old ones every second where they are too many. */
function thinned(old, added) {
  const kept = old.length + added.length > MOST_POINTS ? old.filter((_, k) => k % 2 === 0) : old;
  return [...kept, ...added];
}
