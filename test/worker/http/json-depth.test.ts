import { beforeAll, describe, expect, test } from "vitest";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { mind } from "../fixtures.ts";

const edge = new Edge();
let owner: Browser;

beforeAll(async () => {
  await setUp(edge);
  owner = await Browser.signedIn(edge, OWNER);
});

const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);

interface ApiDocument {
  readonly paths: Record<string, Record<string, { requestBody?: { content: Record<string, unknown> } }>>;
}

/** Returns the method and path of every operation that accepts a JSON body. */
async function operations(): Promise<[string, string][]> {
  const { paths } = await edge.json<ApiDocument>("/api/openapi.json");
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { requestBody }]) => requestBody && "application/json" in requestBody.content)
      .map(([method]): [string, string] => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "none")]),
  );
}

describe("a body that nests too deep", () => {
  test("is refused by every operation with a JSON body", async () => {
    const found = await operations();
    expect(found.length).toBeGreaterThan(30);
    const headers = { "Content-Type": "application/json" };
    for (const [method, path] of found) {
      for (const body of [
        nested(8000),
        `{"name":${nested(2000, '{"a":[', "]}")}}`,
        nested(21),
        "[".repeat(9),
      ]) {
        const response = await owner.fetch(path, { method, body, headers });
        const isCut = body.length === 9;
        // The library refuses text that is not JSON itself.
        const expected = isCut && path.startsWith("/api/auth/") ? expect.any(String) : "malformed_json";
        expect([method, path, body.length, await refusal(response)]).toEqual([
          ...[method, path, body.length],
          expect.objectContaining({ code: expected, status: expect.toSatisfy((status) => status < 500) }),
        ]);
      }
    }
  });

  test("is refused in the metadata of a marker", async () => {
    const { content, lease } = await edge.submit({ compile: "browser" });
    const response = await edge.fetch(`/api/ar-content/${content.id}/marker`, {
      method: "PUT",
      body: form({ marker: mind(), metadata: nested(200) }),
      headers: { "Vivimark-Lease": lease?.token ?? "" },
    });
    expect((await refusal(response)).code).toBe("malformed_json");
  });

  test("is measured outside of texts", async () => {
    const name = `${nested(50)}\\"${nested(50)}`.slice(0, 90);
    const response = await edge.fetch("/api/projects", json("POST", { name }));
    expect(response.status).toBe(201);
  });

  test("has a limit of 20 levels", async () => {
    const refused = async (depth: number) => {
      const headers = { "Content-Type": "application/json" };
      const body = nested(depth);
      return (await refusal(await edge.fetch("/api/projects", { method: "POST", body, headers }))).code;
    };
    expect([await refused(20), await refused(21)]).toEqual(["invalid_input", "malformed_json"]);
  });
});
