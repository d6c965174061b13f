/**
 * Charts: curves over time, a picture over the plane, and what was wanted beside what was predicted.
 *
 * Every chart is read by pointing at it, by the arrow keys where it has the focus, and as a table. They only draw: all
 * numbers come from the lab. All text comes from the caller.
 */
import { element, isCommand, newId, svg, tableOf, toggle } from "./controls.js";
import { power, shown as written } from "./network.js";

const MARGIN = { top: 10, right: 14, bottom: 24, left: 58 };
const TABLE_ROWS = 25;
const REFRESH_TABLE = 1000; // ms

/** Return a number in a few digits, or a dash where there is none. */
export const short = (value, digits = 4) => ((value ?? null) === null ? "–" : written(value, digits));

/** Return a whole number with its thousands apart. */
export const grouped = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");

/** Return a chart's frame: title, drawing, what is read from it, and the same as a table, made when it is opened. */
function frame({ title, hint, words, tools }, table, ...drawing) {
  const body = scrolled(`${title}: ${words.asTable}`);
  let filled = 0;
  const fill = () => {
    filled = performance.now();
    body.replaceChildren(table());
  };
  const details = element("details", { on: { toggle: () => details.open && fill() } }, element("summary", {}, words.asTable), body);
  const made = chart(title, hint, tools, ...drawing, details);
  made.refresh = (final) => details.open && (final || performance.now() - filled > REFRESH_TABLE) && fill();
  return made;
}

/** Return a panel; its tools stand at the right of its title. */
function chart(title, hint, tools, ...content) {
  const heading = element("h3", { id: newId() }, title);
  const head = element("div", "row chart-head", heading, tools);
  return element("section", { class: "panel chart", "aria-labelledby": heading.id }, head, hint && element("p", "hint", hint), ...content);
}

/** Return a place for a table, which may be larger and is then moved by the arrow keys. */
const scrolled = (label) => element("div", { class: "scroll chart-table", tabindex: 0, role: "group", "aria-label": label });

/** Return which of so many places a table shows: all, or else as many as it may, from the first to the last. */
function some(count, most = TABLE_ROWS) {
  const length = Math.min(count, most);
  return Array.from({ length }, (_, k) => Math.round((k * (count - 1)) / Math.max(1, length - 1)));
}

/** Return round numbers between two, four or so. */
function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(k * step);
  return found;
}

/** Return lines and texts at some places of a drawing of this size: [y, text] up its side, [x, text] below. */
function axes({ width, height }, up, below) {
  const text = (content, x, y, anchor) => svg("text", { x, y, "text-anchor": anchor }, content);
  return svg(
    "g",
    "grid",
    ...up.flatMap(([y, content]) => [svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }), text(content, MARGIN.left - 8, y + 4, "end")]),
    ...below.map(([x, content]) => text(content, x, height - 6, "middle")),
  );
}

/** Return a function from the numbers between two to places along a drawing. */
const along = (low, high, width) => (x) => MARGIN.left + ((x - low) / (high - low)) * (width - MARGIN.left - MARGIN.right);
const upward = (low, high, height) => (y) => height - MARGIN.bottom - ((y - low) / (high - low)) * (height - MARGIN.top - MARGIN.bottom);

/**
 * Return a chart of curves over epochs.
 * @param {object} given `title`, `hint`; `log`: whether the scale is logarithmic at first, `canSwitch`: whether that can be
 *   changed; `most`: the end of a scale that begins at 0; `words`: `epoch`, `asTable`, `log`, `nothing`, `how`
 * @returns {HTMLElement} with `show(names, points, final)`, each point being [epoch, value|null, …]
 */
