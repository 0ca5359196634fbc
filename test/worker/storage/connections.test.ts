import { env } from "cloudflare:workers";
import { eq, is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditPage } from "../../../worker/audit/schemas.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import * as tables from "../../../worker/db/tables.ts";
import { companies, orphanedFiles, storageConnections, videoUploads } from "../../../worker/db/tables.ts";
import type { Problem } from "../../../worker/errors.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { resealSettings } from "../../../worker/storage/connections.ts";
import {
  type MultipartUploads,
  StorageError,
  type StorageProvider,
} from "../../../worker/storage/provider.ts";
import type {
  StorageConnection,
  StorageConnectionReport,
  StorageConnectionUsage,
  TrialUpload,
} from "../../../worker/storage/schemas.ts";
import { Vault } from "../../../worker/storage/secrets.ts";
import { sweep } from "../../../worker/sweep.ts";
import { but, Edge, json, refusal, SECRET, s3 } from "../edge.ts";
import { png, video } from "../fixtures.ts";

const API = "/api/storage-connections";

let edge: Edge;

beforeEach(async () => {
  edge = new Edge();
  await edge.switchTo("platform");
});

const refused = async (path: string, init: RequestInit) => refusal(await edge.fetch(path, init));
const list = async () => (await edge.json<{ items: StorageConnection[] }>(API)).items;

it("records in the activity log that browser uploads were allowed, once", async () => {
  const allowed: string[] = [];
  const allowUploadsFrom = async (origin: string) => {
    if (allowed.includes(origin)) return false;
    allowed.push(origin);
    return true;
  };
  edge.backends.set("third", but(edge.backends.get("third") as StorageProvider, { allowUploadsFrom }));
  const { id, name } = await edge.connection("third");
  for (let time = 0; time < 2; time++) {
    expect((await edge.fetch(`${API}/${id}/cors`, { method: "POST" })).status).toBe(204);
  }
  const { items } = await edge.json<AuditPage>("/api/audit-log?action=connection.uploads_allowed");
  expect(items.filter(({ object }) => object.id === id)).toMatchObject([
    { object: { id, name }, detail: { origin: allowed[0] } },
  ]);
});

it("gives an address for one trial upload, which leaves nothing behind", async () => {
  const third = edge.backends.get("third") as StorageProvider;
  const aborted: string[] = [];
  const signing: Partial<MultipartUploads> = {
    start: async () => "upload-1",
    presign: async ({ key, uploadId }, seconds, length) =>
      `https://s3.example.net/${key}?uploadId=${uploadId}&seconds=${seconds}&length=${length}`,
    abort: async (_, uploadId) => void aborted.push(uploadId),
  };
  edge.backends.set(
    "third",
    but(third, { multipart: signing as MultipartUploads, allowUploadsFrom: async () => false }),
  );
  const { id } = await edge.connection("third");
  const trial = await edge.json<TrialUpload>(`${API}/${id}/trial-upload`, { method: "POST" });
  expect(trial).toEqual({ url: expect.stringMatching(/uploadId=upload-1&seconds=60&length=64$/), bytes: 64 });
  await sweep(edge.bindings, edge.clock);
  expect(aborted).toEqual([]);
  edge.pass(120);
  await sweep(edge.bindings, edge.clock);
  expect(aborted).toEqual(["upload-1"]);
  expect((await edge.fetch(`${API}/${id}`, { method: "DELETE" })).status).toBe(204);
  edge.backends.set("third", third);
  const unsigned = await edge.fetch(`${API}/platform/trial-upload`, { method: "POST" });
  expect((await refusal(unsigned)).code).toBe("not_signed");
});

