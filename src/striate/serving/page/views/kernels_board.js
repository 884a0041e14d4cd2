/** One cell of the result as on the board: window · kernel = products, and the sum; the numbers are the server's. */

import { numberTable, signed } from "../draw/matrix.js";
import { element, fill } from "../dom.js";

const HOW =
  "Point at either picture, or go there by Tab and move with the arrow keys: the window, the products and their sum appear here.";
const CELL = 44; // pixels of a number on the board, about
const SIGNS = 72; // of what stands between the tables
const WIDEST = 560; // boards wider than this are scrolled

/**
 * Show a worked cell.
 *
 * @param {HTMLElement} root
 * @param {any} step - the answer of `kernels/step`
 * @param {{operation: string}} asked
 */
export function showBoard(root, step, { operation }) {
  const [row, column] = step.cell;
  const values = step.parts.map((part) => [part.channel, signed(part.value)].filter(Boolean).join(" ")).join(" · ");
  const heading = element("h2", { class: "worked" }, `row ${row}, column ${column}: `, element("output", { class: "value" }, values));
  const parts = element("div", { class: "parts" }, ...step.parts.map((part) => board(part, step, operation)));
  parts.style.setProperty("--least", `${Math.min(3 * step.columns.length * CELL + SIGNS, WIDEST)}px`);
  fill(root, heading, element("p", { class: "caption" }, where(step)), parts);
}

/** Show that no cell is chosen. @param {HTMLElement} root */
export function showNoCell(root) {
  fill(
    root,
    element("h2", {}, "One cell, worked"),
    element("p", { class: "muted" }, HOW),
  );
}

/** Show why a cell cannot be worked. @param {HTMLElement} root @param {any} refused */
export function showRefusal(root, refused) {
  const words = [refused.said, refused.allowed && `Allowed: ${refused.allowed}.`, refused.advice].filter(Boolean).join(" ");
  fill(root, element("p", { class: "refused", role: "alert" }, words));
}

function where({ rows, columns, parts }) {
  const beyond = parts.some(({ outside }) => outside?.flat().includes(true)) ? "; in brackets what lies beyond its border" : "";
  const span = (places) => (places.length > 1 ? `${places[0]}..${places[places.length - 1]}` : `${places[0]}`);
  return signed(`rows ${span(rows)} and columns ${span(columns)} of the picture${beyond}`);
}

function board(part, step, operation) {
  const name = part.channel && element("h3", {}, part.channel);
  const label = [part.channel, "window, products and sum"].filter(Boolean).join(": ");
  const region = { class: "part", tabIndex: 0, role: "group", "aria-label": label };
  const sum = element("p", { class: "sum mono" }, signed(part.sum));
  if (!part.window) {
    const size = `${step.rows.length} × ${step.columns.length}`;
    return element("div", region, name, element("p", { class: "caption" }, `A window of ${size} is too large to be written out.`), foldedSum(part.sum));
  }
  if (operation !== "kernel") {
    return element("div", region, name, element("div", { class: "equation" }, numberTable("window", part.window, part)), sum);
  }
  const largest = Math.max(...part.products.flat().map((text) => Math.abs(Number(text))));
  const equation = element(
    "div",
    { class: "equation" },
    numberTable("window", part.window, { outside: part.outside }),
    sign("·", "times"),
    numberTable(step.flipped ? "kernel, flipped" : "kernel", part.weights),
    sign("=", "equals"),
    numberTable("products", part.products, { limit: largest }),
  );
  return element("div", region, name, equation, sum);
}

function foldedSum(sum) {
  return element("details", {}, element("summary", {}, signed(`sum = ${sum.split(" = ").at(-1)}`)), element("p", { class: "sum mono" }, signed(sum)));
}

const sign = (text, word) => element("span", { class: "sign", role: "img", "aria-label": word }, text);