export function curves({ title, hint, log = false, canSwitch = false, most = null, words }) {
  let names = [];
  let points = [];
  let at = null; // the place that is read; null is the last
  const mark = svg("g", "mark");
  const drawing = svg("svg", { "aria-hidden": true });
  const slider = element("div", { class: "plot", tabindex: 0, role: "slider", "aria-label": `${title}. ${words.how}`, "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0 }, drawing);
  const legend = element("ul", "row legend");
  const reading = element("p", "reading numbers");
  const setLog = (on) => {
    log = on;
    draw();
  };
  const tools = canSwitch ? toggle(words.log, log, setLog) : null;
  const listed = ([epoch, ...values]) => [grouped(epoch), ...values.map((one) => short(one))];
  const table = () => tableOf([[words.epoch, ...names], ...some(points.length).map((k) => listed(points[k]))], title);
  const made = frame({ title, hint, words, tools }, table, legend, slider, reading);

  const place = () => (at === null ? points.length - 1 : Math.min(at, points.length - 1));
  const usable = (value) => (value ?? null) !== null && (!log || value > 0);
  let size = {};
  let toX = () => 0;
  let toY = () => 0;

  function scale() {
    const all = points.flatMap((point) => point.slice(1)).filter(usable);
    if (!all.length) return null;
    let low = Math.min(...all);
    let high = Math.max(...all);
    if (log) {
      [low, high] = [Math.floor(Math.log10(low) + 1e-9), Math.ceil(Math.log10(high) - 1e-9)];
      if (low === high) high += 1;
    } else if (most !== null) {
      [low, high] = [0, most];
    } else {
      low = Math.min(0, low);
      if (low === high) high = low + 1;
    }
    const [first, last] = [points[0][0], Math.max(points.at(-1)[0], points[0][0] + 1)];
    const { width, height } = size;
    toX = along(first, last, width);
    const up = upward(low, high, height);
    toY = (y) => up(log ? Math.log10(y) : y);
    const every = Math.max(1, Math.ceil((high - low) / 5));
    const levels = log ? Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, k) => 10 ** (low + k * every)) : ticks(low, high);
    const epochs = ticks(first, last).filter(Number.isInteger);
    return axes(size, levels.map((y) => [toY(y), log ? level(y) : short(y, 3)]), epochs.map((x) => [toX(x), compact(x)]));
  }

  function draw() {
    const { width, height } = size;
    if (!width) return;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const grid = points.length ? scale() : null;
    const lines = !grid ? [] : names.map((_, i) => {
      const there = points.filter((point) => usable(point[i + 1]));
      return curve(pathOf(there.map((point) => [toX(point[0]), toY(point[i + 1])])), i, names.length);
    });
    drawing.replaceChildren(grid ?? "", ...lines, mark);
    read();
  }

  /** Say and mark what is at the place that is read. */
  function read() {
    const k = place();
    mark.replaceChildren();
    if (k < 0) {
      reading.textContent = slider.ariaValueText = words.nothing;
      return;
    }
    const [epoch, ...values] = points[k];
    const said = [`${words.epoch} ${grouped(epoch)}`, ...names.map((name, i) => `${name} ${short(values[i])}`)].join(" · ");
    reading.textContent = said.replaceAll(/(?<!·) (?!·)/g, "\u00a0");
    Object.assign(slider, { ariaValueText: said, ariaValueMin: points[0][0], ariaValueMax: points.at(-1)[0], ariaValueNow: epoch });
    if ((at === null && k) || !size.width) return; // a single point is no line, so it is marked
    mark.append(svg("line", { x1: toX(epoch), x2: toX(epoch), y1: MARGIN.top, y2: size.height - MARGIN.bottom }));
    values.forEach((value, i) => {
      if (!usable(value)) return;
      const dot = svg("circle", { cx: toX(epoch), cy: toY(value), r: 4.5 });
      dot.style.setProperty("--mix", mix(i, names.length));
      mark.append(dot);
    });
  }

  const go = (k) => {
    at = Math.max(0, Math.min(points.length - 1, k));
    read();
  };

  slider.addEventListener("pointermove", (event) => {
    if (!points.length) return;
    const x = event.clientX - slider.getBoundingClientRect().left;
    const away = points.map(([epoch]) => Math.abs(toX(epoch) - x));
    go(away.indexOf(Math.min(...away)));
  });
  const leave = () => {
    at = null;
    read();
  };
  slider.addEventListener("pointerleave", () => document.activeElement !== slider && leave());
  slider.addEventListener("blur", leave);
  slider.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.round(points.length / 10));
    const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page, Home: -Infinity, End: Infinity };
    if (!(event.key in moves) || !points.length || isCommand(event)) return;
    event.preventDefault();
    go(place() + moves[event.key]);
  });
  made.stop = watchSize(slider, (now) => {
    size = now;
    draw();
  });
  made.show = (newNames, newPoints, final = false) => {
    if (newNames.join() !== names.join()) {
      legend.replaceChildren(
        ...newNames.map((name, i) => {
          const key = svg("svg", { viewBox: "0 0 28 10", "aria-hidden": true }, curve("M0 5H28", i, newNames.length));
          return element("li", "row", key, name);
        }),
      );
    }
    names = newNames;
    points = newPoints;
    if (at !== null && at >= points.length) at = null;
    draw();
    made.refresh(final);
  };
  made.show([], []);
  return made;
}