describe("a storage connection", () => {
  it("is saved, listed after the platform's own bucket, read, renamed and deleted", async () => {
    const response = await edge.fetch(API, json("POST", s3("second")));
    expect(response.status).toBe(201);
    const created = (await response.json()) as StorageConnection;
    expect(response.headers.get("location")).toBe(`${API}/${created.id}`);
    expect(created).toMatchObject({
      name: "Bucket second",
      provider: "s3",
      built_in: false,
      is_current: false,
      settings: { endpoint: "https://s3.example.net", bucket: "second", prefix: "", style: "path" },
      settings_error: null,
      secrets: ["secret_access_key"],
      files: { count: 0, bytes: 0 },
      companies: [],
      usage: null,
    });
    const items = await list();
    expect(items[0]).toMatchObject({ id: "platform", provider: "r2", built_in: true, is_current: true });
    expect(items.find(({ id }) => id === created.id)).toEqual(created);

    const path = `${API}/${created.id}`;
    expect(await edge.json(path)).toEqual(created);
    const renamed = await edge.json(path, json("PATCH", { name: " The second\none " }));
    expect(renamed).toMatchObject({ name: "The second one", settings: created.settings });
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    expect((await refused(path, {})).code).toBe("not_found");
    expect((await refused(path, { method: "DELETE" })).code).toBe("not_found");
  });

  it("does not reveal a secret in responses, in the database, in errors or in the log", async () => {
    const log = ["log", "warn", "error", "info"] as const;
    const spies = log.map((level) => vi.spyOn(console, level).mockImplementation(() => {}));
    const { id } = await edge.connection("second");
    const path = `${API}/${id}`;
    const broken = {
      ...s3("second"),
      settings: { ...s3("second").settings, bucket: "_", secretAccessKey: SECRET },
    };
    const spaced = { ...s3("second").settings, secret_access_key: `${SECRET} ${SECRET}` };
    const answers = [
      await edge.fetch(path),
      await edge.fetch(API),
      await edge.fetch(path, json("PATCH", { settings: { secret_access_key: SECRET } })),
      await edge.fetch(path, json("PATCH", { settings: { secret_key: SECRET } })),
      await edge.fetch(path, json("PATCH", { settings: [SECRET] })),
      await edge.fetch(API, json("POST", broken)),
      await edge.fetch(API, json("POST", { ...s3("second"), settings: spaced })),
      await edge.fetch(API, json("POST", { ...s3("second"), provider: SECRET.slice(0, 2) })),
      await edge.fetch(API, { ...json("POST", 1), body: `{"secret_access_key": "${SECRET}"` }),
      await edge.fetch(`${API}/test`, json("POST", { provider: "s3", settings: s3("missing").settings })),
      await edge.fetch(`${path}/test`, { method: "POST" }),
    ];
    for (const answer of answers) expect(await answer.text()).not.toContain(SECRET);
    const rows = await edge.db.select().from(storageConnections).where(eq(storageConnections.id, id));
    expect(JSON.stringify(rows)).not.toContain(SECRET);
    for (const spy of spies) {
      expect(JSON.stringify(spy.mock.calls)).not.toContain(SECRET);
      spy.mockRestore();
    }
  });

  it("keeps the secrets that a change leaves out", async () => {
    const { id } = await edge.connection("second");
    const seen = vi.spyOn(edge, "connect");
    await edge.json(`${API}/${id}`, json("PATCH", { settings: { region: "eu-2" } }));
    expect(seen.mock.lastCall?.[0].settings).toMatchObject({ region: "eu-2", secret_access_key: SECRET });
    await edge.json(`${API}/${id}`, json("PATCH", { settings: { secret_access_key: "another" } }));
    expect(seen.mock.lastCall?.[0].settings).toMatchObject({ region: "eu-2", secret_access_key: "another" });
  });

  it("forgets the session token of a former access key, and tells none", async () => {
    const body = s3("second");
    const settings = { ...body.settings, session_token: "a-temporary-token", storage_class: "STANDARD_IA" };
    const saved = await edge.json<StorageConnection>(API, json("POST", { ...body, settings }));
    expect(saved).toMatchObject({ secrets: ["secret_access_key", "session_token"] });
    expect(JSON.stringify(saved)).not.toContain("a-temporary-token");
    const key = { access_key_id: "AKIAANOTHER", secret_access_key: SECRET };
    const changed = await edge.json(`${API}/${saved.id}`, json("PATCH", { settings: key }));
    expect(changed).toMatchObject({
      secrets: ["secret_access_key"],
      settings: { storage_class: "STANDARD_IA" },
    });
  });

  it.each([
    [
      "a KMS key without KMS",
      { encryption: "AES256", encryption_key_id: "key" },
      "settings.encryption_key_id",
    ],
    ["a storage class with a space", { storage_class: "A B" }, "settings.storage_class"],
    ["an endpoint without a scheme", { endpoint: "s3.example.net" }, "settings.endpoint"],
    ["an address with a query", { endpoint: "https://s3.example.net/?a=b" }, "settings.endpoint"],
    ["an address that is cut off", { endpoint: "https://[2001:db8::1" }, "settings.endpoint"],
    ["an address with an impossible port", { endpoint: "https://s3.example.net:99999" }, "settings.endpoint"],
    ["no endpoint", { endpoint: undefined }, "settings.endpoint"],
    ["an invalid bucket name", { bucket: "a b" }, "settings.bucket"],
    ["a region of two lines", { region: "a\nb" }, "settings.region"],
    ["a prefix that climbs", { prefix: "a/../b" }, "settings.prefix"],
    ["an empty key", { access_key_id: " " }, "settings.access_key_id"],
    ["a secret with a space", { secret_access_key: "a b" }, "settings.secret_access_key"],
    ["another style", { style: "virtual" }, "settings.style"],
    ["a bucket name that is not a host name", { bucket: "a.b.c", style: "host" }, "settings.style"],
    ["a number for a host", { endpoint: "https://8.8.8.8", style: "host" }, "settings.style"],
  ])("with %s is refused, naming the field and why", async (_name, wrong, field) => {
    const body = s3("second");
    const settings = { ...body.settings, ...wrong };
    const { code, detail } = await refused(API, json("POST", { ...body, settings }));
    expect(code).toBe("invalid_input");
    expect(detail).toContain(`Field "${field}"`);
    expect(detail).toMatch(/expected|Invalid/);
  });

  it("may have a bucket with the name of the endpoint's first label", async () => {
    const body = s3("second");
    const settings = { ...body.settings, endpoint: "https://second.example.net" };
    const saved = await edge.json<StorageConnection>(API, json("POST", { ...body, settings }));
    expect(saved.settings).toMatchObject({ endpoint: "https://second.example.net", bucket: "second" });
  });

  it("may not lead to the edge's own network", async () => {
    const strict = edge.storagesWith(edge.storage, { allowPrivate: false });
    for (const endpoint of ["https://127.0.0.1", "http://s3.example.net", "https://metadata.internal"]) {
      const body = { ...s3("second"), settings: { ...s3("second").settings, endpoint } };
      const problem = await refusal(await edge.fetch(API, json("POST", body), { storages: strict }));
      expect([problem.status, problem.code]).toEqual([422, "invalid_storage_settings"]);
      expect(problem.detail).toContain("This address cannot be used");
      const trial = json("POST", { provider: "s3", settings: body.settings });
      const report = await (await edge.fetch(`${API}/test`, trial, { storages: strict })).json();
      expect(report).toMatchObject({ ok: false, steps: [{ step: "write", error: { field: "endpoint" } }] });
    }
  });

  it("cannot be saved without a key to encrypt with", async () => {
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const storages = edge.storagesWith(edge.storage, { vault: new Vault("") });
    const problem = await refusal(await edge.fetch(API, json("POST", s3("second")), { storages }));
    expect([problem.status, problem.code]).toEqual([503, "secrets_unavailable"]);
  });

  it("is shown without settings when their key is missing", async () => {
    const { id } = await edge.connection("second");
    const storages = edge.storagesWith(edge.storage, { vault: new Vault("") });
    const response = await edge.fetch(`${API}/${id}`, {}, { storages });
    expect(await response.json()).toMatchObject({
      settings: null,
      secrets: [],
      settings_error: /no key "test"/,
    });
  });

  it("is not visible to another company", async () => {
    const { id } = await edge.connection("second");
    const times = { createdAt: edge.clock, updatedAt: edge.clock };
    const [other] = await edge.db
      .insert(companies)
      .values({ id: crypto.randomUUID(), name: "O", slug: crypto.randomUUID(), storagePath: "o", ...times })
      .returning();
    await edge.db
      .update(storageConnections)
      .set({ companyId: other.id })
      .where(eq(storageConnections.id, id));
    const path = `${API}/${id}`;
    const everything: [string, RequestInit][] = [
      [path, {}],
      [path, json("PATCH", { name: "Mine" })],
      [path, { method: "DELETE" }],
      [`${path}/test`, { method: "POST" }],
      [`${path}/usage`, {}],
      [`${API}/test`, json("POST", { provider: "s3", settings: {}, connection_id: id })],
      ["/api/company/storage", json("PUT", { connection_id: id })],
    ];
    for (const [path, init] of everything) expect((await refused(path, init)).code).toBe("not_found");
    expect((await list()).map((connection) => connection.id)).not.toContain(id);
  });
});

