/** Where a window lies: from a pixel of the picture to a cell of the result, and back. */

/**
 * @typedef {{stride: number, before: number, reach: number, cells: number}} Axis
 * As the server told of an axis: pixels between windows, padding before, pixels that a window reaches over, cells.
 */

/**
 * The cell whose window has its middle nearest to a pixel.
 *
 * @param {[Axis, Axis]} axes - height, width
 * @param {number} row
 * @param {number} column
 * @returns {[number, number]}
 */
export function cellOf(axes, row, column) {
  const at = ({ stride, before, reach, cells }, pixel) => {
    const cell = Math.round((pixel + before - Math.floor(reach / 2)) / stride);
    return Math.min(Math.max(cell, 0), cells - 1);
  };
  return [at(axes[0], row), at(axes[1], column)];
}

/**
 * The pixels that a cell sees; beyond the picture where they lie in the padding.
 *
 * @param {[Axis, Axis]} axes
 * @param {number[]} cell
 */
export function boxOf(axes, [row, column]) {
  const [down, across] = axes;
  return {
    top: row * down.stride - down.before,
    left: column * across.stride - across.before,
    rows: down.reach,
    columns: across.reach,
  };
}
