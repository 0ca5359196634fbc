// The test server follows Yandex's documentation. The tests of the storage rely on that.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startYandexDisk, type YandexDiskServer } from "./server.ts";

let server: YandexDiskServer;
beforeAll(async () => {
  server = await startYandexDisk();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const call = (method: string, path: string, parameters: Record<string, string> = {}, token = server.token) =>
  fetch(`${server.apiUrl}/v1/disk${path}?${new URLSearchParams(parameters)}`, {
    method,
    headers: { Authorization: `OAuth ${token}` },
  });
/** The status (an operation's own, for operations) and the members of the answer. */
interface Answer {
  status: number | string;
  href: string;
  operation_id: string;
  public_key: string;
  public_url: string;
  _embedded: { items: unknown[] };
}
const json = async (response: Promise<Response>) => {
  const answer = await response;
  return { status: answer.status, ...(answer.status === 204 ? {} : await answer.json()) } as Answer;
};
const folder = async () => {
  const path = `disk:/${crypto.randomUUID()}`;
  expect(await json(call("PUT", "/resources", { path }))).toMatchObject({ status: 201, method: "GET" });
  return path;
};
const put = async (path: string, body: string, overwrite = "false") => {
  const link = await json(call("GET", "/resources/upload", { path, overwrite }));
  return link.status === 200 ? (await fetch(link.href, { method: "PUT", body })).status : link;
};

describe("The API", () => {
  it("checks tokens, and confines one to the app folder", async () => {
    expect(await json(call("GET", "", {}, "wrong"))).toMatchObject({
      status: 401,
      error: "UnauthorizedError",
    });
    expect(await json(call("GET", ""))).toMatchObject({ status: 200, used_space: 0, trash_size: 0 });
    const app = await json(call("GET", "/resources", { path: "app:/" }, server.appToken));
    expect(app).toMatchObject({ type: "dir", path: "disk:/Приложения/Vivimark", _embedded: { total: 0 } });
    expect(await json(call("GET", "/resources", { path: "/" }, server.appToken))).toMatchObject({
      status: 403,
    });
  });

  it("creates a folder once, and only in an existing one", async () => {
    const path = await folder();
    expect(await json(call("PUT", "/resources", { path }))).toMatchObject({
      status: 409,
      error: "DiskPathPointsToExistentDirectoryError",
    });
    expect(await json(call("PUT", "/resources", { path: `${path}/a/b` }))).toMatchObject({
      status: 409,
      error: "DiskPathDoesntExistsError",
    });
  });

  it("accepts unusual names after a scheme, and a colon nowhere else", async () => {
    const path = `${await folder()}/12:30 + 50 % «ю».txt`;
    expect(await put(path, "x")).toBe(201);
    expect(await json(call("GET", "/resources", { path }))).toMatchObject({ name: "12:30 + 50 % «ю».txt" });
    const bare = path.slice("disk:".length);
    expect(await json(call("GET", "/resources", { path: bare }))).toMatchObject({
      status: 400,
      error: "FieldValidationError",
    });
  });

  it("lists 20 items by default, and only the requested fields", async () => {
    const path = await folder();
    for (let i = 0; i < 23; i++) await put(`${path}/${i}`, `${i}`);
    const first = await json(call("GET", "/resources", { path }));
    expect(first._embedded).toMatchObject({ total: 23, limit: 20, offset: 0 });
    expect(first._embedded.items).toHaveLength(20);
    const rest = await json(
      call("GET", "/resources", {
        path,
        offset: "20",
        limit: "9",
        sort: "-name",
        fields: "_embedded.items.name",
      }),
    );
    expect(rest).toEqual({
      status: 200,
      _embedded: { items: [{ name: "2" }, { name: "1" }, { name: "0" }] },
    });
  });

  it("overwrites only on request", async () => {
    const path = `${await folder()}/a`;
    expect(await put(path, "one")).toBe(201);
    expect(await put(path, "two")).toMatchObject({ status: 409, error: "DiskResourceAlreadyExistsError" });
    expect(await put(path, "two", "true")).toBe(201);
    const md5 = createHash("md5").update("two").digest("hex");
    expect(await json(call("GET", "/resources", { path }))).toMatchObject({ type: "file", size: 3, md5 });
  });

  it("moves, copies and deletes files at once, and full folders by an operation that locks them", async () => {
    const path = await folder();
    expect(await put(`${path}/a/b`, "")).toMatchObject({ status: 409, error: "DiskPathDoesntExistsError" });
    await put(`${path}/a`, "a");
    const at = { from: `${path}/a`, path: `${path}/b` };
    expect(await json(call("POST", "/resources/copy", at))).toMatchObject({ status: 201 });
    expect(await json(call("POST", "/resources/move", at))).toMatchObject({ status: 409 });
    expect(await json(call("POST", "/resources/move", { ...at, overwrite: "true" }))).toMatchObject({
      status: 201,
    });
    expect(await json(call("GET", "/resources", { path: at.from }))).toMatchObject({
      error: "DiskNotFoundError",
    });

    const begun = await json(call("DELETE", "/resources", { path, permanently: "true" }));
    expect(begun.status).toBe(202);
    const moveBelow = { from: at.path, path: `${at.path}-moved` };
    expect(await json(call("POST", "/resources/move", moveBelow))).toMatchObject({
      status: 423,
      error: "DiskResourceLockedError",
    });
    const poll = async () =>
      (await json(call("GET", new URL(begun.href).pathname.slice("/v1/disk".length)))).status;
    expect([await poll(), await poll(), await poll()]).toEqual(["in-progress", "success", "success"]);
    expect(await json(call("GET", "/resources", { path }))).toMatchObject({ status: 404 });
    expect(await json(call("DELETE", "/resources", { path, permanently: "true" }))).toMatchObject({
      status: 404,
    });
  });
});

describe("The uploader and the downloader", () => {
  it("serve a link on another port: once for uploads, often for downloads, never after it expired", async () => {
    const path = `${await folder()}/a`;
    const { href } = await json(call("GET", "/resources/upload", { path }));
    expect(new URL(href).port).not.toBe(new URL(server.apiUrl).port);
    expect((await fetch(href, { method: "PUT", body: "0123456789" })).status).toBe(201);
    expect((await fetch(href, { method: "PUT", body: "again" })).status).toBe(400);

    const link = (await json(call("GET", "/resources/download", { path }))).href;
    expect((await fetch(link, { redirect: "manual" })).status).toBe(302);
    const part = await fetch(link, { headers: { Range: "bytes=2-4" } });
    expect([part.status, part.headers.get("Content-Range"), await part.text()]).toEqual([
      206,
      "bytes 2-4/10",
      "234",
    ]);
    expect((await fetch(link, { headers: { Range: "bytes=10-" } })).status).toBe(416);
    expect(await (await fetch(link)).text()).toBe("0123456789");
    server.expireLinks();
    expect((await fetch(link)).status).toBe(410);
  });

  it("limits the size of a file and of all files", async () => {
    const path = await folder();
    server.behave({ maxFileSize: 5 });
    expect(await put(`${path}/a`, "123456")).toBe(413);
    server.behave({ totalSpace: 0 });
    expect(await put(`${path}/b`, "")).toMatchObject({
      status: 507,
      error: "DiskStorageQuotaExhaustedError",
    });
  });

  it("accepts no changes during maintenance, and no new files when the account is overdrawn", async () => {
    const path = await folder();
    await put(`${path}/a`, "a");
    server.behave({ maintenance: true });
    const remove = () => call("DELETE", "/resources", { path: `${path}/a`, permanently: "true" });
    expect(await put(`${path}/b`, "b")).toMatchObject({ status: 423 });
    expect(await json(remove())).toMatchObject({ status: 423 });
    server.behave({ maintenance: false, overdrawn: true });
    expect(await put(`${path}/b`, "b")).toMatchObject({ status: 403 });
    expect((await remove()).status).toBe(204);
  });

  it("stores nothing of an upload that was cut off", async () => {
    const path = `${await folder()}/a`;
    server.fault({ host: "transfer", method: "PUT", cutAfter: 3 });
    await expect(put(path, "123456")).rejects.toThrow();
    expect(await json(call("GET", "/resources", { path }))).toMatchObject({ status: 404 });
  });

  it("may show a file with a delay", async () => {
    const path = `${await folder()}/a`;
    server.behave({ slowUploads: true });
    const link = await json(call("GET", "/resources/upload", { path }));
    expect((await fetch(link.href, { method: "PUT", body: "a" })).status).toBe(202);
    expect(await json(call("GET", "/resources", { path }))).toMatchObject({ status: 404 });
    const poll = () => json(call("GET", `/operations/${link.operation_id}`));
    expect([(await poll()).status, (await poll()).status]).toEqual(["in-progress", "success"]);
    expect(await json(call("GET", "/resources", { path }))).toMatchObject({ size: 1 });
  });
});
