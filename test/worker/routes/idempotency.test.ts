import { and, eq, inArray } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import type { CreatedApiKey, CreatedInvitation } from "../../../worker/accounts/schemas.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import {
  claim,
  MAX_KEPT_BYTES,
  MAX_KEYS,
  MAX_KEYS_OF_PERSON,
  sweepKeys,
} from "../../../worker/db/idempotency.ts";
import {
  apiKeys,
  arContent,
  companies,
  idempotencyKeys,
  invitations,
  usageCounts,
  users,
  videoUploads,
} from "../../../worker/db/tables.ts";
import type { BatchResult, CompanyUsage, Submission } from "../../../worker/schemas.ts";
import { Vault } from "../../../worker/storage/secrets.ts";
import type { WebhookWithSecret } from "../../../worker/webhooks/schemas.ts";
import { addMember, Browser, OWNER, setUp } from "../browser.ts";
import { but, Edge, form, json, refusal, s3 } from "../edge.ts";
import { jpeg, png } from "../fixtures.ts";

const CONTENTS = "/api/ar-content";

let edge: Edge;
let key: string;

beforeEach(() => {
  edge = new Edge();
  key = crypto.randomUUID();
});

/** Submits a photo with an Idempotency-Key. */
function submit(fields: Record<string, string | Uint8Array>, header = `"${key}"`): Promise<Response> {
  return edge.fetch(CONTENTS, {
    method: "POST",
    body: form(fields),
    headers: { "Idempotency-Key": header },
  });
}

async function count(): Promise<number> {
  return (await edge.db.select({ id: arContent.id }).from(arContent)).length;
}

/** Returns the stored responses, decrypted. */
async function storedAnswers(): Promise<string> {
  const rows = await edge.db.select().from(idempotencyKeys);
  const { storages } = edge.bindings;
  const answers = rows.map(({ id, answer }) => answer && storages.openText(answer, `idempotency_keys/${id}`));
  return (await Promise.all(answers)).join("\n");
}

describe("the same key", () => {
  test("returns the same response for one photo, although every form has its own boundary", async () => {
    const photo = { image: png(), title: "Once" };
    const before = await count();
    const first = await submit(photo);
    const again = await submit(photo);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.text()).toBe(await first.text());
    for (const header of ["Location", "Content-Type"]) {
      expect(again.headers.get(header)).toBe(first.headers.get(header));
    }
    expect(first.headers.has("Idempotency-Replayed")).toBe(false);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await count()).toBe(before + 1);
  });

  test("is the same with and without quotes, and different on another route", async () => {
    const photo = { image: png() };
    const first = (await (await submit(photo)).json()) as Submission;
    expect(await (await submit(photo, key)).json()).toEqual(first);
    const elsewhere = await edge.fetch(
      `${CONTENTS}/${first.content.id}/marker/recompile`,
      json("POST", {}, { "Idempotency-Key": key }),
    );
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.headers.has("Idempotency-Replayed")).toBe(false);
  });

  test("is recognised however large the request is", async () => {
    const send = () => {
      const body = new FormData();
      for (const name of ["a.png", "b.png"])
        body.append("image", new Blob([new Uint8Array(11_000_000)]), name);
      return edge.fetch(`${CONTENTS}/batch`, { method: "POST", body, headers: { "Idempotency-Key": key } });
    };
    const first = await send();
    const again = await send();
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(await again.text()).toBe(await first.text());
  });

  test("with another body: 422, and nothing is created", async () => {
    const image = png();
    await submit({ image });
    const before = await count();
    const others: Record<string, string | Uint8Array>[] = [{ image: png() }, { image, title: "Another" }];
    for (const other of others) {
      expect((await refusal(await submit(other))).code).toBe("idempotency_key_reused");
    }
    expect(await count()).toBe(before);
  });

  test("stays free after an error, which creates nothing", async () => {
    const refused = await submit({ image: png(8, 8) });
    expect((await refusal(refused)).code).toBe("image_too_small");
    expect((await submit({ image: png() })).status).toBe(201);
  });

  test.each(["", '"', '"half', "with space", "x".repeat(201), '""'])("is invalid: %j", async (header) => {
    expect((await refusal(await submit({ image: png() }, header))).code).toBe("invalid_idempotency_key");
  });

  test("is new after a day", async () => {
    const photo = { image: png() };
    const first = (await (await submit(photo)).json()) as Submission;
    edge.pass(24 * 3600);
    const later = (await (await submit(photo)).json()) as Submission;
    expect(later.content.id).not.toBe(first.content.id);
    edge.pass(24 * 3600);
    await sweepKeys(edge.db, edge.clock);
    expect(await edge.db.select().from(idempotencyKeys)).toEqual([]);
  });

  test("starts nothing without an encryption key", async () => {
    const storages = edge.storagesWith(edge.storage, { vault: new Vault("") });
    const before = await count();
    const init = { method: "POST", body: form({ image: png() }), headers: { "Idempotency-Key": key } };
    const response = await edge.fetch(CONTENTS, init, { storages });
    expect((await refusal(response)).code).toBe("secrets_unavailable");
    expect(await count()).toBe(before);
  });
});

