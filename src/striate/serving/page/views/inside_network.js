/** The first zoom: the network from left to right, one column a stage, the answer at the end. */

import { element } from "../dom.js";
import { mosaic } from "../draw/maps.js";
import { boxOf, stageLines } from "../draw/network.js";
import { percent, times } from "../draw/words.js";
import { pictureImage } from "./inside_picture.js";

const MOST_CLASSES = 5;

/**
 * @param {object} given
 * @param {any} given.table - the answer of GET /inside/network
 * @param {any|null} given.picture - the answer of POST /inside/picture
 * @param {any|null} given.overview - the answer of POST /inside/overview
 * @param {string} given.stage - the one that is open, "" for none
 * @param {(stage: string) => void} given.open
 */
export function networkRow({ table, picture, overview, stage, open }) {
  const columns = table.stages.map((one) => stageColumn(one, overview?.stages[one.name], one.name === stage, open));
  return element(
    "ol",
    { class: stage ? "inside-network small" : "inside-network", list: null, "aria-label": "The network, from the picture to the classes" },
    element("li", { class: "inside-column" }, pictureColumn(table, picture)),
    ...columns.map((column) => element("li", { class: "inside-column" }, column)),
    element("li", { class: "inside-column" }, answerColumn(table, picture)),
  );
}

function stageColumn(stage, seen, current, open) {
  const box = boxOf(stage.shape);
  const drawn = element("span", { class: seen ? "inside-box" : "inside-box plain", "aria-hidden": "true" }, seen && fitted(mosaic(seen, box)));
  drawn.style.width = `${box.width}px`;
  drawn.style.height = `${box.height}px`;
  return element(
    "button",
    { type: "button", class: "inside-stage", "data-stage": stage.name, "aria-current": current ? "true" : null, onclick: () => open(stage.name) },
    element("span", { class: "inside-frame" }, drawn),
    element("span", { class: "inside-name" }, stage.name),
    ...stageLines(stage).map((line) => element("span", { class: "inside-line" }, line)),
  );
}

function pictureColumn(table, picture) {
  const frame = element("span", { class: "inside-frame" });
  if (picture) {
    const image = pictureImage(picture);
    image.alt = "";
    image.className = "pixels inside-first";
    frame.append(image);
  } else frame.append(element("span", { class: "inside-box plain inside-first" }));
  return element(
    "div",
    { class: "inside-stage still" },
    frame,
    element("span", { class: "inside-name" }, "picture"),
    element("span", { class: "inside-line" }, times(table.input_shape)),
  );
}

function answerColumn(table, picture) {
  const chances = Object.entries(picture?.answer.probabilities ?? {}).sort(([, one], [, other]) => other - one);
  const bars = chances.slice(0, MOST_CLASSES).map(([name, chance]) => bar(name, chance));
  const more = chances.length - bars.length;
  const empty = element("span", { class: "inside-box plain inside-first" });
  const answer = bars.length ? element("div", { class: "inside-bars" }, ...bars) : empty;
  return element(
    "div",
    { class: "inside-stage still inside-answer" },
    element("div", { class: "inside-frame" }, answer),
    element("span", { class: "inside-name" }, "classes"),
    element("span", { class: "inside-line" }, more > 0 ? `${bars.length} of ${chances.length}` : `${table.classes.length} classes`),
  );
}

function bar(name, chance) {
  const filled = element("span", { class: "inside-filled", "aria-hidden": "true" });
  filled.style.width = `${100 * chance}%`;
  const said = element("bdi", { class: "inside-class", title: name }, name);
  return element("div", { class: "inside-chance" }, filled, said, element("span", {}, percent(chance)));
}

function fitted(canvas) {
  canvas.className = "pixels";
  return canvas;
}
