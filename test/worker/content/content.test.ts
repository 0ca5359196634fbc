import { eq } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { openStore } from "../../../worker/content/store.ts";
import { submitPhoto } from "../../../worker/content/submission.ts";
import { arContent, companies, compileTasks, projects } from "../../../worker/db/tables.ts";
import type { ArContent, ContentPage, Submission } from "../../../worker/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import { but, Edge, form, json, refusal } from "../edge.ts";
import { mind, png, video } from "../fixtures.ts";

async function upload(edge: Edge, fields: Record<string, string> = {}): Promise<ArContent> {
  edge.pass(1);
  return (await edge.submit(fields)).content;
}

const ids = (page: ContentPage) => page.items.map(({ id }) => id);

/** A second company with a project and one photo. */
async function otherCompany(edge: Edge) {
  const times = { createdAt: edge.clock, updatedAt: edge.clock };
  const companyId = crypto.randomUUID();
  const projectId = crypto.randomUUID();
  const slug = `other-${companyId.slice(0, 8)}`;
  await edge.db
    .insert(companies)
    .values({ id: companyId, name: "Other", slug, storagePath: `companies/${slug}`, ...times });
  await edge.db.insert(projects).values({ id: projectId, companyId, name: "Other project", ...times });
  const store = await openStore(edge.db, companyId);
  const photo = {
    file: png(),
    projectId,
    title: "Secret",
    description: "",
    maxFeatures: null,
    expiresAt: null,
  };
  const services = { ...edge.bindings, origin: "http://edge.test" };
  return {
    projectId,
    store,
    slug,
    ...(await submitPhoto(services, store, { photo: { ...photo, executor: "node" } }, edge.clock)),
  };
}