describe("what is kept of a response", () => {
  const usage = async () => (await edge.json<CompanyUsage>("/api/company/usage")).records;

  beforeEach(async () => {
    await edge.db.batch([edge.db.delete(idempotencyKeys), edge.db.delete(usageCounts)]);
  });

  /** Sets what the company has already, as if many requests had been sent before. */
  const pretend = (counts: Partial<typeof usageCounts.$inferInsert>) =>
    edge.db
      .update(usageCounts)
      .set(counts)
      .where(and(eq(usageCounts.ownerId, FIRST_COMPANY_ID), eq(usageCounts.kind, "idempotency_keys")));

  const batchOf = (images: readonly Uint8Array<ArrayBuffer>[]) => {
    const body = new FormData();
    for (const [n, image] of images.entries())
      body.append("image", new Blob([image]), `${"a long name ".repeat(20)}${n}.png`);
    return edge.fetch(`${CONTENTS}/batch`, { method: "POST", body, headers: { "Idempotency-Key": key } });
  };

  test("of 500 photos is 2 kB, from which a retry gets every id and code again", async () => {
    const tooSmall = png(8, 8);
    const notAnImage = new Uint8Array([1, 2, 3]);
    const images = Array.from({ length: 500 }, (_, n) => (n % 3 === 0 ? notAnImage : tooSmall));
    images[1] = png();
    images[400] = png();
    const first = (await (await batchOf(images)).json()) as BatchResult;
    expect([first.submitted, first.refused, JSON.stringify(first).length > 150_000]).toEqual([2, 498, true]);
    const [{ answer }] = await edge.db.select().from(idempotencyKeys);
    expect(answer!.length).toBeLessThan(2000);
    expect(await usage()).toMatchObject({
      idempotency_keys: { used: 1, limit: MAX_KEYS },
      idempotency_bytes: { used: answer!.length, limit: MAX_KEPT_BYTES },
    });

    const before = await count();
    const again = await batchOf(images);
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    const second = (await again.json()) as BatchResult;
    const known = ({ items, ...counts }: BatchResult) => ({
      ...counts,
      items: items.map(({ name: _, error, ...item }) => ({ ...item, code: error?.code })),
    });
    expect(known(second)).toEqual(known(first));
    expect(await count()).toBe(before);
    const created = second.items[400];
    expect((await edge.content(created.content_id!)).task_id).toBe(created.task_id);
    images[0] = tooSmall;
    expect((await refusal(await batchOf(images))).code).toBe("idempotency_key_reused");
  });

  test("is encrypted, and bound to its row", async () => {
    const title = "Grandmother's portrait";
    await submit({ image: png(), title });
    await submit({ image: png(), title: "Another" }, crypto.randomUUID());
    const rows = await edge.db.select().from(idempotencyKeys);
    expect(await storedAnswers()).toContain(title);
    expect(JSON.stringify(rows)).not.toContain("Grandmother");
    const [{ answer }, { id }] = rows;
    const moved = edge.bindings.storages.openText(answer!, `idempotency_keys/${id}`);
    await expect(moved).rejects.toThrow("cannot decrypt");
  });

  test("is only where the object is, when the company's responses take too much space", async () => {
    await submit({ image: png() }, crypto.randomUUID());
    await pretend({ byteCount: MAX_KEPT_BYTES });
    const photo = { image: png(), title: "Not kept" };
    const first = await submit(photo);
    expect(first.status).toBe(201);
    const before = await count();
    const again = await submit(photo);
    expect(again.headers.get("Location")).toBe(first.headers.get("Location"));
    const problem = await refusal(again);
    expect(problem).toMatchObject({ status: 409, code: "response_not_kept" });
    expect(problem.detail).toContain(first.headers.get("Location"));
    expect(await count()).toBe(before);
    expect((await refusal(await submit({ ...photo, title: "Other" }))).code).toBe("idempotency_key_reused");
  });

  test("is limited to 50,000 requests of a company at the same time", async () => {
    const photo = { image: png() };
    expect((await submit(photo)).status).toBe(201);
    await pretend({ rowCount: MAX_KEYS });
    const before = await count();
    const problem = await refusal(await submit({ image: png() }, crypto.randomUUID()));
    expect(problem).toMatchObject({ status: 403, code: "quota_exceeded" });
    expect(problem.detail).toContain("50,000 Idempotency-Keys are in use");
    expect(await count()).toBe(before);
    expect((await submit(photo)).headers.get("Idempotency-Replayed")).toBe("true");
    // Without a key, the request needs no room.
    expect((await edge.submit()).content.id).toBeDefined();
  });

  test("is limited for a person outside of a company too", async () => {
    const request = { owner: { userId: "somebody" }, route: "POST /", now: edge.clock };
    const counted = { ownerId: "somebody", kind: "idempotency_keys", rowCount: 0, byteCount: 0 } as const;
    await edge.db.insert(usageCounts).values({ ...counted, rowCount: MAX_KEYS_OF_PERSON });
    expect(await claim(edge.db, { ...request, key })).toEqual({ kind: "full", max: MAX_KEYS_OF_PERSON });
  });

  test("is not counted after a day", async () => {
    await submit({ image: png() });
    await refusal(await submit({ image: png(8, 8) }, crypto.randomUUID()));
    expect((await usage()).idempotency_keys.used).toBe(1);
    edge.pass(24 * 3600);
    await sweepKeys(edge.db, edge.clock);
    const records = await usage();
    expect([records.idempotency_keys.used, records.idempotency_bytes.used]).toEqual([0, 0]);
  });
});

