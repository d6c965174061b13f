/**
 * The page: its one state, the address that tells of it, and the view that shows it.
 *
 * A view is a module with `show(element, app)`, which fills the element and returns `{ update?(state, what), leave?() }`:
 * `update` is called when the state has changed, `what` being the members that did, by section (`what.scene?.weights`),
 * and `leave` before another view takes the place. `app` has
 *
 * - `state`: `{ scene, data, training, show }`, never changed in place;
 * - `set(patch, { undo = true })`: replace members, as in `set({ scene: { x: [0.4] } })`. With `undo: false`, the change
 *   is unfinished, as while a slider moves: the next `set` without it makes it a step that can be undone. With
 *   `replace: true`, it replaces the last step;
 * - `ask`, `download`, `stream`: see api.js. An ApiError that nobody catches becomes a notice;
 * - `source`: what network.js is given; `catalogue()`: what /api/catalogue answers, asked for once;
 * - `announce(text)`: for screen readers; `announce(text, true)`: shown, too;
 * - `notice(problem)`: show an ApiError or a text until it is dismissed; `notice(null)`: hide it;
 * - `go(view)`; `view`: the view's name; `isArrival`: whether the page was opened without a link, and nothing done since.
 */
import { ApiError, ask, download, stream } from "./api.js";
import { button, element, isCommand } from "./controls.js";
import { tools } from "./share.js";
import { DEFAULTS, decode, encode, merged, same } from "./state.js";
import { shell as say } from "./words/shell.js";

const FIRST_VIEW = "step";
const MOST_STEPS = 200; // that can be undone
const WRITE_EVERY = 300; // ms, while a slider moves: browsers stop a page that rewrites its address too often
const [SHOWN_FOR, A_LETTER] = [4000, 50]; // ms that an announcement is to be seen, and as long again for each letter
const main = document.getElementById("main");
const live = document.getElementById("live");
const notices = document.getElementById("notices");
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link])); // by view

let state = DEFAULTS;
let settled = DEFAULTS; // the state that was last a step
let past = [];
let future = [];
let view = { name: null, shown: {} };
let ownTable = null; // the last one, for addresses that are too short for it
let writing = null;
let isArrival = location.hash === "";
let isEntry = false; // whether the browser's history has an entry for a state that is not settled
let reads = 0;
let catalogued = null;
const missed = {}; // makes a view's module another one for the browser, which asks only once

const app = {
  get state() {
    return state;
  },
  get view() {
    return view.name;
  },
  get isArrival() {
    return isArrival;
  },
  set,
  ask,
  download,
  stream,
  source: {
    timeline: (scene) => ask("/api/timeline", { scene }),
    check: (scene) => ask("/api/check", { scene }),
  },
  catalogue() {
    catalogued ??= ask("/api/catalogue", {}).catch((error) => {
      catalogued = null;
      throw error;
    });
    return catalogued;
  },
  announce,
  notice,
  go: (name) => open(name, true),
  undo: () => step(true),
  redo: () => step(false),
  reset() {
    const { scene, data, training, show } = DEFAULTS;
    set({ scene, data, training, show });
    announce(say.startedAgain, true);
  },
  link: () => `${location.origin}/${hash()}`,
  isLinkWhole: () => same(decode(encode(state)), state),
};
const showSteps = tools(document.getElementById("tools"), app);

function set(patch, { undo = true, replace = false } = {}) {
  const isAnew = patch.scene?.weights === null; // with weights that have not learnt anything
  change(merged(isAnew ? merged(state, { training: { start_epoch: 0 } }) : state, patch));
  if (replace) [settled, isEntry] = [state, true];
  else if (undo) settle();
  write(undo);
}

/** Make what is shown a step that can be undone. */
function settle() {
  if (same(settled, state)) return;
  past = [...past, settled].slice(-MOST_STEPS);
  future = [];
  settled = state;
}

/** Show another state, and tell the view what of it is other. */
function change(next) {
  const before = state;
  state = next;
  if (state.data.csv !== null) ownTable = state.data.csv;
  tell(view.shown, before);
}

function tell(shown, before) {
  const what = {};
  for (const [section, members] of Object.entries(state)) {
    for (const [name, value] of Object.entries(members)) {
      if (!same(value, before[section][name])) (what[section] ??= {})[name] = value;
    }
  }
  if (Object.keys(what).length) shown.update?.(state, what);
}

/** Go one step back (or forward again), and keep the way back. */
function step(back) {
  settle();
  const [from, to] = back ? [past, future] : [future, past];
  if (!from.length) return;
  to.push(settled);
  settled = from.pop();
  change(settled);
  write(true);
  announce(back ? say.undone : say.redone);
}

function hash(name = view.name) {
  const told = encode(state);
  return `#${name}${told ? `?s=${told}` : ""}`;
}

/** Write the state into the address: as a new entry of the history or, while a slider moves, over the last. */
function write(final) {
  showSteps(past.length > 0 || !same(settled, state), future.length > 0);
  clearTimeout(writing);
  writing = final ? null : setTimeout(put, WRITE_EVERY, false);
  if (final) put(true);
}

function put(final) {
  const address = hash();
  if (address !== location.hash || history.state === null) {
    if (isEntry || history.state === null) history.replaceState("ours", "", address);
    else history.pushState("ours", "", address);
  }
  isEntry = !final;
  for (const [name, link] of links) link.href = hash(name);
}

