// A page in headless Chromium with mind-ar's browser compiler and ours.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import type { GreyImage } from "../compiler/types.ts";
import { launchBrowser } from "../test/e2e/browser.ts";

export interface Comparison {
  /** Milliseconds of the second run of each compiler. */
  readonly theirs: number;
  readonly ours: number;
  /** Feature points of mind-ar in all keyframes, and those that ours has too, within half a pixel. */
  readonly points: number;
  readonly shared: number;
}

export interface Page {
  /** Chromium's version. */
  readonly version: string;
  compare(image: GreyImage): Promise<Comparison>;
  /** Compiles an image again and again in a new page. Returns the milliseconds of each time. */
  repeat(image: GreyImage, rounds: number): Promise<number[]>;
  /** Does the same with mind-ar. */
  repeatReference(image: GreyImage, rounds: number): Promise<number[]>;
  close(): Promise<void>;
}

const MIND_AR = new URL("../node_modules/mind-ar/dist/", import.meta.url);

const KERNELS = new URL("../compiler/wasm/kernels.wasm", import.meta.url);

/** Runs in the page: fetches the grey pixels and gives them to both compilers. */
const SCRIPT = `
import { Compiler } from "/mind-ar/mindar-image.prod.js";
import { compile, decodeMind, loadKernels } from "/ours.js";

loadKernels(await WebAssembly.compileStreaming(fetch("/kernels.wasm")));

async function greyPixels() {
  return new Uint8Array(await (await fetch("/grey")).arrayBuffer());
}

function canvasOf(data, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const rgba = new ImageData(width, height);
  for (let i = 0; i < data.length; i++) {
    rgba.data.fill(data[i], 4 * i, 4 * i + 3);
    rgba.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(rgba, 0, 0);
  return canvas;
}

async function repeat(rounds, work) {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

window.repeatOn = async (width, height, rounds) => {
  const images = [{ data: await greyPixels(), width, height }];
  return repeat(rounds, () => compile(images));
};

window.repeatReferenceOn = async (width, height, rounds) => {
  const canvas = canvasOf(await greyPixels(), width, height);
  return repeat(rounds, async () => {
    const compiler = new Compiler();
    await compiler.compileImageTargets([canvas], () => {});
    compiler.exportData();
  });
};

window.compareOn = async (width, height) => {
  const data = await greyPixels();
  const canvas = canvasOf(data, width, height);
  let theirs, ours, reference, target;
  for (let run = 0; run < 2; run++) {
    let start = performance.now();
    const compiler = new Compiler();
    [reference] = await compiler.compileImageTargets([canvas], () => {});
    compiler.exportData();
    theirs = performance.now() - start;
    start = performance.now();
    const bytes = compile([{ data, width, height }], { maxSize: Infinity });
    ours = performance.now() - start;
    [target] = decodeMind(bytes);
  }
  let points = 0;
  let shared = 0;
  reference.matchingData.forEach(({ maximaPoints, minimaPoints }, k) => {
    for (const [their, our] of [[maximaPoints, "maxima"], [minimaPoints, "minima"]]) {
      const { x, y, scale } = target.keyframes[k][our];
      points += their.length;
      shared += their.filter((p) =>
        x.some((_, i) => scale[i] === p.scale && Math.hypot(x[i] - p.x, y[i] - p.y) < 0.5),
      ).length;
    }
  });
  return { theirs, ours, points, shared };
};
window.ready = true;
`;

export async function openPage(): Promise<Page> {
  const ours = await bundleCompiler();
  let grey = new Uint8Array();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    const send = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { "content-type": type }).end(body);
    if (path === "/") send("text/html", '<!doctype html><script type="module" src="/page.js"></script>');
    else if (path === "/page.js") send("text/javascript", SCRIPT);
    else if (path === "/ours.js") send("text/javascript", ours);
    else if (path === "/kernels.wasm") send("application/wasm", await readFile(KERNELS));
    else if (path === "/grey") send("application/octet-stream", grey);
    else if (/^\/mind-ar\/[\w.-]+\.js$/.test(path)) {
      send("text/javascript", await readFile(new URL(path.slice("/mind-ar/".length), MIND_AR)));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const browser = await launchBrowser({ webgl: true });
  /** Calls a function of a new page on an image. */
  const call = async (name: string, { data, width, height }: GreyImage, ...words: number[]) => {
    grey = data.slice();
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForFunction("window.ready");
      return await page.evaluate(`window.${name}(${[width, height, ...words]})`);
    } finally {
      await page.close();
    }
  };
  return {
    version: browser.version(),
    compare: (image) => call("compareOn", image) as Promise<Comparison>,
    repeat: (image, rounds) => call("repeatOn", image, rounds) as Promise<number[]>,
    repeatReference: (image, rounds) => call("repeatReferenceOn", image, rounds) as Promise<number[]>,
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Returns the gzipped bytes that a browser downloads to compile: the compiler's JavaScript and WebAssembly. */
export async function downloadBytes(): Promise<{ script: number; wasm: number }> {
  return {
    script: gzipSync(await bundleCompiler(), { level: 9 }).length,
    wasm: gzipSync(await readFile(KERNELS), { level: 9 }).length,
  };
}

/** Bundles bench/library.ts as one minified module for the browser. */
async function bundleCompiler(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      minify: "oxc",
      lib: { entry: fileURLToPath(new URL("library.ts", import.meta.url)), formats: ["es"] },
    },
  });
  const [{ output: chunks }] = output as { output: { code: string }[] }[];
  return chunks[0].code;
}