/** Returns the size of a photo's QR code, which is stored as the API draws it. */
async function qrCodeBytes({ qr_url }: ArContent): Promise<number> {
  return (await (await edge.fetch(qr_url)).arrayBuffer()).byteLength;
}

describe("a test of a connection", () => {
  it("writes, reads, lists and deletes files, one of them in two parts, and leaves none", async () => {
    const { id } = await edge.connection("second");
    const report = await edge.json<StorageConnectionReport>(`${API}/${id}/test`, { method: "POST" });
    expect(report.ok).toBe(true);
    expect(report.steps.map(({ step, ok }) => [step, ok])).toEqual([
      ["write", true],
      ["read", true],
      ["list", true],
      ["parts", true],
      ["delete", true],
    ]);
    expect((await edge.backends.get("second")?.usage(""))?.objects).toBe(0);
    const tested = await edge.json<StorageConnection>(`${API}/${id}`);
    expect(tested).toMatchObject({ last_test_at: new Date(edge.clock).toISOString(), last_test_error: null });
  });

  it("names and saves the step that failed, and still deletes the file", async () => {
    const second = edge.backends.get("second");
    const list = () => Promise.reject(new StorageError("denied", "Listing is not allowed."));
    edge.backends.set("deaf", but(second, { list }));
    const { id } = await edge.connection("deaf");
    const report = await edge.json<StorageConnectionReport>(`${API}/${id}/test`, { method: "POST" });
    expect(report.ok).toBe(false);
    expect(report.steps).toMatchObject([
      { step: "write", ok: true },
      { step: "read", ok: true },
      { step: "list", ok: false, error: { code: "denied", message: "Listing is not allowed." } },
      { step: "parts", ok: true },
      { step: "delete", ok: true },
    ]);
    expect((await second?.usage(""))?.objects).toBe(0);
    const tested = await edge.json<StorageConnection>(`${API}/${id}`);
    expect(tested.last_test_error).toContain('failed at "list". Listing is not allowed.');
  });

  it("notices that several files cannot be deleted at once", async () => {
    const second = edge.backends.get("second");
    const remove = async (keys: string | readonly string[]) => second?.delete([keys].flat().slice(0, 1));
    edge.backends.set("lazy", but(second, { delete: remove }));
    const { id } = await edge.connection("lazy");
    const report = await edge.json<StorageConnectionReport>(`${API}/${id}/test`, { method: "POST" });
    expect(report.steps.at(-1)).toMatchObject({ step: "delete", ok: false, error: { code: "mismatch" } });
    for (const { key } of (await second?.list("", { recursive: true }))?.objects ?? []) {
      await second?.delete(key);
    }
  });

  it("notices that a storage does not join parts, and leaves no upload", async () => {
    const second = edge.backends.get("second") as StorageProvider;
    const { multipart } = second;
    if (!multipart) throw new Error("This backend has no multipart uploads.");
    const aborted: string[] = [];
    const refusing = Object.assign(Object.create(multipart), {
      start: multipart.start.bind(multipart),
      put: multipart.put.bind(multipart),
      complete: () => Promise.reject(new StorageError("denied", "Parts are not allowed.")),
      abort: async (key: string, uploadId: string) => {
        aborted.push(uploadId);
        await multipart.abort(key, uploadId);
      },
    });
    edge.backends.set("whole", but(second, { multipart: refusing }));
    const { id } = await edge.connection("whole");
    const report = await edge.json<StorageConnectionReport>(`${API}/${id}/test`, { method: "POST" });
    expect(report.steps.slice(-2)).toMatchObject([
      { step: "parts", ok: false, error: { code: "denied" } },
      { step: "delete", ok: true },
    ]);
    expect(aborted).toHaveLength(1);
  });

  it("accepts settings that are not saved, with the secrets of a saved connection", async () => {
    const before = (await list()).length;
    const settings = s3("second").settings;
    const trial = (body: object) =>
      edge.json<StorageConnectionReport>(`${API}/test`, json("POST", { provider: "s3", ...body }));
    expect((await trial({ settings })).ok).toBe(true);
    const { id } = await edge.connection("third");
    expect((await trial({ settings: { bucket: "second" }, connection_id: id })).ok).toBe(true);
    const missing = await trial({ settings: { ...settings, bucket: "missing" } });
    expect(missing.steps).toMatchObject([
      { step: "write", ok: false, error: { code: "invalid_config", field: "bucket" } },
    ]);
    const incomplete = json("POST", { provider: "s3", settings: { bucket: "second" } });
    expect((await refused(`${API}/test`, incomplete)).detail).toContain('Field "endpoint" of the settings');
    expect((await list()).length).toBe(before + 1);
  });
});

