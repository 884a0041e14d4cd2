/** What is done with the kernel: the operation, channels, stride, padding and the rest, each a field of the state. */

import { element } from "../dom.js";

const WORDS = {
  operation: { kernel: "filter with a kernel", max: "max pooling", average: "average pooling" },
  channels: { grey: "grey (luma)", each: "each channel", red: "red", green: "green", blue: "blue" },
  border: { zero: "zeros", edge: "the edge repeated", reflect: "a reflection", circular: "the other side" },
  indexing: { "cross-correlation": "cross-correlation (as it is)", convolution: "convolution (flipped)", centred: "centred (flipped)" },
};

/**
 * The controls, and what shows in them.
 *
 * @param {import("../state.js").State} state
 * @param {any} catalogue - of the server
 */
export function makeOptions(state, catalogue) {
  const most = catalogue.limits.pixels;
  const operation = choice(state, "operation", "Operation", catalogue.operations);
  const channels = choice(state, "channels", "Channels", catalogue.channels);
  const forKernel = [
    whole(state, "stride", "Stride", 1, most),
    padding(state, catalogue.paddings, most),
    choice(state, "border", "Beyond the border", catalogue.borders),
    choice(state, "indexing", "Indexing", catalogue.indexings),
    whole(state, "dilation", "Dilation", 1, most),
  ];
  const forPooling = [
    whole(state, "window", "Window", 1, catalogue.limits.kernel),
    whole(state, "poolstride", "Stride (0: the window)", 0, most),
  ];
  const first = element("div", { class: "controls" }, operation.root, channels.root);
  const second = element("div", { class: "controls options" }, ...[...forKernel, ...forPooling].map(({ root }) => root));
  const all = [operation, channels, ...forKernel, ...forPooling];

  function show() {
    const pooled = state.get("operation") !== "kernel";
    all.forEach((one) => one.show());
    forKernel.forEach(({ root }) => (root.hidden = pooled));
    forPooling.forEach(({ root }) => (root.hidden = !pooled));
  }

  show();
  return { first, second, show };
}

/** What is asked of the server, but for the picture. @param {import("../state.js").State} state @param {string} kernel */
export function askedOf(state, kernel) {
  const operation = state.get("operation");
  const channels = state.get("channels");
  if (operation !== "kernel") {
    return { operation, channels, window: state.get("window"), stride: state.get("poolstride") || null };
  }
  const names = ["stride", "padding", "border", "indexing", "dilation"];
  return { operation, channels, kernel, ...Object.fromEntries(names.map((name) => [name, state.get(name)])) };
}

function choice(state, name, title, values) {
  const options = values.map((value) => element("option", { value }, WORDS[name]?.[value] ?? value));
  const list = element("select", { id: `kernels-${name}`, onchange: () => state.set({ [name]: list.value }) }, ...options);
  return { root: element("label", { class: "field" }, title, list), show: () => (list.value = state.get(name)) };
}

function whole(state, name, title, min, max) {
  const input = element("input", { id: `kernels-${name}`, type: "number", min: String(min), max: String(max), step: "1", class: "count" });
  input.addEventListener("change", () => {
    const value = Number(input.value);
    if (Number.isInteger(value) && value >= min && value <= max) state.set({ [name]: value });
    else input.value = String(state.get(name));
  });
  return { root: element("label", { class: "field" }, title, input), show: () => (input.value = String(state.get(name))) };
}

function padding(state, words, most) {
  const options = [...words.map((word) => element("option", {}, word)), element("option", { value: "pixels" }, "pixels:")];
  const list = element("select", { id: "kernels-padding" }, ...options);
  const count = element("input", { type: "number", min: "0", max: String(most), step: "1", class: "count", "aria-label": "Pixels of padding" });
  const isWord = (text) => words.includes(text);
  list.addEventListener("change", () => state.set({ padding: list.value === "pixels" ? count.value || "1" : list.value }));
  count.addEventListener("change", () => state.set({ padding: count.value || "0" }));

  function show() {
    const text = state.get("padding");
    list.value = isWord(text) ? text : "pixels";
    count.hidden = isWord(text);
    if (!isWord(text)) count.value = text;
  }

  const label = element("label", { class: "field" }, "Padding", list);
  return { root: element("div", { class: "padding" }, label, count), show };
}