describe("at the same moment", () => {
  test("eight requests: one runs, the others get Retry-After", async () => {
    const photo = { image: png() };
    const before = await count();
    const responses = await Promise.all(Array.from({ length: 8 }, () => submit(photo)));
    const made = responses.filter(({ status }) => status === 201);
    const ids = await Promise.all(
      made.map(async (response) => ((await response.json()) as Submission).task_id),
    );
    expect(new Set(ids).size).toBe(1);
    for (const response of responses.filter(({ status }) => status !== 201)) {
      expect(response.headers.get("Retry-After")).toBe("1");
      expect((await refusal(response)).code).toBe("request_in_progress");
    }
    expect(await count()).toBe(before + 1);
    expect((await submit(photo)).status).toBe(201);
  });

  test("a lease is taken over only after it has expired", async () => {
    const claimAgain = () =>
      claim(edge.db, {
        owner: { companyId: FIRST_COMPANY_ID, apiKeyId: "another" },
        route: "POST /",
        key,
        now: edge.clock,
      });
    const first = await claimAgain();
    expect(first.kind).toBe("leased");
    edge.pass(59);
    expect((await claimAgain()).kind).toBe("running");
    edge.pass(1);
    const second = await claimAgain();
    if (first.kind !== "leased" || second.kind !== "leased") throw new Error("Not leased.");
    expect(second.lease).toMatchObject({ id: first.lease.id, isRepeated: true });
    expect((await claimAgain()).kind).toBe("running");
  });
});

