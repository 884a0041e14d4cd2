/** How numbers that the server sent are written; nothing is computed here. */

/**
 * A probability in per cent with one decimal; neither 0 nor 100 unless it is.
 * @param {number} chance
 */
export function percent(chance) {
  if (chance === 0 || chance === 1) return `${100 * chance} %`;
  if (chance < 0.0005) return "<0.1 %";
  if (chance >= 0.9995) return ">99.9 %";
  return `${(100 * chance).toFixed(1)} %`;
}

/** A value with three digits and a true minus sign. @param {number} value */
export function value(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/** A shape as it is said everywhere: `28 × 28 × 1`. @param {number[]} sizes */
export const times = (sizes) => sizes.join(" × ");

/** Bytes in MB, or in kB below one. @param {number} bytes */
export function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
