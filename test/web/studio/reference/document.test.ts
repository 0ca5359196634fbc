import { describe, expect, it } from "vitest";
import {
  type ApiDocument,
  codesOf,
  curlOf,
  entriesOf,
  exampleOf,
  fieldsOf,
  limitsOf,
  matches,
  type Operation,
  type Schema,
  typeOf,
} from "../../../../web/studio/reference/document.ts";

const PHOTO: Schema = {
  type: "object",
  required: ["id"],
  properties: {
    id: { type: "string", format: "uuid" },
    title: { type: "string", minLength: 1, maxLength: 200 },
    ready_at: { type: ["string", "null"], format: "date-time" },
    status: { enum: ["ready", "failed"] },
    marker: { anyOf: [{ $ref: "#/components/schemas/Marker" }, { type: "null" }] },
    tags: { type: "array", items: { type: "string" }, maxItems: 5 },
  },
};

const operation: Operation = {
  tags: ["Photos"],
  operationId: "renamePhoto",
  summary: "Rename a photo",
  security: [{ session: [] }, { key: [] }],
  parameters: [{ name: "wait", in: "query", required: true, schema: { type: "integer" } }],
  requestBody: {
    content: { "application/json": { examples: { Photo: { $ref: "#/components/examples/Photo" } } } },
  },
  responses: {
    404: {
      description: "Not found",
      content: {
        "application/problem+json": { examples: { no_photo: { $ref: "#/components/examples/no_photo" } } },
      },
    },
  },
};

const document: ApiDocument = {
  info: { description: "" },
  tags: [{ name: "Photos", description: "" }],
  paths: { "/api/photos/{id}": { patch: operation, delete: { ...operation, tags: ["Other"] } } },
  webhooks: { "photo.renamed": { post: operation } },
  components: {
    schemas: { Photo: PHOTO, Marker: { type: "object", properties: { points: { type: "integer" } } } },
    examples: { Photo: { value: { title: "Grandma's" } } },
    securitySchemes: {},
  },
};

const property = (name: string) => PHOTO.properties![name]!;

describe("the type of a field", () => {
  it.each([
    ["id", "string (uuid)"],
    ["ready_at", "string (date-time) or null"],
    ["status", '"ready" or "failed"'],
    ["marker", "object or null"],
    ["tags", "array of string"],
  ])("%s is %s", (name, type) => {
    expect(typeOf(document, property(name))).toBe(type);
  });
});

it("the limits of a field name its length, range, items and default", () => {
  expect(limitsOf(document, property("title"))).toBe("at most 200 characters");
  expect(limitsOf(document, property("tags"))).toBe("at most 5 items");
  expect(limitsOf(document, { minimum: 1, maximum: 100, default: 30 })).toBe("1 to 100, default 30");
  expect(limitsOf(document, { minLength: 8, maxLength: 8 })).toBe("8 characters");
  expect(limitsOf(document, { minimum: 0 })).toBe("at least 0");
});

it("the fields of a reference, of items and of alternatives are those of their objects", () => {
  const photo = { $ref: "#/components/schemas/Photo" };
  const names = (schema: Schema) => fieldsOf(document, schema).map(({ name }) => name);
  expect(names(photo)).toEqual(Object.keys(PHOTO.properties!));
  expect(names({ type: "array", items: photo })).toEqual(names(photo));
  expect(names(property("marker"))).toEqual(["points"]);
  expect(names({ type: "string" })).toEqual([]);
  expect(names({ additionalProperties: { type: "string" } })).toEqual(["any name"]);
  expect(fieldsOf(document, photo).filter(({ isRequired }) => isRequired)).toHaveLength(1);
});

it("a tag has its operations, and its webhooks last", () => {
  const entries = entriesOf(document, "Photos");
  expect(entries.map(({ method, path, isWebhook }) => [method, path, isWebhook])).toEqual([
    ["PATCH", "/api/photos/{id}", false],
    ["POST", "photo.renamed", true],
  ]);
});

it("a search finds an operation that has every word", () => {
  const [entry] = entriesOf(document, "Photos");
  expect(["patch", "rename PHOTO", "/api/photos"].map((search) => matches(entry!, search))).toEqual([
    true,
    true,
    true,
  ]);
  expect(matches(entry!, "rename video")).toBe(false);
});

it("a response has the error codes of its examples", () => {
  expect(codesOf(operation.responses[404]!)).toEqual(["no_photo"]);
});

it("the command sends the example with a key, and quotes it for a shell", () => {
  const [entry] = entriesOf(document, "Photos");
  expect(exampleOf(document, operation.requestBody!.content["application/json"]!)).toContain("Grandma's");
  expect(curlOf(document, entry!, "https://example.com")).toBe(
    [
      "curl -X PATCH 'https://example.com/api/photos/{id}?wait={wait}' \\",
      '  -H "Authorization: Bearer $VIVIMARK_KEY" \\',
      "  -H 'Content-Type: application/json' \\",
      `  -d '{"title":"Grandma'\\''s"}'`,
    ].join("\n"),
  );
});
