/** What the page shows, in one typed table that is mirrored in the address, so that a link brings it back. */

/**
 * @typedef {object} Field
 * @property {"choice"|"number"|"text"|"boolean"} kind
 * @property {any} default - what holds where the address says nothing; never written there
 * @property {string[]} [choices] - of a choice
 * @property {number} [min] - of a number
 * @property {number} [max] - of a number
 * @property {boolean} [whole] - a number without decimals
 * @property {boolean} [step] - a change of it is a step that the back button takes back
 */

export const TABS = ["try", "inside", "kernels", "training"];

/** @type {Record<string, Field>} Views add their own rows. */
export const FIELDS = {
  tab: { kind: "choice", choices: TABS, default: "try", step: true },
  // Try
  method: { kind: "text", default: "" },
  mapstage: { kind: "text", default: "" },
  label: { kind: "text", default: "" },
  opacity: { kind: "number", default: 0.6, min: 0, max: 1 },
  // Kernels
  example: { kind: "choice", choices: ["roof", "flower", "card", "tiny"], default: "roof", step: true },
  operation: { kind: "choice", choices: ["kernel", "max", "average"], default: "kernel", step: true },
  kernel: { kind: "text", default: "outline", step: true },
  channels: { kind: "choice", choices: ["grey", "each", "red", "green", "blue"], default: "grey" },
  stride: { kind: "number", default: 1, min: 1, max: 128, whole: true },
  padding: { kind: "text", default: "valid" },
  border: { kind: "choice", choices: ["zero", "edge", "reflect", "circular"], default: "zero" },
  indexing: { kind: "choice", choices: ["cross-correlation", "convolution", "centred"], default: "cross-correlation" },
  dilation: { kind: "number", default: 1, min: 1, max: 128, whole: true },
  window: { kind: "number", default: 2, min: 1, max: 31, whole: true },
  poolstride: { kind: "number", default: 0, min: 0, max: 128, whole: true }, // 0: as wide as the window
  spot: { kind: "text", default: "" }, // the worked cell of the result: row,column
  // Inside
  sample: { kind: "text", default: "" }, // an example picture
  stage: { kind: "text", default: "", step: true },
  layer: { kind: "text", default: "", step: true }, // "" for what leaves the stage
  channel: { kind: "number", default: -1, min: -1, max: 1e7, whole: true, step: true },
  order: { kind: "choice", choices: ["strongest", "channel"], default: "strongest" },
  mapsfrom: { kind: "number", default: 0, min: 0, max: 1e7, whole: true },
  cell: { kind: "text", default: "" }, // the worked cell of the map: row,column
  reads: { kind: "number", default: -1, min: -1, max: 1e7, whole: true }, // the input channel that is shown
};

const LONGEST = 400;

/**
 * The values in the hash of an address, and a sentence for each that cannot be used.
 *
 * @param {string} hash - with or without its #
 * @param {Record<string, Field>} fields
 * @returns {{values: Record<string, any>, problems: string[]}}
 */
export function parse(hash, fields) {
  const values = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]));
  const problems = [];
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (!Object.hasOwn(fields, name)) {
      problems.push(`The address says ${shown(name)}, which this page does not know; it is left out.`);
      continue;
    }
    const value = read(text, fields[name]);
    if (value === undefined) problems.push(`The address says ${name}=${shown(text)}: ${wanted(fields[name])}.`);
    else values[name] = value;
  }
  return { values, problems };
}

/**
 * The hash that holds what differs from the defaults.
 *
 * @param {Record<string, any>} values
 * @param {Record<string, Field>} fields
 */
export function format(values, fields) {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(fields)) {
    if (values[name] !== field.default) query.set(name, written(values[name]));
  }
  return `#${query}`;
}

/** The state of one window: read from its address, written there, told to whoever listens. */
export class State {
  #values;
  #listeners = new Set();

  /** @param {Window} window @param {Record<string, Field>} fields */
  constructor(window, fields = FIELDS) {
    this.window = window;
    this.fields = fields;
    this.problems = [];
    this.#read();
    window.addEventListener("popstate", () => this.#follow());
    window.addEventListener("hashchange", () => this.#follow());
  }

  /** The value of one field. @param {string} name */
  get(name) {
    return this.#values[this.#known(name)];
  }

  /** Whether the address says anything of a field. @param {string} name */
  has(name) {
    return this.#values[this.#known(name)] !== this.fields[name].default;
  }

  /**
   * Change fields and the address. A value of another kind is refused with an error: that is a mistake of the page.
   * @param {Record<string, any>} changes
   * @param {{step?: boolean}} [options] - step: false makes no entry for the back button
   */
  set(changes, { step = true } = {}) {
    const changed = Object.entries(changes).filter(([name, value]) => this.get(name) !== value);
    for (const [name, value] of changed) {
      if (read(written(value), this.fields[name]) === undefined) {
        throw new TypeError(`${name}=${value}: ${wanted(this.fields[name])}`);
      }
    }
    if (!changed.length) return;
    Object.assign(this.#values, Object.fromEntries(changed));
    const entry = step && changed.some(([name]) => this.fields[name].step);
    this.window.history[entry ? "pushState" : "replaceState"](null, "", format(this.#values, this.fields));
    this.#tell(changed.map(([name]) => name));
  }

  /**
   * Call back after any of these fields changed; returns what ends that.
   * @param {string|string[]} names
   * @param {(state: State) => void} callback
   * @returns {() => void}
   */
  on(names, callback) {
    const listener = { names: [names].flat().map((name) => this.#known(name)), callback };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #known(name) {
    if (!Object.hasOwn(this.fields, name)) throw new TypeError(`the state has no field ${name}`);
    return name;
  }

  #read() {
    const { values, problems } = parse(this.window.location.hash, this.fields);
    this.#values = values;
    this.problems = problems;
  }

  #follow() {
    const before = this.#values;
    this.#read();
    this.#tell(Object.keys(this.fields).filter((name) => before[name] !== this.#values[name]));
  }

  #tell(changed) {
    for (const { names, callback } of [...this.#listeners]) {
      if (names.some((name) => changed.includes(name))) callback(this);
    }
  }
}

/** A value as the address holds it. */
const written = (value) => String(typeof value === "boolean" ? Number(value) : value);

function read(text, field) {
  if (field.kind === "choice") return field.choices.includes(text) ? text : undefined;
  if (field.kind === "boolean") return { 0: false, 1: true }[text];
  if (field.kind === "text") return text.length <= LONGEST ? text : undefined;
  const { min = -Infinity, max = Infinity, whole = false } = field;
  const value = text.trim() === "" ? NaN : Number(text);
  const fits = Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value));
  return fits ? value : undefined;
}

function wanted(field) {
  if (field.kind === "choice") return `it is one of ${field.choices.join(", ")}`;
  if (field.kind === "boolean") return "it is 0 or 1";
  if (field.kind === "text") return `it has at most ${LONGEST} characters`;
  const { min, max, whole } = field;
  const range = [min !== undefined && `from ${min}`, max !== undefined && `to ${max}`].filter(Boolean).join(" ");
  return `it is a ${whole ? "whole " : ""}number ${range}`.trim();
}

function shown(text) {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
