/** Training: the curves of a run as they come, what it is doing now, and what an evaluation found. */

import { element, fill } from "../dom.js";
import { makeCharts } from "./training_charts.js";
import { showJudged } from "./training_judged.js";
import { drawNow } from "./training_now.js";

/** @param {HTMLElement} root @param {import("../main.js").App} app */
export async function mount(root, app) {
  const view = new Training(root, app);
  view.begin();
  return { unmount: () => view.end() };
}

class Training {
  constructor(root, app) {
    Object.assign(this, { root, app, history: [], now: null, events: null, last: "" });
    this.head = element("section", { class: "now", "aria-label": "State of the training" });
    this.charts = makeCharts();
    this.judged = element("section", { class: "judged", "aria-label": "Evaluation" });
    fill(root, this.head, this.charts.root, this.judged);
    this.resized = new ResizeObserver(() => this.charts.redraw());
  }

  begin() {
    fill(this.head, element("p", { class: "waiting" }, "Loading …"));
    this.listen();
    this.judge();
    this.resized.observe(this.root);
  }

  end() {
    this.events?.close();
    this.resized.disconnect();
  }

  /** Follow the events; the browser comes back by itself where the line breaks. */
  listen() {
    const events = this.app.api.trainingEvents();
    this.events = events;
    const on = (kind, take) => events.addEventListener(kind, (event) => take(JSON.parse(event.data)));
    on("begin", ({ history }) => this.take(history));
    on("epoch", ({ record }) => this.take([...this.history.slice(0, record.epoch - 1), record], record));
    on("state", (state) => this.tell(state));
    on("end", () => {
      events.close();
      this.judge();
    });
    events.addEventListener("error", () => this.lost());
    events.addEventListener("open", () => this.head.classList.remove("lost"));
  }

  take(history, fresh = null) {
    this.history = history;
    this.draw();
    if (fresh && fresh.validation.accuracy !== null) {
      this.app.announce(`epoch ${fresh.epoch}: validation accuracy ${(100 * fresh.validation.accuracy).toFixed(1)} %`);
    }
  }

  tell(state) {
    if (this.now && this.now.state !== state.state) this.app.announce(state.said);
    this.now = state;
    drawNow(this.head, state);
    this.draw();
  }

  draw() {
    if (!this.now) return;
    this.charts.root.hidden = this.history.length === 0;
    const { epochs, kept_epoch: epoch, state } = this.now;
    const marked = epoch && { epoch, word: state === "finished" ? "kept" : "best" };
    this.charts.show(this.history, { epochs: Math.max(epochs ?? 0, this.history.length), marked });
  }

  /** The line to the server is broken: a refusal closes it for good, anything else is tried again. */
  lost() {
    this.head.classList.add("lost");
    if (this.events.readyState !== EventSource.CLOSED) return;
    this.app.api.training().then(
      (told) => {
        this.history = told.history;
        this.tell(told);
      },
      (refused) => fill(this.head, element("p", { class: "refused", role: "alert" }, [refused.said, refused.advice].filter(Boolean).join(" "))),
    );
  }

  async judge() {
    try {
      const told = await this.app.api.training();
      showJudged(this.judged, told, this.app);
    } catch (refused) {
      fill(this.judged, element("p", { class: "refused", role: "alert" }, refused.said));
    }
  }
}