describe("after a crash", () => {
  /** Simulates the end of the isolate: no statement after the nth reaches the database. */
  function dying(after: number) {
    let left = after;
    const die = () => {
      if (left-- <= 0) throw new Error("The isolate is gone.");
    };
    return new Proxy(edge.db, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (
          typeof value !== "function" ||
          !["select", "insert", "update", "delete", "batch"].includes(String(name))
        ) {
          return value;
        }
        return (...values: unknown[]) => {
          if (name === "batch" || name === "insert") die();
          return value.apply(target, values);
        };
      },
    });
  }

  test("at any point: the retry returns the content, which exists once", async () => {
    for (let after = 1; after < 12; after++) {
      const photo = { image: png(), title: `After ${after}` };
      const headers = { "Idempotency-Key": `${key}-${after}` };
      const before = await count();
      const init = () => ({ method: "POST", body: form(photo), headers });
      const crashed = await edge.fetch(CONTENTS, init(), { db: dying(after) }).catch(() => null);
      edge.pass(61);
      const next = await edge.fetch(CONTENTS, init());
      expect([after, next.status]).toEqual([after, 201]);
      const { content } = (await next.json()) as Submission;
      expect(content.title).toBe(`After ${after}`);
      if (crashed?.status === 201) expect(((await crashed.json()) as Submission).content.id).toBe(content.id);
      expect(await count()).toBe(before + 1);
      expect(await edge.files(content)).toHaveLength(1);
    }
  });

  test("with content but without a stored response", async () => {
    const photo = { image: png() };
    const { content } = (await (await submit(photo)).json()) as Submission;
    // As if the isolate ended between the submission and storing its response.
    const died = { answer: null, lease: "gone", leaseExpiresAt: edge.clock };
    await edge.db.update(idempotencyKeys).set(died).where(eq(idempotencyKeys.creationId, content.id));
    const before = await count();
    expect((await refusal(await submit({ image: png() }))).code).toBe("idempotency_key_reused");
    edge.pass(61);
    const again = (await (await submit(photo)).json()) as Submission;
    expect(again.content).toEqual(content);
    expect(await count()).toBe(before);
  });

  test("an incomplete submission is removed first", async () => {
    const broken = but(edge.storage, {
      upload: () => {
        throw new Error("The isolate is gone.");
      },
      delete: () => {
        throw new Error("The isolate is gone.");
      },
    });
    const photo = { image: png() };
    const init = () => ({ method: "POST", body: form(photo), headers: { "Idempotency-Key": key } });
    const before = await count();
    const failed = await edge.fetch(CONTENTS, init(), { storages: edge.storagesWith(broken) });
    expect(failed.status).toBe(500);
    expect(await count()).toBe(before + 1);
    const { content } = (await (await edge.fetch(CONTENTS, init())).json()) as Submission;
    expect(await count()).toBe(before + 1);
    expect(await edge.content(content.id)).toEqual(content);
  });
});

