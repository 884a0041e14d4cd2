/** Try: pictures in, answers out; one picture with its verdict and heat map, many as a table. */

import { element, fill } from "../dom.js";
import { percent } from "../draw/words.js";
import { Answers } from "./try_answers.js";
import { heatMap } from "./try_heat.js";
import { manyPictures } from "./try_many.js";
import { pictureDoor } from "./try_pictures.js";
import { aboutRun } from "./try_run.js";
import { verdictCards } from "./try_verdict.js";

/** What was asked, kept while the reader looks at other views; of one run. */
const session = { run: "", answers: null, chosen: null };

/**
 * @param {HTMLElement} root
 * @param {import("../main.js").App} app
 */
export async function mount(root, app) {
  const answers = answersOf(app);
  const heat = heatMap(app, await app.api.explanationMethods());
  const verdict = element("div", { class: "verdict-place" });
  const one = element("div", { class: "one", hidden: true }, heat.root, verdict);
  const many = manyPictures(app.about, { choose, clear });
  const introduction = aboutRun(app.about);
  const door = pictureDoor(take);
  fill(root, element("h2", { class: "visually-hidden" }, "Try"), door.root, introduction, one, many.root);
  const endSharing = app.onPicture(shared);
  let drawn = "";

  function take(files) {
    const [first] = answers.add(files);
    choose(first);
  }

  function clear() {
    session.chosen = null;
    app.usePicture(null);
    answers.clear();
  }

  function choose(row) {
    session.chosen = row;
    app.usePicture(row.file);
    draw();
  }

  function shared(file) {
    if (file && file !== session.chosen?.file) take([file]);
  }

  function draw() {
    const row = answers.rows.includes(session.chosen) ? session.chosen : null;
    door.root.toggleAttribute("data-small", answers.rows.length > 0);
    introduction.hidden = answers.rows.length > 0;
    one.hidden = row === null;
    many.draw(answers.rows, row);
    if (row) drawOne(row);
  }

  function drawOne(row) {
    const now = `${row.key} ${row.version}`;
    if (now === drawn) return;
    drawn = now;
    fill(verdict, ...verdictCards(app.about, row));
    heat.root.hidden = row.state === "failed";
    if (row.state !== "failed") heat.show(row);
    if (row.state !== "waiting") app.announce(spoken(row));
  }

  answers.listen(draw);
  shared(app.picture);
  draw();
  return {
    unmount() {
      answers.listen(() => {});
      endSharing();
      heat.close();
      door.close();
    },
  };
}

function answersOf({ api, about }) {
  const run = about.digests.model_sha256;
  if (session.run !== run) Object.assign(session, { run, answers: new Answers(api, about.limits), chosen: null });
  return session.answers;
}

function spoken({ file, answer, error }) {
  if (error) return `${file.name}: ${error}`;
  return answer.abstained ? `${file.name}: no answer` : `${file.name}: ${answer.class}, ${percent(answer.probability)}`;
}
