/** The camera: a small 8-bit frame whenever the last one has been answered; nothing is kept, and it ends with the view. */

const LONGEST = 192; // pixels of a frame's longer side

const REASONS = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's bar of addresses, then press Camera again.",
  NotFoundError: "There is no camera here. Choose a file instead.",
  NotReadableError: "Another program uses the camera. Close it there, then press Camera again.",
};

/**
 * Open the camera; frames come until `stop`.
 *
 * @param {(frame: {shape: number[], base64: string}) => Promise<void>} answer - may take its time: no frame comes meanwhile
 * @param {(perSecond: number) => void} rate - told once a second how many were answered
 * @returns {Promise<{stop: () => void}>}
 */
export async function openCamera(answer, rate) {
  if (!navigator.mediaDevices) throw new Error("This browser gives the camera to https and to this machine's own pages only. Choose a file instead.");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false }).catch((error) => {
    throw new Error(REASONS[error.name] ?? `The camera cannot be used: ${error.message}`);
  });
  const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
  const canvas = document.createElement("canvas");
  let open = true;

  function stop() {
    open = false;
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }

  async function run() {
    let answered = 0;
    let since = performance.now();
    while (open) {
      await nextFrame();
      if (!open || document.hidden || !video.videoWidth) continue;
      await answer(frameOf(video, canvas));
      answered += 1;
      const passed = performance.now() - since;
      if (open && passed > 1000) {
        rate((1000 * answered) / passed);
        [answered, since] = [0, performance.now()];
      }
    }
  }

  await video.play().catch((error) => {
    stop();
    throw new Error(`The camera's picture cannot be shown: ${error.message}`);
  });
  run();
  return { stop };
}

// A hidden page draws no frames: the timer lets a stopped camera end there too.
const nextFrame = () => new Promise((resolve) => (document.hidden ? setTimeout(resolve, 250) : requestAnimationFrame(resolve)));

/** The present frame as a working copy of three channels. */
function frameOf(video, canvas) {
  const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.max(1, Math.round(video.videoWidth * scale));
  canvas.height = Math.max(1, Math.round(video.videoHeight * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  return { shape: [canvas.height, canvas.width, 3], dtype: "uint8", base64: inBase64(withoutAlpha(data)) };
}

/** Red, green and blue of pixels that have alpha too. @param {Uint8ClampedArray} pixels */
export function withoutAlpha(pixels) {
  const colours = new Uint8Array((pixels.length / 4) * 3);
  for (let at = 0, to = 0; at < pixels.length; at += 4, to += 3) {
    colours[to] = pixels[at];
    colours[to + 1] = pixels[at + 1];
    colours[to + 2] = pixels[at + 2];
  }
  return colours;
}

/** Bytes in base64, in pieces that a call can take. @param {Uint8Array} bytes */
export function inBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
