/** An answer that is tried: a network learns by it, beside one that learns by the right formula. */
import { latest } from "./api.js";
import { curves } from "./charts.js";
import { button, element, select, toggle } from "./controls.js";
import { html } from "./lessons.js";
import { practise as say } from "./words/practise.js";
import { train } from "./words/train.js";

const FAR = 20; // times the first loss: beside one that is so large, others look like 0 but for a logarithmic scale

/**
 * Try an answer, and move the focus to what comes of it.
 * @param {HTMLElement} place
 * @param {object} app
 * @param {{id: object, typed: string|number, learner: string}} tried
 */
export async function trial(place, app, tried) {
  const heading = element("h2", { tabindex: -1 }, say.trying);
  const shown = element("div", "stack", element("p", "muted", say.tryingAgain));
  const wrong = element("p", "bad");
  const onScreen = toggle(say.onScreen, false, () => run());

  const run = latest(async () => {
    const scene = onScreen.firstChild.checked ? app.state.scene : null;
    wrong.textContent = "";
    try {
      const answer = await app.ask("/api/practice/try", { ...tried, scene });
      shown.replaceChildren(...outcome(app, answer));
      heading.scrollIntoView();
      app.announce(shown.firstChild.textContent);
    } catch (error) {
      onScreen.firstChild.checked = false; // what is shown stays
      wrong.textContent = error.message;
      app.announce(error.message);
    }
  });

  place.replaceChildren(element("section", "panel", heading, shown, onScreen, wrong));
  heading.focus();
  await run();
}

function outcome(app, answer) {
  const words = { ...train.charts, epoch: say.step };
  const runs = answer.same ? [answer.right] : [answer.right, answer.wrong];
  const names = answer.same ? [say.bothRuns] : say.runs;
  const steps = [...Array(Math.max(...runs.map(({ losses }) => losses.length))).keys()];
  const points = (value) => steps.map((step) => [step, ...runs.map((run) => value(run, step) ?? null)]);

  const isFar = runs.some(({ losses }) => losses.some((one) => one > FAR * losses[0]));
  const loss = curves({ title: say.loss, log: isFar, canSwitch: true, words });
  loss.show(names, points((run, step) => run.losses[step]), true);
  const weight = curves({ title: say.weight, words });
  const choose = (name) => weight.show(names, points((run, step) => run.weights[step]?.[answer.parameters.indexOf(name)]), true);
  choose(answer.learning[0]);
  weight.firstChild.append(select(answer.learning, answer.learning[0], choose, { "aria-label": say.whichWeight }));
  const look = () => {
    app.set({ scene: answer.network });
    app.go("step");
  };
  return [html("p", "formulae", answer.words), element("div", "panels charts", loss, weight), element("p", "row", button(say.openIt, look))];
}
