/** Curves over epochs as SVG: axes with units, one epoch marked, values read by pointing. */

import { element, fill, svg } from "../dom.js";

const MARGIN = { top: 20, right: 12, bottom: 36, left: 56 };
const HEIGHT = 220;
const LETTER = 7.2; // pixels of a letter of 12

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} colour - of CSS
 * @property {boolean} [dashed]
 * @property {(number|null)[]} values - an epoch each; null is a gap
 */

/**
 * Round numbers that cover a range, from the one below it to the one above.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} count - about so many
 * @returns {number[]}
 */
export function ticks(low, high, count = 5) {
  if (!(high > low)) return ticks(low - (Math.abs(low) || 1) / 2, low + (Math.abs(low) || 1) / 2, count);
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** The finite values of all series. @param {Series[]} series */
const finite = (series) => series.flatMap(({ values }) => values).filter((value) => value !== null);

/**
 * The parts of a line between gaps, as attributes `d` of paths. A lone value is a line of no length, seen by its round cap.
 *
 * @param {(number|null)[]} values
 * @param {(epoch: number) => number} x
 * @param {(value: number) => number} y
 */
export function path(values, x, y) {
  const place = (value, index) => `${x(index + 1).toFixed(1)} ${y(value).toFixed(1)}`;
  let pen = "M";
  return values
    .map((value, index) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const piece = `${pen}${place(value, index)}${pen === "M" && (values[index + 1] ?? null) === null ? "h0" : ""}`;
      pen = "L";
      return piece;
    })
    .join("");
}

/**
 * A chart that can be drawn again as epochs come.
 *
 * @param {object} given
 * @param {string} given.title
 * @param {(value: number) => string} given.format - of values, with their unit
 * @param {boolean} [given.fromZero] - the axis begins at zero
 * @param {(epoch: number|null) => void} given.pointed - told of the epoch that is pointed at
 */
export function makeChart({ title, format, fromZero = false, pointed }) {
  const drawing = svg("svg", { class: "chart", role: "img", height: HEIGHT });
  const legend = element("p", { class: "legend" });
  const root = element("figure", { class: "chart-figure" }, element("h3", {}, title), legend, drawing);
  let frame = null;

  drawing.addEventListener("pointermove", (event) => frame && pointed(epochAt(frame, event.clientX - drawing.getBoundingClientRect().left)));
  drawing.addEventListener("pointerleave", () => pointed(null));

  /**
   * @param {Series[]} series
   * @param {{epochs: number, marked: {epoch: number, word: string}|null}} axis - epochs in all, and one to be marked
   */
  function draw(series, { epochs, marked }) {
    const width = Math.max(240, Math.round(root.clientWidth) || 400);
    frame = frameOf(series, { width, epochs, fromZero });
    drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    drawing.setAttribute("width", String(width));
    drawing.setAttribute("aria-label", `${title} over ${epochs} epochs; the numbers are in the table below`);
    frame.cursor = svg("g", { class: "cursor" });
    fill(drawing, ...axes(frame, format), ...marks(frame, marked), ...series.map((one) => line(one, frame)), frame.cursor);
    frame.series = series;
    read(null);
  }

  /** Show the values of one epoch, or the names alone. @param {number|null} epoch */
  function read(epoch) {
    if (!frame) return;
    const known = epoch !== null && frame.series.some(({ values }) => (values[epoch - 1] ?? null) !== null);
    const entry = ({ name, colour, dashed, values }) => {
      const value = known ? values[epoch - 1] ?? null : null;
      const swatch = element("span", { class: dashed ? "swatch dashed" : "swatch", "aria-hidden": "true" });
      swatch.style.borderColor = colour;
      return element("span", { class: "entry" }, swatch, name, known && element("b", {}, value === null ? "none" : format(value)));
    };
    fill(legend, ...frame.series.map(entry), known && element("span", { class: "entry muted" }, `epoch ${epoch}`));
    fill(frame.cursor, ...(known ? cursorAt(frame, epoch) : []));
  }

  return { root, draw, read };
}

/** Where things lie: the scales of both axes. */
function frameOf(series, { width, epochs, fromZero }) {
  const values = finite(series);
  const low = fromZero ? 0 : Math.min(...values);
  const steps = values.length ? ticks(low, Math.max(...values, low)) : [0, 1];
  const [bottom, top] = [steps[0], steps[steps.length - 1]];
  const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const last = Math.max(epochs, 2);
  const x = (epoch) => MARGIN.left + (inner.width * (epoch - 1)) / (last - 1);
  const y = (value) => MARGIN.top + (inner.height * (top - value)) / (top - bottom);
  return { width, inner, epochs, last, steps, x, y, series };
}

function axes({ width, epochs, last, steps, x, y, inner }, format) {
  const floor = HEIGHT - MARGIN.bottom;
  const across = steps.map((value) => svg("line", { class: "rule", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }));
  const values = steps.map((value) => svg("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, format(value)));
  const room = Math.max(2, Math.floor(inner.width / 48));
  const places = ticks(1, last, Math.min(room, last)).filter((epoch) => Number.isInteger(epoch) && epoch >= 1 && epoch <= epochs);
  const shown = [...new Set([1, ...places])].filter((epoch) => epoch === 1 || x(epoch) - x(1) > 20);
  const under = shown.map((epoch) => svg("text", { x: x(epoch), y: floor + 16, "text-anchor": "middle" }, epoch));
  return [...across, ...values, ...under, svg("text", { x: width - MARGIN.right, y: HEIGHT - 4, "text-anchor": "end" }, "epoch")];
}

function marks({ x, width }, marked) {
  if (marked === null) return [];
  const place = x(marked.epoch);
  const floor = HEIGHT - MARGIN.bottom;
  const anchor = place + (marked.word.length * LETTER) / 2 > width - MARGIN.right ? "end" : "middle";
  return [
    svg("line", { class: "marked", x1: place, x2: place, y1: MARGIN.top, y2: floor }),
    svg("text", { class: "marked", x: place, y: MARGIN.top - 6, "text-anchor": anchor }, marked.word),
  ];
}

function line({ values, colour, dashed }, { x, y }) {
  const drawn = svg("path", { class: "line", d: path(values, x, y), "stroke-dasharray": dashed ? "6 4" : null });
  drawn.style.stroke = colour;
  return drawn;
}

function cursorAt({ x, y, series }, epoch) {
  const rule = svg("line", { x1: x(epoch), x2: x(epoch), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
  const dots = series
    .filter(({ values }) => (values[epoch - 1] ?? null) !== null)
    .map(({ values, colour }) => {
      const dot = svg("circle", { cx: x(epoch), cy: y(values[epoch - 1]), r: 4 });
      dot.style.fill = colour;
      return dot;
    });
  return [rule, ...dots];
}

/** The epoch nearest to a place across the drawing. */
function epochAt({ inner, last, epochs }, place) {
  const epoch = 1 + Math.round(((place - MARGIN.left) / inner.width) * (last - 1));
  return Math.min(Math.max(epoch, 1), epochs);
}
