/// <reference lib="dom" />
import type { Browser } from "playwright-core";

/** Colours of the clip's quarters: upper left, upper right, lower left, lower right. */
export const CLIP_QUARTERS = ["#d02020", "#20a020", "#2040d0", "#e0c020"] as const;

/**
 * Records a WebM of three seconds, 320 × 240, in the browser: four quarters of constant colours, so that a
 * screenshot shows whether it is upright, and a white dot that moves across.
 */
export async function recordClip(browser: Browser): Promise<Buffer<ArrayBuffer>> {
  const page = await browser.newPage();
  try {
    const base64 = await page.evaluate(async (quarters) => {
      const canvas = document.createElement("canvas");
      canvas.width = 320;
      canvas.height = 240;
      const context = canvas.getContext("2d")!;
      const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm;codecs=vp8" });
      const chunks: Blob[] = [];
      recorder.ondataavailable = ({ data }) => chunks.push(data);
      const stopped = new Promise((resolve) => (recorder.onstop = resolve));
      recorder.start();
      const frames = 75;
      for (let frame = 0; frame < frames; frame++) {
        quarters.forEach((colour, quarter) => {
          context.fillStyle = colour;
          context.fillRect((quarter % 2) * 160, (quarter >> 1) * 120, 160, 120);
        });
        context.fillStyle = "#fff";
        context.beginPath();
        context.arc((frame / frames) * 320, 120, 12, 0, 7);
        context.fill();
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      recorder.stop();
      await stopped;
      const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
      let binary = "";
      for (const byte of bytes) binary += String.fromCharCode(byte);
      return btoa(binary);
    }, CLIP_QUARTERS);
    return Buffer.from(base64, "base64");
  } finally {
    await page.close();
  }
}
