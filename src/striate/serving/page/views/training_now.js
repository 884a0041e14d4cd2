/** What a training is doing now: its state, how far it is, how fast, and what to do next. */

import { element, fill } from "../dom.js";

const MARKS = { running: "▶", finished: "✓", interrupted: "❚❚", "not begun": "○", none: "○" };

/** @param {HTMLElement} root @param {any} now - an event `state` of the server */
export function drawNow(root, now) {
  const mark = element("span", { class: `mark ${now.state.replace(" ", "-")}`, "aria-hidden": "true" }, MARKS[now.state]);
  const epochs = now.epochs && now.done > 0 && element("progress", { max: now.epochs, value: now.done, "aria-label": "Epochs done" });
  const next = now.done ? "Go on with:" : "Begin with:";
  const advice = now.try && element("div", {}, element("p", { class: "muted" }, next), element("pre", {}, now.try));
  const facts = factsOf(now).map(([word, value]) => element("div", {}, element("dt", {}, word), element("dd", {}, value)));
  fill(
    root,
    element("h2", {}, mark, " ", now.said),
    epochs,
    element("dl", { class: "facts" }, ...facts),
    ...now.notes.map((note) => element("p", { class: "notice" }, note)),
    advice,
    now.recipe && recipeOf(now.recipe),
  );
}

function factsOf(now) {
  const known = (value, words) => (value === null || value === undefined ? null : words(value));
  const left = now.state === "running" ? known(now.seconds_left, (seconds) => `about ${duration(seconds)}`) : null;
  const way = known(now.under_way, ([epoch, images]) => (images ? `${epoch}, ${images.toLocaleString("en")} images seen` : `${epoch}`));
  return [
    ["epochs", now.epochs ? `${now.done} of ${now.epochs}` : known(now.done || null, String)],
    ["epoch under way", now.state === "running" ? way : null],
    ["time left", left],
    ["an epoch takes", known(now.seconds_an_epoch, duration)],
    ["images a second", known(now.images_per_s, (rate) => Math.round(rate).toLocaleString("en"))],
    ["learning rate", known(now.learning_rate, (rate) => String(Number(rate.toPrecision(3))))],
    [now.state === "finished" ? "kept epoch" : "best so far", known(now.kept_epoch, (epoch) => `epoch ${epoch}`)],
  ].filter(([, value]) => value !== null);
}

function recipeOf(recipe) {
  const given = Object.entries(recipe).filter(([, value]) => value !== null);
  const rows = given.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, String(value))));
  return element("details", {}, element("summary", {}, "Recipe"), element("table", { class: "recipe" }, element("tbody", {}, ...rows)));
}

/** Seconds in the unit that fits. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
