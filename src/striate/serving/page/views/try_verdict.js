/** The verdict on one picture: every class, what was decided, and how the run did on other images. */

import { element } from "../dom.js";
import { pngImage } from "../draw/picture.js";
import { classColour } from "../draw/scales.js";
import { percent } from "../draw/words.js";

const SHOWN = 8;

/**
 * Two cards: what is said of the picture, and what that rests on.
 *
 * @param {any} about - the answer of GET /model
 * @param {import("./try_answers.js").Row} row
 * @returns {HTMLElement[]}
 */
export function verdictCards(about, row) {
  const busy = String(row.state === "waiting");
  const verdict = element("section", { class: "card verdict", "aria-label": "Verdict", "aria-busy": busy }, ...said(about, row));
  if (row.state !== "answered") return [verdict];
  const why = { class: "card evidence", "aria-label": "What the verdict rests on" };
  return [verdict, element("section", why, ...evidence(about, row.answer))];
}

function said(about, row) {
  if (row.state === "answered") return [headline(about, row.answer), classBars(about, row.answer)];
  if (row.state === "failed") return unread(row);
  return [element("p", { class: "waiting" }, "Asking about ", bdi(row.file.name), " …")];
}

function unread({ file, picture, error }) {
  const why = element("p", { class: "refused" }, bdi(file.name), ": ", error);
  const seen = picture?.png ? [pngImage(picture.png, "The picture as it was decoded", "unread")] : [];
  return [element("h2", {}, "No answer"), why, ...seen];
}

function evidence(about, answer) {
  return [
    ...pointsOf(about, answer).map((point) => pointWords(point, answer)),
    abstentionWords(about, answer),
    setWords(about, answer),
    onOthers(about),
    caveats([...about.notes, ...about.beside.caveats]),
  ].filter(Boolean);
}

/** The operating points that were asked of this picture. */
function pointsOf({ beside }, answer) {
  return beside.points.filter(({ class: name }) => name in (answer.operating ?? {}));
}

function headline(about, answer) {
  if (answer.abstained) {
    const best = mostProbable(answer);
    const guess = ["Best guess ", bdi(best), ` at ${percent(answer.probabilities[best])}.`];
    return element("div", {}, element("h2", {}, "No answer"), muted(...guess));
  }
  const chance = element("span", { class: "chance" }, ` ${percent(answer.probability)}`);
  return element("div", {}, element("h2", { class: "said" }, bdi(answer.class), chance), muted(saidBecause(about, answer)));
}

function saidBecause(about, answer) {
  const points = pointsOf(about, answer);
  if (!points.length) return "the most probable class";
  if (answer.operating[answer.class]) return "its operating point is reached";
  const others = points.length < about.classes.length ? "of the other classes" : "class";
  return `no operating point is reached; the most probable ${others}`;
}

function mostProbable({ probabilities }) {
  return Object.keys(probabilities).reduce((one, other) => (probabilities[other] > probabilities[one] ? other : one));
}

function classBars(about, answer) {
  const points = pointsOf(about, answer);
  const ranked = about.classes.map((name, place) => ({ name, place, chance: answer.probabilities[name] }));
  ranked.sort((one, other) => other.chance - one.chance);
  const bars = ranked.map((one) => bar(one, one.name === answer.class, points.find((point) => point.class === one.name)));
  const first = element("ol", { class: "bar-list", "aria-label": "Classes by probability" }, ...bars.slice(0, SHOWN));
  return element("div", { class: "bars" }, first, moreBars(bars.slice(SHOWN)));
}

function moreBars(bars) {
  if (!bars.length) return null;
  const count = `${bars.length.toLocaleString("en")} more ${bars.length === 1 ? "class" : "classes"}`;
  return element("details", {}, element("summary", {}, count), element("ol", { class: "bar-list" }, ...bars));
}

function bar({ name, place, chance }, isSaid, point) {
  const { colour, dashed } = classColour(place);
  const filled = element("span", { class: "bar-filled" });
  filled.style.width = `${100 * chance}%`;
  filled.style.setProperty("--colour", colour);
  filled.toggleAttribute("data-dashed", dashed);
  const track = element("span", { class: "bar-track", "aria-hidden": "true" }, filled, point && tick(point));
  const spoken = isSaid && element("span", { class: "visually-hidden" }, " (said)");
  const words = element("span", { class: "bar-name" }, bdi(name), spoken);
  const row = { class: isSaid ? "bar-row is-said" : "bar-row" };
  return element("li", row, words, track, element("span", { class: "bar-chance" }, percent(chance)));
}

function tick({ threshold, threshold_text: text }) {
  const made = element("span", { class: "bar-tick", title: `operating point ${text}` });
  made.style.left = `${100 * Math.min(1, threshold)}%`;
  return made;
}

function pointWords(point, answer) {
  const reached = answer.operating[point.class];
  const words = reached ? element("strong", { class: "good" }, "reached ✓") : element("strong", {}, "not reached");
  const wish = `Chosen for ${point.wish}${point.outcome && `; on ${point.on}: ${point.outcome}`}.`;
  return part(["Operating point of ", bdi(point.class), `, ${point.threshold_text}: `, words], wish, rates(point));
}

function abstentionWords({ beside, decision }, answer) {
  if (!beside.abstention || decision.by !== "image") return null;
  const { measure, threshold_text: threshold, wish } = beside.abstention;
  const words = answer.abstained ? ["bad", "no answer is given"] : ["", "an answer is given"];
  const how = element("strong", { class: words[0] }, words[1]);
  return part([`Abstains below ${measure} of ${threshold}: `, how], `Chosen for ${wish}.`, rates(beside.abstention));
}

function setWords({ beside }, answer) {
  if (!beside.sets || !answer.set) return null;
  const names = answer.set.flatMap((name, place) => [place > 0 && ", ", bdi(name)]);
  const empty = answer.set.length ? "" : "No class is probable enough: the picture may be unlike those of training. ";
  const promise = `Sets are made to hold the true class in ${beside.sets.promised} of pictures like the validation ones.`;
  return part(["Prediction set { ", ...names, " }"], empty + promise, rates(beside.sets));
}

function onOthers({ beside, run }) {
  if (!beside.accuracy) {
    const why = "The run has not been judged on images that it was not trained on.";
    return part(["How good it is on other pictures is not known."], why, element("pre", {}, `striate evaluate ${run}`));
  }
  const pairs = [["accuracy", beside.accuracy.text], ["balanced accuracy", beside.balanced_accuracy?.text]];
  return part(["Over all classes"], "", rates({ rates: pairs, on: beside.accuracy.on }));
}

/** Rates and the images that they were found on. */
function rates({ rates: pairs, on }) {
  if (!pairs.length) return muted(on);
  const line = ([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text));
  const list = element("dl", { class: "rates" }, ...pairs.filter(([, text]) => text).map(line));
  return element("div", {}, muted(`On ${on}:`), list);
}

function part(heading, words, ...more) {
  return element("div", { class: "verdict-part" }, element("h3", {}, ...heading), words && muted(words), ...more);
}

function caveats(sentences) {
  if (!sentences.length) return null;
  return element("ul", { class: "caveats" }, ...sentences.map((sentence) => element("li", {}, sentence)));
}

const bdi = (text) => element("bdi", {}, text);
const muted = (...words) => element("p", { class: "muted" }, ...words);
