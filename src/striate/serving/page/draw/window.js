/** Windows: the box that one covers in a map, and its numbers as matrices. */

import { element } from "../dom.js";
import { numberTable } from "./matrix.js";
import { numbers, painted } from "./picture.js";
import { diverging } from "./scales.js";

const MOST_WRITTEN = 7; // rows or columns of a matrix whose numbers are written

/**
 * The rows and columns that a window reaches over.
 * @param {{first: number[], step: number[], size: number[]}} window
 * @returns {number[]} top, left, height, width in cells
 */
export function boxOfWindow({ first, step, size }) {
  const reach = size.map((count, axis) => (count - 1) * step[axis] + 1);
  return [...first, ...reach];
}

/**
 * Lay an outline over a map: `box` is top, left, height, width in cells of a map of `shape`, rows first.
 * @param {HTMLElement} outline @param {number[]} box @param {number[]} shape
 */
export function layOver(outline, [top, left, height, width], [rows, columns]) {
  const share = (part, whole) => `${(100 * part) / whole}%`;
  Object.assign(outline.style, {
    top: share(top, rows),
    left: share(left, columns),
    height: share(height, rows),
    width: share(width, columns),
  });
}

/**
 * The cell of a map under a pointer.
 * @param {{clientX: number, clientY: number}} pointer @param {DOMRect} frame @param {number[]} shape - rows, columns
 */
export function cellUnder({ clientX, clientY }, frame, [rows, columns]) {
  const at = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  return [at((clientY - frame.top) / frame.height, rows), at((clientX - frame.left) / frame.width, columns)];
}

/**
 * A matrix that the server sent, with its name: numbers where they can be read, colours alone where it is larger.
 *
 * @param {string} name
 * @param {{base64: string, dtype: string, shape: number[]}} sent
 * @param {{limit: number, outside?: boolean[][]|null, chosen?: number[]|null}} marks - the end of the scale, what lies
 *   in the padding, and the place that was chosen
 */
export function matrix(name, sent, { limit, outside = null, chosen = null }) {
  const [rows, columns] = sent.shape;
  const values = numbers(sent);
  if (Math.max(rows, columns) > MOST_WRITTEN) return drawn(name, values, rows, columns, limit);
  const line = (row) => Array.from(values.subarray(row * columns, (row + 1) * columns), (one) => aligned(one, limit));
  const texts = Array.from({ length: rows }, (_, row) => line(row));
  const picked = chosen && texts.map((line, row) => line.map((_, column) => row === chosen[0] && column === chosen[1]));
  return numberTable(name, texts, { limit, outside, chosen: picked });
}

/**
 * The largest magnitude of arrays that the server sent, where their common scale ends.
 * @param {({base64: string, dtype: string, shape: number[]}|null)[]} arrays
 */
export function reach(arrays) {
  return Math.max(1e-12, ...arrays.filter(Boolean).map((sent) => numbers(sent).reduce((most, one) => Math.max(most, Math.abs(one)), 0)));
}

function drawn(name, values, rows, columns, limit) {
  const canvas = painted(diverging(values, limit), rows, columns);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, ${rows} by ${columns}, drawn in colours`);
  const figure = element("figure", { class: "numbers-drawn" }, canvas, element("figcaption", {}, `${name} · ${rows} × ${columns}`));
  canvas.style.width = `${Math.round(112 * Math.min(1, columns / rows))}px`;
  return figure;
}

/**
 * A number with so many decimals that the largest of its matrix has three digits; zero is written short.
 * @param {number} one @param {number} limit - the largest magnitude
 */
export function aligned(one, limit) {
  const decimals = Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(limit))));
  return one === 0 ? "0" : one.toFixed(decimals);
}