describe("the connection of a company", () => {
  it("receives new files, while old ones stay and are served from their storage", async () => {
    const before = await edge.submit();
    const { id } = await edge.connection("second");
    await edge.switchTo(id);
    expect(await edge.json("/api/company/storage")).toEqual({ connection_id: id });
    const photo = png();
    const after = await edge.submit({ image: photo });
    await edge.fetch(`/api/ar-content/${after.content.id}/video`, {
      method: "PUT",
      body: video("mp4"),
      headers: { "Content-Length": "5000" },
    });
    const there = (await edge.backends.get("second")?.list("", { recursive: true }))?.objects ?? [];
    expect(there.filter(({ key }) => key.includes(after.content.unique_id))).toHaveLength(3);
    expect(await edge.files(after.content)).toEqual([]);
    expect(await edge.files(before.content)).toHaveLength(1);

    const served = await edge.fetch(after.content.image_url);
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(photo);
    const range = await edge.fetch(`/media/${after.content.unique_id}/video`, {
      headers: { Range: "bytes=0-9" },
    });
    expect([range.status, range.headers.get("content-range")]).toEqual([206, "bytes 0-9/5000"]);
    expect((await edge.fetch(before.content.image_url)).status).toBe(200);

    const current = await edge.json<StorageConnection>(`${API}/${id}`);
    expect(current).toMatchObject({
      is_current: true,
      files: { count: 3, bytes: photo.length + 5000 + (await qrCodeBytes(after.content)) },
      companies: [{ name: "First company" }],
    });
    await edge.fetch(`/api/ar-content/${after.content.id}?keep_files=false`, { method: "DELETE" });
    const left = (await edge.backends.get("second")?.list("", { recursive: true }))?.objects ?? [];
    expect(left.filter(({ key }) => key.includes(after.content.unique_id))).toEqual([]);
  });

  it("does not change to one that fails its test", async () => {
    const upload = () => Promise.reject(new StorageError("quota_exceeded", "It is full."));
    edge.backends.set("full", but(edge.backends.get("second"), { upload }));
    const { id } = await edge.connection("full");
    const problem = await refused("/api/company/storage", json("PUT", { connection_id: id }));
    expect([problem.status, problem.code]).toEqual([422, "storage_test_failed"]);
    expect(problem.detail).toBe(
      'The storage was not switched. The connection test failed at "write". It is full.',
    );
    expect(await edge.json("/api/company/storage")).toEqual({ connection_id: "platform" });
  });

  it("reports the storage's own message when that refuses a photo, and keeps nothing of the photo", async () => {
    const { id } = await edge.connection("second");
    await edge.switchTo(id);
    const words = { providerMessage: "AccessDenied" };
    const upload = () => Promise.reject(new StorageError("denied", "May not write.", words));
    edge.backends.set("second", but(edge.backends.get("second"), { upload }));
    edge.pass(60);
    await expect(edge.submit()).rejects.toThrow(/502 .*May not write. The storage says: AccessDenied/);
  });

  it("cannot be deleted while it is current or holds files, with the reason", async () => {
    const { id } = await edge.connection("second");
    const path = `${API}/${id}`;
    await edge.switchTo(id);
    const { content } = await edge.submit();
    const both = await refused(path, { method: "DELETE" });
    expect([both.status, both.code]).toEqual([409, "storage_in_use"]);
    expect(both.detail).toBe(
      "This connection cannot be deleted: your new files go to it; it holds 2 of your files.",
    );
    await edge.switchTo("platform");
    const one = await refused(path, { method: "DELETE" });
    expect(one.detail).toBe("This connection cannot be deleted: it holds 2 of your files.");
    await edge.fetch(`/api/ar-content/${content.id}?keep_files=false`, { method: "DELETE" });
    expect((await edge.fetch(path, { method: "DELETE" })).status).toBe(204);
    for (const init of [json("PATCH", { name: "Mine" }), { method: "DELETE" }]) {
      expect((await refused(`${API}/platform`, init)).code).toBe("storage_in_use");
    }
  });

  it("cannot be deleted while any file is in it or on its way to it, with the reason", async () => {
    const { id } = await edge.connection("second");
    const { content } = await edge.submit();
    const references = Object.values(tables)
      .filter((table) => is(table, SQLiteTable))
      .flatMap((table) => getTableConfig(table).foreignKeys)
      .filter(({ onDelete, reference }) => {
        const { foreignTable } = reference();
        return foreignTable === storageConnections && (onDelete ?? "no action") === "no action";
      })
      .map((key) => ({ table: getTableConfig(key.table).name, column: key.reference().columns[0].name }));
    const other = { companyId: FIRST_COMPANY_ID, contentId: content.id, path: "a", createdAt: 0 };
    const file = { ...other, storageId: id, dueAt: Number.MAX_SAFE_INTEGER };
    const rows: Record<string, () => Promise<unknown>> = {
      video_uploads: () =>
        edge.db.insert(videoUploads).values({
          ...other,
          id: "upload",
          storageId: id,
          uploadId: "u",
          type: "video/mp4",
          bytes: 1,
          partBytes: 1,
          expiresAt: Number.MAX_SAFE_INTEGER,
        }),
      orphaned_files: () => edge.db.insert(orphanedFiles).values({ ...file, id: "orphan", isReserved: true }),
    };
    const reasons: Record<string, string> = {
      ar_content: "it holds 1 of your files",
      video_uploads: "1 upload to it is not finished",
      orphaned_files: "1 upload to it is not finished",
    };
    expect(references).toContainEqual({ table: "ar_content", column: "qr_code_storage_id" });
    const path = (column: string) => column.replace("storage_id", "path");
    for (const { table, column } of references) {
      const set = (value: string | null) =>
        env.DB.prepare(
          `UPDATE ar_content SET ${column} = ?1, ${path(column)} = coalesce(${path(column)}, 'p') WHERE id = ?2`,
        )
          .bind(value, content.id)
          .run();
      await (rows[table]?.() ?? set(id));
      const problem = await refused(`${API}/${id}`, { method: "DELETE" });
      expect([table, column, problem.status, problem.code]).toEqual([table, column, 409, "storage_in_use"]);
      expect(problem.detail).toBe(`This connection cannot be deleted: ${reasons[table]}.`);
      if (table === "ar_content") await set(null);
      else await env.DB.prepare(`DELETE FROM ${table}`).run();
    }
    await edge.db
      .insert(orphanedFiles)
      .values({ ...file, id: "orphan", dueAt: edge.clock, isReserved: false });
    expect((await refused(`${API}/${id}`, { method: "DELETE" })).detail).toBe(
      "This connection cannot be deleted: 1 deleted file in it is still to be removed.",
    );
    await edge.db.delete(orphanedFiles);
    expect((await edge.fetch(`${API}/${id}`, { method: "DELETE" })).status).toBe(204);
    await edge.fetch(`/api/ar-content/${content.id}?keep_files=false`, { method: "DELETE" });
  });

  it("cannot be deleted while a row refers to it that this platform does not know, and says so", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { id } = await edge.connection("second");
    await env.DB.prepare("CREATE TABLE plugins (id TEXT REFERENCES storage_connections(id))").run();
    await env.DB.prepare("INSERT INTO plugins VALUES (?1)").bind(id).run();
    const problem = await refused(`${API}/${id}`, { method: "DELETE" });
    expect([problem.status, problem.code]).toEqual([409, "conflict"]);
    expect(problem.detail).toMatch(/began to use what it deletes/);
    await env.DB.prepare("DROP TABLE plugins").run();
    expect((await edge.fetch(`${API}/${id}`, { method: "DELETE" })).status).toBe(204);
  });

  it("cannot be pointed elsewhere while its first file is being stored", async () => {
    const { content } = await edge.submit();
    const { id } = await edge.connection("second");
    await edge.switchTo(id);
    const second = edge.backends.get("second");
    let change: Promise<Problem> | undefined;
    edge.backends.set(
      "second",
      but(second, {
        async upload(key, body, options) {
          change ??= refused(`${API}/${id}`, json("PATCH", { settings: { bucket: "third" } }));
          await change;
          return second?.upload(key, body, options);
        },
      }),
    );
    // Let the storage that the test of the connection opened expire.
    edge.pass(60);
    const body = video("mp4", 500);
    const put = { method: "PUT", body, headers: { "Content-Length": "500" } };
    expect((await edge.fetch(`/api/ar-content/${content.id}/video`, put)).status).toBe(200);
    expect(await change).toMatchObject({ status: 409, code: "storage_conflict" });
    expect((await edge.fetch(`/media/${content.unique_id}/video`)).status).toBe(200);
    await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" });
  });

  it("cannot be pointed to a storage without its files, but can get new keys", async () => {
    const { id } = await edge.connection("second");
    const path = `${API}/${id}`;
    expect(await edge.json(path, json("PATCH", { settings: { bucket: "third" } }))).toBeTruthy();
    await edge.json(path, json("PATCH", { settings: { bucket: "second" } }));
    await edge.switchTo(id);
    await edge.submit();
    const elsewhere = await refused(path, json("PATCH", { settings: { bucket: "third" } }));
    expect([elsewhere.status, elsewhere.code]).toEqual([409, "storage_in_use"]);
    expect(elsewhere.detail).toMatch(/lead to a different storage/);
    const changed = await edge.json(path, json("PATCH", { settings: { secret_access_key: "rotated" } }));
    expect(changed).toMatchObject({ settings: { bucket: "second" } });
  });
});

