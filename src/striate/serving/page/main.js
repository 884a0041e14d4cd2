/** The shell: header, tabs, theme, what is served, and the view in front. */

import * as api from "./api.js";
import { element, fill, stylesheet } from "./dom.js";
import { State, TABS } from "./state.js";
import { watch } from "./status.js";

const TITLES = { try: "Try", inside: "Inside", kernels: "Kernels", training: "Training" };
const NEEDS_RUN = ["try", "inside"];
const THEME = "striate-theme";

/**
 * What every view is given.
 *
 * @typedef {object} App
 * @property {State} state
 * @property {typeof api} api
 * @property {any} about - the answer of GET /model
 * @property {(text: string) => void} announce - to readers of the screen
 * @property {File|null} picture - the picture that views share
 * @property {(file: File|null) => void} usePicture - share another one
 * @property {(callback: (file: File|null) => void) => () => void} onPicture - told of another one; returns what ends that
 */

const at = (id) => document.getElementById(id);
const listeners = new Set();

/** @type {App} */
const app = {
  state: new State(window),
  api,
  about: null,
  announce: (text) => fill(at("announcer"), text),
  picture: null,
  usePicture(file) {
    app.picture = file;
    for (const callback of [...listeners]) callback(file);
  },
  onPicture(callback) {
    listeners.add(callback);
    return () => listeners.delete(callback);
  },
};

let front = null; // what the view in front has returned
let turn = 0;

/** Put the view of the state in front. */
async function show() {
  const tab = app.state.get("tab");
  const mine = ++turn;
  front?.unmount?.();
  front = null;
  markTabs(tab);
  const root = element("div", { class: `view view-${tab}` });
  fill(at("view"), root);
  at("view").setAttribute("aria-labelledby", `tab-${tab}`);
  document.title = [TITLES[tab], app.about.run, "striate"].filter(Boolean).join(" · ");
  if (NEEDS_RUN.includes(tab) && app.about.state !== "ready") {
    fill(root, unready(app.about));
    return;
  }
  try {
    const [view] = await Promise.all([import(`./views/${tab}.js`), stylesheet(`views/${tab}.css`)]);
    if (mine !== turn) return;
    const mounted = await view.mount(root, app);
    if (mine === turn) front = mounted;
    else mounted?.unmount?.();
  } catch (error) {
    if (mine === turn) fill(root, failed(error));
    console.error(error);
  }
}

const UNREADY = {
  none: {
    said: "No run is served.",
    why: "This view shows what a trained network makes of a picture. Kernels works without one.",
    command: "striate serve RUN",
  },
  training: {
    said: "The run is still being trained.",
    why: "This view opens by itself as soon as the run is finished; until then its curves are under Training.",
  },
  loading: { said: "The run is being loaded.", why: "This view opens by itself." },
  failed: { said: "The run cannot be used.", command: "striate serve RUN" },
};

/** What a view says that needs a finished run, where there is none. */
function unready({ state, reason }) {
  const { said, why, command } = UNREADY[state];
  const words = element("p", {}, why ?? reason ?? "The server says why.");
  return element("div", { class: "empty" }, element("h2", {}, said), words, command && element("pre", {}, command));
}

function failed(error) {
  return element(
    "div",
    { class: "empty", role: "alert" },
    element("h2", {}, "This view cannot be shown."),
    element("p", {}, error.said ?? error.message),
    element("p", {}, element("button", { onclick: show }, "Try again")),
  );
}

function markTabs(current) {
  for (const tab of TABS) {
    const button = at(`tab-${tab}`);
    button.setAttribute("aria-selected", String(tab === current));
    button.tabIndex = tab === current ? 0 : -1;
  }
}

function drawTabs() {
  const chosen = (tab) => () => app.state.set({ tab });
  const attributes = { class: "tab", role: "tab", "aria-controls": "view" };
  const tabs = TABS.map((tab) => element("button", { ...attributes, id: `tab-${tab}`, onclick: chosen(tab) }, TITLES[tab]));
  fill(at("tabs"), ...tabs);
  at("tabs").addEventListener("keydown", moveAmongTabs);
}

function moveAmongTabs(event) {
  const place = TABS.indexOf(app.state.get("tab"));
  const places = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: -1 };
  if (!(event.key in places)) return;
  event.preventDefault();
  const tab = TABS.at(places[event.key] % TABS.length);
  app.state.set({ tab });
  at(`tab-${tab}`).focus();
}

function drawTheme() {
  const choice = at("theme");
  const kept = localStorage.getItem(THEME) ?? "";
  choice.value = ["light", "dark"].includes(kept) ? kept : "";
  applyTheme(choice.value);
  choice.addEventListener("change", () => {
    localStorage.setItem(THEME, choice.value);
    applyTheme(choice.value);
  });
}

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** What the server says of itself has changed. */
function served(about) {
  const first = app.about === null;
  app.about = about;
  fill(at("run"), about.run ? element("bdi", { title: about.run }, about.run) : "no run");
  if (first && about.state === "none" && !app.state.has("tab")) app.state.set({ tab: "kernels" }, { step: false });
  else show();
}

drawTabs();
drawTheme();
markTabs(app.state.get("tab"));
app.state.on("tab", () => app.about && show());
watch({ api, line: at("status"), problems: () => app.state.problems, served });
