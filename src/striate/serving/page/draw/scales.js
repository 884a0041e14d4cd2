/** What a colour means; the same anchors as the report and the figures have (striate/drawing/scales.py). */

export const SEQUENTIAL = [
  "#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d",
  "#2c728e", "#26828e", "#21918c", "#1fa088", "#28ae80", "#3fbc73",
  "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725",
];
export const DIVERGING = [
  "#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7",
  "#fddbc7", "#f4a582", "#d6604d", "#b2182b", "#67001f",
];
const GREY = ["#000000", "#ffffff"];
const STEPS = 1024;

/**
 * Colours of non-negative values, dark for `low`, bright for `high`.
 *
 * @param {ArrayLike<number>} values
 * @param {number} low
 * @param {number} high
 * @returns {Uint8ClampedArray} red, green, blue, alpha of each
 */
export const sequential = (values, low, high) => coloured(values, low, high, SEQUENTIAL);

/**
 * Colours of signed values, blue below zero and red above; zero is neutral, the range -limit..limit.
 *
 * @param {ArrayLike<number>} values
 * @param {number} limit
 */
export const diverging = (values, limit) => coloured(values, -limit, limit, DIVERGING);

/** Intensities as grey, black for `low`, white for `high`. @param {ArrayLike<number>} values */
export const grey = (values, low, high) => coloured(values, low, high, GREY);

/**
 * The colour of one value as `rgb(…)`.
 * @param {number} value @param {number} limit
 */
export function divergingColour(value, limit) {
  const [red, green, blue] = diverging([value], limit);
  return `rgb(${red} ${green} ${blue})`;
}

/** Black or white, whichever is read better on a colour. @param {string} colour - `rgb(r g b)` */
export function inkOn(colour) {
  const [red, green, blue] = colour.match(/\d+/g).map((text) => linear(Number(text) / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 ? "#ffffff" : "#000000";
}

/** The colour of a class by its place, and whether its lines are dashed. @param {number} index */
export const classColour = (index) => ({ colour: `var(--class-${index % 8})`, dashed: index % 8 >= 4 });

function coloured(values, low, high, anchors) {
  const table = tableOf(anchors);
  const span = high - low;
  const still = anchors === DIVERGING ? 0.5 : 0; // a range of nothing: zero, which is neutral or lowest
  const pixels = new Uint8ClampedArray(4 * values.length);
  for (let index = 0; index < values.length; index += 1) {
    const place = span > 0 ? Math.min(1, Math.max(0, (values[index] - low) / span || 0)) : still;
    const from = 3 * Math.round(place * STEPS);
    for (let part = 0; part < 3; part += 1) pixels[4 * index + part] = table[from + part];
    pixels[4 * index + 3] = 255;
  }
  return pixels;
}

const tables = new Map();

function tableOf(anchors) {
  if (!tables.has(anchors)) {
    const colours = anchors.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
    const table = new Float64Array(3 * (STEPS + 1));
    for (let step = 0; step <= STEPS; step += 1) {
      const place = (step / STEPS) * (anchors.length - 1);
      const first = Math.min(Math.floor(place), anchors.length - 2);
      for (let part = 0; part < 3; part += 1) {
        table[3 * step + part] = colours[first][part] + (place - first) * (colours[first + 1][part] - colours[first][part]);
      }
    }
    tables.set(anchors, table);
  }
  return tables.get(anchors);
}

const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
