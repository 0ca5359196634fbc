import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";

export interface BrowserOptions {
  /** A `.y4m` file that the browser plays in a loop as its camera, with permission granted. */
  readonly camera?: string;
  /**
   * Enables WebGL 2 in software, which the player needs. Default: enabled if there is a camera. The emulated
   * graphics card draws the page too, and takes seconds for a screenshot.
   */
  readonly webgl?: boolean;
  /** Further command line flags. */
  readonly args?: readonly string[];
}

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/vivimark", import.meta.url));

/**
 * Starts a headless Chromium: the one at `CHROME_PATH`, or the one in @sparticuz/chromium. Web security
 * stays on, unlike with that package's own flags for AWS Lambda. The caller closes the browser.
 */
export async function launchBrowser({
  camera,
  webgl = camera !== undefined,
  args = [],
}: BrowserOptions = {}): Promise<Browser> {
  const own = process.env.CHROME_PATH === undefined ? await unpackChromium() : undefined;
  return playwright.launch({
    executablePath: own === undefined ? process.env.CHROME_PATH : join(own, "chromium"),
    headless: true,
    env: {
      ...(process.env as Record<string, string>),
      ...(own === undefined ? {} : { FONTCONFIG_FILE: join(own, "fonts/fonts.conf") }),
    },
    args: [
      "--no-sandbox",
      "--no-zygote",
      "--autoplay-policy=document-user-activation-required",
      "--font-render-hinting=none",
      ...(webgl
        ? [
            "--use-gl=angle",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--ignore-gpu-blocklist",
          ]
        : ["--disable-gpu"]),
      ...(camera === undefined
        ? []
        : [
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            `--use-file-for-fake-video-capture=${camera}`,
          ]),
      ...args,
    ],
  });
}

/**
 * Unpacks the packaged Chromium once per version and returns its folder. The package itself would use any
 * file in the temporary folder, even half a binary of an interrupted run. A rename makes the folder complete
 * or absent.
 */
async function unpackChromium(): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const { version } = JSON.parse(await readFile(join(dirname(manifest), "../package.json"), "utf8"));
  const home = join(CACHE, `chromium-${version}`);
  if (existsSync(join(home, "chromium"))) return home;

  await mkdir(CACHE, { recursive: true });
  const staging = await mkdtemp(join(CACHE, "unpack-"));
  const temporary = process.env.TMPDIR;
  process.env.TMPDIR = staging;
  try {
    await chromium.executablePath();
  } finally {
    if (temporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporary;
  }
  // The package's font folders are those of AWS Lambda. With only its own font, pages look the same everywhere.
  await writeFile(
    join(staging, "fonts/fonts.conf"),
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${home}/fonts/fonts</dir><cachedir>${home}/fonts/cache</cachedir></fontconfig>
`,
  );
  // Another process may have been first; use its copy.
  await rename(staging, home).catch(() => rm(staging, { recursive: true, force: true }));
  return home;
}
