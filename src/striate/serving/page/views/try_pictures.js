/** Pictures into the page: dropped anywhere on it, pasted, or chosen. */

import { element } from "../dom.js";

const KINDS = "PNG, JPEG, TIFF, DICOM, WebP, BMP, GIF, JPEG 2000, PGM or NumPy";

/**
 * Where pictures come in; `taken` is told of files. End it with `close`.
 *
 * @param {(files: File[]) => void} taken
 */
export function pictureDoor(taken) {
  const hidden = { class: "visually-hidden", id: "try-files", "aria-label": "Choose pictures", tabIndex: -1 };
  const chooser = element("input", { type: "file", multiple: true, ...hidden });
  const choose = element("button", { type: "button", class: "primary", onclick: () => chooser.click() }, "Choose pictures");
  const root = element(
    "div",
    { class: "door" },
    element("p", { class: "door-words" }, "Drop pictures anywhere on this page, paste one, or"),
    choose,
    chooser,
    element("p", { class: "muted door-kinds" }, `${KINDS}. Nothing of a picture is kept by the server.`),
  );
  chooser.addEventListener("change", () => {
    if (chooser.files.length) taken([...chooser.files]);
    chooser.value = "";
  });
  const ends = [onDrop(root, taken), onPaste(taken)];
  return { root, close: () => ends.forEach((end) => end()) };
}

function onDrop(root, taken) {
  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    root.dataset.over = "1";
  };
  const leave = (event) => {
    if (!event.relatedTarget) delete root.dataset.over;
  };
  const drop = (event) => {
    delete root.dataset.over;
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    taken([...event.dataTransfer.files]);
  };
  return listening({ dragover: over, dragleave: leave, drop });
}

function onPaste(taken) {
  const paste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    taken(files);
  };
  return listening({ paste });
}

function listening(handlers) {
  for (const [kind, handler] of Object.entries(handlers)) document.addEventListener(kind, handler);
  return () => {
    for (const [kind, handler] of Object.entries(handlers)) document.removeEventListener(kind, handler);
  };
}
