import { afterEach, expect, test } from "vitest";
import type { ArContent, ContentPage } from "../../worker/schemas.ts";
import { cleanUp, exitCode, processesOf, start, temporaryFolder, twoPorts } from "./commands.ts";

afterEach(cleanUp);

test("npm run seed fills a state with every role and marker state, once", async () => {
  const state = temporaryFolder();
  const seed = start("seed", { VIVIMARK_STATE: state });
  expect([await exitCode(seed.child), seed.printed()]).toEqual([0, expect.stringContaining("is filled")]);
  expect(processesOf(state)).toEqual([]);
  const password = /Password +(\S+)/.exec(seed.printed())![1];

  const again = start("seed", { VIVIMARK_STATE: state });
  expect(await exitCode(again.child)).toBe(1);
  expect(again.printed()).toContain("has an owner already. Delete that folder to fill it again.");

  const { PORT } = await twoPorts();
  const { origin } = await start("dev", { PORT, VIVIMARK_STATE: state }).link();
  const headers = (cookie: string) => ({
    "Content-Type": "application/json",
    Origin: origin,
    Cookie: cookie,
  });
  const signIn = async (email: string) => {
    const body = JSON.stringify({ email, password });
    const answer = await fetch(`${origin}/api/auth/sign-in/email`, {
      method: "POST",
      headers: headers(""),
      body,
    });
    expect([email, answer.status]).toEqual([email, 200]);
    const cookies = answer.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
    return async <T>(path: string, post?: object) => {
      const response = await fetch(origin + path, {
        method: post ? "POST" : "GET",
        headers: headers(cookies.join("; ")),
        ...(post && { body: JSON.stringify(post) }),
      });
      expect([path, response.status]).toEqual([path, 200]);
      return (await response.json()) as T;
    };
  };

  interface Membership {
    readonly id: string;
    readonly name: string;
    readonly role: string;
  }
  for (const role of ["admin", "editor", "viewer"]) {
    const person = await signIn(`${role}@example.com`);
    const { company } = await person<{ company: Membership }>("/api/me");
    expect(company).toMatchObject({ name: "Lumen Studio", role });
  }

  const owner = await signIn("owner@example.com");
  const { companies } = await owner<{ companies: Membership[] }>("/api/me");
  const choose = async (name: string) => {
    const { id } = companies.find((company) => company.name === name)!;
    await owner("/api/auth/organization/set-active", { organizationId: id });
  };
  await choose("Lumen Studio");
  const { items: photos } = await owner<ContentPage>("/api/ar-content?limit=100");
  expect(photos.length).toBe(40);
  expect(new Set(photos.map((photo) => photo.marker_status))).toEqual(
    new Set(["pending", "processing", "ready", "failed"]),
  );
  const failures = photos.flatMap((photo) => photo.error_code ?? []);
  expect(failures).toEqual(
    expect.arrayContaining(["too_few_features", "image_damaged", "retries_exhausted"]),
  );
  const isPlayable = (photo: ArContent) => photo.marker_status === "ready" && photo.video_url !== null;
  const playable = photos.filter(isPlayable);
  expect(playable.length).toBeGreaterThan(5);
  for (const url of [playable[0]!.video_url!, playable[0]!.marker_url!, playable[0]!.thumbnail_url!])
    expect((await fetch(new URL(url, origin))).status).toBe(200);
  expect(photos.some((photo) => !photo.is_active)).toBe(true);
  const { items: webhooks } = await owner<{
    items: { failures: number; last_delivered_at: string | null }[];
  }>("/api/webhooks");
  expect(webhooks.length).toBe(3);
  expect(webhooks.some((webhook) => webhook.last_delivered_at !== null)).toBe(true);
  expect(webhooks.some((webhook) => webhook.failures > 0)).toBe(true);

  await choose("Paper Moon Prints");
  const page = await owner<ContentPage>("/api/ar-content?limit=100");
  expect([page.total, page.next_cursor]).toEqual([5000, expect.any(String)]);
  for (const { thumbnail_url: thumbnail } of page.items.slice(0, 6))
    if (thumbnail) expect((await fetch(new URL(thumbnail, origin))).status).toBe(200);
});
