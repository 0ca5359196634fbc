/**
 * Generates TypeScript types from the API's document (OpenAPI 3.1): one type for each schema, and `Operations`,
 * which maps each method and path to its request and its answer. Supports the parts of OpenAPI that the document
 * uses.
 *
 * openapi-typescript (7.13) does not run here: it calls the compiler API of TypeScript 5, which TypeScript 7 does
 * not have, and npm refuses to install its peer dependency `typescript@^5` beside TypeScript 7.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
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

/** Left out of the types: an answer of 304 has no body to type. */
const IGNORED_HEADERS = ["If-None-Match"];

/** Returns the source of a TypeScript module. */
export function typesOf({ components, paths }: ApiDocument): string {
  const schemas = Object.entries(components.schemas).map(([name, schema]) => {
    const type = typeOf(schema, "");
    const isObject = schema.properties !== undefined;
    return `${comment("", schema.description)}export ${isObject ? `interface ${name} ${type}` : `type ${name} = ${type};`}\n`;
  });
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const text = [operation.summary, operation.description].filter(Boolean).join("\n\n");
      return `${comment("  ", text)}  "${method.toUpperCase()} ${path}": ${operationType(operation)};\n`;
    }),
  );
  return [
    "// Generated from /api/openapi.json by `npm run client:types`. Do not edit.\n",
    ...schemas.sort(),
    "/** A body that is sent unchanged. */\nexport type Bytes = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;\n",
    `/** The request and the answer of each operation. */\nexport interface Operations {\n${operations.join("")}}\n`,
  ].join("\n");
}

function operationType({ parameters = [], requestBody, responses }: Operation): string {
  const lines: string[] = [];
  for (const place of ["path", "query", "header"]) {
    const some = parameters.filter(
      (parameter) => parameter.in === place && !IGNORED_HEADERS.includes(parameter.name),
    );
    if (some.length === 0) continue;
    const fields = some.map((parameter) => field("      ", parameter));
    const optional = some.some(({ required }) => required) ? "" : "?";
    lines.push(`    ${place}${optional}: {\n${fields.join("")}    };\n`);
  }
  if (requestBody) {
    const { [FORM]: form, ...others } = requestBody.content;
    const bodies = Object.entries(others).map(([type, { schema }]) => bodyType(type, schema));
    if (form) bodies.push("FormData");
    const optional = requestBody.required && !form ? "" : "?";
    lines.push(`    body${optional}: ${[...new Set(bodies)].join(" | ")};\n`);
    if (form)
      lines.push(
        `    /** The fields of a form, in place of \`body\`. */\n    form?: ${typeOf(form.schema, "    ")};\n`,
      );
    const bytes = Object.keys(others).filter((type) => bodyType(type, {}) === "Bytes");
    const needed = bytes.length === bodies.length ? "" : "?";
    if (bytes.length > 0)
      lines.push(
        `    /** The Content-Type of a \`body\` of bytes. */\n    type${needed}: ${union(bytes)};\n`,
      );
  }
  lines.push(`    answer: ${answerType(responses)};\n`);
  return `{\n${lines.join("")}  }`;
}

const FORM = "multipart/form-data";

function bodyType(contentType: string, schema: Schema): string {
  return contentType === "application/json" ? typeOf(schema, "    ") : "Bytes";
}

/** Returns the type of a successful answer. The caller reads bodies that are not JSON from the response. */
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
      return schema.format === "binary" ? "Blob" : "string";
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
    field(`${indent}  `, {
      name,
      schema,
      required: required.includes(name),
      description: schema.description,
    }),
  );
  return `{\n${fields.join("")}${indent}}`;
}

function field(indent: string, { name, schema, required, description }: Omit<Parameter, "in">): string {
  const key = /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
  return `${comment(indent, description)}${indent}${key}${required ? "" : "?"}: ${typeOf(schema, indent)};\n`;
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
