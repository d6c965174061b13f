/** The view "practise": what there is to practise, and the problem that is chosen. */
import { button, element, field, select } from "./controls.js";
import { problem } from "./problem.js";
import { same } from "./state.js";
import { practise as say } from "./words/practise.js";
import { shell } from "./words/shell.js";

const REMEMBERED = "learner"; // in the browser's storage
const NOBODY = "\n"; // no learner's name
const NONE = { family: null, seed: null, parameters: {} };
const DAY = 24 * 60 * 60 * 1000; // ms

/** Show the chosen problem, or else what there is to choose from. */
export function show(place, app) {
  let learner = localStorage.getItem(REMEMBERED);
  let families = null; // as of /api/practice/families
  let shownId = NONE; // of the problem that is shown

  const ask = (what, body) => app.ask(`/api/practice/${what}`, { learner, ...body });
  const told = ({ hints, ...id } = app.state.practise) => id;
  const choose = (id, options) => app.set({ practise: { ...id, hints: 0 } }, options);

  async function load(name = learner) {
    families = await ask("families", { learner: name });
    learner = families.learner;
  }

  async function read(isMoved) {
    const asked = told();
    try {
      if (asked.family === null) await overview(isMoved);
      else if (!same(asked, shownId)) await open(asked, isMoved);
    } catch (error) {
      app.notice(error);
      if (asked.family !== null) choose(NONE);
    }
  }

  /** Show a problem; one without a seed is drawn. */
  async function open(asked, isMoved = true) {
    const before = told();
    if (!families) await load();
    const shown = await ask("problem", asked);
    if (!place.isConnected || !same(told(), before)) return;
    shownId = shown.id;
    const ways = { next, another: (parameters) => open({ ...asked, seed: null, parameters }), all: () => choose(NONE) };
    // Where an address told no seed, going back should not lead there, since another problem would be drawn.
    if (!same(before, shownId)) choose(shownId, { replace: same(asked, before) });
    const made = problem(app, learner, shown, families.families.find(({ name }) => name === asked.family), ways);
    place.replaceChildren(made);
    if (!isMoved) return;
    scrollTo(0, 0);
    made.begin();
  }

  /** Open a problem of the family that comes next, but not of the same one again. */
  async function next() {
    await load();
    await open({ ...NONE, family: families.next.find((one) => one !== told().family) });
  }

  async function overview(isMoved) {
    shownId = NONE;
    await load();
    const marked = (await ask("bookmarks")).problems;
    if (!place.isConnected || told().family !== null) return;
    const heading = element("h1", { tabindex: -1 }, say.title);
    const start = button(families.due.length ? say.due(families.due.length) : say.next, next, { class: "main" });
    const head = element("header", "panel overview", element("div", {}, heading, element("p", {}, say.about), start), whose());
    const list = (text, name, items) => items.length ? [element("h2", {}, text), element("ul", name, ...items)] : [];
    const items = marked.map(({ id, title }) => element("li", {}, button(`${title} · ${id.family}`, () => choose(id), { class: "small" })));
    place.replaceChildren(head, ...list(say.bookmarks, "row bookmarks", items), ...list(say.families, "families", families.families.map(card)));
    if (isMoved) heading.focus({ preventScroll: true });
  }

  /** Return who practises, how many points that has brought, and a way to save it. */
  function whose() {
    const name = element("input", { type: "text", maxlength: 80, autocomplete: "off", required: true });
    const begin = (event) => (event.preventDefault(), take(name.value));
    const form = element("form", { class: "row", hidden: true, on: { submit: begin } }, field(say.name, name), button(say.begin, () => {}, { type: "submit" }));
    const list = select([...families.learners.map((one) => [one, one]), [NOBODY, say.another]], learner, (chosen) => {
      form.hidden = chosen !== NOBODY;
      if (form.hidden) take(chosen);
    });
    const save = async (format) => app.announce(shell.saved(await app.download("/api/practice/progress", { learner, format })), true);
    const saving = ["csv", "json"].map((format) => button(say[format], () => save(format), { class: "small" }));
    return element("div", "whose stack", field(say.learner, list), form, element("p", "points", say.points(families.points)), element("p", "row", say.save, ...saving));
  }

  async function take(name) {
    await load(name);
    localStorage.setItem(REMEMBERED, learner);
    await overview(false);
    place.querySelector(".whose select")?.focus(); // which may be gone
  }

  function card({ name, about, kind, mastery }) {
    const isDue = families.due.includes(name);
    const facts = mastery ? [say.solved(mastery.solved, mastery.attempted)] : [say.kinds[kind]];
    if (mastery?.due) facts.push(say.recall(mastery.recall), isDue ? say.dueNow : say.dueIn(until(mastery.due)));
    return element(
      "li",
      `panel${isDue ? " is-due" : ""}`,
      element("h3", {}, button(name, () => open({ ...NONE, family: name }), { class: "family" })),
      element("p", {}, about),
      element("p", "facts muted", facts.join(" · ")),
    );
  }

  read(false);
  return { update: (_, what) => what.practise && read(true) };
}

/** Return how long it is until a time, in words. */
function until(time) {
  const left = (new Date(time) - Date.now()) / DAY;
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  return left < 1 ? words.format(Math.max(1, Math.round(24 * left)), "hour") : words.format(Math.round(left), "day");
}