const pathOf = (places) => places.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** Return where between the two colours one of so many curves lies. */
const mix = (i, count) => (count < 2 ? "100%" : `${Math.round(100 - (100 * i) / (count - 1))}%`);

/** Return one of so many curves, which differ in colour and in how they are dashed. */
function curve(path, i, count) {
  const made = svg("path", { d: path, class: `curve curve-${i % 4}` });
  made.style.setProperty("--mix", mix(i, count));
  return made;
}

const level = (value) => {
  const exponent = Math.round(Math.log10(value));
  return exponent >= -2 && exponent <= 3 ? String(Number(value.toPrecision(1))) : power(exponent);
};
const compact = (value) => (value >= 1e6 ? `${short(value / 1e6, 3)} M` : value >= 1e4 ? `${short(value / 1e3, 3)} k` : String(value));

/** Call a function with an element's size, now and whenever it changes; return what ends that. */
function watchSize(place, tell) {
  const observer = new ResizeObserver(([{ contentRect }]) => tell(contentRect));
  observer.observe(place);
  return () => observer.disconnect();
}

/** Call a function when the theme has become another; return what ends that. */
export function watchTheme(tell) {
  const observer = new MutationObserver(tell);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}

/** Return a colour of the theme as red, green and blue. */
function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

const palette = () => ["--panel", "--negative", "--positive"].map(colour);
const between = (one, other, share) => one.map((value, k) => Math.round(value + (other[k] - value) * share));
const css = (rgb) => `rgb(${rgb.join(" ")})`;

/** Return a colour for each of several classes, between that of minus and that of plus. */
function classColours({ length }) {
  const [, negative, positive] = palette();
  return Array.from({ length }, (_, k) => between(negative, positive, length < 2 ? 1 : k / (length - 1)));
}

/**
 * Draw points into a small picture, or over a large one: the sign of their class, or its number, is in each.
 * @param {CanvasRenderingContext2D} pen
 * @param {object} told as /api/data has it
 * @param {number} size of the picture, in pixels of it
 * @param {number} radius of a point
 */
