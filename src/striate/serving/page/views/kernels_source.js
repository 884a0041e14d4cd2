/** Where the picture comes from: an example, a file that is chosen, dropped or pasted, or the camera. */

import { element, fill } from "../dom.js";

/**
 * The controls of the source.
 *
 * @param {object} given
 * @param {{name: string, title: string, credit: string}[]} given.pictures - the examples
 * @param {HTMLElement} given.dropzone - where files may be dropped
 * @param {(name: string) => void} given.example - told of another example
 * @param {(file: File) => void} given.file - told of a file
 * @param {() => void} given.camera - told when the camera is switched on or off
 */
export function makeSource({ pictures, dropzone, example, file, camera }) {
  const options = pictures.map(({ name, title }) => element("option", { value: name }, title));
  const own = element("option", { value: "", hidden: true }, "your own");
  const list = element("select", { id: "kernels-example", onchange: () => list.value && example(list.value) }, own, ...options);
  const chosen = element("input", { type: "file", class: "visually-hidden", id: "kernels-file", onchange: take });
  const lens = element("button", { type: "button", "aria-pressed": "false", onclick: camera }, "Camera");
  const said = element("span", { class: "caption" });
  const root = element(
    "div",
    { class: "source controls" },
    element("label", { class: "field" }, "Picture", list),
    element("label", { class: "button", for: "kernels-file" }, "Choose a file"),
    chosen,
    lens,
    element("span", { class: "caption" }, "or drop or paste one"),
    said,
  );
  const end = new AbortController();

  function take() {
    if (chosen.files[0]) file(chosen.files[0]);
    chosen.value = "";
  }

  listen(dropzone, "dragover", (event) => {
    event.preventDefault();
    dropzone.classList.add("dropping");
  });
  listen(dropzone, "dragleave", (event) => dropzone.contains(event.relatedTarget) || dropzone.classList.remove("dropping"));
  listen(dropzone, "drop", (event) => {
    event.preventDefault();
    dropzone.classList.remove("dropping");
    if (event.dataTransfer.files[0]) file(event.dataTransfer.files[0]);
  });
  listen(document, "paste", (event) => event.clipboardData.files[0] && file(event.clipboardData.files[0]));

  function listen(target, kind, listener) {
    target.addEventListener(kind, listener, { signal: end.signal });
  }

  /** Show which example is in use; "" for another picture, which is called `other`. @param {string} name */
  function show(name, other = "your own") {
    own.hidden = name !== "";
    fill(own, other);
    list.value = name;
  }

  /** Show whether the camera is on, and what is to be said of it. @param {boolean} on @param {string} words */
  function showCamera(on, words) {
    lens.setAttribute("aria-pressed", String(on));
    fill(lens, on ? "Hold the picture" : "Camera");
    fill(said, words);
  }

  return { root, show, showCamera, end: () => end.abort() };
}
