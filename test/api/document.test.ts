import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiDocument, typesOf } from "../../client/types-of.ts";
import { type Harness, startHarness } from "../faults/harness.ts";

let harness: Harness;
let source: string;

beforeAll(async () => {
  harness = await startHarness();
  source = await (await harness.api.fetch("/api/openapi.json")).text();
});

afterAll(() => harness?.close());

/** Linter warnings that do not apply, with the reasons. */
const REASONS = {
  "operation-2xx-response #/paths/~1api~1storage-connections~1yandex~1callback/get/responses":
    "It redirects a browser to the studio, with 303.",
};

test("Redocly's recommended rules pass", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({ source, absoluteRef: "/openapi.json", config });
  const found = problems.map(({ ruleId, location }) => `${ruleId} ${location[0].pointer}`);
  const said = problems.map(({ message }, i) => `${found[i]}: ${message}`);
  expect(said.filter((_, i) => !Object.hasOwn(REASONS, found[i]))).toEqual([]);
  expect(Object.keys(REASONS).filter((reason) => !found.includes(reason))).toEqual([]);
});

test("the client's types match the document; `npm run client:types` updates them", async () => {
  const document = JSON.parse(source) as ApiDocument;
  await expect(typesOf(document)).toMatchFileSnapshot("../../client/api.ts");
});

test("the linter finds deliberate errors", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const document = JSON.parse(source);
  document.components.examples.Company.value.name = 7;
  delete document.paths["/api/company"].get.security;
  const text = JSON.stringify(document);
  const problems = await lintFromString({ source: text, absoluteRef: "/openapi.json", config });
  const rules = problems.map(({ ruleId }) => ruleId);
  expect(rules).toEqual(expect.arrayContaining(["no-invalid-media-type-examples", "security-defined"]));
});
