/** Pictures and maps on canvases, from what the server sends. */

import { DIVERGING, SEQUENTIAL, diverging, grey, sequential } from "./scales.js";
import { element } from "../dom.js";

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };

/**
 * The numbers of an array that the server sent: `{base64, dtype, shape}`, little-endian, the last axis fastest.
 *
 * @param {{base64: string, dtype: string, shape: number[]}} sent
 * @returns {Uint8Array|Uint16Array|Int16Array|Float32Array}
 */
export function numbers({ base64, dtype }) {
  const text = atob(base64);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return new TYPES[dtype](bytes.buffer);
}

/**
 * A canvas with one pixel a cell, enlarged by the style sheet without smoothing.
 *
 * @param {Uint8ClampedArray} colours - red, green, blue, alpha of each cell
 * @param {number} rows
 * @param {number} columns
 * @param {HTMLCanvasElement} [canvas] - painted again where given
 */
export function painted(colours, rows, columns, canvas = /** @type {any} */ (element("canvas", { class: "pixels" }))) {
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d").putImageData(new ImageData(colours, columns, rows), 0, 0);
  return canvas;
}

/**
 * A PNG of the server's, each of its pixels to be seen.
 * @param {string} png - in base64
 * @param {string} alt
 * @param {string} kind - its class in the style sheet
 */
export const pngImage = (png, alt, kind) => element("img", { class: `pixels ${kind}`, alt, src: `data:image/png;base64,${png}` });

/**
 * Colours of a map: signed ones diverging with zero neutral over -limit..limit, others sequential over 0..limit.
 * @param {ArrayLike<number>} values @param {{signed: boolean, limit: number}} scale
 */
export const mapColours = (values, { signed, limit }) => (signed ? diverging(values, limit) : sequential(values, 0, limit));

/**
 * Colours of a picture of one or three channels, `low` black and `high` white.
 * @param {ArrayLike<number>} values @param {{channels: number, low: number, high: number}} scale
 */
export function pictureColours(values, { channels, low, high }) {
  if (channels === 1) return grey(values, low, high);
  const pixels = new Uint8ClampedArray((4 * values.length) / channels).fill(255);
  const part = high > low ? 255 / (high - low) : 0;
  for (let index = 0; index < values.length / channels; index += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      pixels[4 * index + channel] = Math.round((values[channels * index + channel] - low) * part);
    }
  }
  return pixels;
}

/**
 * The colours of a scale as a bar between the two ends of its range, which the server names.
 * @param {{signed: boolean, low: string, high: string}} scale
 */
export function colourBar({ signed, low, high }) {
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${(signed ? DIVERGING : SEQUENTIAL).join(", ")})`;
  return element("span", { class: "colour-bar" }, element("span", {}, low), bar, element("span", {}, high));
}
