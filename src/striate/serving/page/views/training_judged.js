/** What an evaluation found: the accuracy with its interval, the confusion matrix, the worst errors. */

import { element, fill } from "../dom.js";

const UNJUDGED = "The confusion matrix and the worst errors come from an evaluation on the test images, which this run has not had:";
const CAPTION = "Rows are the truth, columns what it was called; the colour is the share of the row. A cell opens its images.";
const FEW = 16; // classes up to which the matrix is drawn large
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1]; // shares of a row, as in the report

/** @param {HTMLElement} root @param {any} told - the answer of `training` @param {import("../main.js").App} app */
export function showJudged(root, told, app) {
  const found = told.evaluation;
  if (!found) {
    fill(root, ...(told.state === "finished" ? unjudged(told.evaluate) : []));
    return;
  }
  const behind = element("div", { class: "behind", "aria-live": "polite" });
  const open = (truth, predicted) => showImages(behind, truth, predicted, app);
  const many = found.classes.length > FEW;
  fill(
    root,
    element("h2", {}, "Evaluation"),
    element("p", {}, verdict(found)),
    element(
      "div",
      { class: many ? "found many" : "found" },
      found.matrix && element("div", { class: "whole" }, element("h3", {}, "Confusion matrix"), matrix(found, open, many), many ? null : behind),
      many && element("div", {}, element("h3", {}, "Most often confused"), behind, pairs(found, open)),
      element("div", {}, element("h3", {}, "Worst errors"), worst(found)),
    ),
  );
}

function unjudged(command) {
  return [
    element("h2", {}, "Not evaluated yet"),
    element("p", { class: "muted" }, UNJUDGED),
    element("pre", {}, command),
  ];
}

function verdict({ accuracy: [value, low, high], n, split, mistakes }) {
  const share = (part) => (100 * part).toFixed(1);
  return `Accuracy ${share(value)} % (${share(low)}–${share(high)}, n = ${n.toLocaleString("en")}, ${split} images); ${mistakes.toLocaleString("en")} wrong.`;
}

function matrix({ classes, matrix: counts, shares }, open, many) {
  const name = (place, scope) => element("th", { scope }, element("bdi", {}, classes[place]));
  const head = element("tr", {}, element("td", {}), ...classes.map((_, place) => name(place, "col")));
  const rows = counts.map((row, truth) => {
    const cells = row.map((count, said) => cell(count, shares[truth][said], classes[truth], classes[said], open));
    return element("tr", {}, name(truth, "row"), ...cells);
  });
  const caption = element("caption", {}, CAPTION);
  const table = element("table", { class: many ? "matrix small" : "matrix" }, caption, element("thead", {}, head), element("tbody", {}, ...rows));
  return scrolled("Confusion matrix", table);
}

/** A table that may be wider than its place, reached by keys. */
const scrolled = (label, table) => element("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": label }, table);

function cell(count, share, truth, predicted, open) {
  if (!count) return element("td", { class: "none" }, element("span", {}, "0"));
  const words = `${count} of ${truth} called ${predicted}, ${(100 * share).toFixed(1)} % of the row`;
  const button = element("button", { type: "button", title: words, "aria-label": words, onclick: () => open(truth, predicted) }, count);
  button.dataset.share = String(1 + STEPS.findIndex((step) => Math.min(share, 1) <= step));
  return element("td", {}, button);
}

function pairs({ confused }, open) {
  if (!confused.length) return element("p", { class: "muted" }, "There is none.");
  const rows = confused.map(({ truth, predicted, count, of }) =>
    element(
      "tr",
      {},
      element("td", {}, element("bdi", {}, truth)),
      element("td", { class: "left" }, element("bdi", {}, predicted)),
      element("td", {}, element("button", { type: "button", onclick: () => open(truth, predicted) }, `${count} of ${of}`)),
    ),
  );
  return element("table", {}, headOf("truth", "called", "images"), element("tbody", {}, ...rows));
}

function worst({ worst: images, mistakes }) {
  if (!images.length) return element("p", { class: "muted" }, mistakes ? "The evaluation does not list them." : "There is none.");
  const rows = images.map(({ source, truth, predicted, probability, truth_probability: ofTruth }) =>
    element(
      "tr",
      {},
      element("td", {}, element("bdi", { class: "name" }, source)),
      element("td", { class: "left" }, element("bdi", {}, truth)),
      element("td", { class: "left" }, element("bdi", {}, predicted)),
      element("td", {}, probability.toFixed(3)),
      element("td", {}, ofTruth.toFixed(3)),
    ),
  );
  const head = headOf("image", "truth", "called", "probability", "of the truth");
  return scrolled("Worst errors", element("table", {}, head, element("tbody", {}, ...rows)));
}

async function showImages(root, truth, predicted, app) {
  fill(root, element("p", { class: "waiting" }, "Loading …"));
  try {
    const { count, images } = await app.api.trainingImages(truth, predicted);
    const name = (source) => element("bdi", { class: "name" }, source);
    const list = images.map(({ source, probability }) => element("li", {}, name(source), ` ${probability.toFixed(3)}`));
    const more = count > images.length ? `; the ${images.length} surest` : "";
    fill(root, element("h4", {}, element("bdi", {}, truth), " called ", element("bdi", {}, predicted), `: ${count}${more}`), element("ol", {}, ...list));
  } catch (refused) {
    fill(root, element("p", { class: "refused", role: "alert" }, [refused.said, refused.advice].filter(Boolean).join(" ")));
  }
}

const NAMES = ["truth", "called"]; // columns of names, written from the left

function headOf(...words) {
  const cells = words.map((word) => element("th", { scope: "col", class: NAMES.includes(word) ? "left" : "" }, word));
  return element("thead", {}, element("tr", {}, ...cells));
}
