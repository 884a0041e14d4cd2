/** How often the server is asked. */

/**
 * A function that runs `work` one call at a time; of the calls that come meanwhile only the last is run.
 *
 * @template {any[]} Given
 * @param {(...given: Given) => Promise<void>} work - must not throw
 * @returns {(...given: Given) => Promise<void>}
 */
export function lastOnly(work) {
  let busy = false;
  let waiting = null;
  return async function run(...given) {
    waiting = given;
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const next = waiting;
        waiting = null;
        await work(...next);
      }
    } finally {
      busy = false;
    }
  };
}

/** A function that calls `work` when it has not been called again for some milliseconds. */
export function settled(work, milliseconds) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
}
