/** Inside: the network, a stage, one map and one cell of it, for one picture. Esc goes one zoom out. */

import { element, fill, stylesheet } from "../dom.js";
import { channelView } from "./inside_channel.js";
import { networkRow } from "./inside_network.js";
import { pictureBar, refusal } from "./inside_picture.js";
import { stageView } from "./inside_stage.js";

const OUT = { stage: "", layer: "", channel: -1, cell: "", reads: -1, mapsfrom: 0 };
const PLACES = ["stage", "layer", "channel"];

/** @param {HTMLElement} root @param {import("../main.js").App} app */
export async function mount(root, app) {
  await stylesheet("views/inside.css");
  const table = await app.api.insideNetwork();
  const inside = new Inside(app, table);
  fill(root, inside.root);
  inside.begin();
  return { unmount: () => inside.end() };
}

/** What all three zooms share: the table, the picture, and where we are. */
export class Inside {
  /** @param {import("../main.js").App} app @param {any} table - the answer of GET /inside/network */
  constructor(app, table) {
    this.app = app;
    this.table = table;
    this.picture = null;
    this.overview = null;
    this.level = null;
    this.returning = -1; // the channel whose tile gets the focus back
    this.stopped = new AbortController();
    this.bar = pictureBar({ examples: table.examples, taken: (file) => app.usePicture(file), exampled: (name) => this.take(null, name) });
    this.path = element("nav", { class: "inside-path", "aria-label": "Where you are" });
    this.row = element("div", {});
    this.below = element("div", {});
    this.root = element("div", { class: "inside" }, this.bar.root, this.path, this.row, this.below);
  }

  /** The stage that is open; null for none. */
  get stage() {
    return this.table.stages.find(({ name }) => name === this.app.state.get("stage")) ?? null;
  }

  /** The name to ask for: the layer, or the stage for what leaves it. */
  get layer() {
    return this.app.state.get("layer") || this.stage.name;
  }

  /** Channels, rows and columns of the layer; null where it makes neither maps nor a vector. */
  get cells() {
    const name = this.app.state.get("layer");
    const layer = name ? this.stage.layers.find((one) => one.name === name) : this.stage.layers.at(-1);
    return layer?.cells ?? null;
  }

  /** Whether the numbers of the layer are the classes' own. */
  get isAnswer() {
    const last = this.table.stages.at(-1).layers.at(-1);
    return [last.name, this.table.stages.at(-1).name].includes(this.layer) && last.shape[0] === this.table.classes.length;
  }

  begin() {
    const { app } = this;
    this.escape = (event) => event.key === "Escape" && !event.defaultPrevented && this.out();
    document.addEventListener("keydown", this.escape);
    this.ends = [
      app.onPicture((file) => file && this.take(file, "")),
      app.state.on(PLACES, () => this.draw()),
      app.state.on("sample", () => app.state.get("sample") !== this.sample && this.take(null, app.state.get("sample"))),
    ];
    const sample = app.state.get("sample");
    if (sample || app.picture) this.take(sample ? null : app.picture, sample);
    else this.bar.show(null, "");
    this.draw();
  }

  end() {
    this.stopped.abort();
    this.level?.close();
    this.bar.close();
    document.removeEventListener("keydown", this.escape);
    for (const end of this.ends) end();
  }

  /** Take a file or an example as the picture. */
  async take(file, sample) {
    const { app } = this;
    this.stopped.abort();
    const { signal } = (this.stopped = new AbortController());
    this.sample = sample;
    app.state.set({ sample });
    if (!file && !sample) return;
    this.bar.say("The picture is being prepared …");
    try {
      this.picture = await (file ? app.api.insidePicture(file, signal) : app.api.insideExample(sample, signal));
      this.overview = await app.api.insideOverview({ picture: this.picture.pixels }, signal);
      this.bar.show(this.picture, sample);
      app.announce(`${this.picture.name}: ${this.picture.answer.class ?? "no answer"}`);
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.bar.refuse(error);
    }
  }

  /** Open another place; whoever uses keys goes on at its heading. */
  go(changes) {
    this.app.state.set(changes);
    if (document.activeElement === document.body) this.below.querySelector("h2")?.focus();
  }

  /** One zoom out, to where one came from. */
  out() {
    const { state } = this.app;
    const stage = state.get("stage");
    if (state.get("channel") >= 0) {
      this.returning = state.get("channel");
      this.go({ channel: -1, cell: "", reads: -1 });
    } else if (stage) {
      this.go(OUT);
      [...this.row.querySelectorAll("button")].find((button) => button.dataset.stage === stage)?.focus();
    }
  }

  draw() {
    const { state } = this.app;
    const open = (name) => this.go({ ...OUT, stage: name });
    this.level?.close();
    this.level = null;
    fill(this.row, networkRow({ table: this.table, picture: this.picture, overview: this.overview, stage: state.get("stage"), open }));
    fill(this.path, ...this.crumbs());
    if (!state.get("stage")) fill(this.below, ...hints(this.picture !== null));
    else this.zoom(state.get("channel"));
  }

  zoom(channel) {
    const wrong = this.wrong(channel);
    if (wrong) {
      fill(this.below, refusal(wrong));
      return;
    }
    this.level = channel >= 0 ? channelView(this) : stageView(this);
    fill(this.below, this.level.root);
  }

  /** What the address asks for and the network has not. */
  wrong(channel) {
    const { state } = this.app;
    const stages = this.table.stages.map(({ name }) => name).join(", ");
    if (!this.stage) return { said: "The network has no such stage.", given: state.get("stage"), allowed: stages };
    const layers = this.stage.layers.map(({ name }) => name);
    if (state.get("layer") && !layers.includes(state.get("layer"))) {
      return { said: "The stage has no such layer.", given: state.get("layer"), allowed: layers.join(", ") };
    }
    if (!this.cells) return { said: "What this layer puts out are neither maps nor a vector, so they are not drawn.", given: this.layer };
    if (channel >= this.cells[0]) return { said: "The layer has no such channel.", given: String(channel), allowed: `0 to ${this.cells[0] - 1}` };
    return null;
  }

  crumbs() {
    const { state } = this.app;
    const stage = state.get("stage");
    if (!stage) return [];
    const back = (text, changes) => element("button", { type: "button", class: "inside-crumb", onclick: () => this.go(changes) }, text);
    const here = (text) => element("span", { "aria-current": "location" }, text);
    const layer = state.get("layer") || stage;
    const channel = state.get("channel");
    return [
      back("network", OUT),
      element("span", { "aria-hidden": "true" }, "›"),
      channel < 0 ? here(layer) : back(layer, { channel: -1, cell: "", reads: -1 }),
      channel >= 0 && element("span", { "aria-hidden": "true" }, "›"),
      channel >= 0 && here(`channel ${channel}`),
      element("span", { class: "muted inside-esc" }, "Esc: one zoom out"),
    ];
  }
}

function hints(looked) {
  const first =
    "Choose a picture, or take an example, to see what each stage makes of it. " +
    "Without one there are the network's shapes, its layers and what they read.";
  const then =
    "Open a stage to see its layers and its maps, a map to see its kernels and one cell's arithmetic. " +
    "The height of a box goes by the rows of the maps, its width by how many there are.";
  return [!looked && element("p", { class: "notice" }, first), element("p", { class: "muted inside-hint" }, then)];
}
