/**
 * The view "read": short pages, each with networks in which what it says can be touched.
 *
 * A page is a file of read/en/, of which <main> is shown; index.html lists them all. It holds no number that chainrule
 * could compute; filled in from /api/timeline is
 *
 * - `<figure data-step="delta_1">`: a network at a step. Its scene (see lab/scene.py) is the `data-scene`
 *   of the figure or around it, `data-slide="w_2 x"` has what can be moved (w: all weights at once), `data-practise` the
 *   family of problems to go on with; with `data-log` bars are on a logarithmic scale;
 * - `<output data-value="delta.1.0">` in it: that member of the timeline.
 */
import { ApiError, latest } from "./api.js";
import { short } from "./charts.js";
import { button, element, range } from "./controls.js";
import { keepTogether, wrapped } from "./lessons.js";
import { below, mount } from "./network.js";
import { scrollable } from "./scrolling.js";
import { DEFAULTS, at, encode, merged, replaced, same } from "./state.js";
import { read as say } from "./words/read.js";
import { shell } from "./words/shell.js";

const CONTENTS = "index";
const nameIn = (link) => link.getAttribute("href").replace(".html", "");

/** Show the page that the state tells. */
export async function show(place, app) {
  const isGone = () => !place.isConnected;
  let pages = []; // names and titles
  let current = null; // the page's name
  let examples = [];

  async function load(name) {
    const response = await fetch(new URL(`read/${say.folder}/${name}.html`, import.meta.url)).catch(() => null);
    if (!response?.ok) throw new ApiError(shell.noAnswer, response?.status ?? 0);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector("main");
  }

  /** Return the address of a view, with some sections of the state replaced. */
  const address = (view, patch) => `#${view}?s=${encode(merged(app.state, patch))}`;
  const link = (name, properties, ...inner) => element("a", { ...properties, data: { page: name } }, ...inner);

  async function open(isMoved) {
    let name = app.state.read.page ?? CONTENTS;
    if (name !== CONTENTS && !pages.some((one) => one.name === name)) {
      app.notice(say.noPage(name));
      name = CONTENTS;
    }
    if (name === current) return;
    current = name;
    const main = await load(name).catch((error) => {
      current = null;
      throw error;
    });
    if (isGone() || current !== name) return;
    end();
    const isContents = name === CONTENTS;
    const article = element("article", { class: "read-page", lang: say.folder, data: { scene: main.dataset.scene ?? "{}" } }, ...main.childNodes);
    const heading = article.querySelector("h1");
    heading.tabIndex = -1;
    document.title = shell.title(heading.textContent);
    const parts = isContents ? [article] : [beside(name), element("div", {}, article, ways(name))];
    place.replaceChildren(element("div", { class: `read${isContents ? " read-contents" : ""}`, data: { page: name } }, ...parts));
    for (const one of article.querySelectorAll("a[href$='.html']")) one.dataset.page = nameIn(one);
    for (const math of article.querySelectorAll("math[display=block]")) wrapped("div", "formula scroll", math);
    keepTogether(article);
    examples = [...article.querySelectorAll("figure")].map((figure) => example(figure, app, address));
    article.querySelectorAll(".scroll").forEach((one) => scrollable(one));
    lead();
    if (!isMoved) return;
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }

  /** Let links go on from the state that there is now. */
  function lead() {
    for (const one of place.querySelectorAll("[data-page]")) {
      one.href = address("read", { read: { page: one.dataset.page === CONTENTS ? null : one.dataset.page } });
    }
    for (const one of examples) one.lead();
  }

  /** Return the way to all pages; where there is room, it lists them. */
  function beside(name) {
    const items = pages.map((one) => element("li", {}, link(one.name, { "aria-current": one.name === name ? "page" : null }, one.title)));
    return element("nav", { class: "read-beside", "aria-label": say.pages }, link(CONTENTS, {}, `← ${say.contents}`), element("ol", {}, ...items));
  }

  function ways(name) {
    const at = pages.findIndex((one) => one.name === name);
    const way = (page, text, rel) => page && link(page.name, { rel, class: "panel" }, element("small", {}, text), element("span", {}, page.title));
    return element("nav", { class: "read-around", "aria-label": say.around }, way(pages[at - 1], say.before, "prev"), way(pages[at + 1], say.after, "next"));
  }

  function end() {
    for (const one of examples) one.end();
    examples = [];
  }

  const contents = await load(CONTENTS);
  if (isGone()) return {};
  pages = [...contents.querySelectorAll(".contents a")].map((one) => ({ name: nameIn(one), title: one.textContent }));
  await open(false);
  return {
    update: (_, what) => (what.read ? open(true) : lead()),
    leave: end,
  };
}

