// Firefox and WebKit as this machine has them. Neither can be installed by npm, so a machine may lack one.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import puppeteer, { type ElementHandle } from "puppeteer-core";
import { Builder, By, Capabilities } from "selenium-webdriver";

/** A browser with one open page. */
export interface Engine {
  /** Its name and version. */
  readonly version: string;
  open(url: string): Promise<void>;
  /** Runs the body of a function in the page and returns its result, which may be a promise. */
  run<Result>(body: string): Promise<Result>;
  /** Chooses a file in the input that a CSS selector names. */
  choose(selector: string, path: string): Promise<void>;
  close(): Promise<void>;
}

interface EngineKind {
  readonly name: string;
  /** Debian's packages that have it. */
  readonly packages: readonly string[];
  readonly programs: readonly string[];
  /** The photo to compile in it: a known photo would not be compiled again. */
  readonly photo: string;
  launch(): Promise<Engine>;
}

const FIREFOX = process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr";
const WEBKIT_DRIVER = "/usr/bin/WebKitWebDriver";
const XVFB = "/usr/bin/Xvfb";

export const ENGINES: readonly EngineKind[] = [
  {
    name: "Firefox",
    packages: ["firefox-esr"],
    programs: [FIREFOX],
    photo: "dust-bowl-home",
    launch: launchFirefox,
  },
  {
    name: "WebKit",
    packages: ["webkit2gtk-driver", "xvfb"],
    programs: [WEBKIT_DRIVER, XVFB],
    photo: "locomotion-house-cat",
    launch: launchWebKit,
  },
];

/** Returns the programs that this machine lacks to run an engine. */
export function missingPrograms({ programs }: EngineKind): string[] {
  return programs.filter((program) => !existsSync(program));
}

async function launchFirefox(): Promise<Engine> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    extraPrefsFirefox: { "media.autoplay.default": 0 },
  });
  const page = await browser.newPage();
  return {
    version: await browser.version(),
    async open(url) {
      await page.goto(url);
    },
    run: (body) => page.evaluate(`(async () => { ${body} })()`) as Promise<never>,
    async choose(selector, path) {
      const input = await page.waitForSelector(selector);
      await (input as ElementHandle<HTMLInputElement>).uploadFile(path);
    },
    close: () => browser.close(),
  };
}

async function launchWebKit(): Promise<Engine> {
  const display = `:${90 + Math.floor(Math.random() * 900)}`;
  const screen = spawn(XVFB, [display, "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
    stdio: "ignore",
  });
  const port = await freePort();
  const driver = spawn(WEBKIT_DRIVER, [`--port=${port}`, "--host=127.0.0.1"], {
    stdio: "ignore",
    env: { ...process.env, DISPLAY: display },
  });
  const stop = () => Promise.all([driver, screen].map(end));
  try {
    await answering(port);
    const capabilities = new Capabilities({
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { args: ["--automation"] },
    });
    const session = await new Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities(capabilities)
      .build();
    await session.manage().setTimeouts({ script: 120_000 });
    const found = await session.getCapabilities();
    return {
      version: `${found.get("browserName")} ${found.get("browserVersion")}`,
      async open(url) {
        await session.get(url);
      },
      async run(body) {
        const { value, error } = await session.executeAsyncScript<{ value: never; error?: string }>(
          `const done = arguments[arguments.length - 1];
           (async () => { ${body} })().then((value) => done({ value }), (error) => done({ error: String(error) }));`,
        );
        if (error !== undefined) throw new Error(error);
        return value;
      },
      async choose(selector, path) {
        await session.findElement(By.css(selector)).sendKeys(path);
      },
      async close() {
        await session.quit().catch(() => undefined);
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  process.kill();
  await once(process, "exit");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves when a WebDriver server answers. */
async function answering(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await fetch(`http://127.0.0.1:${port}/status`);
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
