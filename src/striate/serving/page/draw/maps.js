/** Maps in 256 steps as the server sends them, drawn one by one or side by side. */

import { numbers, painted } from "./picture.js";
import { diverging, sequential } from "./scales.js";
import { value } from "./words.js";

const NEUTRAL = 128;
const REACH = 127;

/**
 * @typedef {object} CodedMap
 * @property {number} channel
 * @property {number|null} low
 * @property {number|null} high
 * @property {number} limit - where its scale ends
 * @property {boolean} dead
 * @property {number[]} peak - row and column of its largest magnitude
 * @property {{base64: string, dtype: string, shape: number[]}} codes
 */

/**
 * The colours of a map: signed ones diverging with 128 neutral, others sequential from 0.
 * @param {Uint8Array} codes @param {boolean} signed @returns {Uint8ClampedArray}
 */
export function codeColours(codes, signed) {
  return signed ? diverging(Int16Array.from(codes, (code) => code - NEUTRAL), REACH) : sequential(codes, 0, 255);
}

/**
 * A map as a canvas, one pixel a cell.
 * @param {CodedMap} map @param {boolean} signed
 */
export function mapCanvas({ codes }, signed) {
  const [rows, columns] = codes.shape;
  return painted(codeColours(numbers(codes), signed), rows, columns);
}

/**
 * Several maps in one canvas, row by row, a line between them where they have more than one cell.
 * @param {{maps: CodedMap[], signed: boolean}} stage @param {{across: number, down: number}} box
 */
export function mosaic({ maps, signed }, { across, down }) {
  const [rows, columns] = maps[0].codes.shape;
  const gap = rows * columns === 1 ? 0 : Math.max(1, Math.round(rows / 14));
  const canvas = document.createElement("canvas");
  canvas.width = across * columns + (across - 1) * gap;
  canvas.height = down * rows + (down - 1) * gap;
  const pen = canvas.getContext("2d");
  maps.slice(0, across * down).forEach((map, at) => {
    const colours = new ImageData(codeColours(numbers(map.codes), signed), columns, rows);
    pen.putImageData(colours, (at % across) * (columns + gap), Math.floor(at / across) * (rows + gap));
  });
  return canvas;
}

/**
 * The side in pixels of one tile in a grid of maps.
 * @param {number} rows
 */
export function tileSide(rows) {
  if (rows === 1) return 44;
  return rows <= 8 ? 72 : rows <= 32 ? 88 : 112;
}

/**
 * What is said of one map: its range, or that it is dead: one value everywhere.
 * @param {CodedMap} map
 */
export function rangeWords({ low, high, dead, codes }) {
  if (low === null || high === null) return "not finite";
  if (low < high) return `${value(low)} … ${value(high)}`;
  return dead && codes.shape[0] * codes.shape[1] > 1 ? `dead, ${value(low)}` : value(low);
}

/**
 * What the colours of maps mean.
 * @param {boolean} signed @param {boolean} together - one scale for all
 */
export function colourWords(signed, together) {
  const of = together ? "of all" : "of each map";
  return signed ? `blue below 0, red above, 0 neutral, full colour at the largest magnitude ${of}` : `dark 0, bright the largest value ${of}`;
}
