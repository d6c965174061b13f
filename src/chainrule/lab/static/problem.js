/** One problem: it is shown and answered, and what is said to an answer. */
import { button, element, newId, panel } from "./controls.js";
import { formulaField } from "./formula.js";
import { html, paragraphs, picks, sign, understood } from "./lessons.js";
import { trial } from "./trial.js";
import { practise as say } from "./words/practise.js";

/**
 * Return a problem to be answered.
 * @param {object} app
 * @param {string} learner
 * @param {object} shown as of /api/practice/problem
 * @param {object} family as of /api/practice/families
 * @param {{next: () => void, another: (parameters: object) => void, all: () => void}} ways on from it
 * @returns {HTMLElement} it has `begin()`, which moves the focus to the problem
 */
export function problem(app, learner, shown, family, ways) {
  const ask = (what, body) => app.ask(`/api/practice/${what}`, { learner, id: shown.id, ...body });
  const history = [...shown.history];
  let { left, solved, solution, bookmarked } = shown;
  let given = shown.id.parameters;

  const heading = element("h1", { tabindex: -1 }, shown.title);
  const facts = element("p", "facts muted");
  const said = element("div", "stack");
  const tried = element("div", "stack");
  const answers = element("ol", "answers");
  const earlier = panel(say.earlier, answers);
  const solving = element("div", {}, element("p", "muted", say.solutionLater));
  const worked = panel(say.solution, solving);
  const reply = shown.options ? optionList(shown) : formulaField(app, shown);
  const check = button(say.check, () => {}, { type: "submit", class: "main" });
  const next = button(say.next, ways.next);
  const another = button(say.likeThis, () => ways.another(given));
  const mark = button(say.bookmark, bookmark, { "aria-pressed": bookmarked, class: "mark" });
  const form = element("form", { class: "stack", novalidate: true, on: { submit } }, reply.element, element("p", "row", check));
  const isDone = () => solved || left === 0;

  function update() {
    const all = [say.kinds[shown.kind], say.difficulty(shown.difficulty), say.worth(shown.points), solved ? say.isSolved : say.left(left)];
    facts.textContent = all.join(" · ");
    earlier.hidden = !history.length;
    answers.replaceChildren(...history.map(answer));
    if (!isDone()) return;
    if (solution) solving.replaceChildren(...paragraphs(solution));
    said.after(worked);
    reply.disable();
    check.disabled = true;
    next.classList.add("main");
  }

  async function submit(event) {
    event.preventDefault();
    const typed = reply.value;
    if (check.disabled) return;
    if (typed === null) {
      reply.focus();
      app.announce(say.chooseOne, true);
      return;
    }
    check.disabled = true; // so that two clicks are one answer
    let grade;
    try {
      grade = await ask("attempt", { reply: typed });
    } finally {
      check.disabled = isDone();
    }
    if (grade.malformed) {
      if (reply.blame) reply.blame(grade.malformed);
      app.announce(`${grade.malformed.message} ${say.unreadable}`, !reply.blame);
      reply.focus();
      return;
    }
    history.push({ ...grade, reply: typed });
    left = grade.left;
    solved ||= grade.right;
    solution ??= grade.solution;
    if (grade.right_options) reply.reveal(grade.right_options);
    tried.replaceChildren();
    update();
    answered(grade, typed);
  }

  /** Show what is said to an answer, and move the focus to it. */
  function answered(grade, typed) {
    const verdict = grade.right ? say.rightFor(grade.points) : left === 0 ? say.over : say.wrong;
    const title = element("h2", { tabindex: -1 }, sign(grade.right, ""), verdict);
    const feedback = paragraphs(grade.feedback);
    const onward = element("p", "row");
    if (!isDone()) onward.append(button(say.again, () => reply.focus(), { class: "main" }));
    if (shown.can_try) onward.append(button(say.tryIt, () => put(typed)));
    const rest = isDone() ? [] : [element("p", "muted", say.left(left))];
    said.replaceChildren(element("section", `panel said ${grade.right ? "is-right" : ""}`, title, ...understood(grade), ...feedback, ...rest, onward));
    app.announce([verdict, ...[...feedback, ...rest].map((one) => one.textContent)].join(" "));
    title.focus();
  }

  const put = (typed) => trial(tried, app, { id: shown.id, typed, learner });

  function answer({ number, reply, right, feedback }) {
    const reading = element("p", {}, sign(right, right ? say.right : say.wrong), element("span", "code", told(reply)));
    const again = shown.can_try ? button(say.tryEarlier(number), () => put(reply), { class: "small" }) : null;
    return element("li", { value: number }, reading, ...paragraphs(feedback), again);
  }

  async function bookmark() {
    ({ bookmarked } = await ask("bookmark", { on: !bookmarked }));
    mark.ariaPressed = bookmarked;
  }

  const aside = element(
    "aside",
    "stack",
    shown.hints ? panel(say.hints, ...hints(app, shown)) : null,
    worked,
    earlier,
    element("details", "panel", element("summary", {}, say.which), element("p", "hint", say.whichHint), picks(family, given, (chosen) => (given = chosen))),
  );
  const question = element("section", "panel question", ...paragraphs(shown.prompt), form);
  const top = element("header", {}, element("p", "row", button(`← ${say.all}`, ways.all, { class: "small" })), heading, facts);
  const made = element("div", "problem stack", top, element("div", "stack", question, said, element("p", "row", next, another, mark), tried), aside);
  made.begin = () => heading.focus({ preventScroll: true });
  update();
  if (shown.right_options) reply.reveal(shown.right_options);
  return made;
}

/** Return a reply in words: what was typed, or the letters of what was chosen. */
function told(reply) {
  if (typeof reply === "string") return reply;
  return [reply].flat().map(say.option).join(", ") || say.none;
}

/** Return the options of a problem, of which one or several can be chosen. */
function optionList(shown) {
  const isOne = shown.kind === "one choice";
  const name = newId();
  const boxes = shown.options.map((_, place) => element("input", { type: isOne ? "radio" : "checkbox", name, value: place }));
  const labels = shown.options.map((one, place) => {
    const letter = element("b", "muted", say.option(place));
    return element("label", "option", boxes[place], letter, html("span", "formulae", one));
  });
  const list = element("fieldset", "options", element("legend", {}, isOne ? say.chooseOne : say.chooseAll), ...labels);
  return {
    element: list,
    get value() {
      const chosen = boxes.filter((box) => box.checked).map((box) => Number(box.value));
      return isOne ? (chosen[0] ?? null) : chosen;
    },
    focus: () => (boxes.find((box) => box.checked) ?? boxes[0]).focus(),
    disable: () => (list.disabled = true),
    reveal(places) {
      for (const place of places) labels[place].append(element("span", "good", `✓ ${say.rightOption}`));
    },
  };
}

/** Return hints that are shown one after the other; first as many as the state tells. */
function hints(app, { id, hints: count }) {
  const list = element("ol", "hints");
  const more = button(say.hint(1, count), async () => {
    const number = list.children.length + 1;
    await show(number);
    list.lastChild.focus();
    app.set({ practise: { hints: number } }, { replace: true });
  });
  async function show(number) {
    const { hints } = await app.ask("/api/practice/hints", { id, number });
    list.replaceChildren(...hints.map((one) => element("li", { tabindex: -1 }, html("div", "formulae", one))));
    if (number < count) more.textContent = say.hint(number + 1, count);
    else more.remove();
  }
  const { hints: seen } = app.state.practise;
  if (seen > 0) show(Math.min(seen, count));
  return [list, more];
}
