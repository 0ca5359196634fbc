import type { ErrorCode } from "../../../client/client.ts";

/** A JSON Schema as the API's document uses it, or a reference to one. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly (string | number)[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Reference {
  readonly $ref: string;
}

export interface Body {
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, Reference>>;
}

export interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, Body>>;
}

export interface Operation {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly "x-permission"?: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Body>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

type Operations = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** What the reference reads of the API's document, an OpenAPI 3.1 document. */
export interface ApiDocument {
  readonly info: { readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Operations;
  readonly webhooks: Operations;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
    readonly securitySchemes: Readonly<Record<string, { readonly description: string }>>;
  };
}

/** An operation with its address. A webhook has the name of its event in place of a path. */
export interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly isWebhook: boolean;
}

/** Returns the operations of a tag in the order of the document, its webhooks last. */
export function entriesOf({ paths, webhooks }: ApiDocument, tag: string): Entry[] {
  const entries = (operations: Operations, isWebhook: boolean) =>
    Object.entries(operations).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
        isWebhook,
      })),
    );
  return [...entries(paths, false), ...entries(webhooks, true)].filter(({ operation }) =>
    operation.tags.includes(tag),
  );
}

/** Returns whether an operation has every word of a search in its name, address or description. */
export function matches({ method, path, operation }: Entry, search: string): boolean {
  const { operationId, summary, description = "" } = operation;
  const text = `${method} ${path} ${operationId} ${summary} ${description}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Returns the last part of a reference within the document. */
function nameOf({ $ref }: Reference): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

function resolve(document: ApiDocument, schema: Schema): Schema {
  const { $ref } = schema;
  return $ref ? document.components.schemas[nameOf({ $ref })]! : schema;
}

/** Returns the type of a schema in words, such as `string (date-time) or null`. */
export function typeOf(document: ApiDocument, schema: Schema): string {
  const { type, format, enum: values, items, anyOf, allOf } = resolve(document, schema);
  if (values) return values.map((value) => JSON.stringify(value)).join(" or ");
  if (anyOf) return [...new Set(anyOf.map((one) => typeOf(document, one)))].join(" or ");
  if (allOf) return typeOf(document, allOf[0]!);
  if (items) return `array of ${typeOf(document, items)}`;
  const names = [type ?? "any"].flat();
  return names.map((name) => (format && name !== "null" ? `${name} (${format})` : name)).join(" or ");
}

/** Returns the limits of a value in words, such as `1 to 100, default 30`. */
export function limitsOf(document: ApiDocument, schema: Schema): string {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, ...rest } = resolve(document, schema);
  const isFilled = minLength === 1 && maxLength !== undefined;
  return [
    range(isFilled ? undefined : minLength, maxLength, " characters"),
    range(minimum, maximum, ""),
    range(minItems, maxItems, " items"),
    rest.default !== undefined && `default ${JSON.stringify(rest.default)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined)
    return least === most ? `${least}${unit}` : `${least} to ${most}${unit}`;
  if (most !== undefined) return `at most ${most}${unit}`;
  return least === undefined ? "" : `at least ${least}${unit}`;
}

export interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/**
 * Returns the fields of an object, of the items of an array, or of all alternatives together. A value that is not an
 * object has none.
 */
export function fieldsOf(document: ApiDocument, schema: Schema): Field[] {
  const { properties, required = [], items, anyOf, allOf, additionalProperties } = resolve(document, schema);
  const parts = [...(anyOf ?? []), ...(allOf ?? []), ...(items ? [items] : [])];
  const fields = new Map<string, Field>();
  for (const field of parts.flatMap((part) => fieldsOf(document, part)))
    if (!fields.has(field.name)) fields.set(field.name, field);
  for (const [name, property] of Object.entries(properties ?? {}))
    fields.set(name, { name, schema: property, isRequired: required.includes(name) });
  if (typeof additionalProperties === "object")
    fields.set("*", { name: "any name", schema: additionalProperties, isRequired: false });
  return [...fields.values()];
}

/** Returns the first example of a body, as indented JSON; null if it has none. */
export function exampleOf({ components }: ApiDocument, { examples }: Body): string | null {
  const [example] = Object.values(examples ?? {});
  const value = example && components.examples[nameOf(example)]?.value;
  return value === undefined ? null : JSON.stringify(value, null, 2);
}

/** Returns the error codes of a response. */
export function codesOf({ content }: Answer): ErrorCode[] {
  const { examples } = content?.["application/problem+json"] ?? {};
  return Object.values(examples ?? {}).map((example) => nameOf(example) as ErrorCode);
}

/** Returns a curl command that sends a request with an API key, for a POSIX shell. */
export function curlOf(document: ApiDocument, entry: Entry, origin: string): string {
  const { method, path, operation } = entry;
  const needed = (operation.parameters ?? []).filter((one) => one.required && one.in === "query");
  const query = needed.map(({ name }) => `${name}={${name}}`).join("&");
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}'${origin}${path}${query && `?${query}`}'`];
  if (operation.security.some((one) => "key" in one)) lines.push(`-H "Authorization: Bearer $VIVIMARK_KEY"`);
  const [type, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const example = body && exampleOf(document, body);
  if (example) {
    const json = JSON.stringify(JSON.parse(example)).replaceAll("'", String.raw`'\''`);
    lines.push(`-H 'Content-Type: ${type}'`, `-d '${json}'`);
  } else if (type === "multipart/form-data") {
    const files = fieldsOf(document, body!.schema ?? {}).filter(({ isRequired }) => isRequired);
    lines.push(...files.map(({ name }) => `-F '${name}=@${name}'`));
  } else if (type)
    lines.push(`-H 'Content-Type: ${type === "*/*" ? "{type}" : type}'`, "--data-binary @file");
  return lines.join(" \\\n  ");
}