describe("the usage of a connection", () => {
  it("is measured, cached for a while, and measured again on demand", async () => {
    const { id } = await edge.connection("third");
    await edge.switchTo(id);
    const photo = png();
    const { content } = await edge.submit({ image: photo });
    const path = `${API}/${id}/usage`;
    const ask = (query = "") => edge.json<StorageConnectionUsage>(path + query);
    const bytes = photo.length + (await qrCodeBytes(content));
    const files = { count: 2, bytes };
    const usage = { objects: 2, bytes, quota: null, age_seconds: 0 };
    expect(await ask()).toMatchObject({ files, usage });
    await edge.submit();
    edge.pass(100);
    expect(await ask()).toMatchObject({ files: { count: 4 }, usage: { objects: 2, age_seconds: 100 } });
    expect(await ask("?refresh=true")).toMatchObject({ usage: { objects: 4, age_seconds: 0 } });
    edge.pass(15 * 60);
    const quota = async () => ({ usedBytes: 70, totalBytes: 100 });
    edge.backends.set("third", but(edge.backends.get("third"), { quota }));
    expect(await ask()).toMatchObject({
      usage: { quota: { used_bytes: 70, total_bytes: 100 }, age_seconds: 0 },
    });
    expect(await edge.json(`${API}/${id}`)).toMatchObject({ usage: { objects: 4 } });
  });

  it("is available for the platform's own bucket too", async () => {
    await edge.submit();
    const { files, deleted_files, usage } = await edge.json<StorageConnectionUsage>(
      `${API}/platform/usage?refresh=true`,
    );
    expect(usage.objects).toBe(files.count + deleted_files.count);
    expect((await list())[0].usage).toMatchObject({ objects: usage.objects });
  });
});

