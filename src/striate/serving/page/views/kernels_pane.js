/** One picture of the two: drawn, captioned, with the outlined place, its surroundings close up, pointer and arrow keys. */

import { drawCloseUp, partAround } from "../draw/matrix.js";
import { painted } from "../draw/picture.js";
import { element, fill, svg } from "../dom.js";

const CLOSE_UP = 320; // pixels on the screen
const FEWEST = 9; // cells of the close-up
const FEWEST_IN_COLOUR = 7; // which have three numbers each
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * A picture with its caption and a close-up.
 *
 * @param {object} given
 * @param {string} given.title
 * @param {string} given.label - for readers of the screen: what pointing and arrow keys do
 * @param {(row: number, column: number) => void} given.pointed - at a pixel
 * @param {(down: number, across: number) => void} given.moved - by arrow keys
 * @param {() => void} given.left - Escape
 */
export function makePane({ title, label, pointed, moved, left }) {
  const canvas = element("canvas", { class: "pixels" });
  const outline = svg("svg", { class: "outline", "aria-hidden": "true", preserveAspectRatio: "none" });
  const stage = element("div", { class: "stage", role: "application", tabIndex: 0, "aria-label": label }, canvas, outline);
  const close = element("canvas", { class: "close-up", role: "img", "aria-label": `${title}, close up` });
  const closeOutline = svg("svg", { class: "outline", "aria-hidden": "true" });
  const closeStage = element("div", { class: "stage close", hidden: true }, close, closeOutline);
  const caption = element("figcaption", { class: "caption" });
  const head = element("div", { class: "head" }, element("h2", {}, title));
  const root = element("figure", { class: "pane" }, head, stage, caption, closeStage);
  let shown = null; // {values, shape, colours}

  stage.addEventListener("pointermove", (event) => point(event));
  stage.addEventListener("pointerdown", (event) => point(event));
  stage.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (event.key === "Escape") left();
    else if (!arrow) return;
    else moved(arrow[0] * (event.shiftKey ? 10 : 1), arrow[1] * (event.shiftKey ? 10 : 1));
    event.preventDefault();
  });

  function point(event) {
    if (!shown) return;
    const box = canvas.getBoundingClientRect();
    const [height, width] = shown.shape;
    const row = Math.floor(((event.clientY - box.top) / box.height) * height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * width);
    pointed(Math.min(Math.max(row, 0), height - 1), Math.min(Math.max(column, 0), width - 1));
  }

  /** Draw a picture. @param {{values: ArrayLike<number>, shape: number[], colours: Uint8ClampedArray}} picture */
  function show(picture, words) {
    shown = picture;
    const [height, width] = picture.shape;
    painted(picture.colours, height, width, canvas);
    stage.style.setProperty("--ratio", `${width} / ${height}`);
    stage.style.setProperty("--widest", String(Math.min(1, width / height)));
    outline.setAttribute("viewBox", `0 0 ${width} ${height}`);
    fill(caption, ...words.map((text) => element("span", {}, text)));
  }

  /**
   * Outline a box of pixels in the picture and in its close-up.
   * @param {{top: number, left: number, rows: number, columns: number}|null} box
   */
  function mark(box) {
    closeStage.hidden = box === null || shown === null;
    fill(outline);
    if (box === null || shown === null) return;
    fill(outline, ...frame(box));
    const [height, width] = shown.shape;
    const fewest = shown.shape[2] > 1 ? FEWEST_IN_COLOUR : FEWEST;
    const part = partAround(box, Math.max(fewest, Math.max(box.rows, box.columns) + 2), height, width);
    const size = Math.min(CLOSE_UP, root.clientWidth || CLOSE_UP);
    const cell = drawCloseUp(close, { ...shown, part, size });
    closeOutline.setAttribute("viewBox", `0 0 ${part.columns * cell} ${part.rows * cell}`);
    closeStage.style.width = `${part.columns * cell}px`;
    const inPart = { top: (box.top - part.top) * cell, left: (box.left - part.left) * cell, rows: box.rows * cell, columns: box.columns * cell };
    fill(closeOutline, ...frame(inPart));
  }

  /** Say why there is no picture now; the last one stays, dimmed. @param {boolean} failed */
  function dim(failed) {
    root.classList.toggle("stale", failed);
  }

  return { root, head, canvas, show, mark, dim };
}

/** A frame that is seen on dark and on bright pixels. */
function frame({ top, left, rows, columns }) {
  const box = { x: left, y: top, width: columns, height: rows };
  return [svg("rect", { ...box, class: "under" }), svg("rect", { ...box, class: "over" })];
}
