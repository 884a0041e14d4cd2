/** Requests that overtake each other: one at a time, and only the last one counts. */

const PAUSE = 40; // milliseconds without another question before one is asked

/**
 * Ask only for what was wished for last. A question waits until its asker has been still for a moment and the one
 * before it is answered; answers to older questions are dropped.
 */
export class Latest {
  #turn = 0;
  #timer = 0;
  #busy = false;
  #waiting = null;
  #stop = new AbortController();

  /**
   * @template Answer
   * @param {(signal: AbortSignal) => Promise<Answer>} question
   * @param {(answer: Answer) => void} told - of the answer, where no other question came
   * @param {(error: any) => void} failed
   * @param {number} [pause]
   */
  ask(question, told, failed, pause = PAUSE) {
    this.#turn += 1;
    this.#waiting = { turn: this.#turn, question, told, failed };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), pause);
  }

  /** Drop what was asked and what waits. */
  stop() {
    this.#turn += 1;
    this.#waiting = null;
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  async #next() {
    if (this.#busy || !this.#waiting) return;
    const { turn, question, told, failed } = this.#waiting;
    this.#waiting = null;
    this.#busy = true;
    try {
      const answer = await question(this.#stop.signal);
      if (turn === this.#turn) told(answer);
    } catch (error) {
      if (turn === this.#turn && error.name !== "AbortError") failed(error);
    } finally {
      this.#busy = false;
      if (this.#waiting) this.#next();
    }
  }
}