export function dots(pen, told, size, radius) {
  const [[left, right], [bottom, top]] = told.range;
  const [panel, negative, positive] = palette();
  const paper = css(panel);
  const several = told.classes?.length > 2 ? classColours(told.classes).map(css) : null;
  const draw = ([across, up], y, isHeldOut) => {
    const x = ((across - left) / (right - left)) * size;
    const height = (1 - (up - bottom) / (top - bottom)) * size;
    const strength = told.classes ? 1 : 0.3 + 0.7 * Math.min(1, Math.abs(y));
    const full = several?.[y] ?? css(between(panel, y > 0 ? positive : negative, strength));
    const [fill, edge] = isHeldOut ? [paper, full] : [full, paper];
    Object.assign(pen, { fillStyle: fill, strokeStyle: edge, lineWidth: radius / 4 });
    pen.beginPath();
    pen.arc(x, height, radius, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
    if (radius < 5) return;
    if (several) {
      Object.assign(pen, { fillStyle: edge, font: `bold ${1.5 * radius}px sans-serif`, textAlign: "center", textBaseline: "central" });
      pen.fillText(y + 1, x, height);
      return;
    }
    const half = radius / 2;
    pen.lineWidth = radius / 3;
    pen.beginPath();
    pen.moveTo(x - half, height);
    pen.lineTo(x + half, height);
    if (y > 0) {
      pen.moveTo(x, height - half);
      pen.lineTo(x, height + half);
    }
    pen.stroke();
  };
  told.held_out_rows.x.forEach((point, k) => draw(point, told.held_out_rows.y[k], true));
  told.x.forEach((point, k) => draw(point, told.y[k], false));
}

/**
 * Return a picture of what a network says over the plane, with the points that it learns from.
 * @param {object} given `title`, `hint`, `corner(x, y)` of its table, `words` as of `curves`
 * @returns {HTMLElement} with `show(told, fit, alt, final)`
 */
export function plane({ title, hint, corner, words }) {
  const canvas = element("canvas", { role: "img", class: "plane" });
  const pen = canvas.getContext("2d");
  const small = document.createElement("canvas");
  let shown = null;
  const made = frame({ title, hint, words }, () => sampled(shown, words, corner, title), canvas);

  function draw() {
    if (!shown || !canvas.width) return;
    const { told, fit } = shown;
    const size = canvas.width;
    pen.clearRect(0, 0, size, size);
    if (fit) {
      paint(small, fit, told);
      pen.imageSmoothingEnabled = true;
      const [across, up] = [size / (fit.columns - 1), size / (fit.rows - 1)]; // from one place to the next
      pen.drawImage(small, -across / 2, -up / 2, size + across, size + up);
      outline(pen, fit, size);
    }
    dots(pen, told, size, Math.max(5, size / 75));
  }
  const ends = [
    watchTheme(draw),
    watchSize(canvas, ({ width }) => {
      canvas.width = canvas.height = Math.round(width * devicePixelRatio);
      draw();
    }),
  ];
  made.stop = () => ends.forEach((end) => end());
  made.show = (told, fit, alt, final) => {
    shown = { told, fit };
    canvas.ariaLabel = alt;
    draw();
    made.refresh(final);
  };
  return made;
}

/** Return the output at which the network changes its mind, and how far from it others are at most. */
const middleOf = ({ classes, low, high }) => (classes ? [0, 1] : [(low + high) / 2, (high - low) / 2]);

/** Paint the outputs of the network, one pixel each. */
function paint(canvas, fit, told) {
  const { columns, rows, values, classes } = fit;
  if (canvas.width !== columns) [canvas.width, canvas.height] = [columns, rows];
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(columns, rows);
  const [paper, negative, positive] = palette();
  const [middle, reach] = middleOf(fit);
  const several = classes ? classColours(told.classes) : [];
  values.forEach((value, k) => {
    const from = (value ?? middle) - middle;
    const full = classes ? several[classes[k]] : from > 0 ? positive : negative;
    const rgb = between(paper, full, 0.62 * Math.min(1, Math.abs(from) / reach));
    const row = rows - 1 - Math.floor(k / columns);
    image.data.set([...rgb, 255], 4 * (row * columns + (k % columns)));
  });
  pen.putImageData(image, 0, 0);
}

/** Draw the line where the network changes its mind, between the places at which it was asked. */
function outline(pen, fit, size) {
  const { columns, rows, values, classes } = fit;
  const [middle] = middleOf(fit);
  const side = (k) => (classes ? classes[k] : values[k] > middle);
  const share = (k, other) => (classes ? 0.5 : (middle - values[k]) / (values[other] - values[k]));
  const [across, up] = [size / (columns - 1), size / (rows - 1)];
  pen.beginPath();
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      // The corners of a square, round and round, and where each of its sides is crossed.
      const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([x, y]) => ({ x: column + x, y: row + y, k: (row + y) * columns + column + x }));
      const crossed = corners.flatMap((one, i) => {
        const next = corners[(i + 1) % 4];
        if (side(one.k) === side(next.k)) return [];
        const at = share(one.k, next.k);
        return [[(one.x + at * (next.x - one.x)) * across, size - (one.y + at * (next.y - one.y)) * up]];
      });
      crossed.forEach((point, i) => (i % 2 ? pen.lineTo(...point) : pen.moveTo(...point)));
      if (crossed.length === 3) pen.lineTo(...crossed[1]);
    }
  }
  pen.strokeStyle = css(colour("--ink"));
  pen.lineWidth = Math.max(1, size / 300);
  pen.lineCap = "round";
  pen.stroke();
}

