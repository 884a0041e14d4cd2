/** Many pictures as a table: thumbnail, file, class, probability, what was decided; and all of it as csv. */

import { element, fill } from "../dom.js";
import { pngImage } from "../draw/picture.js";
import { sortableTable } from "../draw/table.js";
import { percent, times } from "../draw/words.js";
import { csvOf, save } from "./try_csv.js";

/**
 * @param {any} about - the answer of GET /model
 * @param {{choose: (row: import("./try_answers.js").Row) => void, clear: () => void}} told
 */
export function manyPictures(about, { choose, clear }) {
  let rows = [];
  let chosen = null;
  const table = sortableTable("Pictures and their answers", columns(about, choose), {
    key: (row) => row.key,
    version: (row) => row.version,
    chosen: (row) => row === chosen,
  });
  const count = element("p", { class: "muted", role: "status" });
  const csv = button("Save as csv", () => save("predictions.csv", csvOf(rows, about)));
  const head = element("div", { class: "many-head" }, element("h3", {}, "Pictures"), count, csv, button("Remove all", clear));
  const scrolled = { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of pictures" };
  const root = element("section", { class: "many", hidden: true, "aria-label": "Pictures" }, head, element("div", scrolled, table.root));
  table.root.addEventListener("keydown", moveAmongRows);

  function draw(now, marked) {
    rows = now;
    chosen = marked;
    root.hidden = rows.length === 0;
    root.setAttribute("aria-busy", String(rows.some((row) => row.state === "waiting")));
    csv.disabled = rows.every((row) => row.state === "waiting");
    fill(count, counted(rows));
    table.draw(rows);
  }

  return { root, draw };
}

const button = (words, onclick) => element("button", { type: "button", onclick }, words);

function counted(rows) {
  const by = (state) => rows.filter((row) => row.state === state).length;
  const words = [[by("answered"), "answered"], [by("failed"), "without answer"], [by("waiting"), "waiting"]];
  return words.filter(([number]) => number).map(([number, word]) => `${number.toLocaleString("en")} ${word}`).join(" · ");
}

function columns({ decision }, choose) {
  const all = [
    { title: "Picture", text: true, value: (row) => row.file.name, cell: (row) => [opener(row, choose)] },
    { title: "Class", text: true, value: (row) => row.answer?.class, cell: ({ answer }) => [answer && said(answer)] },
    { title: "Probability", value: chance, cell: (row) => [row.answer && percent(chance(row))] },
    { title: "Set", text: true, value: (row) => row.answer?.set?.length, cell: ({ answer }) => [answer?.set && held(answer.set)] },
    { title: "Note", text: true, value: note, cell: (row) => [element("span", { class: row.error ? "bad" : "muted" }, note(row))] },
  ];
  return decision?.by === "image" && decision.sets ? all : all.filter(({ title }) => title !== "Set");
}

const chance = (row) => row.answer?.probability;
const held = (names) => `{\u00a0${names.join(", ")}\u00a0}`;

function opener(row, choose) {
  const png = row.picture?.png;
  const small = png ? pngImage(png, "", "thumbnail") : element("span", { class: "thumbnail" });
  const name = element("bdi", { class: "name" }, row.file.name);
  return element("button", { type: "button", class: "opener", onclick: () => choose(row) }, small, name);
}

function said(answer) {
  return answer.abstained ? element("span", { class: "muted" }, "no answer") : element("bdi", { class: "name" }, answer.class);
}

function note(row) {
  if (row.error) return row.error;
  if (row.state === "waiting") return "waiting …";
  const { shape, depth, format } = row.picture ?? {};
  return shape ? `${times(shape)} ${depth}, ${format}` : "";
}

function moveAmongRows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const line = event.target.closest?.("tbody tr");
  if (!step || !line) return;
  event.preventDefault();
  (step > 0 ? line.nextElementSibling : line.previousElementSibling)?.querySelector(".opener")?.focus();
}