describe("rotated keys", () => {
  it("encrypt again what old keys encrypted, and the settings stay the same", async () => {
    const { id } = await edge.connection("second");
    const keys = `new:${btoa("f".repeat(32))},test:${btoa("0123456789abcdef0123456789abcdef")}`;
    const rotated = edge.storagesWith(edge.storage, { vault: new Vault(keys) });
    await resealSettings(edge.db, rotated, 100);
    const [row] = await edge.db.select().from(storageConnections).where(eq(storageConnections.id, id));
    expect(row.keyId).toBe("new");
    expect((await rotated.settingsOf(row)).settings).toMatchObject({ secret_access_key: SECRET });
    const retired = edge.storagesWith(edge.storage, { vault: new Vault(keys.split(",")[0]) });
    expect((await retired.settingsOf(row)).settings).toMatchObject({ secret_access_key: SECRET });
    // The other tests' rows, too, are opened with the old key again.
    await resealSettings(
      edge.db,
      edge.storagesWith(edge.storage, { vault: new Vault(keys.split(",").reverse().join()) }),
      100,
    );
  });
});

describe("presets", () => {
  it("have settings of their providers", async () => {
    const { items } = await edge.json<{ items: { id: string; settings: object }[] }>(`${API}/presets`);
    expect(items.map(({ id }) => id)).toEqual([
      "minio",
      "yandex_object_storage",
      "cloudflare_r2",
      "aws_s3",
      "yandex_disk",
    ]);
    const [, yandex] = items;
    const { endpoint, region } = s3("second").settings;
    expect({ endpoint, region, ...yandex.settings }).toMatchObject({ region: "ru-central1", style: "path" });
    const body = { ...s3("second"), settings: { ...s3("second").settings, ...yandex.settings } };
    expect((await edge.fetch(API, json("POST", body))).status).toBe(201);
  });
});
