/**
 * The types of an API from its document (OpenAPI 3.1), as far as ours goes: one type for each schema, and
 * `Operations`, which says of each method and address what goes in and what comes out.
 *
 * openapi-typescript would do it, but needs the API of TypeScript 5, which TypeScript 7 no longer has.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly description?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface ApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Headers that are none of a caller's business: an answer of 304 has no body to type. */
const PASSED_OVER = ["If-None-Match"];

/** @returns a TypeScript module */
export function typesOf({ components, paths }: ApiDocument): string {
  const schemas = Object.entries(components.schemas).map(([name, schema]) => {
    const type = typeOf(schema, "");
    const isObject = schema.properties !== undefined;
    return `${comment("", schema.description)}export ${isObject ? `interface ${name} ${type}` : `type ${name} = ${type};`}\n`;
  });
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const said = [operation.summary, operation.description].filter(Boolean).join("\n\n");
      return `${comment("  ", said)}  "${method.toUpperCase()} ${path}": ${operationType(operation)};\n`;
    }),
  );
  return [
    "// Made from /api/openapi.json by `npm run client:types`; changes here are lost.\n",
    ...schemas.sort(),
    "/** What is sent as it is. */\nexport type Bytes = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;\n",
    `/** What goes into each operation, and what comes out. */\nexport interface Operations {\n${operations.join("")}}\n`,
  ].join("\n");
}

function operationType({ parameters = [], requestBody, responses }: Operation): string {
  const lines: string[] = [];
  for (const place of ["path", "query", "header"]) {
    const some = parameters.filter(
      (parameter) => parameter.in === place && !PASSED_OVER.includes(parameter.name),
    );
    if (some.length === 0) continue;
    const fields = some.map((parameter) =>
      field("      ", parameter.name, parameter.schema, parameter.required === true, parameter.description),
    );
    const optional = some.some(({ required }) => required) ? "" : "?";
    lines.push(`    ${place}${optional}: {\n${fields.join("")}    };\n`);
  }
  if (requestBody) {
    const optional = requestBody.required ? "" : "?";
    const bodies = Object.entries(requestBody.content).map(([type, { schema }]) => bodyType(type, schema));
    lines.push(`    body${optional}: ${[...new Set(bodies)].join(" | ")};\n`);
    const bytes = Object.keys(requestBody.content).filter((type) => bodyType(type, {}) === "Bytes");
    const needed = bytes.length === bodies.length ? "" : "?";
    if (bytes.length > 0)
      lines.push(`    /** Of bytes that are sent as they are. */\n    type${needed}: ${union(bytes)};\n`);
  }
  lines.push(`    answer: ${answerType(responses)};\n`);
  return `{\n${lines.join("")}  }`;
}

function bodyType(contentType: string, schema: Schema): string {
  if (contentType === "application/json") return typeOf(schema, "    ");
  return contentType === "multipart/form-data" ? "FormData" : "Bytes";
}

/** Of success. What is not JSON is the caller's to read. */
function answerType(responses: Operation["responses"]): string {
  const types = Object.entries(responses)
    .filter(([status]) => /^2/.test(status))
    .map(([, { content }]) => {
      if (!content) return "undefined";
      const json = content["application/json"];
      return json ? typeOf(json.schema, "    ") : "Response";
    });
  return types.length === 0 ? "Response" : [...new Set(types)].join(" | ");
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.replace("#/components/schemas/", "");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map((one) => typeOf(one, indent)))].join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => `(${typeOf(one, indent)})`).join(" & ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(" | ");
  }
  switch (schema.type) {
    case "object":
      return objectType(schema, indent);
    case "array":
      return `Array<${schema.items ? typeOf(schema.items, indent) : "unknown"}>`;
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    default:
      return "unknown";
  }
}

function objectType({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  if (!properties) {
    const value = typeof additionalProperties === "object" ? typeOf(additionalProperties, indent) : "unknown";
    return `Record<string, ${value}>`;
  }
  const fields = Object.entries(properties).map(([name, schema]) =>
    field(`${indent}  `, name, schema, required.includes(name), schema.description),
  );
  return `{\n${fields.join("")}${indent}}`;
}

function field(
  indent: string,
  name: string,
  schema: Schema,
  isRequired: boolean,
  description?: string,
): string {
  const key = /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
  return `${comment(indent, description)}${indent}${key}${isRequired ? "" : "?"}: ${typeOf(schema, indent)};\n`;
}

function union(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(" | ");
}

function comment(indent: string, text = ""): string {
  if (text === "") return "";
  const lines = text.replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} *${line && ` ${line}`}\n`).join("")}${indent} */\n`;
}
