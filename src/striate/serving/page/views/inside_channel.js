/** The third zoom: one map beside what it is made from, its kernels, and the arithmetic of the cell under the pointer. */

import { element, fill } from "../dom.js";
import { mapCanvas, rangeWords } from "../draw/maps.js";
import { boxOfWindow } from "../draw/window.js";
import { times, value } from "../draw/words.js";
import { board } from "./inside_cell.js";
import { mapFigure, movable } from "./inside_figure.js";
import { kernelStrip } from "./inside_kernels.js";
import { Latest } from "./inside_pace.js";
import { pictureImage, refusal } from "./inside_picture.js";

const PICTURE = "picture";

/**
 * @param {import("./inside.js").Inside} inside
 * @returns {{root: HTMLElement, close: () => void}}
 */
export function channelView(inside) {
  const view = new ChannelView(inside);
  view.begin();
  return view;
}

class ChannelView {
  /** @param {import("./inside.js").Inside} inside */
  constructor(inside) {
    this.inside = inside;
    this.state = inside.app.state;
    this.channel = this.state.get("channel");
    this.most = 12;
    this.cell = [0, 0];
    this.known = new Map(); // maps that were read, by layer and channel
    this.cells = new Latest();
    this.maps = new Latest();
    this.seen = mapFigure("the picture");
    this.read = mapFigure("what it reads");
    this.own = mapFigure("this map", "cell");
    this.arithmetic = element("div", { class: "inside-arithmetic" });
    this.kernels = kernelStrip(inside, (channel) => this.pick(channel));
    this.root = element(
      "section",
      { class: "inside-level", "aria-label": this.name },
      this.heading(),
      element("div", { class: "inside-figures" }, this.seen.root, this.read.root, this.own.root),
      this.arithmetic,
      this.kernels.root,
    );
  }

  /** What is looked at, in words. */
  get name() {
    const answer = this.inside.isAnswer ? ` · ${this.inside.table.classes[this.channel]}` : "";
    return `${this.inside.layer} · channel ${this.channel}${answer}`;
  }

  heading() {
    const [channels] = this.inside.cells;
    const open = (to) => this.inside.go({ channel: to, reads: -1 });
    const turn = (text, to) => element("button", { type: "button", disabled: to < 0 || to >= channels, onclick: () => open(to) }, text);
    return element(
      "div",
      { class: "inside-heading" },
      element("h2", { tabIndex: -1 }, element("bdi", {}, this.name)),
      element("span", { class: "inside-turns" }, turn("‹ Previous", this.channel - 1), turn("Next ›", this.channel + 1)),
    );
  }

  begin() {
    const { picture } = this.inside;
    if (!picture) {
      fill(this.arithmetic, element("p", { class: "notice" }, "Choose a picture, or an example, to see how this map is made from it."));
      return;
    }
    const [height, width] = picture.pixels.shape;
    this.seen.show(pictureImage(picture), height, width);
    this.showOwn();
    this.ends = [this.state.on("cell", () => this.follow()), this.state.on("reads", () => this.ask(0))];
  }

  close() {
    this.cells.stop();
    this.maps.stop();
    this.kernels.close();
    for (const end of this.ends ?? []) end();
  }

  /** Draw the map itself, then work the cell of the address, or the strongest one. */
  async showOwn() {
    const [, rows, columns] = this.inside.cells;
    try {
      const { map, signed } = await this.map(this.inside.layer, this.channel);
      const canvas = mapCanvas(map, signed);
      this.own.show(canvas, rows, columns);
      this.own.say(`${this.inside.layer}, channel ${this.channel} · ${rows} × ${columns} · ${rangeWords(map)}`);
      const single = rows * columns === 1;
      const label = `${this.name}, ${rows} by ${columns} cells; the arrow keys move the cell`;
      if (!single) movable(this.own, { label, at: () => this.cell, moved: (cell) => this.move(cell) });
      this.move(this.asked() ?? map.peak, 0);
    } catch (error) {
      if (error.name !== "AbortError") this.refuse(error);
    }
  }

  /** The cell of the address; null where it says none that there is. */
  asked() {
    const found = /^(\d+),(\d+)$/.exec(this.state.get("cell"));
    const [, rows, columns] = this.inside.cells;
    const cell = found && [Number(found[1]), Number(found[2])];
    return cell && cell[0] < rows && cell[1] < columns ? cell : null;
  }

  follow() {
    const cell = this.asked();
    if (cell && cell.join() !== this.cell.join()) this.move(cell, 0);
  }

  /** Put the outline on a cell at once, and have it worked. */
  move(cell, pause) {
    this.cell = cell;
    this.own.outline([...cell, 1, 1]);
    this.ask(pause);
  }

  /** Show another input channel. */
  pick(channel) {
    this.state.set({ reads: channel });
  }

