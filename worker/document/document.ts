import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { EXAMPLES, PROBLEMS } from "./examples.ts";

/**
 * The API's document (OpenAPI 3.1): what the routes say of themselves, and what is said of all of them in one
 * place: how to sign in, groups, and an example of every body.
 */
export function describeApi(app: Pick<OpenAPIHono<AppEnv>, "getOpenAPI31Document">) {
  const { components, paths: bare, webhooks: told, ...head } = app.getOpenAPI31Document(HEAD);
  const paths = mapped(bare ?? {}, (operations, path) =>
    mapped(operations as Record<string, Operation>, (operation) => described(path, operation)),
  );
  const webhooks = mapped(told ?? {}, (operations) =>
    mapped(operations as Record<string, Operation>, ({ requestBody, ...rest }) => ({
      ...{ tags: [WEBHOOKS], security: [], ...rest },
      ...(requestBody && { requestBody: withExamples(requestBody) }),
    })),
  );
  const tags = TAGS.map(({ name, description }) => ({ name, description }));
  const examples = examplesIn(JSON.stringify([paths, webhooks]));
  return {
    ...{ ...head, tags, components: { ...components, securitySchemes: SECURITY, examples } },
    ...{ paths, webhooks },
  };
}

function mapped<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value, name: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

const HEAD = {
  openapi: "3.1.0",
  info: {
    title: "Vivimark",
    version: "1",
    license: { name: "MIT", identifier: "MIT" },
    description:
      "Photos in, living pictures out. Every refusal is a problem document (RFC 9457) with a `code`. " +
      "Media addresses are relative to this API. Every answer has an `X-Request-Id`, taken over from the request if " +
      "that brings one of at most 64 letters, digits, `-`, `_` and `=`; a problem document has it as `request_id`. " +
      "A method that an address does not know is refused with 405, " +
      "`method_not_allowed`, and an Allow header. What is asked too often is refused with 429, " +
      "`too_many_requests`, and Retry-After; `RateLimit-Policy` says beforehand how often is too often (docs/api.md).",
  },
  servers: [{ url: "/" }],
};

const SECURITY = {
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Secure-vivimark.session_token",
    description:
      "What `POST /api/auth/sign-in/email` sets, or a passkey's `POST /api/auth/passkey/verify-authentication`; on http://localhost without `__Secure-`. A request that changes " +
      "something must come from a page of this origin.",
  },
  key: {
    type: "http",
    scheme: "bearer",
    description: "An API key of a company; `x-permission` says what it is asked for (docs/accounts.md).",
  },
  mailbox: { type: "http", scheme: "bearer", description: "The token of the development mailbox." },
};

const WEBHOOKS = "Webhooks";

/** Groups of operations, in the document's order, by how their addresses begin: the longest that fits. */
const TAGS = [
  {
    name: "Content",
    description: "Photos, one by one and many at once.",
    prefixes: ["/api/ar-content"],
  },
  {
    name: "Markers",
    description: "Compiling them: in the caller's own program, or again.",
    prefixes: ["/api/ar-content/{id}/marker", "/api/ar-content/{id}/tasks", "/api/tasks"],
  },
  { name: "Videos", description: "What plays on a photo.", prefixes: ["/api/ar-content/{id}/video"] },
  { name: "Projects", description: "Where content lies, and its defaults.", prefixes: ["/api/projects"] },
  { name: "Viewer", description: "What is public.", prefixes: ["/api/viewer", "/media"] },
  {
    name: "Storage",
    description: "Where files live, and moving them.",
    prefixes: ["/api/storage-", "/api/company/storage"],
  },
  {
    name: WEBHOOKS,
    description:
      "Having events told to an address. What is sent there is under `webhooks`; none of it asks us.",
    prefixes: ["/api/webhooks"],
  },
  {
    name: "Company",
    description: "The company itself: its name, its keys, who did what.",
    prefixes: ["/api/company", "/api/api-keys", "/api/audit-log"],
  },
  {
    name: "People",
    description: "Accounts of people, who have no use for API keys.",
    prefixes: ["/api/auth", "/api/me", "/api/setup", "/api/invitations", "/api/mailbox"],
  },
  { name: "Platform", description: "How it is.", prefixes: ["/api/health"] },
];

function tagsOf(path: string): string[] {
  const fitting = TAGS.flatMap(({ name, prefixes }) =>
    prefixes.filter((prefix) => path.startsWith(prefix)).map((prefix) => ({ name, length: prefix.length })),
  );
  return fitting
    .sort((a, b) => b.length - a.length)
    .slice(0, 1)
    .map(({ name }) => name);
}

/** Whatever is asked for. */
const INTERNAL_ERROR = {
  description: "Problem details; `code` is internal_error.",
  content: {
    "application/problem+json": {
      schema: { $ref: "#/components/schemas/Problem" },
      examples: { internal_error: { $ref: "#/components/examples/internal_error" } },
    },
  },
};

interface Media {
  readonly schema?: { readonly $ref?: string };
}
type Content = Readonly<Record<string, Media>>;
/** What is read and completed of an operation. */
interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

function described(path: string, operation: Operation) {
  const { requestBody, responses, ...rest } = operation;
  return {
    tags: tagsOf(path),
    ...rest,
    ...(requestBody && { requestBody: withExamples(requestBody) }),
    responses: mapped({ ...responses, 500: INTERNAL_ERROR }, withExamples),
  };
}

/** Every body that is named by its schema shows the example of that name. */
function withExamples<Body extends { readonly content?: Content }>(body: Body): Body {
  if (!body.content) return body;
  const content = mapped(body.content, (media) => {
    const name = media.schema?.$ref?.replace("#/components/schemas/", "");
    if (name === undefined || !Object.hasOwn(EXAMPLES, name)) return media;
    return { ...media, examples: { [name]: { $ref: `#/components/examples/${name}` } } };
  });
  return { ...body, content };
}

/** The examples that a part of the document refers to. */
function examplesIn(text: string) {
  const all = {
    ...mapped(PROBLEMS, (value) => ({ summary: value.title, value })),
    ...mapped(EXAMPLES, (value) => ({ value })),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => text.includes(`"#/components/examples/${name}"`)),
  );
}
