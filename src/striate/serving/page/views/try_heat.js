/** The picture as the network was given it, and over it where the network looked. */

import { element, fill } from "../dom.js";
import { colourBar, mapColours, numbers, painted, pngImage } from "../draw/picture.js";
import { value } from "../draw/words.js";
import { heatControls } from "./try_controls.js";

const LARGE = 256; // pixels of a side from which a picture is shown smoothly
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * The heat map of one picture after the other.
 *
 * @param {import("../main.js").App} app
 * @param {any} choices - the answer of GET /explain/methods
 */
export function heatMap(app, choices) {
  const controls = heatControls(app.state, app.about, choices);
  const figure = element("figure", { class: "heat" });
  const root = element("section", { class: "card heat-card", "aria-label": "Where the network looked" }, figure, controls.root);
  const ends = [
    app.state.on(["method", "mapstage", "label"], draw),
    app.state.on("opacity", () => fade(figure, app.state.get("opacity"))),
  ];
  let row = null;
  let asking = null;

  async function draw() {
    asking?.abort();
    if (!row) return;
    asking = new AbortController();
    figure.setAttribute("aria-busy", "true");
    controls.update();
    try {
      fill(figure, ...(await asked(asking.signal)));
    } catch (error) {
      if (error.name === "AbortError") return;
      const again = element("button", { type: "button", onclick: draw }, "Try again");
      fill(figure, alone(row), refused([error.said ?? error.message, error.advice].filter(Boolean).join(" ")), again);
    }
    figure.removeAttribute("aria-busy");
  }

  async function asked(signal) {
    const question = controls.asked();
    if (!question) return [alone(row), refused("No method of explanation is right for this network.")];
    return explained(await app.api.explain(row.file, question, signal), app.state.get("opacity"));
  }

  return {
    root,
    show(next) {
      if (next === row) return;
      row = next;
      fill(figure, alone(row), element("p", { class: "waiting" }, "Looking …"));
      draw();
    },
    close() {
      asking?.abort();
      ends.forEach((end) => end());
    },
  };
}

function explained(reason, opacity) {
  const values = numbers(reason.values);
  const stage = stageOf(reason, values);
  const hint = "Point at the picture, or use the arrow keys, to read the map.";
  const readout = element("p", { class: "caption readout", role: "status" }, hint);
  readable(stage, reason, values, readout);
  fade(stage, opacity);
  const said = reason.sentences.map((sentence) => element("li", {}, sentence));
  const caption = element(
    "figcaption",
    {},
    element("p", { class: "mono" }, reason.caption),
    colourBar(reason.scale),
    readout,
    element("details", {}, element("summary", {}, "What this shows, and what not"), element("ul", {}, ...said)),
  );
  return [stage, caption];
}

function stageOf(reason, values) {
  const [height, width] = reason.values.shape;
  const picture = pngImage(reason.picture.png, "The picture as the network was given it", "heat-picture");
  const cover = painted(seenOnly(mapColours(values, reason.scale), reason.map.seen, width), height, width);
  cover.className = "pixels heat-cover";
  const cursor = element("span", { class: "heat-cursor", hidden: true });
  const named = { role: "group", "aria-roledescription": "heat map", "aria-label": reason.caption };
  const stage = element("div", { class: "heat-stage", tabIndex: 0, ...named }, picture, cover, cursor);
  stage.style.aspectRatio = `${width} / ${height}`;
  stage.toggleAttribute("data-smooth", Math.max(width, height) > LARGE);
  return stage;
}

/** Outside what the network saw there is no map. */
function seenOnly(colours, { top, left, height, width }, columns) {
  for (let place = 0; place < colours.length / 4; place += 1) {
    const [row, column] = [Math.floor(place / columns), place % columns];
    if (row < top || row >= top + height || column < left || column >= left + width) colours[4 * place + 3] = 0;
  }
  return colours;
}

/** Let the pointer and the arrow keys read the map's values. */
function readable(stage, reason, values, readout) {
  const [height, width] = reason.values.shape;
  const cursor = stage.querySelector(".heat-cursor");
  let at = [Math.floor(height / 2), Math.floor(width / 2)];

  function read(row, column) {
    at = [within(row, height), within(column, width)];
    const shares = { top: at[0] / height, left: at[1] / width, height: 1 / height, width: 1 / width };
    for (const [side, share] of Object.entries(shares)) cursor.style[side] = `${100 * share}%`;
    cursor.hidden = false;
    fill(readout, `row ${at[0]}, column ${at[1]}: ${value(values[at[0] * width + at[1]])}`);
  }

  stage.addEventListener("pointermove", (event) => {
    const box = stage.getBoundingClientRect();
    const [down, across] = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    read(Math.floor(down * height), Math.floor(across * width));
  });
  stage.addEventListener("keydown", (event) => {
    if (event.key === "Escape") cursor.hidden = true;
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    read(at[0] + ARROWS[event.key][0], at[1] + ARROWS[event.key][1]);
  });
}

const within = (place, count) => Math.min(count - 1, Math.max(0, place));

function fade(root, opacity) {
  root.querySelector(".heat-cover")?.style.setProperty("opacity", opacity);
  root.querySelector(".heat-picture")?.style.setProperty("filter", opacity > 0 ? "grayscale(1)" : "none");
}

/** The picture as it was decoded, or its place where there is no picture yet. */
function alone({ picture }) {
  return picture?.png ? pngImage(picture.png, "The picture as it was decoded", "heat-alone") : element("div", { class: "heat-nothing" });
}

const refused = (sentence) => element("p", { class: "refused" }, sentence);