/** Fill a figure with its network, sliders, numbers and links. */
function example(figure, app, address) {
  const { slide, step, practise, log } = figure.dataset;
  const first = filled(JSON.parse(figure.closest("[data-scene]").dataset.scene));
  const outputs = figure.querySelectorAll("output");
  let scene = first;
  let isBegun = false;
  let isEnded = false;

  figure.classList.add("panel", "example");
  const net = element("div");
  const stepper = mount(net, app.source, { log: log !== undefined, announce: (text) => isBegun && app.announce(text) });
  const sliders = (slide?.split(" ") ?? []).map(slider);
  const again = button(say.again, () => {
    for (const one of sliders) one.put(one.first);
    sliders[0].querySelector("input").focus(); // as the button goes
    put(first);
  }, { hidden: true });
  const toStep = element("a", "button", say.step);
  const toPractise = practise ? element("a", "button", say.practise(practise)) : null;
  for (const one of outputs) one.ariaLive = "off"; // or each would be read aloud while a slider moves
  if (sliders.length) figure.append(element("div", "read-sliders", ...sliders));
  figure.append(net, element("p", "row read-on", toStep, toPractise, again));

  const draw = latest(async (drawn) => {
    if (isEnded) return;
    await stepper.show(drawn);
    if (isEnded) return;
    if (!isBegun) stepper.go(step);
    isBegun = true;
    for (const one of outputs) one.textContent = short(at(stepper.timeline, one.dataset.value.split(".")));
    lead();
  });

  function slider(name) {
    const paths = pathsOf(name, first);
    const value = at(first, paths[0]);
    const most = /[xy]/.test(name) ? 2 : 3;
    const label = below(name.replace(/[_{}]/g, ""));
    const moved = (to) => put(paths.reduce((changed, path) => replaced(changed, path, to), scene));
    return Object.assign(range(label, value, { min: -most, max: most }, moved, { words: say.slide(label) }), { first: value });
  }

  function put(next) {
    scene = next;
    again.hidden = same(scene, first);
    return draw(scene);
  }

  function lead() {
    toStep.href = address("step", { scene });
    if (toPractise) toPractise.href = address("practise", { practise: { family: practise, seed: null, parameters: {} } });
  }

  put(first);
  return {
    lead,
    end() {
      isEnded = true;
      stepper.destroy();
    },
  };
}

/** Return a scene with everything that was left out. */
function filled(told) {
  const scene = { ...DEFAULTS.scene, ...told };
  return { ...scene, layers: scene.layers.map((one) => ({ ...DEFAULTS.scene.layers[0], ...one })) };
}

/** Return where in a scene x, y, w_2, w_{2,1,3} or b_1 is, or where all weights are. */
function pathsOf(name, { weights }) {
  if (name === "w") return weights.flatMap((rows, layer) => rows.flatMap((row, from) => row.map((_, to) => ["weights", layer, from, to])));
  const [layer, one = 0, other = 0] = (name.match(/\d+/g) ?? []).map((index) => index - 1);
  return [{ w: ["weights", layer, one, other], b: ["biases", layer, one] }[name[0]] ?? [name, 0]];
}
