/** Kernels on one's own picture: picture | kernel | result, and one cell of it worked as on the board. */

import { signed } from "../draw/matrix.js";
import { mapColours, numbers, pictureColours } from "../draw/picture.js";
import { element, fill } from "../dom.js";
import { showBoard, showNoCell, showRefusal } from "./kernels_board.js";
import { openCamera } from "./kernels_camera.js";
import { makeKernel } from "./kernels_kernel.js";
import { askedOf, makeOptions } from "./kernels_options.js";
import { lastOnly, settled } from "./kernels_pace.js";
import { makePane } from "./kernels_pane.js";
import { boxOf, cellOf } from "./kernels_place.js";
import { makeSource } from "./kernels_source.js";

const LONGEST_IN_ADDRESS = 400;
const ASKS = ["operation", "kernel", "channels", "stride", "padding", "border", "indexing", "dilation", "window", "poolstride"];

/** @param {HTMLElement} root @param {import("../main.js").App} app */
export async function mount(root, app) {
  fill(root, element("p", { class: "waiting" }, "Loading …"));
  const view = new Kernels(root, app, await app.api.kernelCatalogue());
  await view.begin();
  return { unmount: () => view.end() };
}

class Kernels {
  constructor(root, app, catalogue) {
    Object.assign(this, { root, app, catalogue, state: app.state, picture: null, result: null, camera: null, longKernel: null, cell: null, turn: 0 });
    this.source = makeSource({
      pictures: catalogue.pictures,
      dropzone: root,
      example: (name) => (this.state.get("example") === name ? this.useExample(name) : this.state.set({ example: name })),
      file: (file) => app.usePicture(file),
      camera: () => this.switchCamera(),
    });
    this.kernel = makeKernel({ named: catalogue.named, changed: (text) => this.useKernel(text) });
    this.options = makeOptions(this.state, catalogue);
    this.input = this.makePane("Picture", (row, column) => cellOf(this.result.axes, row, column));
    this.output = this.makePane("Result", (row, column) => [row, column]);
    this.board = element("section", { class: "board card", "aria-label": "One cell, worked" });
    this.said = element("p", { class: "refused", role: "alert", hidden: true });
    this.filter = lastOnly(() => this.askFilter());
    this.step = lastOnly(() => this.askStep());
    this.remember = settled(() => root.isConnected && this.state.set({ spot: this.cell ? this.cell.join(",") : "" }, { step: false }), 250);
    this.listeners = [
      this.state.on(ASKS, () => this.changed()),
      this.state.on("example", () => this.useExample(this.state.get("example"))),
      this.state.on("spot", () => this.followSpot()),
      app.onPicture((file) => file && this.useFile(file)),
    ];
  }

  makePane(title, cellAt) {
    return makePane({
      title,
      label: `${title}: arrow keys move the window, Escape leaves it`,
      pointed: (row, column) => this.result && this.choose(cellAt(row, column)),
      moved: (down, across) => this.move(down, across),
      left: () => this.choose(null),
    });
  }

  /** Lay out the view and show the first picture. */
  async begin() {
    this.save = element("button", { type: "button", disabled: true, onclick: () => this.saveResult() }, "Save as PNG");
    this.command = element("p", { class: "command" });
    const middle = element("div", { class: "middle" }, this.kernel.root, this.options.second, this.command);
    this.output.head.append(this.save);
    fill(
      this.root,
      element("div", { class: "bar" }, this.source.root, this.options.first),
      this.said,
      element("div", { class: "bench" }, this.input.root, middle, this.output.root),
      this.board,
    );
    showNoCell(this.board);
    this.readSpot();
    if (this.app.picture && this.app.picture !== dismissed) await this.useFile(this.app.picture);
    if (!this.picture) await this.useExample(this.state.get("example"));
  }

  end() {
    this.stopCamera();
    this.source.end();
    this.listeners.forEach((stop) => stop());
  }

  async useExample(name) {
    this.stopCamera();
    dismissed = this.app.picture;
    this.source.show(name);
    this.credit = this.catalogue.pictures.find((one) => one.name === name).credit;
    await this.take(() => this.app.api.examplePicture(name));
  }

  async useFile(file) {
    this.stopCamera();
    dismissed = null;
    this.credit = "";
    this.source.show("");
    await this.take(() => this.app.api.workingCopy(file));
  }

  /** Take a picture from the server, or say why there is none: the last one stays. */
  async take(ask) {
    const turn = ++this.turn;
    try {
      const { picture, said } = await ask();
      if (turn !== this.turn) return; // another one was asked for meanwhile
      Object.assign(this, { picture, how: said });
      await this.filter();
    } catch (refused) {
      if (turn === this.turn) this.refuse(refused);
    }
  }

  useKernel(text) {
    this.longKernel = text.length > LONGEST_IN_ADDRESS ? text : null;
    if (this.longKernel || this.state.get("kernel") === text) this.changed();
    else this.state.set({ kernel: text });
    if (this.longKernel) this.app.announce("This kernel is too long for the address: a link does not bring it back.");
  }

  get asked() {
    return { picture: this.picture, ...askedOf(this.state, this.longKernel ?? this.state.get("kernel")) };
  }

  changed() {
    this.options.show();
    this.kernel.root.hidden = this.state.get("operation") !== "kernel";
    return this.filter();
  }