/** Return a coarse table of what is painted. */
function sampled(shown, words, corner, title) {
  if (!shown?.fit) return element("p", {}, words.nothing);
  const { columns, rows, values, classes, range } = shown.fit;
  const places = (count) => some(count, 7);
  const value = (bounds, k, count) => short(bounds[0] + ((bounds[1] - bounds[0]) * k) / (count - 1), 3);
  const cell = (k) => (classes ? shown.told.classes[classes[k]] : short(values[k], 3));
  const head = [corner(...shown.told.names), ...places(columns).map((k) => value(range[0], k, columns))];
  const body = places(rows)
    .reverse()
    .map((row) => [value(range[1], row, rows), ...places(columns).map((column) => cell(row * columns + column))]);
  return tableOf([head, ...body], title);
}

/**
 * Return a chart of numbers: what was predicted over what was wanted, or a curve over one input with the points.
 * @returns {HTMLElement} with `show({dots: [[x, y]…], line: [[x, y]…], across, up}, alt, final)`
 */
export function cloud({ title, hint, words }) {
  const drawing = svg("svg", { role: "img" });
  const plot = element("div", "plot cloud", drawing);
  let shown = null;
  let size = {};
  const table = () => {
    if (!shown) return element("p", {}, words.nothing);
    const listed = shown.dots.length ? shown.dots : shown.line;
    return tableOf([[shown.across, shown.up], ...some(listed.length).map((k) => listed[k].map((one) => short(one)))], title);
  };
  const made = frame({ title, hint, words }, table, plot);
  function draw() {
    const { width, height } = size;
    if (!shown || !width) return;
    const [points, line] = [shown.dots, shown.line].map((all) => all.filter(([, y]) => y !== null));
    const all = [...points, ...line];
    const bounds = [0, 1].map((k) => [Math.min(...all.map((point) => point[k])), Math.max(...all.map((point) => point[k]))]);
    const [[left, right], [bottom, top]] = bounds.map(([low, high]) => (low < high ? [low, high] : [low - 1, high + 1]));
    const toX = along(left, right, width);
    const toY = upward(bottom, top, height);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const texts = (numbers, to) => numbers.map((one) => [to(one), short(one, 3)]);
    drawing.replaceChildren(
      axes(size, texts(ticks(bottom, top), toY), texts(ticks(left, right), toX)),
      svg("text", { x: MARGIN.left, y: 4, class: "axis" }, `↑ ${shown.up}`),
      svg("text", { x: width - MARGIN.right, y: height - MARGIN.bottom - 6, class: "axis", "text-anchor": "end" }, `${shown.across} →`),
      svg("g", "points", ...points.map(([x, y]) => svg("circle", { cx: toX(x), cy: toY(y), r: 3 }))),
      svg("path", { d: pathOf(line.map(([x, y]) => [toX(x), toY(y)])), class: "curve" }),
    );
  }
  made.stop = watchSize(plot, (now) => {
    size = now;
    draw();
  });
  made.show = (given, alt, final) => {
    shown = given;
    drawing.ariaLabel = alt;
    draw();
    made.refresh(final);
  };
  return made;
}

/**
 * Return a table of which class was taken for which; a darker cell has more of the rows of its class.
 * @returns {HTMLElement} with `show(fit)`
 */
export function confusion({ title, hint, corner }) {
  const place = scrolled(title);
  const made = chart(title, hint, null, place);
  made.classList.add("confusion");
  made.stop = () => {};
  made.show = ({ classes, counts }) => {
    const table = tableOf([[corner, ...classes], ...counts.map((row, k) => [classes[k], ...row.map(String)])], title);
    counts.forEach((row, k) => {
      const total = row.reduce((sum, one) => sum + one, 0);
      row.forEach((count, j) => {
        const cell = table.tBodies[0].rows[k].cells[j + 1];
        cell.className = k === j ? "right" : count ? "wrong" : "none";
        cell.style.setProperty("--share", `${total ? Math.round((45 * count) / total) : 0}%`);
      });
    });
    place.replaceChildren(table);
  };
  return made;
}
