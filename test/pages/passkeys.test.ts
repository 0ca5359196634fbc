import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../e2e/browser.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";
import { OWNER } from "../first-owner.ts";

const PATIENCE_MS = 120_000;

let platform: Platform;
let browser: Browser;
/** The platform's URL with a host name: a passkey needs one. */
let url: string;

beforeAll(async () => {
  platform = await startPlatform();
  url = platform.url.replace("127.0.0.1", "localhost");
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await platform?.close();
});

async function visit(address: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(address);
  return page;
}

/** Attaches a virtual authenticator that verifies the user. */
async function attachAuthenticator(page: Page): Promise<{ cdp: CDPSession; authenticatorId: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, authenticatorId };
}

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

async function signInByPassword(page: Page): Promise<void> {
  await page.getByLabel("Email").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("link", { name: "Account" }).click();
  await heading(page, "Your account").waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await heading(page, "Sign in").waitFor();
}

test("a passkey is added, signs in without a password, and is removed", async () => {
  const page = await visit(url);
  const { cdp, authenticatorId } = await attachAuthenticator(page);
  await signInByPassword(page);
  const passkeys = page.getByRole("region", { name: "Passkeys" });

  // Refused without the right password.
  await passkeys.getByLabel("Name").fill("Ada's laptop");
  await passkeys.getByLabel("Current password").fill("not the password");
  await passkeys.getByRole("button", { name: "Add passkey" }).click();
  await passkeys.getByRole("alert").getByText("The password is incorrect.").waitFor();
  // Refused when the device does not verify the user.
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await passkeys.getByLabel("Current password").fill(OWNER.password);
  await passkeys.getByRole("button", { name: "Add passkey" }).click();
  await passkeys.getByRole("alert").getByText("was canceled or timed out").waitFor();
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await passkeys.getByRole("button", { name: "Add passkey" }).click();
  await passkeys.getByRole("listitem").getByText("Ada's laptop added").waitFor();
  expect((await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials).toMatchObject([
    { rpId: "localhost", isResidentCredential: true, userName: OWNER.email },
  ]);

  // A device gets only one passkey per account.
  await passkeys.getByLabel("Current password").fill(OWNER.password);
  await passkeys.getByRole("button", { name: "Add passkey" }).click();
  await passkeys.getByRole("alert").getByText("already has a passkey for your account").waitFor();

  await signOut(page);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("link", { name: "Account" }).click();
  await passkeys.getByRole("listitem").getByText("Ada's laptop added").waitFor();

  // The removed passkey is still on the device.
  await passkeys.getByRole("button", { name: "Remove Ada's laptop" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Current password").fill("not the password");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await dialog.getByRole("alert").getByText("The password is incorrect.").waitFor();
  await dialog.getByLabel("Current password").fill(OWNER.password);
  await dialog.getByRole("button", { name: "Remove" }).click();
  await dialog.waitFor({ state: "detached" });
  await expect.poll(() => passkeys.getByRole("listitem").count(), { timeout: PATIENCE_MS }).toBe(0);
  await signOut(page);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("alert").getByText("This passkey is unknown or was removed").waitFor();

  // A device without any passkey: the browser only reports a cancellation.
  await cdp.send("WebAuthn.clearCredentials", { authenticatorId });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("alert").getByText("was canceled or timed out").waitFor();
});

test("at an IP address, the page explains how to use passkeys instead of offering them", async () => {
  const page = await visit(platform.url);
  await page.getByText(`Open ${url} instead`).waitFor();
  expect(await page.getByRole("button", { name: "Sign in with a passkey" }).count()).toBe(0);
  await signInByPassword(page);
  const passkeys = page.getByRole("region", { name: "Passkeys" });
  await passkeys.getByText(`Open ${url} instead`).waitFor();
  expect(await passkeys.getByRole("button").count()).toBe(0);
});
