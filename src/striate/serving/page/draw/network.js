/** The boxes of a network: how large a stage is drawn, and what is written under it. */

import { times } from "./words.js";

const TILE = 30; // pixels of one map in a box
const CELL = 7; // of one number of a vector, or of a few
const LARGE_CELL = 10;
const VECTOR_ROWS = 12;

/**
 * The box of a stage: as high as its maps are, as wide as they are many, both by the logarithm, in whole tiles.
 *
 * @param {number[]} shape - channel, height, width; or feature alone
 * @returns {{across: number, down: number, width: number, height: number}} tiles and pixels
 */
export function boxOf(shape) {
  const wide = 20 + 8 * Math.log2(Math.max(shape[0], 1));
  if (shape.length !== 3 || shape[1] * shape[2] === 1) {
    const across = Math.max(1, Math.min(Math.round(wide / CELL), Math.ceil(shape[0] / VECTOR_ROWS)));
    const down = Math.min(VECTOR_ROWS, shape[0]);
    const cell = across === 1 ? LARGE_CELL : CELL;
    return { across, down, width: across * cell, height: down * cell };
  }
  const high = 24 + 12 * Math.log2(Math.max(shape[1], 1));
  const across = Math.max(1, Math.min(Math.round(wide / TILE), shape[0]));
  const down = Math.max(1, Math.min(Math.round(high / TILE), Math.ceil(shape[0] / across)));
  return { across, down, width: across * TILE, height: down * TILE };
}

/**
 * What is written under a stage: shape, parameters, what one cell sees.
 * @param {{shape: number[], parameters: number, sees: number[]|null}} stage
 */
export function stageLines({ shape, parameters, sees }) {
  return [
    times(shape),
    parameters ? `${parameters.toLocaleString("en")} parameters` : "no parameters",
    sees ? `sees ${times(sees)}` : "",
  ].filter(Boolean);
}
