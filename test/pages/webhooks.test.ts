import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../e2e/browser.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { Receiver } from "../faults/receiver.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts/webhooks", import.meta.url));
const PATIENCE = { timeout: 120_000 };

let platform: Platform;
let receiver: Receiver;
let browser: Browser;

beforeAll(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  receiver = await Receiver.start();
  platform = await startPlatform();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
  receiver?.close();
});

async function openPage(look: Parameters<Browser["newContext"]>[0]): Promise<Page> {
  const context = await browser.newContext(look);
  await context.addCookies([...platform.cookies]);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  await page.goto(`${platform.url}/webhooks`);
  return page;
}

/** Takes screenshots of the page in every theme and size. It is never wider than its window. */
async function look(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [
      [1280, 900],
      [390, 844],
    ]) {
      await page.setViewportSize({ width, height });
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([name, width, overflow]).toEqual([name, width, 0]);
      const path = join(ARTIFACTS, `${name}-${colorScheme}-${width}.png`);
      await page.screenshot({ path, animations: "disabled", fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

test("a webhook is added by keyboard, fails its test, is verified, changed and deleted", async () => {
  const page = await openPage({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
  await look(page, "none");

  await page.getByRole("button", { name: "Add webhook" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("URL").fill("shop.example.com");
  await page.keyboard.press("Enter");
  await dialog.getByText("it is not a URL", { exact: false }).waitFor();
  expect(await dialog.getByLabel("URL").evaluate((field) => field === document.activeElement)).toBe(true);
  await look(page, "refused");
  await dialog.getByLabel("URL").fill(receiver.url);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Print shop");
  for (const words of ["Marker failed", "Video attached", "Photo deleted"]) {
    await dialog.getByLabel(words).uncheck();
  }
  await page.keyboard.press("Enter");
  const card = page.getByRole("article", { name: "Print shop" });
  const secret = await card.getByLabel("Signing secret", { exact: false }).inputValue();
  await look(page, "secret");
  await card.getByRole("button", { name: "Done" }).click();
  await page.reload();
  await card.waitFor();
  expect(await page.content()).not.toContain(secret);

  await card.getByText("Unverified", { exact: true }).waitFor();
  await card.getByText("its events wait", { exact: false }).waitFor();
  receiver.status = 500;
  await card.getByRole("button", { name: "Send test event" }).click();
  await card.getByText("The server responded with status 500", { exact: false }).waitFor();
  const [request] = receiver.received;
  expect(new Webhook(secret).verify(request.body, { ...request.headers })).toMatchObject({
    type: "webhook.test",
  });
  await card.getByRole("button", { name: "Details of Test event" }).click();
  await card.getByText("Status 500.").first().waitFor();
  await card.getByText(/^(The last attempt|All \d+ attempts since) .*failed/).waitFor();
  await card.getByText("Unverified", { exact: true }).waitFor();
  await look(page, "unverified");

  receiver.status = 200;
  await card.getByRole("button", { name: "Resend delivery Test event" }).click();
  await card.getByRole("listitem").getByText("Delivered", { exact: true }).waitFor();
  await card.getByText("Last delivered just now.").waitFor();
  await card.getByText("Enabled", { exact: true }).waitFor();
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  await look(page, "delivered");
  await card.getByLabel("Status").selectOption("Failed");
  await card.getByText("No deliveries match.").waitFor();
  await card.getByRole("button", { name: "Deliveries of Print shop" }).click();

  await card.getByRole("button", { name: "Rotate secret of Print shop" }).click();
  await dialog.getByRole("button", { name: "Rotate secret" }).click();
  const field = card.getByLabel("Signing secret", { exact: false });
  expect(await field.inputValue()).not.toBe(secret);
  await card.getByText("The previous secret is valid", { exact: false }).waitFor();

  await card.getByRole("button", { name: "Edit Print shop" }).click();
  await dialog.getByLabel("Description").fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  const renamed = page.getByRole("article", { name: new URL(receiver.url).host });

  await renamed.getByRole("button", { name: /^Edit / }).click();
  await dialog.getByLabel("URL").fill(`${receiver.url}/moved`);
  await dialog.getByRole("button", { name: "Save" }).click();
  await renamed.getByText("Unverified", { exact: true }).waitFor();
  await renamed.getByRole("button", { name: "Disable" }).click();
  await renamed.getByText("This webhook is disabled", { exact: false }).waitFor();
  expect(await renamed.getByRole("button", { name: "Send test event" }).isDisabled()).toBe(true);
  await look(page, "off");
  await renamed.getByRole("button", { name: /^Delete / }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
});

test("the page reports an unreachable platform, and recovers", async () => {
  const page = await openPage({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
  await page.route("**/api/webhooks", (route) => route.abort());
  await page.reload();
  await page.getByRole("alert").getByText("cannot be reached", { exact: false }).waitFor();
  await page.unroute("**/api/webhooks");
  await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
  await expect.poll(() => page.getByRole("alert").count(), PATIENCE).toBe(0);
});
