/** The kernel: chosen by name, edited in its grid, or typed as rows of numbers. */

import { divergingColour, inkOn } from "../draw/scales.js";
import { element, fill } from "../dom.js";

const WIDEST = 9; // cells of a side that the grid shows
const SIZES = ["3 × 3", "5 × 5", "7 × 7", "1 × 3", "3 × 1", "1 × 5", "1 × 2", "2 × 2"];

/**
 * The panel of the kernel.
 *
 * @param {object} given
 * @param {any[]} given.named - of the catalogue
 * @param {(text: string) => void} given.changed - told of another kernel: a name, or rows of numbers
 */
export function makeKernel({ named, changed }) {
  const options = named.map(({ name, summary }) => element("option", { value: name, title: summary }, name));
  const typed = element("option", { value: "" }, "typed");
  const list = element("select", { id: "kernel-name" }, typed, ...options, element("option", {}, "gaussian:2"));
  const others = SIZES.map((size) => element("option", {}, size));
  const sizes = element("select", { id: "kernel-size" }, element("option", { value: "" }, "size"), ...others);
  const grid = element("div", { class: "grid", role: "group", "aria-label": "Weights of the kernel" });
  const text = element("input", { id: "kernel-text", type: "text", spellcheck: false, autocomplete: "off", "aria-describedby": "kernel-said" });
  const said = element("p", { class: "caption", id: "kernel-said" });
  let rows = [];
  let colours = [];

  list.addEventListener("change", () => list.value && changed(list.value));
  text.addEventListener("change", () => text.value.trim() && changed(text.value.trim()));
  sizes.addEventListener("change", () => {
    if (sizes.value) changed(written(resized(rows, ...sizes.value.split(" × ").map(Number))));
    sizes.value = "";
  });

  /** Show the kernel that the server has read. @param {any} kernel @param {string} asked - as it was asked for */
  function show(kernel, asked) {
    rows = kernel.rows;
    colours = coloursOf(kernel.weights);
    list.value = [...list.options].some((option) => option.value === kernel.name) ? kernel.name : "";
    if (document.activeElement !== text) text.value = kernel.name && asked === kernel.name ? written(rows) : asked;
    text.removeAttribute("aria-invalid");
    drawGrid();
    const what = kernel.summary ? `${kernel.name}: ${kernel.summary}. ${kernel.source}. ` : "";
    fill(said, `${what}${rows.length} × ${rows[0].length}, its weights sum to ${kernel.sum}.`);
    said.classList.remove("bad");
  }

  function drawGrid() {
    const [height, width] = [rows.length, rows[0].length];
    grid.hidden = Math.max(height, width) > WIDEST;
    if (grid.hidden) return;
    if (grid.childElementCount !== height * width || grid.dataset.width !== String(width)) {
      grid.dataset.width = String(width);
      grid.style.setProperty("--columns", String(width));
      fill(grid, ...rows.flatMap((row, r) => row.map((weight, c) => cell(weight, r, c))));
    }
    [...grid.children].forEach((input, at) => {
      if (document.activeElement !== input) input.value = rows[Math.floor(at / width)][at % width];
      Object.assign(input.style, colours[at]);
    });
  }

  function cell(weight, row, column) {
    const label = `row ${row}, column ${column}`;
    const input = element("input", { type: "text", inputMode: "text", value: weight, "aria-label": label, autocomplete: "off", spellcheck: false });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("change", () => {
      const edited = rows.map((line) => [...line]);
      edited[row][column] = input.value.trim() || "0";
      changed(written(edited));
    });
    input.addEventListener("keydown", (event) => moveInGrid(event, row, column));
    return input;
  }

  function moveInGrid(event, row, column) {
    const [down, across] = { ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] ?? [];
    if (down === undefined) return;
    const target = grid.children[(row + down) * rows[0].length + column + across];
    if (!target || row + down < 0) return;
    event.preventDefault();
    target.focus();
  }

  /** Say why a kernel is refused. @param {any} refused @param {string} asked */
  function refuse(refused, asked) {
    text.setAttribute("aria-invalid", "true");
    if (document.activeElement !== text) text.value = asked;
    fill(said, [refused.said, refused.allowed && `Allowed: ${refused.allowed}.`, refused.advice].filter(Boolean).join(" "));
    said.classList.add("bad");
  }

  const root = element(
    "section",
    { class: "kernel", "aria-label": "Kernel" },
    element("div", { class: "pair" }, element("label", { class: "field" }, "Kernel", list), element("label", { class: "field" }, "Grid", sizes)),
    grid,
    element("label", { class: "field" }, "As rows of numbers", text),
    said,
  );
  return { root, show, refuse };
}

/** Each weight's colour on the diverging scale, and of what is written on it. @param {number[][]} weights */
function coloursOf(weights) {
  const limit = Math.max(...weights.flat().map(Math.abs));
  return weights.flat().map((weight) => {
    const background = divergingColour(weight, limit);
    return { background, color: inkOn(background) };
  });
}

/**
 * A kernel in another size about the same middle: cut off, or filled up with zeros.
 *
 * @param {string[][]} rows
 * @param {number} height
 * @param {number} width
 */
export function resized(rows, height, width) {
  const top = Math.floor(rows.length / 2) - Math.floor(height / 2);
  const left = Math.floor((rows[0]?.length ?? 0) / 2) - Math.floor(width / 2);
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => rows[top + row]?.[left + column] ?? "0"));
}

/** Rows of weights as they are typed: `0 -1 0; -1 5 -1; 0 -1 0`. @param {string[][]} rows */
export const written = (rows) => rows.map((row) => row.join(" ")).join("; ");
