/** What is asked of a heat map: method, stage, class; and how much it covers the picture. */

import { element, fill } from "../dom.js";
import { times } from "../draw/words.js";

/**
 * @param {import("../state.js").State} state
 * @param {any} about - the answer of GET /model
 * @param {any} choices - the answer of GET /explain/methods
 */
export function heatControls(state, about, choices) {
  const possible = choices.methods.filter((method) => !method.refused);
  const note = element("p", { class: "muted", role: "status" });
  const usual = { method: possible[0]?.name, mapstage: choices.stage };
  const set = (name) => (chosen) => state.set({ [name]: chosen === usual[name] ? "" : chosen });
  const method = select("Method", methodOptions(choices.methods), set("method"));
  const stage = select("Stage", stageOptions(choices), set("mapstage"));
  const label = select("Class", labelOptions(about.classes), set("label"));
  const controls = element("div", { class: "controls" }, method.root, stage.root, label.root, slider(state));
  const root = element("div", { class: "heat-controls" }, controls, note, reasons(choices.methods));

  /** The method of the state, or the first that is possible. */
  function chosen() {
    return possible.find(({ name }) => name === state.get("method")) ?? possible[0];
  }

  function asked() {
    const one = chosen();
    if (!one) return null;
    const known = choices.stages.some(({ name }) => name === state.get("mapstage"));
    const label = about.classes.includes(state.get("label")) ? state.get("label") : "";
    return { method: one.name, set: one.set, stage: one.of_stage && known ? state.get("mapstage") : "", label };
  }

  function update() {
    const one = chosen();
    method.input.value = one?.name ?? "";
    stage.input.disabled = !one?.of_stage;
    stage.input.value = asked()?.stage || (one?.of_stage ? (choices.stage ?? "") : "");
    label.input.value = asked()?.label ?? "";
    fill(note, [one?.note, ...strange(state, about, choices)].filter(Boolean).join(" "));
  }

  update();
  return { root, asked, update };
}

/** What the address asks for and the run does not have. */
function strange(state, about, choices) {
  const unknown = [
    ["method", choices.methods.map(({ name }) => name)],
    ["mapstage", choices.stages.map(({ name }) => name)],
    ["label", about.classes],
  ].filter(([name, known]) => state.has(name) && !known.includes(state.get(name)));
  const words = "which this run does not have; the usual one is shown";
  const said = unknown.map(([name]) => `The address says ${name}=${state.get(name)}, ${words}.`);
  const refused = choices.methods.find(({ name, refused }) => refused && name === state.get("method"));
  return refused ? [...said, `${refused.title} is refused: ${refused.refused}.`] : said;
}

function select(title, options, changed) {
  const input = element("select", { "aria-label": title, onchange: () => changed(input.value) }, ...options);
  return { root: element("label", { class: "field" }, title, input), input };
}

function methodOptions(methods) {
  return methods.map(({ name, title, refused }) => {
    const words = refused ? `${title} (refused)` : title;
    return element("option", { value: name, disabled: Boolean(refused) }, words);
  });
}

function stageOptions({ stages }) {
  const none = element("option", { value: "", hidden: true }, "of the picture");
  return [none, ...stages.map(({ name, maps }) => element("option", { value: name }, `${name} · ${times(maps.slice(1))}`))];
}

function labelOptions(classes) {
  return [element("option", { value: "" }, "what it says"), ...classes.map((name) => element("option", { value: name }, name))];
}

function slider(state) {
  const range = { type: "range", min: "0", max: "1", step: "0.05", "aria-label": "How much the heat map covers the picture" };
  const input = element("input", range);
  input.value = String(state.get("opacity"));
  input.addEventListener("input", () => state.set({ opacity: Number(input.value) }));
  return element("label", { class: "field heat-slider" }, "Heat map", input);
}

function reasons(methods) {
  const refused = methods.filter((method) => method.refused);
  if (!refused.length) return null;
  const lines = refused.map(({ title, refused: why }) => element("li", {}, `${title}: ${why}.`));
  const count = `${refused.length} ${refused.length === 1 ? "method is" : "methods are"}`;
  return element("details", {}, element("summary", {}, `${count} refused for this network`), element("ul", {}, ...lines));
}
