/** The view Step: one sample through the network, forward and back, and the switches for how it is shown. */
import { choice, element as make, numberField, field, toggle } from "./controls.js";
import { called } from "./fit.js";
import { mount, shown } from "./network.js";
import { same } from "./state.js";
import { step as say } from "./words/step.js";

const MOST_LOSSES = 12; // of the samples before, that are listed
const NO_ROWS = { x: [], called: { x: [], y: [] } };

export function show(element, app) {
  const place = make("div");
  const learnt = make("p", { class: "step-learnt numbers", hidden: true });
  let rows = null; // samples to go through, and which is the next
  let said = NO_ROWS.called; // of inputs and targets
  let losses = [];
  let isOurs = false; // whether it is from here that the scene is changed

  const stepper = mount(place, app.source, {
    ...app.state.show,
    announce: app.announce,
    onStep: ({ kind }) => kind === "loss" && name(), // so that the rows are there in time
    nextSample: async (updated, another) => {
      const { shows } = stepper;
      const sample = another ? await nextSample() : {};
      if (shows !== stepper.shows) return; // it was of another scene, which is no longer shown
      losses = [...losses, stepper.timeline.loss].slice(-MOST_LOSSES);
      isOurs = true;
      app.set({ scene: { weights: updated.weights, biases: updated.biases, ...sample } });
      isOurs = false;
      await stepper.show(app.state.scene, { restart: true });
      tellLosses();
    },
  });
  /** Return x and y of the next row of the data on the page, if they fit the network; else nothing, so that they stay. */
  async function nextSample() {
    const { x, y } = await fitting().catch((error) => {
      app.notice(error);
      return NO_ROWS;
    });
    if (!x.length) return {};
    const isHere = (at) => String(x[at]) === String(app.state.scene.x);
    if (isHere(rows.next % x.length)) rows.next += 1; // as after training, which leaves the first row
    const at = rows.next % x.length;
    rows.next += 1;
    return { x: x[at], y: [y[at]].flat() };
  }

  /** Ask for the rows of the data on the page, once; there are none if they do not fit. */
  function fitting() {
    const { scene, data } = app.state;
    const asked = JSON.stringify([data, scene.inputs, scene.layers, scene.loss]);
    if (rows?.asked !== asked) {
      const mine = { asked, next: 0, found: found(scene, data) };
      mine.found.catch(() => rows === mine && (rows = null)); // the next time it is asked anew
      rows = mine;
    }
    return rows.found;
  }

  /** Say what inputs and targets are called in the data on the page; what is wrong with these is told when they are needed. */
  async function name() {
    const asked = fitting();
    const { called } = await asked.catch(() => NO_ROWS);
    if ((rows && asked !== rows.found) || same(called, said)) return;
    said = called;
    stepper.set({ called });
  }

  async function found(scene, data) {
    const told = await app.ask("/api/data", { data, scene });
    const isFit = told.inputs === scene.inputs && told.outputs === scene.layers.at(-1).units;
    return { x: isFit ? told.x : [], y: told.y, called: called(scene, told) };
  }

  function tellLosses() {
    const all = [...losses, stepper.timeline.loss].map((loss) => (loss === null ? "–" : shown(loss)));
    learnt.hidden = !losses.length;
    learnt.replaceChildren(make("b", {}, `${say.learnt}: `), all.join(" → "));
  }

  const { scene } = app.state;
  const set = (section, name, value, how) => app.set({ [section]: { [name]: value } }, how);
  const choices = ["sign", "notation"].map((name) => [name, choice(say[name], say[`${name}s`], scene[name], (value) => set("scene", name, value))]);
  const switches = ["log", "predict"].map((name) => [
    name,
    toggle(say[name], app.state.show[name], (on) => set("show", name, on), { title: say[`${name}Hint`] }),
  ]);
  const rate = numberField(scene.learning_rate, { min: 1e-9, max: 1e6, step: 0.05 }, (value, final) => set("scene", "learning_rate", value, { undo: final }));
  const made = (all) => all.map(([, one]) => one);
  const settings = make("div", "row step-settings", ...made(choices), field(say.rate, rate), ...made(switches));
  element.classList.add("stack");
  element.append(make("h1", "unseen", say.title), settings, place, learnt);

  const isNew = app.isArrival;
  stepper.show(scene).then(() => {
    if (isNew) stepper.go(stepper.steps.findIndex(({ kind }) => kind === "delta")); // what it is about
    name();
  });
  // The arrow keys are for the timeline also where nothing has the focus.
  const onKey = (event) => event.target === document.body && stepper.key(event);
  document.addEventListener("keydown", onKey);
  return {
    update(state, what) {
      if (what.show) {
        stepper.set(what.show);
        for (const [name, one] of switches) one.firstChild.checked = state.show[name];
      }
      if (what.data) name();
      if (!what.scene || isOurs) return;
      for (const [name, one] of choices) {
        for (const radio of one.querySelectorAll("input")) radio.checked = radio.value === state.scene[name];
      }
      rate.put(state.scene.learning_rate);
      const isWritten = Object.keys(what.scene).every((name) => ["sign", "notation", "learning_rate"].includes(name));
      if (!isWritten) [losses, learnt.hidden] = [[], true];
      stepper.show(state.scene).then(name);
    },
    leave: () => {
      document.removeEventListener("keydown", onKey);
      stepper.destroy();
    },
  };
}
