/** The arithmetic of one cell as it stands on the board: window, kernel, products, sum, bias, and what follows. */

import { element } from "../dom.js";
import { numbers } from "../draw/picture.js";
import { matrix, reach } from "../draw/window.js";
import { value } from "../draw/words.js";

const NAMES = {
  ...{ mean: "mean", variance: "variance", scale: "scale γ", shift: "shift β", epsilon: "ε" },
  ...{ squares: "sum of squares", size: "neighbours", k: "k", alpha: "α", beta: "β" },
};
const SHOWN_NUMBERS = {
  normalisation: ["mean", "variance", "scale", "shift", "epsilon"],
  neighbours: ["squares", "size", "k", "alpha", "beta"],
};
const MATRIX = 54; // pixels of a number in a matrix
const MOST_PARTS = 64; // input channels that the server gives at once

/**
 * What is in view, and who is told of another choice.
 *
 * @typedef {object} Chosen
 * @property {number} shown - the input channel in view
 * @property {number} term - of several branches or neighbours, the one in view
 * @property {(channel: number) => void} pick - told of another input channel, or another branch
 * @property {() => void} more - ask for more input channels
 * @property {boolean} single - the window is one cell of each channel
 */

/** @param {any} told - the answer of POST /inside/cell @param {Chosen} given */
export function board(told, given) {
  const [own, ...after] = told.works;
  const [channel, row, column] = own.place;
  return element(
    "div",
    { class: "inside-board" },
    element("h3", {}, `${own.layer}: ${own.kind}, row ${row}, column ${column}, channel ${channel}`),
    own.window ? readWindow(own, given) : own.terms.length > 1 && readTerms(own, given),
    element("ol", { class: "inside-steps", "aria-label": "The sum, and what follows it" }, step(own), ...after.map(step)),
    element("p", { class: "caption" }, told.end),
  );
}

/** What a sum of branches, or a normalisation over neighbours, reads: each can be shown. */
function readTerms({ terms }, { term, pick }) {
  const buttons = terms.map(({ layer, place, value: one }, at) => {
    const properties = { type: "button", class: "inside-pick", "aria-pressed": String(at === term), "data-term": at };
    return element("button", { ...properties, onclick: () => pick(at) }, `${layer}, channel ${place[0]}: ${written(one)}`);
  });
  return element("div", { class: "inside-terms", role: "group", "aria-label": "What it reads" }, ...buttons);
}

function readWindow(own, given) {
  const { parts, channels } = own.window;
  const order = "Input channels that give most come first; padding is in brackets.";
  return element(
    "div",
    {},
    parts.length > 1 && element("p", { class: "caption" }, order),
    given.single && parts[0].weights ? singleTable(own, given) : partGrid(own, given),
    rest(channels.length - parts.length, parts.length, given.more),
  );
}

/** How many input channels are not shown. */
function rest(hidden, shown, more) {
  if (hidden <= 0) return null;
  const button = shown < MOST_PARTS && element("button", { type: "button", onclick: more }, "Show more");
  return element("p", { class: "caption" }, `${hidden} more input channels give less each. `, button);
}

function partGrid(own, given) {
  const parts = own.window.parts.map((part) => partRow(own, part, given));
  const label = "Windows, kernels and products";
  const grid = element("div", { class: "inside-parts", tabIndex: 0, role: "group", "aria-label": label }, ...parts);
  grid.style.setProperty("--part", `${MATRIX * 3 * Math.min(own.window.size[1], 5) + 96}px`);
  return grid;
}

/** One input channel: window · kernel = products, and their sum. */
function partRow(own, part, given) {
  const several = own.window.channels.length > 1;
  const shown = several && part.channel === given.shown;
  return element(
    "div",
    { class: shown ? "inside-part shown" : "inside-part", "data-channel": part.channel },
    element(
      "div",
      { class: "inside-part-head" },
      several && picker(part.channel, `channel ${part.channel}`, given, `show channel ${part.channel} of ${own.window.reads}`),
      part.weights && element("span", { class: "inside-total", "data-total": part.total }, `Σ ${written(part.total)}`),
    ),
    element("div", { class: "inside-products" }, ...matrices(own, part)),
  );
}

function matrices(own, part) {
  const { outside, chosen, parts } = own.window;
  const drawn = (title, name, marks = {}) => matrix(title, part[name], { limit: reach(parts.map((one) => one[name])), ...marks });
  const window = drawn("window", "values", { outside, chosen });
  if (!part.weights) return [window];
  const products = own.operation === "distance" ? "squares" : "products";
  return [window, sign("·"), drawn("kernel", "weights"), sign("="), drawn(products, "products")];
}

/** Windows of a single cell, as of a 1 × 1 convolution or a vector: a line an input channel. */
function singleTable(own, given) {
  const rows = own.window.parts.map((part) => {
    const factors = [part.values, part.weights, part.products].map((sent) => numbers(sent)[0]);
    return element(
      "tr",
      { class: part.channel === given.shown ? "chosen" : "", "data-channel": part.channel },
      element("td", {}, picker(part.channel, String(part.channel), given)),
      ...factors.map((one) => element("td", { class: "mono" }, value(one))),
    );
  });
  const words = own.operation === "distance" ? ["value", "code", "square"] : ["value", "weight", "product"];
  const heads = [`channel of ${own.window.reads}`, ...words].map((text) => element("th", { scope: "col" }, text));
  return element("table", { class: "inside-single" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
}

/** The button that shows an input channel. */
function picker(channel, text, { shown, pick }, label = null) {
  const properties = { type: "button", class: "inside-pick", "aria-pressed": String(channel === shown), "aria-label": label };
  return element("button", { ...properties, onclick: () => pick(channel) }, text);
}

function step(work) {
  const name = element("div", { class: "inside-step-name" }, element("span", {}, work.layer), element("span", { class: "muted" }, ` ${work.kind}`));
  const found = element("span", { class: "mono", "data-value": work.value }, written(work.value));
  return element(
    "li",
    { class: "inside-step", "data-layer": work.layer, "data-operation": work.operation },
    name,
    numbersOf(work),
    element("div", { class: "inside-formula mono" }, work.formula),
    element("div", { class: "muted inside-network-value" }, "the network: ", found),
  );
}

/** The four numbers of a batch normalisation, and the like. */
function numbersOf(work) {
  const names = (SHOWN_NUMBERS[work.operation] ?? []).filter((name) => work.numbers[name] !== undefined);
  if (!names.length) return null;
  const pairs = names.map((name) => element("div", {}, element("dt", {}, NAMES[name]), element("dd", {}, written(work.numbers[name]))));
  return element("dl", { class: "inside-numbers" }, ...pairs);
}

const sign = (text) => element("span", { class: "inside-sign", "aria-hidden": "true" }, text);

/** A number with six digits. */
const written = (one) => (one === null ? "not finite" : String(Number(one.toPrecision(6))).replace("-", "−"));
