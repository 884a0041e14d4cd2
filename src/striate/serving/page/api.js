/** Every request that the page makes, one function each; what the server refuses is thrown as `Refused`. */

/** What the server did not do, in its own words; `status` 0 where it does not answer at all. */
export class Refused extends Error {
  /** @param {{status: number, said: string, given?: string, allowed?: string, advice?: string}} told */
  constructor({ status, said, given, allowed, advice }) {
    super(said);
    this.name = "Refused";
    Object.assign(this, { status, said, given: given ?? null, allowed: allowed ?? null, advice: advice ?? null });
  }

  /** Whether there was no answer. */
  get gone() {
    return this.status === 0;
  }
}

const GONE = {
  status: 0,
  said: "The server does not answer.",
  advice: "See whether `striate serve` still runs; this page goes on as soon as it does.",
};

/**
 * One request; JSON back.
 *
 * @param {string} path - relative to the page
 * @param {{method?: string, body?: any, query?: Record<string, any>, signal?: AbortSignal}} [options] - a body that
 *   is no FormData or Blob is sent as JSON; of the query, null, undefined and "" are left out, lists are said one by one
 */
export async function request(path, { method, body, query = {}, signal } = {}) {
  const given = Object.entries(query).flatMap(([name, value]) => [value].flat().filter(isGiven).map((one) => [name, one]));
  const address = given.length ? `${path}?${new URLSearchParams(given)}` : path;
  const plain = body === undefined || body instanceof FormData || body instanceof Blob;
  const sent = plain ? { body } : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const answer = await reached(fetch(address, { method: method ?? (body === undefined ? "GET" : "POST"), signal, ...sent }));
  const content = await reached(answer.json().catch(nothingReadable));
  if (answer.ok) return content;
  const { said = `The server answered ${answer.status}.`, given: was, allowed, try: advice } = content?.error ?? {};
  throw new Refused({ status: answer.status, said, given: was, allowed, advice });
}

/** What is served. @param {AbortSignal} [signal] */
export const model = (signal) => request("model", { signal });

/** Whether the server lives. @param {AbortSignal} [signal] */
export const alive = (signal) => request("health/live", { signal });

/** Answers for pictures, in their order. @param {File[]} files @param {AbortSignal} [signal] */
export const predict = (files, signal) => request("predict", { body: form(files), signal });

/** Pictures as small PNGs, in their order. @param {File[]} files @param {number} side @param {AbortSignal} [signal] */
export const thumbnails = (files, side, signal) => request("thumbnails", { body: form(files), query: { side }, signal });

/** The methods of explanation, each with the reason where it is refused. @param {AbortSignal} [signal] */
export const explanationMethods = (signal) => request("explain/methods", { signal });

/**
 * Where the network looked on one picture.
 * @param {File} file
 * @param {{method?: string, stage?: string, label?: string, set?: string[]}} asked
 * @param {AbortSignal} [signal]
 */
export const explain = (file, asked, signal) => request("explain", { body: form([file]), query: asked, signal });

/** Named kernels, the words of every option, example pictures. @param {AbortSignal} [signal] */
export const kernelCatalogue = (signal) => request("kernels", { signal });

/** The working copy of an example picture. @param {string} name @param {AbortSignal} [signal] */
export const examplePicture = (name, signal) => request("kernels/picture", { query: { name }, signal });

/** The working copy of a file of any kind. @param {File} file @param {AbortSignal} [signal] */
export const workingCopy = (file, signal) => request("kernels/picture", { body: form([file]), signal });

/** A working copy filtered or pooled. @param {object} asked @param {AbortSignal} [signal] */
export const filterPicture = (asked, signal) => request("kernels/filter", { body: asked, signal });

/** One cell of the result, worked. @param {object} asked - as of `filterPicture`, and `cell` @param {AbortSignal} [signal] */
export const workCell = (asked, signal) => request("kernels/step", { body: asked, signal });

/** How far training has come, and what an evaluation found. @param {AbortSignal} [signal] */
export const training = (signal) => request("training", { signal });

/** The images of one cell of the confusion matrix. @param {string} truth @param {string} predicted @param {AbortSignal} [signal] */
export const trainingImages = (truth, predicted, signal) => request("training/images", { query: { truth, predicted }, signal });

/** The events of a training as they come; the browser asks again by itself where it is cut off. Close it in the end. */
export const trainingEvents = () => new EventSource("training/events");

/** The network as a table: stages, layers, classes, example pictures. @param {AbortSignal} [signal] */
export const insideNetwork = (signal) => request("inside/network", { signal });

/** A file as the network sees it, and the answer to it. @param {File} file @param {AbortSignal} [signal] */
export const insidePicture = (file, signal) => request("inside/picture", { body: form([file]), signal });

/** The same of an example picture. @param {string} name @param {AbortSignal} [signal] */
export const insideExample = (name, signal) => request("inside/picture", { query: { name }, signal });

/** The strongest maps of every stage. @param {{picture: object, most?: number}} asked @param {AbortSignal} [signal] */
export const insideOverview = (asked, signal) => request("inside/overview", { body: asked, signal });

/**
 * Maps of a layer, a stage, or the "picture" as the network is given it.
 * @param {{picture: object, layer: string, order?: string, first?: number, most?: number, channels?: number[]}} asked
 * @param {AbortSignal} [signal]
 */
export const insideMaps = (asked, signal) => request("inside/maps", { body: asked, signal });

/** The kernels of a channel. @param {{layer: string, channel: number}} asked @param {AbortSignal} [signal] */
export const insideKernels = (asked, signal) => request("inside/kernels", { body: asked, signal });

/**
 * The arithmetic of one cell.
 * @param {{picture: object, layer: string, channel: number, row: number, column: number, read?: number}} asked
 * @param {AbortSignal} [signal]
 */
export const insideCell = (asked, signal) => request("inside/cell", { body: asked, signal });

/** Pictures as a form. @param {File[]} files */
export function form(files) {
  const body = new FormData();
  for (const file of files) body.append("files", file, file.name);
  return body;
}

const isGiven = (value) => value !== null && value !== undefined && value !== "";

async function reached(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(GONE);
  }
}

function nothingReadable(error) {
  if (error.name !== "SyntaxError") throw error;
  return null;
}
