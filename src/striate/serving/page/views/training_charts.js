/** The curves of training and validation, and the same numbers as a table. */

import { makeChart } from "../draw/chart.js";
import { element, fill } from "../dom.js";

const TRAIN = { name: "training", colour: "var(--class-0)", dashed: true };
const VALIDATION = { name: "validation", colour: "var(--class-1)" };
const RATE = { name: "learning rate", colour: "var(--class-2)" };

const plain = (value) => String(Number(value.toPrecision(3)));
const percent = (value) => `${Number((100 * value).toFixed(1))} %`;
const sides = (measure) => (history) => [
  { ...TRAIN, values: history.map((record) => record.train[measure]) },
  { ...VALIDATION, values: history.map((record) => record.validation[measure]) },
];
const CHARTS = [
  { title: "Loss", format: plain, fromZero: true, of: sides("loss") },
  { title: "Accuracy", format: percent, fromZero: false, of: sides("accuracy") },
  { title: "Learning rate", format: plain, fromZero: true, of: (history) => [{ ...RATE, values: history.map((record) => record.learning_rate) }] },
];

/** Three charts that point at the same epoch, and their table. */
export function makeCharts() {
  const pointed = (epoch) => charts.forEach(({ read }) => read(epoch));
  const charts = CHARTS.map((chart) => ({ ...chart, ...makeChart({ ...chart, pointed }) }));
  const body = element("tbody");
  const table = element("details", { class: "scroll" }, element("summary", {}, "The same as a table"), element("table", {}, heads(), body));
  const drawings = element("div", { class: "charts" }, ...charts.map(({ root: one }) => one));
  const root = element("section", { class: "curves", "aria-label": "Curves", hidden: true }, drawings, table);
  let last = null;

  /** @param {any[]} history @param {{epochs: number, marked: {epoch: number, word: string}|null}} axis */
  function show(history, axis) {
    last = [history, axis];
    charts.forEach(({ draw, of }) => draw(of(history), axis));
    fill(body, ...history.map((record) => row(record, axis.marked)));
  }

  return { root, show, redraw: () => last && show(...last) };
}

function heads() {
  const words = ["epoch", "training loss", "validation loss", "training accuracy", "validation accuracy", "learning rate", "images/s", "seconds"];
  return element("thead", {}, element("tr", {}, ...words.map((word) => element("th", { scope: "col" }, word))));
}

function row(record, marked) {
  const cell = (value, format) => element("td", {}, value === null ? "not finite" : format(value));
  const { train, validation } = record;
  return element(
    "tr",
    { class: record.epoch === marked?.epoch ? "marked" : "" },
    element("th", { scope: "row" }, record.epoch === marked?.epoch ? `${record.epoch} ${marked.word}` : record.epoch),
    cell(train.loss, plain),
    cell(validation.loss, plain),
    cell(train.accuracy, percent),
    cell(validation.accuracy, percent),
    cell(record.learning_rate, plain),
    cell(train.images_per_s, (value) => Math.round(value).toLocaleString("en")),
    cell(record.seconds, plain),
  );
}
