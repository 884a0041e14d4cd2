/** What is served, where no picture has been given yet. */

import { element } from "../dom.js";
import { times } from "../draw/words.js";

const NAMED = 12;

/** @param {any} about - the answer of GET /model */
export function aboutRun({ run, network, classes, input, beside, engine }) {
  const facts = [
    ["Run", run],
    ["Network", `${network.model}, ${network.parameters.toLocaleString("en")} parameters, answered by ${engine}`],
    ["Picture as the network gets it", `${times([input.height, input.width, input.channels])} ${input.depth}`],
    [`${classes.length} classes`, named(classes)],
    [`Accuracy on ${beside.accuracy?.on ?? "other images"}`, beside.accuracy?.text ?? "not judged yet: striate evaluate"],
  ];
  return element("dl", { class: "about-run", "aria-label": "What is served" }, ...facts.map(fact));
}

function fact([title, text]) {
  return element("div", {}, element("dt", {}, title), element("dd", {}, element("bdi", {}, text)));
}

function named(classes) {
  const rest = classes.length - NAMED;
  return classes.slice(0, NAMED).join(", ") + (rest > 0 ? `, … ${rest} more` : "");
}
