/// <reference lib="dom" />
import type { Browser } from "playwright-core";

const SECONDS = 4;

/**
 * Records a video in which a photo comes to life: the camera moves closer, warm light wanders across, and confetti
 * falls.
 *
 * @param photo a data URL.
 * @returns WebM, with the photo's proportions.
 */
export async function recordLivingPhoto(browser: Browser, photo: string): Promise<Buffer<ArrayBuffer>> {
  const page = await browser.newPage();
  try {
    const base64 = await page.evaluate(
      async ({ photo, seconds }) => {
        const image = new Image();
        image.src = photo;
        await image.decode();
        const canvas = document.createElement("canvas");
        const scale = 720 / Math.max(image.width, image.height);
        const width = (canvas.width = Math.round(image.width * scale));
        const height = (canvas.height = Math.round(image.height * scale));
        const context = canvas.getContext("2d")!;
        // Filtered once: a filter on every frame is too slow to record.
        const vivid = new OffscreenCanvas(width, height);
        const filtered = vivid.getContext("2d")!;
        filtered.filter = "saturate(1.15) contrast(1.04)";
        filtered.drawImage(image, 0, 0, width, height);

        let seed = 7;
        const random = () => {
          seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
          return seed / 2 ** 32;
        };
        const colors = ["#ffd166", "#ff7b54", "#f9f7f1", "#e84a5f", "#7ac7e3"];
        const confetti = Array.from({ length: 60 }, (_, index) => ({
          x: random() * width,
          y: random() * height,
          size: 9 + random() * 13,
          fall: 1 + Math.floor(random() * 2),
          sway: 6 + random() * 22,
          phase: random() * Math.PI * 2,
          color: colors[index % colors.length],
        }));

        /** Draws the moment `at` (0 … 1). The last moment joins the first. */
        function draw(at: number): void {
          const wave = (cycles: number, phase = 0) => Math.sin(2 * Math.PI * cycles * at + phase);
          const zoom = 1.12 - 0.03 * Math.cos(2 * Math.PI * at);
          context.save();
          context.translate(width * (0.5 + 0.01 * wave(1)), height * (0.2 + 0.008 * wave(1, 1)));
          context.rotate(0.012 * wave(1, 0.5));
          context.scale(zoom, zoom);
          context.drawImage(vivid, -width * 0.5, -height * 0.2);
          context.restore();

          const light = context.createRadialGradient(
            width * (0.2 + 0.5 * at),
            height * 0.05,
            0,
            width * (0.2 + 0.5 * at),
            height * 0.05,
            width * 0.9,
          );
          light.addColorStop(0, "rgb(255 214 140 / 0.55)");
          light.addColorStop(0.5, "rgb(255 170 90 / 0.16)");
          light.addColorStop(1, "rgb(255 150 80 / 0)");
          context.globalCompositeOperation = "screen";
          context.fillStyle = light;
          context.fillRect(0, 0, width, height);
          context.globalCompositeOperation = "source-over";

          for (const { x, y, size, fall, sway, phase, color } of confetti) {
            const top = ((y + at * fall * (height + 40)) % (height + 40)) - 20;
            context.save();
            context.translate(x + sway * wave(2, phase), top);
            context.rotate(phase + wave(1, phase) * 2);
            context.scale(1, 0.35 + 0.65 * Math.abs(wave(3, phase)));
            context.fillStyle = color;
            context.globalAlpha = 0.92;
            context.beginPath();
            context.roundRect(-size / 2, -size / 2, size, size, size * 0.25);
            context.fill();
            context.restore();
          }
        }

        const recorder = new MediaRecorder(canvas.captureStream(25), {
          mimeType: "video/webm;codecs=vp8",
          videoBitsPerSecond: 8_000_000,
        });
        const chunks: Blob[] = [];
        recorder.ondataavailable = ({ data }) => chunks.push(data);
        const stopped = new Promise((resolve) => (recorder.onstop = resolve));
        draw(0.3);
        recorder.start();
        const started = performance.now();
        for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - started) {
          draw((elapsed / (seconds * 1000) + 0.3) % 1);
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
        recorder.stop();
        await stopped;
        const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
        let binary = "";
        for (const byte of bytes) binary += String.fromCharCode(byte);
        return btoa(binary);
      },
      { photo, seconds: SECONDS },
    );
    return Buffer.from(base64, "base64");
  } finally {
    await page.close();
  }
}
