import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { ApiDocument } from "./requests.ts";
import type { Answer, Request } from "./wire.ts";

/** Checks answers against the API's document. */
export class Contract {
  readonly #document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #templates: readonly { readonly pattern: RegExp; readonly path: string }[];

  constructor(document: ApiDocument) {
    this.#document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, ROOT);
    // Sorted by characters, a literal path comes before a parameter: /batch before /{id}.
    this.#templates = Object.keys(document.paths)
      .sort()
      .map((path) => ({
        path,
        pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`),
      }));
  }

  /** Describes how an answer breaches the document; null if it does not, or if the operation is unknown. */
  breach({ method, path }: Request, { status, type, text }: Answer): string | null {
    // As the server reads it: `..` in an id leads elsewhere.
    const address = new URL(`http://localhost${path}`).pathname;
    const found = this.#templates.find(({ pattern }) => pattern.test(address));
    const name = method === "HEAD" ? "get" : method.toLowerCase();
    const operation = found && this.#document.paths[found.path][name];
    if (!found || !operation) return null;
    const promised = operation.responses[status];
    if (!promised) return `status ${status} is not documented`;
    if (method === "HEAD" || status === 304) return null;
    if (!promised.content) return text === "" ? null : "a body where none is documented";
    const mediaType = type.split(";")[0];
    const media = promised.content[mediaType] ?? promised.content["*/*"];
    if (!media) return `${mediaType} is not documented for status ${status}`;
    if (!mediaType.endsWith("json")) return null;
    const body = JSON.parse(text);
    const pointer = ["paths", found.path, name, "responses", String(status), "content", mediaType, "schema"];
    const schema = `${ROOT}#/${pointer.map(escapePointer).join("/")}`;
    if (!this.#ajv.validate({ $ref: schema }, body)) return this.#ajv.errorsText();
    return status < 400 || Object.hasOwn(media.examples ?? {}, body.code)
      ? null
      : `the code ${body.code} is not documented`;
  }
}

const ROOT = "urn:vivimark:api";

function escapePointer(text: string): string {
  return encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"));
}
