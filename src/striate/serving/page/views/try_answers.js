/** Pictures and their answers: asked for a few at a time, in order, kept while the page is open. */

const TOGETHER = 16;
const BYTES_TOGETHER = 8e6;
const PAUSE = 1500;
const SIDE = 96;

/**
 * @typedef {object} Row
 * @property {string} key
 * @property {File} file
 * @property {"waiting"|"answered"|"failed"} state
 * @property {any} answer - as POST /predict gives it
 * @property {any} picture - as POST /thumbnails gives it
 * @property {string|null} error - why there is no answer
 * @property {number} version - another one whenever something changed
 */

/** What was asked and answered so far. */
export class Answers {
  /** @type {Row[]} */
  rows = [];
  notes = [];
  #listener = () => {};
  #working = false;
  #made = 0;

  /** @param {typeof import("../api.js")} api @param {{max_body: number, max_files: number}} limits */
  constructor(api, limits) {
    this.api = api;
    this.limits = limits;
  }

  /** Who is told after every change; one at a time. @param {() => void} listener */
  listen(listener) {
    this.#listener = listener;
  }

  /** More pictures; returns their rows. @param {File[]} files */
  add(files) {
    const added = files.map((file) => this.#row(file));
    this.rows.push(...added);
    this.#listener();
    this.#work();
    return added;
  }

  /** Forget every picture. */
  clear() {
    this.rows = [];
    this.#listener();
  }

  get waiting() {
    return this.rows.filter((row) => row.state === "waiting");
  }

  #row(file) {
    this.#made += 1;
    const nothing = { answer: null, picture: null, error: null };
    const row = { key: String(this.#made), file, state: "waiting", ...nothing, version: 0 };
    const most = this.limits.max_body;
    if (file.size > most) fail(row, `The file is larger than the ${most.toLocaleString("en")} bytes that the service takes.`);
    else if (file.size === 0) fail(row, "The file is empty.");
    return row;
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    while (this.waiting.length) await this.#ask(together(this.waiting, this.limits.max_files));
    this.#working = false;
  }

  async #ask(group) {
    try {
      await this.#answer(group);
    } catch (refused) {
      if (refused.gone || refused.status === 503) await new Promise((done) => setTimeout(done, PAUSE));
      else if (group.length > 1) for (const row of group) await this.#ask([row]);
      else fail(group[0], [refused.said ?? refused.message, refused.advice].filter(Boolean).join(" "));
    }
    this.#listener();
  }

  async #answer(group) {
    const files = group.map((row) => row.file);
    const pictures = this.api.thumbnails(files, SIDE).catch(withoutThumbnails);
    const { answers, notes } = await this.api.predict(files);
    const { thumbnails } = await pictures;
    this.notes = notes;
    group.forEach((row, place) => {
      row.picture = thumbnails[place] ?? null;
      if (answers[place].error) fail(row, answers[place].error);
      else Object.assign(row, { answer: answers[place], state: "answered", version: row.version + 1 });
    });
  }
}

/** An answer is worth more than its thumbnail. */
function withoutThumbnails(refused) {
  if (refused.name !== "Refused") throw refused;
  return { thumbnails: [] };
}

function fail(row, error) {
  Object.assign(row, { error, state: "failed", version: row.version + 1 });
}

function together(waiting, most) {
  const group = [];
  let bytes = 0;
  for (const row of waiting) {
    bytes += row.file.size;
    if (group.length && (bytes > BYTES_TOGETHER || group.length === Math.min(TOGETHER, most))) break;
    group.push(row);
  }
  return group;
}