  ask(pause) {
    const { app, picture, layer } = this.inside;
    const [row, column] = this.cell;
    const read = this.state.get("reads");
    const place = { layer, channel: this.channel, row, column };
    const asked = { picture: picture.pixels, ...place, most: this.most, read: read < 0 ? null : read };
    this.arithmetic.setAttribute("aria-busy", "true");
    this.cells.ask(
      (signal) => app.api.insideCell(asked, signal),
      (told) => this.told(told),
      (error) => this.refuse(error),
      pause,
    );
  }

  told(told) {
    this.state.set({ cell: this.cell.join(",") });
    const [own] = told.works;
    const part = this.part(own);
    this.arithmetic.removeAttribute("aria-busy");
    fill(this.arithmetic, board(told, this.chosen(own, part)));
    this.showSeen(told);
    this.showRead(own, part);
    this.kernels.show(own, part?.channel ?? -1);
    const last = told.works.at(-1);
    this.inside.app.announce(`row ${this.cell[0]}, column ${this.cell[1]}: ${last.value === null ? "not finite" : value(last.value)}`);
  }

  /** What the board shows, and what its buttons do. */
  chosen(own, part) {
    return {
      shown: part?.channel ?? -1,
      term: this.term(own),
      single: own.window !== null && own.window.size.join() === "1,1",
      pick: (channel) => this.pick(channel),
      more: () => this.more(),
    };
  }

  /** The input channel that is shown: the one that was picked, or the one that gives most. */
  part(own) {
    const parts = own.window?.parts ?? [];
    return parts.find(({ channel }) => channel === this.state.get("reads")) ?? parts[0] ?? null;
  }

  /** The branch or neighbour that is shown, where there is no window. */
  term(own) {
    const picked = this.state.get("reads");
    return picked >= 0 && picked < own.terms.length ? picked : 0;
  }

  more() {
    this.most = 64;
    this.ask(0);
  }

  showSeen({ clipped, sees, picture }) {
    this.seen.outline(clipped);
    if (!clipped) this.seen.say("What a cell sees of the picture is not known for this layer.");
    else {
      const beyond = sees.join() === clipped.join() ? "" : ", and beyond the border";
      const where = `rows ${range(clipped[0], clipped[2])}, columns ${range(clipped[1], clipped[3])} of ${times(picture)}`;
      this.seen.say(`this cell sees ${sees[2]} × ${sees[3]} pixels: ${where}${beyond}`);
    }
  }

  showRead(own, part) {
    const term = own.terms[this.term(own)];
    const name = own.window?.reads ?? term?.layer;
    const channel = part?.channel ?? term?.place[0];
    if (name === undefined || channel === undefined) {
      this.read.say("nothing that is known");
      return;
    }
    const box = own.window ? boxOfWindow(own.window) : [term.place[1], term.place[2], 1, 1];
    this.maps.ask(
      () => this.map(name, channel),
      ({ map, signed }) => {
        const [rows, columns] = map.codes.shape;
        const cell = middleOf(own, term, [rows, columns]);
        const source = `${name}${name === PICTURE ? ", normalised" : ""}, channel ${channel}`;
        const words = `${source} · ${rows} × ${columns} · ${rangeWords(map)}${this.others(own)}`;
        this.read.show(mapCanvas(map, signed), rows, columns);
        this.read.outline(box);
        this.read.say(words, name !== PICTURE && this.opener(name, channel, cell));
      },
      (error) => this.read.say(error.message),
      0,
    );
  }

  /** A step back: what is read, as the map that is looked at. */
  opener(name, channel, cell) {
    const stage = name.split(".")[0];
    const last = this.inside.table.stages.find((one) => one.name === stage).layers.at(-1).name;
    const open = () => this.inside.go({ stage, layer: name === last ? "" : name, channel, cell: cell.join(","), reads: -1 });
    return element("button", { type: "button", class: "inside-opener", onclick: open }, "Open this map");
  }

  others(own) {
    const count = own.window ? own.window.channels.length : own.terms.length;
    return count > 1 ? ` · one of ${count} that it reads` : "";
  }

  /** One map, asked for once. */
  async map(layer, channel) {
    const key = `${layer} ${channel}`;
    if (!this.known.has(key)) {
      const { app, picture } = this.inside;
      const told = await app.api.insideMaps({ picture: picture.pixels, layer, channels: [channel] });
      this.known.set(key, { map: told.maps[0], signed: told.signed });
    }
    return this.known.get(key);
  }

  refuse(error) {
    this.arithmetic.removeAttribute("aria-busy");
    fill(this.arithmetic, refusal(error));
  }
}

/** The cell that was chosen, or the middle of the window, or the cell of a branch; inside the map. */
function middleOf({ window }, term, shape) {
  if (!window) return term.place.slice(1);
  const at = window.chosen ?? window.size.map((count) => Math.floor(count / 2));
  return at.map((place, axis) => Math.min(shape[axis] - 1, Math.max(0, window.first[axis] + place * window.step[axis])));
}

const range = (first, count) => (count > 1 ? `${first}–${first + count - 1}` : String(first));
