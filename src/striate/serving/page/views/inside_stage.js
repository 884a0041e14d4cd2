/** The second zoom: the layers of a stage, and its maps as a grid, strongest first. */

import { element, fill } from "../dom.js";
import { colourWords, mapCanvas, rangeWords, tileSide } from "../draw/maps.js";
import { times } from "../draw/words.js";
import { Latest } from "./inside_pace.js";
import { refusal } from "./inside_picture.js";

const PAGE = 64;

/**
 * @param {import("./inside.js").Inside} inside
 * @returns {{root: HTMLElement, close: () => void}}
 */
export function stageView(inside) {
  const { state } = inside.app;
  const stage = inside.stage;
  const grid = element("div", { class: "inside-maps" });
  const requests = new Latest();
  const root = element(
    "section",
    { class: "inside-level", "aria-label": `Stage ${stage.name}` },
    element("h2", { tabIndex: -1 }, stage.name),
    layerTable(inside, stage),
    grid,
  );
  const ask = () => showMaps(inside, grid, requests);
  const ends = [state.on(["order", "mapsfrom"], ask)];
  ask();
  return {
    root,
    close() {
      requests.stop();
      for (const end of ends) end();
    },
  };
}

/** The layers in the order in which a picture meets them; each opens its own maps. */
function layerTable(inside, stage) {
  const chosen = inside.app.state.get("layer") || stage.layers.at(-1).name;
  const rows = stage.layers.map((layer) => {
    const short = layer.name === stage.name ? stage.name : layer.name.slice(stage.name.length + 1);
    const open = () => inside.go({ layer: layer === stage.layers.at(-1) ? "" : layer.name, mapsfrom: 0 });
    const pressed = { "aria-pressed": String(layer.name === chosen), "data-layer": layer.name };
    const button = element("button", { type: "button", class: "inside-layer", ...pressed, onclick: open }, short);
    return element(
      "tr",
      { class: layer.name === chosen ? "chosen" : "" },
      element("td", {}, layer.cells ? button : short),
      element("td", { class: "left" }, layer.kind),
      element("td", {}, times(layer.shape)),
      element("td", {}, layer.parameters ? layer.parameters.toLocaleString("en") : "–"),
      element("td", {}, layer.sees ? times(layer.sees) : "–"),
      element("td", { class: "left inside-reads" }, layer.reads.map((name) => within(name, stage.name)).join(" and ")),
    );
  });
  const heads = ["layer", "kind", "output", "parameters", "sees, pixels", "reads"];
  const head = heads.map((text) => element("th", { scope: "col", class: ["kind", "reads"].includes(text) ? "left" : null }, text));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  return element("div", { class: "scroll inside-layers", tabIndex: 0, role: "region", "aria-label": `Layers of ${stage.name}` }, table);
}

/** A layer's name without the stage that it shares with whoever reads it. */
const within = (name, stage) => (name.startsWith(`${stage}.`) ? name.slice(stage.length + 1) : name);

function showMaps(inside, grid, requests) {
  const { state, api } = inside.app;
  if (!inside.picture) {
    fill(grid, element("p", { class: "notice" }, "Choose a picture, or an example, to see what this stage makes of it."));
    return;
  }
  grid.setAttribute("aria-busy", "true");
  if (!grid.children.length) fill(grid, element("p", { class: "waiting" }, "The maps are being worked out …"));
  const asked = { picture: inside.picture.pixels, layer: inside.layer, order: state.get("order"), first: state.get("mapsfrom"), most: PAGE };
  requests.ask(
    (signal) => api.insideMaps(asked, signal),
    (maps) => {
      grid.removeAttribute("aria-busy");
      fill(grid, ...mapsAndWords(inside, maps));
      giveBack(inside, grid);
    },
    (error) => fill(grid, refusal(error)),
    0,
  );
}

/** The tile from which one went in has the focus again. */
function giveBack(inside, grid) {
  grid.querySelector(`[data-channel="${inside.returning}"]`)?.focus();
  inside.returning = -1;
}

function mapsAndWords(inside, maps) {
  const single = maps.shape[1] * maps.shape[2] === 1;
  return [
    element("p", { class: "caption" }, `${maps.sentence} · ${colourWords(maps.signed, single)}`),
    mapControls(inside.app.state, maps),
    tiles(inside, maps),
  ];
}

function mapControls(state, { maps, order, first }) {
  const sorted = element(
    "select",
    { onchange: () => state.set({ order: sorted.value, mapsfrom: 0 }) },
    element("option", { value: "strongest" }, "strongest first"),
    element("option", { value: "channel" }, "by channel"),
  );
  sorted.value = state.get("order");
  const turn = (text, to) =>
    element("button", { type: "button", disabled: to < 0 || to >= order.length, onclick: () => state.set({ mapsfrom: to }) }, text);
  const paged = order.length > PAGE;
  return element(
    "div",
    { class: "controls" },
    element("label", { class: "field" }, "Order", sorted),
    element("span", { class: "inside-count" }, paged ? `${first + 1}–${first + maps.length} of ${order.length}` : `${order.length} channels`),
    paged && turn("Previous", first - PAGE),
    paged && turn("Next", first + PAGE),
  );
}

function tiles(inside, maps) {
  const side = tileSide(maps.shape[1]);
  const made = maps.maps.map((map) => tile(inside, map, maps.signed, side));
  const label = "Maps; the arrow keys move among them";
  const grid = element("div", { class: "inside-grid", role: "group", "aria-label": label, onkeydown: moveAmong }, ...made);
  grid.style.setProperty("--side", `${side}px`);
  made.forEach((button, at) => (button.tabIndex = at === 0 ? 0 : -1));
  return grid;
}

function tile(inside, map, signed, side) {
  const canvas = mapCanvas(map, signed);
  canvas.style.width = `${side}px`;
  const said = rangeWords(map);
  const peak = map.peak.join(",");
  const name = inside.isAnswer ? inside.table.classes[map.channel] : null;
  const label = [`channel ${map.channel}`, name, said].filter(Boolean).join(", ");
  const properties = { type: "button", class: map.dead ? "inside-tile dead" : "inside-tile", "data-channel": map.channel, "aria-label": label };
  return element(
    "button",
    { ...properties, onclick: () => inside.go({ channel: map.channel, cell: peak, reads: -1 }) },
    canvas,
    element("span", { class: "inside-number" }, name ? element("bdi", {}, name) : String(map.channel)),
    element("span", { class: "inside-range" }, said),
  );
}

function moveAmong(event) {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const across = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const next = buttons[Math.min(buttons.length - 1, Math.max(0, to))];
  for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
  next.focus();
}