/** Show a view in place of the one that is shown. */
async function open(name, moved, isAnew = false) {
  if (name === view.name && !view.hasFailed && !isAnew) return;
  leave();
  const place = element("div", `view view-${name}`);
  view = { name, shown: {} };
  const mine = view;
  for (const [of, link] of links) link.ariaCurrent = of === name ? "page" : null;
  if (moved) write(true);
  const { show } = await import(`./${name}.js${(missed[name] ??= "")}`).catch(async (error) => {
    mine.hasFailed = true;
    if (view === mine) main.replaceChildren();
    missed[name] += "?";
    await ask("/api/catalogue", {}); // where the lab is away, this says so
    throw error;
  });
  if (view !== mine) return;
  main.replaceChildren(place);
  document.title = say.title(links.get(name).textContent); // now, as the view before could title itself so far
  scrollTo(0, 0);
  if (moved) main.focus({ preventScroll: true });
  const began = state;
  const shown = (await show(place, app)) ?? {};
  if (view === mine) {
    view.shown = shown;
    tell(shown, began); // what has changed while it was made
  } else {
    shown.leave?.();
  }
}

function leave() {
  if (view.name !== null) isArrival = false;
  view.shown.leave?.();
  view.shown = {};
}

/** Show what the address tells: at the beginning, after back and forward, and when a link was followed. */
async function read() {
  const [name, told = null] = location.hash.slice(1).split("?s=");
  const mine = ++reads;
  const isKnown = links.has(name);
  let next = state;
  let broken = null;
  const leftOut = [];
  // An address without a state, unless we wrote it, is just a view's name: what is shown stays.
  if (told !== null || history.state !== null) {
    try {
      next = decode(told ?? "", leftOut);
      if (next.data.name === "own") next = merged(next, { data: { csv: next.data.csv ?? ownTable } });
      if (!same(next.scene, state.scene) && !same(next.scene, DEFAULTS.scene)) next = await checked(next, leftOut);
      if (next.teach.entries.length) next = await taught(next, leftOut);
      if (leftOut.length) broken = say.leftOut(leftOut.join(", "));
    } catch {
      next = DEFAULTS;
      broken = say.brokenLink;
    }
  }
  if (mine !== reads) return; // there is another address by now
  const isFirst = view.name === null;
  const wanted = isKnown ? name : FIRST_VIEW;
  isEntry = true; // the address is that of the entry that is there, whatever a view still keeps
  if (wanted !== view.name) leave();
  change(next);
  if (isFirst) settled = state;
  else settle();
  const opening = open(wanted, !isFirst);
  isEntry = true; // again
  write(true);
  if (name && !isKnown && !broken) notice(say.noView(name));
  if (broken) notice(broken);
  await opening;
}

/** Return a state whose scene the lab has looked at, mended where that can be done, or else left out. */
async function checked(next, leftOut) {
  try {
    const { scene, changed } = await ask("/api/fit", { scene: next.scene });
    return changed.length ? merged(next, { scene }) : next;
  } catch (error) {
    if (![400, 422].includes(error.status)) return next; // not the link's fault
    leftOut.push("scene");
    return { ...next, scene: DEFAULTS.scene };
  }
}

/** Return a state whose lesson has what the lab can teach. */
async function taught(next, leftOut) {
  const told = await ask("/api/teach/entries", { entries: next.teach.entries }).catch(() => null);
  if (!told) return next;
  leftOut.push(...told.left_out);
  return merged(next, { teach: { entries: told.entries } });
}

let fading = null;

function announce(text, isSeen = false) {
  live.textContent = "";
  live.classList.toggle("unseen", !isSeen);
  clearTimeout(fading);
  // A text that is the same as before is said again only when it was gone in between.
  requestAnimationFrame(() => (live.textContent = text));
  if (isSeen) fading = setTimeout(() => live.classList.add("unseen"), SHOWN_FOR + A_LETTER * text.length);
}

function notice(problem) {
  const text = problem?.message ?? problem;
  if (text === null) return notices.replaceChildren();
  if (notices.querySelector("p")?.textContent === text) return; // said once is enough
  const closing = (then) => () => {
    notice(null);
    main.focus({ preventScroll: true });
    then?.();
  };
  const isAway = [0, 403].includes(problem.status); // it was stopped, or started anew
  const retry = isAway ? button(say.tryAgain, closing(() => open(view.name, false, true))) : null;
  const dismiss = button("×", closing(), { label: say.dismiss, class: "icon" });
  notices.replaceChildren(element("div", { class: "notice", role: "alert", tabindex: -1 }, element("div", {}, element("p", {}, text), retry), dismiss));
}

for (const [name, link] of links) {
  link.addEventListener("click", (event) => {
    if (isCommand(event) || event.shiftKey) return;
    event.preventDefault(); // as the view that is left may still keep something, which the link does not have
    app.go(name);
  });
}
addEventListener("popstate", read);
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event.target)) return;
  const key = event.key.toLowerCase();
  if (key === "z") (event.shiftKey ? app.redo : app.undo)();
  else if (key === "y") app.redo();
  else return;
  event.preventDefault();
});
addEventListener("unhandledrejection", (event) => {
  const { reason } = event;
  const isKnown = reason instanceof ApiError;
  if (isKnown) event.preventDefault();
  notice(isKnown ? reason : say.failed(reason?.message ?? reason));
});
// Without an error, some elements are drawn in their new size a frame later.
addEventListener("error", (event) => event.error && notice(say.failed(event.message)));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address has the state
  main.focus();
});

/** Tell whether keys go into a text, which has an undo of its own. */
function isTyping(target) {
  return target.matches("textarea, input:not([type=range], [type=checkbox], [type=radio], [type=button])");
}

read();