describe("every other POST that creates something", () => {
  test("projects, connections, video uploads, compilations: one object, the same response", async () => {
    const { content } = await edge.submit();
    const posts: [path: string, body: object][] = [
      ["/api/projects", { name: "Once" }],
      ["/api/storage-connections", s3("second")],
      [`${CONTENTS}/${content.id}/video-uploads`, { length: 12_000_000, content_type: "video/mp4" }],
      [`${CONTENTS}/${content.id}/marker/recompile`, { compile: "browser" }],
    ];
    for (const [path, body] of posts) {
      const send = () => edge.fetch(path, json("POST", body, { "Idempotency-Key": key }));
      const first = await (await send()).text();
      expect(await (await send()).text()).toBe(first);
      // A retry, as if the first response had never been stored.
      await edge.db.update(idempotencyKeys).set({ answer: null, leaseExpiresAt: edge.clock - 1 });
      const { lease: _, ...recovered } = (await (await send()).json()) as Record<string, unknown>;
      const { lease: __, ...told } = JSON.parse(first) as Record<string, unknown>;
      expect(recovered).toEqual(told);
    }
    expect(
      await edge.db.select().from(videoUploads).where(eq(videoUploads.contentId, content.id)),
    ).toHaveLength(1);
    expect((await edge.json<{ items: unknown[] }>(`${CONTENTS}/${content.id}/tasks`)).items).toHaveLength(2);
  });

  test("an API key is shown once and not stored; a key that nobody saw is replaced", async () => {
    edge.clock = Date.now();
    const owner = (await setUp(edge)) as Browser;
    const headers = { "Idempotency-Key": key };
    const body = { name: "Once", scopes: ["read"] };
    const ask = () => owner.fetch("/api/api-keys", json("POST", body, headers));
    const send = async () => (await (await ask()).json()) as CreatedApiKey;
    const first = await send();
    const again = await refusal(await ask());
    expect(again).toMatchObject({ status: 409, code: "secret_shown_once" });
    expect(again.detail).toContain(first.id);
    expect(await storedAnswers()).not.toContain(first.key);

    await edge.db.update(idempotencyKeys).set({ answer: null, leaseExpiresAt: edge.clock - 1 });
    const replaced = await send();
    expect(replaced.key).not.toBe(first.key);
    expect(await edge.db.select().from(apiKeys).where(eq(apiKeys.name, "Once"))).toMatchObject([
      { id: replaced.id },
    ]);
  });

  test("the secret of a webhook is shown once, also after a rotation, and not stored", async () => {
    const create = { url: "https://shop.example.net/hook", events: ["marker.ready"] };
    const send = (path: string, body: object) =>
      edge.fetch(path, json("POST", body, { "Idempotency-Key": key }));
    const { id, secret } = (await (await send("/api/webhooks", create)).json()) as WebhookWithSecret;
    const rotation = `/api/webhooks/${id}/rotate-secret`;
    const rotated = (await (await send(rotation, {})).json()) as WebhookWithSecret;
    expect((await refusal(await send("/api/webhooks", create))).detail).toContain(id);
    expect((await refusal(await send(rotation, {}))).code).toBe("secret_shown_once");
    const stored = await storedAnswers();
    for (const shown of [secret, rotated.secret]) expect(stored).not.toContain(shown);
  });

  test("a key of one person, or of one API key, says nothing to another in the same company", async () => {
    edge.clock = Date.now();
    const headers = { "Idempotency-Key": key };
    const owner = await Browser.signedIn(edge, OWNER);
    const [ada] = await edge.db.select().from(users).where(eq(users.email, OWNER.email));
    const admin = await addMember(edge, { ...OWNER, email: `admin-${key}@example.net` }, "admin");
    const asKey = { name: "Shared", scopes: ["manage"] };
    const create = (by: Browser) => by.fetch("/api/api-keys", json("POST", asKey, headers));
    const first = (await (await create(owner)).json()) as CreatedApiKey;
    const second = await create(admin);
    expect([second.status, second.headers.has("Idempotency-Replayed")]).toEqual([201, false]);
    expect(((await second.json()) as CreatedApiKey).id).not.toBe(first.id);

    const project = json("POST", { name: "Once each" }, headers);
    const bearer = { headers: { ...headers, Authorization: `Bearer ${first.key}` } };
    const made = await Promise.all([
      owner.fetch("/api/projects", project),
      edge.fetch("/api/projects", project),
      edge.anonymously("/api/projects", { ...project, headers: { ...project.headers, ...bearer.headers } }),
    ]);
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
    const ids = await Promise.all(made.map(async (one) => ((await one.json()) as { id: string }).id));
    expect(new Set(ids).size).toBe(3);
    const rows = await edge.db.select().from(idempotencyKeys).where(inArray(idempotencyKeys.creationId, ids));
    expect(rows.map(({ userId }) => userId).sort()).toEqual([ada.id, null, null].sort());
  });

  test("a company and an invitation of a signed-in person", async () => {
    edge.clock = Date.now();
    const owner = await Browser.signedIn(edge, OWNER);
    const invited = `${key}@example.net`;
    const posts: [path: string, body: object][] = [
      ["/api/me/companies", { name: `Once ${key}` }],
      ["/api/auth/organization/invite-member", { email: invited, role: "viewer" }],
    ];
    for (const [path, body] of posts) {
      const headers = { "Idempotency-Key": key };
      const send = (other = body) => owner.fetch(path, json("POST", other, headers));
      const first = await send();
      expect(first.ok).toBe(true);
      const text = await first.text();
      const again = await send();
      if (path.endsWith("invite-member")) {
        const { id, token } = JSON.parse(text) as CreatedInvitation;
        const { code, detail } = await refusal(again);
        expect([code, detail.includes(id)]).toEqual(["secret_shown_once", true]);
        expect(await storedAnswers()).not.toContain(token);
      } else {
        expect(again.headers.get("Idempotency-Replayed")).toBe("true");
        expect(await again.text()).toBe(text);
      }
      const other = await send({ ...body, name: "Another", email: "another@example.net" });
      expect((await refusal(other)).code).toBe("idempotency_key_reused");
      // A retry, as if the first response had never been stored.
      await edge.db.update(idempotencyKeys).set({ answer: null, leaseExpiresAt: edge.clock - 1 });
      expect((await send()).ok).toBe(true);
    }
    expect(
      await edge.db
        .select()
        .from(companies)
        .where(eq(companies.name, `Once ${key}`)),
    ).toHaveLength(1);
    const open = and(eq(invitations.email, invited), eq(invitations.status, "pending"));
    expect(await edge.db.select().from(invitations).where(open)).toHaveLength(1);
  });

  test("a person's key belongs to them alone, and a rejected caller leaves nothing behind", async () => {
    edge.clock = Date.now();
    const headers = { "Idempotency-Key": key };
    const found = json("POST", { name: `Mine ${key}` }, headers);
    expect((await refusal(await edge.anonymously("/api/me/companies", found))).code).toBe("unauthenticated");
    const invite = json("POST", { email: "x@example.net", role: "viewer" }, headers);
    const nobody = await edge.anonymously("/api/auth/organization/invite-member", invite);
    expect((await refusal(nobody)).code).toBe("unauthenticated");
    const owner = await Browser.signedIn(edge, OWNER);
    const [ada] = await edge.db.select().from(users).where(eq(users.email, OWNER.email));
    const path = "POST /api/me/companies";
    const request = { route: path, key, now: edge.clock };
    const ofMember = { userId: ada.id, companyId: FIRST_COMPANY_ID };
    expect((await claim(edge.db, { owner: ofMember, ...request })).kind).toBe("leased");
    expect((await owner.fetch("/api/me/companies", found)).status).toBe(201);
    expect((await claim(edge.db, { owner: { userId: ada.id }, ...request })).kind).toBe("answered");
  });

  test("another caller's key is a different key, even in the same company", async () => {
    const other = await claim(edge.db, {
      owner: { companyId: FIRST_COMPANY_ID, apiKeyId: "another" },
      route: "POST /x",
      key,
      now: edge.clock,
    });
    expect(other.kind).toBe("leased");
    const photo = { image: jpeg(300, 300) };
    expect((await submit(photo)).status).toBe(201);
  });
});
