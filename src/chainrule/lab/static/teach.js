/** The view "teach": families of problems become a lesson, which is looked at and taken along. */
import { latest } from "./api.js";
import { button, element, field, numberField, panel, select } from "./controls.js";
import { html, paragraphs, picks, sign } from "./lessons.js";
import { practise } from "./words/practise.js";
import { shell } from "./words/shell.js";
import { teach as say } from "./words/teach.js";

const [MAX_ENTRIES, MAX_PROBLEMS, MAX_POINTS, MAX_ATTEMPTS] = [30, 100, 1000, 10]; // within those of lab/teaching.py
const WAIT = 300; // ms after a change, before problems are drawn

/** Show the lesson that the state tells, and what learners get. */
export async function show(place, app) {
  const known = new Map((await app.ask("/api/practice/families", {})).families.map((one) => [one.name, one]));
  let listed = []; // the entries that are shown
  let rows = []; // the element of each
  let waiting = null;
  let isTyped = false; // whether a change comes from a row, which shows it already

  const set = (patch, options) => app.set({ teach: patch }, options);
  const entries = () => app.state.teach.entries;
  const put = (some, options) => set({ entries: some.slice(0, MAX_ENTRIES) }, options);
  const lesson = () => ({ ...app.state.teach, title: app.state.teach.title || say.usualTitle });

  // The lesson
  const title = element("input", { type: "text", maxlength: 100, autocomplete: "off", on: { change: () => set({ title: title.value.trim() || null }) } });
  const seed = numberField(app.state.teach.seed, { min: 0, max: 2 ** 53 - 1, whole: true }, (value, final) => set({ seed: value }, { undo: final }));
  const when = select(say.whens, app.state.teach.show_solution, (value) => set({ show_solution: value }));
  const list = element("ol", "entries stack");
  const nothing = element("p", "muted", say.nothing);
  const adding = select([...known.keys()], null, () => {});
  const add = button(say.addThis, () => {
    put([...entries(), { family: adding.value, count: 1, points: 1, attempts: null, parameters: {} }]);
    rows.at(-1).querySelector("input").focus();
  });
  const fromNetwork = button(say.fromNetwork, () =>
    blaming(async () => {
      const found = await app.ask("/api/teach/of-network", { scene: app.state.scene });
      put(found.entries);
      app.announce(say.fromNetworkDone(found.entries.length), true);
    }, general),
  );

  // What comes of it
  const save = (path, asked, where) => () => blaming(async () => app.announce(shell.saved(await app.download(path, asked())), true), where);
  const saving = (some) => element("ul", "formats", ...some.map(([name, what, does]) => element("li", {}, button(name, does), element("small", {}, what))));
  const take = saving(say.formats.map(([format, name, what]) => [name, what, save("/api/teach/export", () => ({ ...lesson(), format }))]));
  const sum = element("p", { class: "muted", role: "status" });
  const drawn = element("div", "stack drawn");

  // What is wrong stands beside what it names.
  const wrong = (name) => element("p", { class: "bad wrong", role: "alert", data: { name } });
  const general = wrong("lesson");
  const ofSheets = wrong("sheets");
  const sheets = saving(say.sheets.map(([solutions, name, what]) => [name, what, save("/api/teach/sheet", () => ({ scene: app.state.scene, solutions }), ofSheets)]));

  function change(at, patch, options) {
    isTyped = true;
    put(entries().with(at, { ...entries()[at], ...patch }), options);
    isTyped = false;
    listed = entries(); // a new object, even where it equals the old and update() is not called
  }

  function move(from, to) {
    const some = [...entries()];
    const [one] = some.splice(from, 1);
    some.splice(to, 0, one);
    put(some);
    rows[to].querySelector(`${to < from ? ".up" : ".down"}:enabled, .icon:enabled`).focus();
    app.announce(say.moved(one.family, to + 1));
  }

  function remove(at) {
    const one = entries()[at];
    put(entries().toSpliced(at, 1));
    (rows[Math.min(at, rows.length - 1)]?.querySelector(".remove") ?? adding).focus();
    app.announce(say.removed(one.family));
  }

  function row(entry, at, all) {
    const { family, count = 1, points = 1, attempts = null, parameters = {} } = entry;
    // A move leaves an entry itself as it is; undo may bring another one to its place.
    const before = rows[listed.includes(entry) || listed[at]?.family !== family ? listed.indexOf(entry) : at];
    const one = known.get(family);
    const tool = (name, does, disabled) => button(say.signs[name], does, { label: say[name](family), class: `icon ${name}`, disabled });
    const tools = [tool("up", () => move(at, at - 1), at === 0), tool("down", () => move(at, at + 1), at === all.length - 1), tool("remove", () => remove(at))];
    const number = (name, value, max) =>
      field(say[name], numberField(value, { min: 1, max, whole: true }, (now, final) => change(at, { [name]: now }, { undo: final })));
    const tries = [["", say.usual], ...[...Array(Math.max(MAX_ATTEMPTS, Number(attempts) || 0)).keys()].map((k) => `${k + 1}`), ["unlimited", say.unlimited]];
    const chosen = (value) => change(at, { attempts: Number(value) || value || null });
    return element(
      "li",
      "panel",
      element("div", "row entry-head", element("h3", {}, say.entry(at + 1, family)), element("span", {}, ...tools)),
      element("p", "muted", one.about),
      element("div", "fields", number("count", count, MAX_PROBLEMS), number("points", points, MAX_POINTS), field(say.attempts, select(tries, `${attempts ?? ""}`, chosen))),
      element("details", { open: before?.querySelector("details").open }, element("summary", {}, say.parameters), picks(one, parameters, (given) => change(at, { parameters: given }))),
      wrong(at),
    );
  }

  /** Show the lesson as it is now, and draw its problems soon. */
  function update(state, { teach }) {
    if (!teach) return;
    const some = entries();
    title.value = state.teach.title || say.usualTitle;
    seed.put(state.teach.seed);
    when.value = state.teach.show_solution;
    if (teach.entries && !isTyped) {
      rows = some.map(row);
      list.replaceChildren(...rows);
    }
    listed = some;
    nothing.hidden = some.length > 0;
    add.disabled = some.length >= MAX_ENTRIES;
    for (const one of take.querySelectorAll("button")) one.disabled = !some.length;
    clearTimeout(waiting);
    waiting = setTimeout(preview, WAIT);
  }

  const preview = latest(async () => {
    if (!entries().length) {
      blame("");
      empty();
      return;
    }
    drawn.ariaBusy = true;
    await blaming(async () => {
      const { problems } = await app.ask("/api/teach/preview", lesson());
      sum.textContent = say.total(problems.length, problems.reduce((all, { points }) => all + points, 0));
      const open = new Set([...drawn.querySelectorAll("details[open]")].map((one) => one.dataset.name));
      drawn.replaceChildren(...problems.map((one, at) => told(one, at, open)));
    }).finally(() => (drawn.ariaBusy = false));
  });

  /** Do something with the lesson; what the lab finds wrong with it is shown, there or where it belongs. */
  async function blaming(does, where) {
    try {
      await does();
      blame("");
    } catch (error) {
      if (error.status !== 400 && error.status !== 422) throw error;
      blame(error.message, where);
      if (!where) empty();
    }
  }

  function empty() {
    sum.textContent = "";
    drawn.replaceChildren();
  }

  function blame(message, where) {
    for (const one of place.querySelectorAll(".wrong")) one.textContent = "";
    for (const [, at, said] of message.matchAll(/^(?:entries\[(\d+)\]: )?(.+)/gm)) {
      (where ?? rows[at]?.querySelector(".wrong") ?? general).append(said, element("br"));
    }
  }

  const left = [
    panel(say.lesson, element("div", "stack", field(say.lessonTitle, title), field(say.when, when), field(say.seed, seed, say.seedHint))),
    element("section", "stack", element("h2", {}, say.entries), nothing, list, element("div", "row adding", field(say.add, adding), add), element("p", "row", fromNetwork, element("small", "hint", say.fromNetworkHint)), general),
  ];
  const right = [panel(say.take, take), panel(say.byHand, element("p", "hint", say.byHandHint), sheets, ofSheets), panel(say.preview, element("p", "hint", say.keysHint), sum, drawn)];
  place.replaceChildren(
    element("h1", {}, say.title),
    element("p", {}, say.about),
    element("div", "lesson stack", element("div", "stack", ...left), element("div", "stack", ...right)),
  );
  update(app.state, app.state);
  return { update, leave: () => clearTimeout(waiting) };
}

/** Return a problem as its teacher sees it; `open` has the names of folds that are open. */
function told(one, at, open) {
  const fold = (title, some) => {
    const name = one.id + title;
    return some.length ? element("details", { open: open.has(name), data: { name } }, element("summary", {}, title), ...paragraphs(some)) : null;
  };
  const options = one.options.map((option) => {
    const word = option.right ? practise.rightOption : say.wrongOption;
    return element("li", {}, sign(option.right, word), html("span", "formulae", option.html));
  });
  const key = one.key === null ? null : html("p", "formulae key", one.asked ? `${one.asked} = ${one.key}` : one.key);
  key?.prepend(element("b", {}, `${say.key} `));
  return element(
    "article",
    {},
    element("h3", {}, `${at + 1}. ${one.title}`),
    element("p", "facts muted", [one.id, practise.worth(one.points), say.attemptsOf(one.attempts)].join(" · ")),
    ...paragraphs(one.prompt),
    options.length ? element("ul", "told", ...options) : null,
    key,
    fold(say.hints, one.hints),
    fold(say.solution, one.solution),
  );
}
