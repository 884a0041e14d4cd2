/** A map or picture with its outline and caption, and the map whose cells can be moved among. */

import { element, fill } from "../dom.js";
import { cellUnder, layOver } from "../draw/window.js";

const SIDE = 264; // pixels of the longer side
const SINGLE = 72; // of a map that is one number
const MARGIN = 10; // that an outline may reach beyond the map

/**
 * A place for a map under a title, with one outline over it.
 *
 * @param {string} title
 * @param {string} [kind] - "cell" for the outline of a single cell
 */
export function mapFigure(title, kind = "window") {
  const outline = element("span", { class: `inside-outline ${kind}`, hidden: true });
  const frame = element("div", { class: "inside-surface" });
  const caption = element("figcaption", {});
  const root = element("figure", { class: "inside-figure" }, element("h3", {}, title), element("div", { class: "inside-margin" }, frame), caption);
  let shape = [1, 1];
  return {
    root,
    frame,
    get shape() {
      return shape;
    },
    /** Show a canvas or image of `rows` by `columns`. */
    show(drawn, rows, columns) {
      shape = [rows, columns];
      const side = rows * columns === 1 ? SINGLE : SIDE;
      frame.style.width = `${Math.round(side * Math.min(1, columns / rows))}px`;
      frame.style.aspectRatio = `${columns} / ${rows}`;
      fill(frame, drawn, outline);
    },
    /** Outline a box of cells: top, left, height, width; null for none. */
    outline(box) {
      outline.hidden = !box || shape.join() === "1,1";
      if (box) layOver(outline, within(box, shape), shape);
    },
    say: (...words) => fill(caption, ...words),
  };
}

/**
 * Let a pointer or the arrow keys choose a cell of a figure's map.
 *
 * @param {ReturnType<typeof mapFigure>} figure
 * @param {{label: string, at: () => number[], moved: (cell: number[]) => void}} given - where it is now, and who is told
 */
export function movable(figure, { label, at, moved }) {
  const { frame } = figure;
  frame.tabIndex = 0;
  frame.classList.add("movable");
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", label);
  const follow = (event) => moved(cellUnder(event, frame.getBoundingClientRect(), figure.shape));
  frame.addEventListener("pointermove", follow);
  frame.addEventListener("pointerdown", follow);
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    moved(at().map((place, axis) => Math.min(figure.shape[axis] - 1, Math.max(0, place + step[axis]))));
  });
}

/** A box cut off a little way outside a map, where its margin ends. */
function within([top, left, height, width], [rows, columns]) {
  const out = (MARGIN / SIDE) * Math.max(rows, columns);
  const cut = (first, count, size) => {
    const start = Math.max(first, -out);
    return [start, Math.min(first + count, size + out) - start];
  };
  const [vertical, horizontal] = [cut(top, height, rows), cut(left, width, columns)];
  return [vertical[0], horizontal[0], vertical[1], horizontal[1]];
}
