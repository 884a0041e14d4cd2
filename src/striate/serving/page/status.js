/** Whether the server is there and what it serves: asked at the start, while that changes, and when a request fails. */

import { fill } from "./dom.js";

const SOON = 1500;
const LATER = 10000;
const WORDS = { loading: "The run is being loaded …", training: "The run is still being trained." };

/**
 * Ask what is served until it is ready, and then only whether the server is there.
 *
 * @param {object} given
 * @param {typeof import("./api.js")} given.api
 * @param {HTMLElement} given.line - where it is said
 * @param {() => string[]} given.problems - what else is to be said there
 * @param {(about: any) => void} given.served - told of what is served whenever that changes
 */
export function watch({ api, line, problems, served }) {
  let known = "";
  let settled = false;

  async function ask() {
    try {
      if (settled && !line.dataset.gone) await api.alive();
      else take(await api.model());
      say(line, settled ? problems() : [WORDS[JSON.parse(known).state] ?? ""]);
      delete line.dataset.gone;
    } catch (refused) {
      line.dataset.gone = "1";
      say(line, [refused.said, refused.advice].filter(Boolean));
    }
    setTimeout(ask, settled && !line.dataset.gone ? LATER : SOON);
  }

  function take(about) {
    settled = !["loading", "training"].includes(about.state);
    const told = JSON.stringify(about);
    if (told === known) return;
    known = told;
    served(about);
  }

  ask();
}

function say(line, sentences) {
  const text = sentences.filter(Boolean).join(" ");
  if (line.textContent !== text) fill(line, text);
  line.hidden = text === "";
}
