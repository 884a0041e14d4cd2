/** Answers as the csv that `striate predict --csv` writes. */

/**
 * @param {import("./try_answers.js").Row[]} rows
 * @param {any} about - the answer of GET /model
 * @returns {string}
 */
export function csvOf(rows, { classes, decision }) {
  const decided = decidedColumns(decision);
  const chances = classes.map((name) => `p:${name}`);
  const heading = ["source", "class", "probability", "error", ...chances, ...Object.keys(decided)];
  const lines = rows
    .filter((row) => row.state !== "waiting")
    .map(({ file, answer, error }) => [
      file.name,
      answer?.class,
      answer?.probability,
      error,
      ...classes.map((name) => answer?.probabilities[name]),
      ...Object.values(decided).map((cell) => answer && cell(answer)),
    ]);
  return [heading, ...lines].map((line) => `${line.map(quoted).join(",")}\n`).join("");
}

function decidedColumns(decision) {
  if (!decision || decision.by !== "image") return {};
  const reached = (name) => (answer) => title(answer.operating[name]);
  const columns = decision.operating.map(({ positive }) => [`reached:${positive}`, reached(positive)]);
  if (decision.abstention) columns.push(["answered", (answer) => title(!answer.abstained)]);
  if (decision.sets) columns.push(["set", (answer) => answer.set.join("|")]);
  return Object.fromEntries(columns);
}

const title = (truth) => (truth ? "True" : "False");

function quoted(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Have a text saved as a file. @param {string} name @param {string} text */
export function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
