import { writeFile } from "node:fs/promises";
import type { Browser } from "playwright-core";

const WIDTH = 1280;
const HEIGHT = 720;
/** Pixels. The player assumes a camera with a vertical field of view of 45°. */
const FOCAL = HEIGHT / 2 / Math.tan(Math.PI / 8);

/** Top left corner, rotation and width of a print, in pixels and degrees of the table. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly turn: number;
}

export interface Scene {
  /** Data URLs. */
  readonly photo: string;
  /** A second print, which the frame cuts off. */
  readonly neighbor: string;
  /** SVG. */
  readonly qrCode: string;
}

/**
 * Writes what a phone's camera sees: a wooden table with a print of the photo and its QR code.
 *
 * @param path of an `.mjpeg` file, which Chromium can use as its camera.
 */
export async function photographTable(browser: Browser, path: string, scene: Scene): Promise<void> {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  try {
    await page.setContent(tableHtml(scene), { waitUntil: "load" });
    const frame = await page.screenshot({ type: "jpeg", quality: 96 });
    await writeFile(path, Buffer.concat([frame, frame]));
  } finally {
    await page.close();
  }
}

function tableHtml({ photo, neighbor, qrCode }: Scene): string {
  const planks = Array.from({ length: 7 }, (_, index) => plank(index)).join("");
  const card = `<div class="caption"><span>Point your phone<br>at this photo</span>${qrCode}</div>`;
  return `<!doctype html><style>
    * { box-sizing: border-box; }
    body { margin: 0; width: ${WIDTH}px; height: ${HEIGHT}px; overflow: hidden; background: #33200f; }
    .table { position: absolute; left: -500px; top: -330px; width: 2280px; height: 1500px; transform-origin: 50% 46%;
      transform: perspective(${FOCAL}px) rotateX(21deg) rotateZ(-8deg); }
    .plank { position: absolute; left: 0; width: 100%; display: block; }
    .print { position: absolute; background: #fbf9f4; padding: 20px 20px 0; transform-origin: 50% 50%;
      box-shadow: 0 1px 2px rgb(20 8 0 / .6), -4px 14px 22px rgb(20 8 0 / .5), -12px 34px 60px rgb(20 8 0 / .42); }
    .print img { display: block; width: 100%; }
    .caption { display: flex; justify-content: space-between; align-items: center; height: 100px;
      font: italic 22px/1.2 Georgia, serif; color: #4d453c; }
    .caption svg { width: 78px; height: 78px; }
    .light { position: absolute; inset: 0; background:
      radial-gradient(120% 130% at 78% -10%, rgb(255 236 200 / .5), rgb(255 225 180 / .12) 42%, transparent 60%),
      radial-gradient(110% 100% at 50% 45%, transparent 45%, rgb(18 7 0 / .62)); }
  </style>
  <div class="table">${planks}
    ${print(neighbor, { left: 1540, top: 330, width: 560, turn: 19 }, "")}
    ${print(photo, { left: 900, top: 372, width: 455, turn: 4 }, card)}
  </div>
  <div class="light"></div>`;
}

function print(image: string, { left, top, width, turn }: Place, caption: string): string {
  const style = `left:${left}px;top:${top}px;width:${width}px;transform:rotate(${turn}deg)`;
  return `<div class="print" style="${style}"><img src="${image}">${caption || '<div style="height:20px"></div>'}</div>`;
}

/** Noise drawn out into grain, in a brown of its own. */
function plank(index: number): string {
  const height = 1500 / 7;
  const tone = [1, 0.9, 1.06, 0.95, 1.02, 0.88, 0.98][index];
  const channel = (low: number, high: number) => `${low * tone} ${((low + high) / 2) * tone} ${high * tone}`;
  return `<svg class="plank" style="top:${index * height}px" width="2280" height="${height}">
    <filter id="wood${index}" x="0" y="0" width="100%" height="100%" color-interpolation-filters="sRGB">
      <feTurbulence type="fractalNoise" baseFrequency="0.003 0.13" numOctaves="6" seed="${index * 13 + 5}"/>
      <feColorMatrix values="1.3 0 0 0 -0.15  1.3 0 0 0 -0.15  1.3 0 0 0 -0.15  0 0 0 0 1"/>
      <feComponentTransfer>
        <feFuncR type="table" tableValues="${channel(0.33, 0.74)}"/>
        <feFuncG type="table" tableValues="${channel(0.19, 0.51)}"/>
        <feFuncB type="table" tableValues="${channel(0.1, 0.32)}"/>
      </feComponentTransfer>
    </filter>
    <rect width="100%" height="100%" filter="url(#wood${index})"/>
    <rect width="100%" height="3" fill="#1d0f06" opacity=".75"/>
    <rect y="3" width="100%" height="2" fill="#fff" opacity=".12"/>
  </svg>`;
}