  async askFilter() {
    if (!this.picture) return;
    const asked = this.asked;
    try {
      this.result = await this.app.api.filterPicture(asked);
    } catch (refused) {
      this.refuse(refused, asked);
      return;
    }
    this.said.hidden = true;
    [this.input, this.output].forEach((pane) => pane.dim(false));
    this.show(asked);
    await this.step();
  }

  show(asked) {
    const { result } = this;
    this.save.disabled = false;
    this.kernel.root.hidden = asked.operation !== "kernel";
    if (result.kernel) this.kernel.show(result.kernel, asked.kernel);
    this.showInput(result.input);
    const made = { values: numbers(result), shape: result.shape };
    made.colours = coloursOf(made, result.scale);
    this.output.show(made, [`${sizeOf(made.shape)} · ${signed(result.range)}`, signed(result.scale.said), ...result.axes.map((axis) => axis.formula)]);
    fill(this.command, result.command && element("code", {}, ...unbroken(result.command)));
    if (this.cell) this.choose(this.cell.map((at, axis) => Math.min(at, result.axes[axis].cells - 1)));
  }

  showInput(picture) {
    const seen = { values: numbers(picture), shape: picture.shape };
    seen.colours = pictureColours(seen.values, { channels: seen.shape[2], low: 0, high: 255 });
    this.input.show(seen, [`${sizeOf(seen.shape)} · 0 .. 255`, this.how, this.credit]);
  }

  /** Say why there is no result. */
  refuse(refused, asked) {
    if (refused.said === undefined) throw refused;
    if (!this.result && this.picture) this.showInput(this.picture);
    const { said, given, allowed, advice } = refused;
    const words = [said, given && `Given: ${given}.`, allowed && `Allowed: ${allowed}.`, advice];
    const atKernel = asked?.operation === "kernel" && /kernel|weight/i.test(refused.said);
    if (atKernel) this.kernel.refuse(refused, asked.kernel);
    fill(this.said, words.filter(Boolean).join(" "));
    this.said.hidden = atKernel;
    this.output.dim(true);
    if (!this.camera) this.options.show();
  }

  /** Choose a cell of the result, or none. @param {[number, number]|number[]|null} cell */
  choose(cell) {
    this.cell = cell;
    const { axes } = this.result ?? {};
    this.input.mark(cell && axes ? boxOf(axes, cell) : null);
    this.output.mark(cell && { top: cell[0], left: cell[1], rows: 1, columns: 1 });
    if (cell) this.step();
    else showNoCell(this.board);
    this.remember();
  }

  move(down, across) {
    if (!this.result) return;
    const [rows, columns] = this.result.axes.map((axis) => axis.cells);
    const [row, column] = this.cell ?? [Math.floor(rows / 2) - down, Math.floor(columns / 2) - across];
    const within = (at, count) => Math.min(Math.max(at, 0), count - 1);
    this.byKeys = true;
    this.choose([within(row + down, rows), within(column + across, columns)]);
  }

  async askStep() {
    const { cell } = this;
    if (!cell || !this.result) return;
    const asked = { ...this.asked, picture: this.result.input, channels: "each" }; // what the window slid over
    try {
      const step = await this.app.api.workCell({ ...asked, cell });
      if (!this.cell) return;
      showBoard(this.board, step, asked);
      if (this.byKeys) this.app.announce(`row ${cell[0]}, column ${cell[1]}: ${step.values.join(", ")}`);
      this.byKeys = false;
    } catch (refused) {
      if (refused.status !== 503) showRefusal(this.board, refused);
    }
  }

  readSpot() {
    const match = /^(\d{1,4}),(\d{1,4})$/.exec(this.state.get("spot"));
    this.cell = match && [Number(match[1]), Number(match[2])];
  }

  followSpot() {
    const before = this.cell?.join(",") ?? "";
    if (this.state.get("spot") === before) return;
    this.readSpot();
    if (this.result) this.show(this.asked);
    if (!this.cell) this.choose(null);
  }

  async switchCamera() {
    if (this.camera) {
      this.stopCamera();
      this.source.showCamera(false, "The last frame of the camera.");
      return;
    }
    this.source.showCamera(false, "Asking for the camera …");
    try {
      const opened = await openCamera((frame) => this.useFrame(frame), (rate) => this.source.showCamera(true, `${rate.toFixed(0)} frames a second`));
      if (!this.root.isConnected) opened.stop();
      else this.camera = opened;
      this.source.show("", "the camera");
      this.source.showCamera(true, "");
    } catch (error) {
      this.source.showCamera(false, error.message);
    }
  }

  async useFrame(frame) {
    Object.assign(this, { picture: frame, how: "a frame of the camera", credit: "" });
    await this.filter();
  }

  stopCamera() {
    this.camera?.stop();
    this.camera = null;
    this.source.showCamera(false, "");
  }

  /** The result as it is seen, one pixel a cell. */
  saveResult() {
    this.output.canvas.toBlob((blob) => {
      const address = URL.createObjectURL(blob);
      element("a", { href: address, download: "striate-result.png" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    }, "image/png");
  }
}

let dismissed = null; // the shared picture for which an example was preferred

function coloursOf({ values, shape }, { signed: diverges, low, high }) {
  if (diverges && shape[2] === 1) return mapColours(values, { signed: true, limit: high });
  return pictureColours(values, { channels: shape[2], low, high });
}

/** Words that a line does not end within: an option is not parted from its dashes. */
const unbroken = (command) => command.split(" ").flatMap((word) => [element("span", {}, word), " "]);

const sizeOf = ([height, width, channels]) => `${height} × ${width}${channels === 1 ? "" : ` × ${channels}`}`;