it("is deleted at once, whatever its storage does", async () => {
  const edge = new Edge();
  const content = await upload(edge);
  const behind: Promise<unknown>[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const storages = edge.storagesWith(
    but(edge.storage, {
      delete: async (keys) => {
        await released;
        await edge.storage.delete(keys);
      },
    }),
  );
  const response = await edge.fetch(
    `/api/ar-content/${content.id}?keep_files=false`,
    { method: "DELETE" },
    { storages, later: (work) => void behind.push(work) },
  );
  expect([response.status, await edge.files(content)]).toEqual([204, [expect.any(String)]]);
  expect((await refusal(await edge.fetch(`/api/ar-content/${content.id}`))).code).toBe("not_found");
  release();
  await Promise.all(behind);
  expect(await edge.files(content)).toEqual([]);
});

describe("the list", () => {
  it("goes newest first from page to page, each item once", async () => {
    const edge = new Edge();
    // Equal times fall back on the id.
    const made = [await edge.submit(), await edge.submit(), await edge.submit()].map(
      ({ content }) => content,
    );
    for (let i = 0; i < 4; i++) made.push(await upload(edge, { title: `Cursor ${i}` }));
    const seen: ArContent[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: ContentPage = await edge.json(`/api/ar-content?limit=3${query}`);
      expect(page.total).toBe(made.length);
      seen.push(...page.items);
      cursor = page.next_cursor;
      pages++;
    } while (cursor !== null);
    expect(pages).toBe(3);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(made.length);
    expect(seen.map(({ created_at }) => created_at)).toEqual(
      [...seen.map(({ created_at }) => created_at)].sort().reverse(),
    );
    // A full last page has no page behind it.
    const exact = await edge.json<ContentPage>(`/api/ar-content?limit=${made.length}`);
    expect(exact.next_cursor).toBeNull();
  });

  it("finds parts of title and description in any case and script, and treats % and _ literally", async () => {
    const edge = new Edge();
    const anna = await upload(edge, { title: "АННА в саду", description: "100% wool_sweater" });
    await upload(edge, { title: "Boris", description: "1000 woolxsweaters" });
    const find = async (q: string) => ids(await edge.json(`/api/ar-content?q=${encodeURIComponent(q)}`));
    expect(await find("анна В")).toEqual([anna.id]);
    expect(await find("100%")).toEqual([anna.id]);
    expect(await find("wool_")).toEqual([anna.id]);
    expect(await find("nobody'; DROP TABLE ar_content --")).toEqual([]);
    // Longer than the patterns that D1 takes.
    expect(await find("в саду ".repeat(25).trim())).toEqual([]);
  });

  it("filters by status and project", async () => {
    const edge = new Edge();
    const waiting = await upload(edge, { title: "filter a" });
    const leased = await upload(edge, { title: "filter b", compile: "browser" });
    const list = async (query: string) => ids(await edge.json(`/api/ar-content?q=filter&${query}`));
    expect(await list("status=pending")).toEqual([waiting.id]);
    expect(await list("status=processing")).toEqual([leased.id]);
    expect(await list(`project_id=${waiting.project_id}`)).toEqual([leased.id, waiting.id]);
    expect(await list("project_id=another")).toEqual([]);
  });

  it.each([
    ["limit=0", /"limit" of the query.*received "0"/],
    ["limit=101", /"limit" of the query/],
    ["limit=ten", /"limit" of the query.*received "ten"/],
    ["status=done", /"status" of the query.*received "done"/],
    ["cursor=xyz", /next_cursor/],
  ])("refuses %s", async (query, sentence) => {
    const problem = await refusal(await new Edge().fetch(`/api/ar-content?${query}`));
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
    expect(problem.detail).toMatch(sentence);
  });
});

describe("a change", () => {
  it("sets the given fields, and the new text is searchable", async () => {
    const edge = new Edge();
    const { id } = await upload(edge, { title: "Before", description: "kept words" });
    edge.pass(5);
    const request = json("PATCH", { title: "  After <b>&</b> ", is_active: false });
    const changed = await edge.json<ArContent>(`/api/ar-content/${id}`, request);
    expect(changed).toMatchObject({
      title: "After <b>&</b>",
      description: "kept words",
      is_active: false,
      updated_at: new Date(edge.clock).toISOString(),
    });
    const find = async (q: string) => ids(await edge.json(`/api/ar-content?q=${q}`));
    expect(await find("before")).toEqual([]);
    expect(await find("after")).toEqual([id]);
    expect(await find("kept")).toEqual([id]);
  });

  it.each([
    [{ title: "" }, /"title"/],
    [{ title: "x".repeat(201) }, /"title"/],
    [{ description: "x".repeat(2001) }, /"description"/],
    [{ is_active: "no" }, /"is_active".*received "no"/],
    [{ project_id: "elsewhere" }, /"project_id"/],
    [{ marker_status: "ready" }, /marker_status/],
  ])("is refused as %o", async (body, sentence) => {
    const edge = new Edge();
    const { id } = await upload(edge);
    const problem = await refusal(await edge.fetch(`/api/ar-content/${id}`, json("PATCH", body)));
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
    expect(problem.detail).toMatch(sentence);
  });
});

describe("a text with unusual characters", () => {
  const patch = (edge: Edge, id: string, change: object) =>
    edge.json<ArContent>(`/api/ar-content/${id}`, json("PATCH", change));

  it("is stored well-formed and can be changed again", async () => {
    const edge = new Edge();
    const { id } = await upload(edge, { title: "x" });
    expect((await patch(edge, id, { title: "\ud800x", description: "a\udc00b" })).title).toBe("\ufffdx");
    expect(await patch(edge, id, { title: "y" })).toMatchObject({ title: "y", description: "a\ufffdb" });
    expect(ids(await edge.json("/api/ar-content?q=%EF%BF%BDb"))).toEqual([id]);
  });

  it("is changed even if its row was written by another program", async () => {
    const edge = new Edge();
    const { id } = await upload(edge, { title: "x" });
    await edge.db
      .update(arContent)
      .set({ searchText: "\ud800x", title: "\ud800x" })
      .where(eq(arContent.id, id));
    expect((await patch(edge, id, { title: "mended" })).title).toBe("mended");
  });

  it("is cut between characters when it comes from a file name", async () => {
    const edge = new Edge();
    const data = new FormData();
    data.set("image", new Blob([png()]), `${"a".repeat(199)}😀 and on.png`);
    const { content } = await edge.json<{ content: ArContent }>("/api/ar-content", {
      method: "POST",
      body: data,
    });
    expect(content.title).toBe("a".repeat(199));
    expect((await patch(edge, content.id, { title: "b" })).title).toBe("b");
  });

  it("loses control characters and direction overrides", async () => {
    const edge = new Edge();
    const { id } = await upload(edge, { title: "one\r\ntwo\u0000\u202egnp.\u2066x" });
    const description = "first\r\nsecond\rthird\u0007\u202e";
    const changed = await patch(edge, id, { description });
    expect([changed.title, changed.description]).toEqual(["one twognp.x", "first\nsecond\nthird"]);
    const problem = await refusal(
      await edge.fetch(`/api/ar-content/${id}`, json("PATCH", { title: "\u0000" })),
    );
    expect(problem.code).toBe("invalid_input");
  });

  it.each(["\u200b", " \u2060\ufeff", "\u3164", "\u115f\u1160", "\u00ad", "\u2800", "\u{e0041}"])(
    "is nothing that cannot be seen: %j",
    async (title) => {
      const edge = new Edge();
      const { id } = await upload(edge, { title: "Seen" });
      const refused = await refusal(await edge.fetch(`/api/ar-content/${id}`, json("PATCH", { title })));
      expect(refused.errors).toEqual([
        { field: "title", detail: expect.stringContaining("expected at least one visible character") },
      ]);
      const nameless = new FormData();
      nameless.set("image", new Blob([png()]), `${title}.png`);
      const sent = await edge.json<Submission>("/api/ar-content", { method: "POST", body: nameless });
      expect(sent.content.title).toBe("Untitled");
      const joined = "👩‍👩‍👧 क्‍ष";
      expect((await patch(edge, id, { title: joined })).title).toBe(joined);
    },
  );

  it("stays searchable by both texts after two simultaneous changes", async () => {
    const edge = new Edge();
    const { id } = await upload(edge, { title: "old title", description: "old words" });
    await Promise.all([
      patch(edge, id, { title: "Fresh" }),
      patch(edge, id, { description: "Novel\nlines" }),
    ]);
    for (const q of ["fresh", "novel", "lines"]) {
      expect(ids(await edge.json(`/api/ar-content?q=${q}`))).toEqual([id]);
    }
    expect(ids(await edge.json("/api/ar-content?q=old"))).toEqual([]);
  });
});

describe("a deletion", () => {
  it("removes every file and every row, even files that no row refers to", async () => {
    const edge = new Edge();
    const { content, lease } = await edge.submit({ compile: "browser" });
    const { id, unique_id: uniqueId } = content;
    const headers = { "Vivimark-Lease": lease?.token ?? "" };
    const path = `/api/ar-content/${id}`;
    await edge.json(`${path}/marker`, { method: "PUT", body: form({ marker: mind() }), headers });
    await putVideo(edge, id);
    const orphan = `companies/first/markers/mindar_targets/${uniqueId}/9-orphan.mind`;
    await edge.storage.upload(orphan, new Uint8Array(3), { length: 3, contentType: "x/y" });
    expect(await edge.files(content)).toHaveLength(4);

    const removed = await edge.fetch(`${path}?keep_files=false`, { method: "DELETE" });
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    expect(await edge.files(content)).toEqual([]);
    expect(await edge.db.select().from(arContent).where(eq(arContent.id, id))).toEqual([]);
    expect(await edge.db.select().from(compileTasks).where(eq(compileTasks.contentId, id))).toEqual([]);
    for (const gone of [
      path,
      `${path}/tasks`,
      `${path}/qr.svg`,
      content.image_url,
      `/api/viewer/${uniqueId}`,
    ]) {
      expect((await refusal(await edge.fetch(gone))).code).toBe("not_found");
    }
    expect((await refusal(await edge.fetch(path, { method: "DELETE" }))).code).toBe("not_found");
  });

  it("is finished by the sweep when the storage fails, and is invisible until then", async () => {
    const edge = new Edge();
    const { content, lease } = await edge.submit({ compile: "browser" });
    const path = `/api/ar-content/${content.id}`;
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const storage = Object.create(edge.storage, {
      delete: { value: () => Promise.reject(new Error("R2 is down")) },
    });
    expect(
      (
        await edge.fetch(
          `${path}?keep_files=false`,
          { method: "DELETE" },
          { storages: edge.storagesWith(storage) },
        )
      ).status,
    ).toBe(204);
    expect((await edge.fetch(path)).status).toBe(404);
    expect((await edge.fetch(content.image_url)).status).toBe(404);
    expect(ids(await edge.json("/api/ar-content?limit=100"))).not.toContain(content.id);
    // A running compilation has lost its lease.
    const headers = { "Vivimark-Lease": lease?.token ?? "" };
    const late = await edge.fetch(`${path}/marker`, {
      method: "PUT",
      body: form({ marker: mind() }),
      headers,
    });
    expect(late.status).toBe(404);

    await sweep(edge.bindings, edge.clock);
    expect(await edge.files(content)).toEqual([]);
    expect(await edge.db.select().from(arContent).where(eq(arContent.id, content.id))).toEqual([]);
  });
});

describe("another company's content", () => {
  it("cannot be reached, listed, changed, reused or deleted", async () => {
    const edge = new Edge();
    const { content, task, projectId, store } = await otherCompany(edge);
    const path = `/api/ar-content/${content.id}`;
    const attempts: [string, RequestInit?][] = [
      [path],
      [path, json("PATCH", { title: "Mine" })],
      [path, { method: "DELETE" }],
      [`${path}/tasks`],
      [`${path}/qr.svg`],
      [`${path}/marker/lease`, { method: "POST" }],
      [`${path}/marker/recompile`, { method: "POST" }],
      [`${path}/video`, { method: "DELETE" }],
      [`/api/tasks/${task.id}`],
    ];
    for (const [url, init] of attempts) {
      const problem = await refusal(await edge.fetch(url, init));
      expect([url, problem.code]).toEqual([url, "not_found"]);
    }
    expect(ids(await edge.json("/api/ar-content?q=Secret"))).toEqual([]);
    expect(ids(await edge.json(`/api/ar-content?project_id=${projectId}`))).toEqual([]);
    const { items } = await edge.json<{ items: { id: string }[] }>("/api/projects");
    expect(items.map(({ id }) => id)).toEqual(["00000000-0000-4000-8000-000000000002"]);
    const stolen = await edge.fetch("/api/ar-content", {
      method: "POST",
      body: form({ image: png(), project_id: projectId }),
    });
    expect((await refusal(stolen)).code).toBe("invalid_input");
    expect((await store.get(content.id))?.content).toEqual(content);
  });

  it("keeps its files in its own folder", async () => {
    const edge = new Edge();
    const { content, slug } = await otherCompany(edge);
    expect(content.imagePath).toBe(`companies/${slug}/portraits/original_images/${content.uniqueId}.png`);
  });
});

describe("the QR code", () => {
  it("is an SVG of the viewer's address", async () => {
    const edge = new Edge();
    const content = await upload(edge);
    const response = await edge.fetch(content.qr_url);
    expect(response.headers.get("content-type")).toBe("image/svg+xml");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const svg = await response.text();
    const { renderSVG } = await import("uqr");
    expect(svg).toBe(renderSVG(`http://edge.test/v/${content.unique_id}`, { ecc: "M", border: 4 }));
  });

  it("carries the public address when there is one", async () => {
    const edge = new Edge();
    const content = await upload(edge);
    const settings = { ...edge.settings, publicUrl: "https://vivimark.example" };
    const shown = await edge.fetch(`/api/ar-content/${content.id}`, {}, { settings });
    const { viewer_url: viewerUrl } = await shown.json<ArContent>();
    expect(viewerUrl).toBe(`https://vivimark.example/v/${content.unique_id}`);
    const first = await (await edge.fetch(content.qr_url)).text();
    expect(await (await edge.fetch(content.qr_url, {}, { settings })).text()).not.toBe(first);
  });
});

function putVideo(edge: Edge, id: string): Promise<ArContent> {
  const body = video("mp4");
  const headers = { "Content-Type": "video/mp4", "Content-Length": String(body.length) };
  return edge.json(`/api/ar-content/${id}/video`, { method: "PUT", body, headers });
}
