/** The kernels of a channel: one for each input channel, the largest first. */

import { element, fill } from "../dom.js";
import { numbers, painted } from "../draw/picture.js";
import { diverging } from "../draw/scales.js";
import { times, value } from "../draw/words.js";
import { Latest } from "./inside_pace.js";

const MOST = 256;

/**
 * @param {import("./inside.js").Inside} inside
 * @param {(channel: number) => void} pick - told of the input channel whose kernel was chosen
 */
export function kernelStrip(inside, pick) {
  const root = element("div", { class: "inside-kernels" });
  const requests = new Latest();
  let known = "";
  return {
    root,
    close: () => requests.stop(),
    /** The kernels of the layer that a cell was worked from; `shown` is the input channel in view. */
    show(own, shown) {
      const key = `${own.layer} ${own.place[0]}`;
      if (key === known) {
        mark(root, shown);
        return;
      }
      known = key;
      if (!own.window?.parts.some(({ weights }) => weights)) {
        fill(root);
        return;
      }
      requests.ask(
        (signal) => inside.app.api.insideKernels({ layer: own.layer, channel: own.place[0] }, signal),
        (told) => {
          fill(root, ...strip(told, pick));
          mark(root, shown);
        },
        (error) => fill(root, element("p", { class: "caption" }, error.message)),
        0,
      );
    },
  };
}

function strip(told, pick) {
  const [count, rows, columns] = told.weights.shape;
  const weights = numbers(told.weights);
  const limit = Math.max(Math.abs(told.low), Math.abs(told.high));
  const shown = told.order.slice(0, MOST);
  const tiles = shown.map((place) => {
    const kernel = weights.subarray(place * rows * columns, (place + 1) * rows * columns);
    const canvas = painted(diverging(kernel, limit), rows, columns);
    canvas.style.width = `${tileWidth(rows, columns)}px`;
    const channel = told.channels[place];
    const label = `kernel on channel ${channel}, norm ${value(told.norms[place])}`;
    const properties = { type: "button", class: "inside-kernel", "data-channel": channel, "aria-label": label };
    return element("button", { ...properties, onclick: () => pick(channel) }, canvas, element("span", {}, String(channel)));
  });
  const which = count > MOST ? `the ${MOST} largest of ${count}` : `${count}`;
  const each = `one an input channel of ${told.reads}, each ${times([rows, columns])}, the largest norm first`;
  const scale = `${value(told.low)} … ${value(told.high)}, blue below 0, red above, one scale for all`;
  return [
    element("h3", {}, `Kernels of ${told.layer}, channel ${told.channel}`),
    element("p", { class: "caption" }, `${which}, ${each} · ${scale}`),
    element("div", { class: "inside-strip", role: "group", "aria-label": `Kernels of ${told.layer}, channel ${told.channel}` }, ...tiles),
  ];
}

function tileWidth(rows, columns) {
  if (rows * columns === 1) return 28;
  return rows > 7 ? 112 : 44;
}

function mark(root, shown) {
  for (const button of root.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.channel) === shown));
  }
}
