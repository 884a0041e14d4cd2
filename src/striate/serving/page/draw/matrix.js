/** Matrices: of pixels close up, and of numbers as they stand on the board. */

import { element } from "../dom.js";
import { divergingColour, inkOn } from "./scales.js";

const SMALLEST = 12; // pixels of the letters
const LETTER = 0.62; // width of a digit of the monospaced font, in its size

/**
 * The part of a picture around a box: its first row and column and its sides, moved to lie inside where it can. Where
 * the box itself reaches beyond the border, so does the part.
 *
 * @param {{top: number, left: number, rows: number, columns: number}} box
 * @param {number} side - cells of the part, at most, unless the box is larger
 * @param {number} height
 * @param {number} width
 */
export function partAround(box, side, height, width) {
  const along = (start, length, size) => {
    const [least, most] = [Math.min(0, start), Math.max(size, start + length)];
    const cells = Math.min(Math.max(side, length), most - least);
    const first = start + Math.floor((length - cells) / 2);
    return [Math.min(Math.max(first, least), most - cells), cells];
  };
  const [top, rows] = along(box.top, box.rows, height);
  const [left, columns] = along(box.left, box.columns, width);
  return { top, left, rows, columns };
}

/**
 * A part of a picture drawn close up, the values written into the pixels where there is room.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {object} given
 * @param {Uint8ClampedArray} given.colours - of the whole picture, red, green, blue, alpha
 * @param {ArrayLike<number>} given.values - of the whole picture, channels last
 * @param {number[]} given.shape - height, width, channels
 * @param {{top: number, left: number, rows: number, columns: number}} given.part
 * @param {number} given.size - of the canvas on the screen, in pixels
 */
export function drawCloseUp(canvas, { colours, values, shape, part, size }) {
  const [height, width, channels] = shape;
  const cell = Math.floor(size / Math.max(part.rows, part.columns));
  const density = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(part.columns * cell * density);
  canvas.height = Math.round(part.rows * cell * density);
  canvas.style.width = `${part.columns * cell}px`;
  canvas.style.height = `${part.rows * cell}px`;
  const pen = canvas.getContext("2d");
  pen.scale(density, density);
  const { color } = getComputedStyle(canvas);
  pen.font = `${SMALLEST}px ${getComputedStyle(canvas).getPropertyValue("--mono") || "monospace"}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let row = 0; row < part.rows; row += 1) {
    for (let column = 0; column < part.columns; column += 1) {
      const [y, x] = [part.top + row, part.left + column];
      if (y < 0 || y >= height || x < 0 || x >= width) {
        drawOutside(pen, column * cell, row * cell, cell, color);
        continue;
      }
      const place = y * width + x;
      const [red, green, blue] = colours.subarray(4 * place, 4 * place + 3);
      pen.fillStyle = `rgb(${red} ${green} ${blue})`;
      pen.fillRect(column * cell, row * cell, cell, cell);
      const texts = Array.from({ length: channels }, (_, channel) => short(values[channels * place + channel]));
      write(pen, texts, { x: column * cell, y: row * cell, cell, ink: inkOn(`rgb(${red} ${green} ${blue})`) });
    }
  }
  return cell;
}

/** A cell beyond the border: what stands there is in brackets on the board. */
function drawOutside(pen, x, y, cell, ink) {
  pen.strokeStyle = ink;
  pen.globalAlpha = 0.3;
  pen.beginPath();
  pen.moveTo(x, y + cell);
  pen.lineTo(x + cell, y);
  pen.stroke();
  pen.globalAlpha = 1;
}

function write(pen, texts, { x, y, cell, ink }) {
  const line = SMALLEST + 1;
  const widest = Math.max(...texts.map((text) => text.length));
  if (widest * SMALLEST * LETTER > cell - 2 || texts.length * line > cell) return;
  pen.fillStyle = ink;
  const first = y + cell / 2 - ((texts.length - 1) * line) / 2;
  texts.forEach((text, index) => pen.fillText(text, x + cell / 2, first + index * line));
}

/**
 * A number in few letters: whole ones in full, others with four digits.
 * @param {number} value
 */
export function short(value) {
  if (Number.isInteger(value)) return String(value).replace("-", "−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/**
 * A table of numbers with a caption, its cells coloured on the diverging scale where a limit is given.
 *
 * @param {string} caption
 * @param {string[][]} rows
 * @param {{limit?: number, outside?: boolean[][]|null, chosen?: boolean[][]|null}} [marks] - what lies in the padding
 *   is written in brackets, what was chosen (a maximum) is framed
 */
export function numberTable(caption, rows, { limit = 0, outside = null, chosen = null } = {}) {
  const cells = (row, at) =>
    row.map((text, column) => {
      const beyond = outside?.[at][column];
      const kind = [beyond && "outside", chosen?.[at][column] && "chosen"].filter(Boolean).join(" ");
      const cell = element("td", { class: kind }, beyond ? `(${signed(text)})` : signed(text));
      if (limit > 0) tint(cell, Number(text), limit);
      return cell;
    });
  const body = rows.map((row, at) => element("tr", {}, ...cells(row, at)));
  return element("table", { class: "numbers" }, element("caption", {}, caption), element("tbody", {}, ...body));
}

/** Colour a cell by its value. @param {HTMLElement} cell @param {number} value @param {number} limit */
function tint(cell, value, limit) {
  const colour = divergingColour(value, limit);
  cell.style.background = colour;
  cell.style.color = inkOn(colour);
}

/** A number with the sign of typography. @param {string} text */
export const signed = (text) => text.replace(/-/g, "−");
