/** The picture that is looked at from the inside: chosen, dropped, pasted, or one of the examples. */

import { element, fill } from "../dom.js";
import { times } from "../draw/words.js";

const NONE = "Drop one anywhere, paste one, or take an example. The server keeps nothing of it.";

/**
 * The bar over the network: the picture as the network sees it, and where another one comes from.
 *
 * @param {object} given
 * @param {{name: string, title: string}[]} given.examples
 * @param {(file: File) => void} given.taken - told of a file
 * @param {(name: string) => void} given.exampled - told of an example
 * @returns - `root`, and `show`, `say`, `refuse` and `close`
 */
export function pictureBar({ examples, taken, exampled }) {
  const label = "Choose a picture to look at";
  const chooser = element("input", { type: "file", class: "visually-hidden", "aria-label": label, tabIndex: -1 });
  const choose = element("button", { type: "button", class: "primary", onclick: () => chooser.click() }, "Choose a picture");
  const list = element(
    "select",
    { onchange: () => list.value && exampled(list.value) },
    element("option", { value: "" }, "—"),
    ...examples.map(({ name, title }) => element("option", { value: name }, title)),
  );
  const seen = element("div", { class: "inside-seen" });
  const said = element("div", { class: "inside-said", "aria-live": "polite" });
  const controls = element("div", { class: "controls" }, choose, chooser, element("label", { class: "field" }, "Example", list));
  const root = element("div", { class: "inside-bar" }, seen, element("div", {}, controls, said));
  chooser.addEventListener("change", () => {
    if (chooser.files.length) taken(chooser.files[0]);
    chooser.value = "";
  });
  const close = incoming(taken);
  return {
    root,
    close,
    show(picture, sample) {
      list.value = sample;
      fill(seen, picture && shown(picture));
      fill(said, element("p", { class: "caption" }, picture ? words(picture) : NONE));
    },
    say: (text) => fill(said, element("p", { class: "waiting" }, text)),
    refuse: (error) => fill(said, refusal(error)),
  };
}

/** What was refused, in the server's words. @param {any} error */
export function refusal(error) {
  const { said = error.message, given, allowed, advice } = error;
  const more = [given && `Given: ${given}.`, allowed && `Allowed: ${allowed}.`, advice].filter(Boolean).join(" ");
  return element("div", { class: "refused", role: "alert" }, element("p", {}, said), more && element("p", { class: "muted" }, more));
}

/** The picture as the network sees it. @param {any} picture - the answer of POST /inside/picture */
export function pictureImage(picture) {
  const [height, width] = picture.pixels.shape;
  const alt = `${picture.name} as the network sees it, ${height} by ${width} pixels`;
  return element("img", { class: "pixels", src: `data:image/png;base64,${picture.preview.png}`, width, height, alt });
}

function shown(picture) {
  const image = pictureImage(picture);
  image.classList.add("inside-thumb");
  return image;
}

function words(picture) {
  const more = `${times(picture.pixels.shape)} as the network sees it · ${picture.preview.words}`;
  return element("span", {}, element("bdi", {}, picture.name), ` · ${more}`);
}

/** Files that are dropped anywhere or pasted. */
function incoming(taken) {
  const handlers = {
    dragover: (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault(),
    drop: (event) => receive(event, event.dataTransfer?.files),
    paste: (event) => receive(event, event.clipboardData?.files),
  };
  function receive(event, files) {
    if (!files?.length) return;
    event.preventDefault();
    taken(files[0]);
  }
  for (const [kind, handler] of Object.entries(handlers)) document.addEventListener(kind, handler);
  return () => {
    for (const [kind, handler] of Object.entries(handlers)) document.removeEventListener(kind, handler);
  };
}
