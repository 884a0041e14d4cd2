/** A table that can be sorted by any column and keeps its rows while they change. */

import { element, fill } from "../dom.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => string|number|null|undefined} value - what is sorted by; nothing comes last
 * @property {(row: Row) => (Node|string|null)[]} cell - what is shown
 * @property {boolean} [text] - to be aligned as text
 */

/**
 * @template Row
 * @param {string} caption
 * @param {Column<Row>[]} columns
 * @param {{key: (row: Row) => string, version: (row: Row) => any, chosen?: (row: Row) => boolean}} rowsAre - by what a
 *   row is known, what changes when its cells do, and whether it is marked
 */
export function sortableTable(caption, columns, rowsAre) {
  const order = { column: null, falling: false };
  const body = element("tbody");
  const heads = columns.map((column) => head(column, () => sortBy(column)));
  const kept = new Map();
  let rows = [];

  function sortBy(column) {
    order.falling = order.column === column && !order.falling;
    order.column = column;
    draw(rows);
  }

  function draw(given) {
    rows = given;
    if (!rows.length) kept.clear();
    heads.forEach((cell, place) => mark(cell, columns[place] === order.column ? order.falling : null));
    const drawn = sorted(rows, order).map((row) => drawnOnce(row));
    const asBefore = drawn.length === body.childElementCount && drawn.every((line, place) => line === body.children[place]);
    if (!asBefore) fill(body, ...drawn);
  }

  function drawnOnce(row) {
    const [key, version] = [rowsAre.key(row), rowsAre.version(row)];
    const known = kept.get(key);
    const same = known && known.version === version;
    const line = same ? known.line : element("tr", {}, ...columns.map((column) => cellOf(column, row)));
    if (!same) kept.set(key, { version, line });
    line.toggleAttribute("data-chosen", Boolean(rowsAre.chosen?.(row)));
    return line;
  }

  const title = element("caption", { class: "visually-hidden" }, caption);
  const root = element("table", {}, title, element("thead", {}, element("tr", {}, ...heads)), body);
  return { root, draw };
}

/**
 * Rows in the order of a column; those without a value last, whichever way.
 * @template Row @param {Row[]} rows @param {{column: Column<Row>|null, falling: boolean}} order
 */
export function sorted(rows, { column, falling }) {
  if (!column) return rows;
  const sign = falling ? -1 : 1;
  return [...rows].sort((one, other) => compared(column.value(one), column.value(other), sign));
}

function compared(one, other, sign) {
  const missing = (value) => value === null || value === undefined;
  if (missing(one) || missing(other)) return Number(missing(one)) - Number(missing(other));
  if (typeof one === "number") return sign * (one - other);
  return sign * String(one).localeCompare(String(other), undefined, { numeric: true });
}

function head(column, sort) {
  const arrow = element("span", { class: "arrow", "aria-hidden": "true" });
  const button = element("button", { type: "button", onclick: sort }, column.title, arrow);
  return element("th", { scope: "col", class: column.text ? "left" : "" }, button);
}

function mark(cell, falling) {
  if (falling === null) cell.removeAttribute("aria-sort");
  else cell.setAttribute("aria-sort", falling ? "descending" : "ascending");
  fill(cell.querySelector(".arrow"), falling === null ? "" : falling ? " ↓" : " ↑");
}

function cellOf(column, row) {
  return element("td", { class: column.text ? "left" : "" }, ...column.cell(row));
}
