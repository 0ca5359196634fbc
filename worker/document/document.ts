import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
// Recorded from real requests by test/worker/document/examples.test.ts: `npm run api:examples` updates it.
import examples from "./examples.json" with { type: "json" };

const BODIES: Readonly<Record<string, unknown>> = examples.bodies;
const PROBLEMS: Readonly<Record<string, { readonly title: string }>> = examples.problems;

/**
 * Returns the API's document (OpenAPI 3.1): the definitions of the routes, completed by authentication, groups
 * of operations and recorded examples.
 */
export function describeApi(app: Pick<OpenAPIHono<AppEnv>, "getOpenAPI31Document">) {
  const { components, paths: bare, webhooks: told, ...head } = app.getOpenAPI31Document(HEAD);
  const paths = mapped(bare ?? {}, (operations, path) =>
    mapped(operations as Record<string, Operation>, (operation) => described(path, operation)),
  );
  const webhooks = mapped(told ?? {}, (operations) =>
    mapped(operations as Record<string, Operation>, ({ requestBody, ...rest }) => ({
      tags: [WEBHOOKS],
      security: [],
      ...rest,
      ...(requestBody && { requestBody: withExamples(requestBody) }),
    })),
  );
  const tags = TAGS.map(({ name, description }) => ({ name, description }));
  const examples = examplesIn(JSON.stringify([paths, webhooks]));
  return {
    ...head,
    tags,
    components: { ...components, securitySchemes: SECURITY, examples },
    paths,
    webhooks,
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
      "Vivimark plays videos on printed photos. Every error is a problem document (RFC 9457) with a `code`. " +
      "Media URLs are relative to this API. Every response has an `X-Request-Id`: the one sent with the request, if it has at most 64 " +
      "letters, digits, `-`, `_` and `=`, or a new one. Problem documents repeat it as `request_id`. An unsupported " +
      "method gets 405 `method_not_allowed` with an Allow header. Too many requests get 429 `too_many_requests` with " +
      "Retry-After; `RateLimit-Policy` announces the limit (docs/api.md).",
  },
  servers: [{ url: "/" }],
};

const SECURITY = {
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Secure-vivimark.session_token",
    description:
      "The cookie that `POST /api/auth/sign-in/email` and `POST /api/auth/passkey/verify-authentication` set; on " +
      "http://localhost, its name has no `__Secure-`. Requests that change something must come from a page on this origin.",
  },
  key: {
    type: "http",
    scheme: "bearer",
    description:
      "An API key of a company. `x-permission` names the permission that an operation requires (docs/accounts.md).",
  },
  invitation: {
    type: "http",
    scheme: "bearer",
    description: "The token of an invitation: the part of its link after the #.",
  },
  mailbox: { type: "http", scheme: "bearer", description: "The token of the development mailbox." },
  metrics: { type: "http", scheme: "bearer", description: "The METRICS_KEY of the platform." },
};

const WEBHOOKS = "Webhooks";

/** Groups of operations, in the document's order. An operation belongs to the group of its longest matching prefix. */
const TAGS = [
  {
    name: "Photos",
    description: "Submit, list, change and delete photos.",
    prefixes: ["/api/ar-content"],
  },
  {
    name: "Markers",
    description: "Compile markers in your own program, or recompile them.",
    prefixes: ["/api/ar-content/{id}/marker", "/api/ar-content/{id}/tasks", "/api/tasks"],
  },
  {
    name: "Videos",
    description: "The videos that play on photos.",
    prefixes: ["/api/ar-content/{id}/video"],
  },
  { name: "Projects", description: "Groups of photos with shared defaults.", prefixes: ["/api/projects"] },
  { name: "Viewer", description: "Public data of published photos.", prefixes: ["/api/viewer", "/media"] },
  {
    name: "Storage",
    description: "Storage connections and storage migrations.",
    prefixes: ["/api/storage-", "/api/company/storage"],
  },
  {
    name: WEBHOOKS,
    description: "Send events to a URL. The requests that Vivimark sends are described under `webhooks`.",
    prefixes: ["/api/webhooks"],
  },
  {
    name: "Company",
    description: "The company, its members, API keys and audit log.",
    prefixes: ["/api/company", "/api/api-keys", "/api/audit-log"],
  },
  {
    name: "People",
    description: "Accounts, sessions and passkeys of people.",
    prefixes: ["/api/auth", "/api/me", "/api/setup", "/api/invitation", "/api/mailbox"],
  },
  {
    name: "Platform",
    description: "The state of the platform.",
    prefixes: ["/api/health", "/api/metrics", "/api/platform"],
  },
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

/** The response of every operation to a bug. */
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
  readonly examples?: Readonly<Record<string, unknown>>;
}
type Content = Readonly<Record<string, Media>>;
/** The parts of an operation that are read and completed. */
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

/** Adds to each body the example of its schema, and removes references to examples that were not recorded. */
function withExamples<Body extends { readonly content?: Content }>(body: Body): Body {
  if (!body.content) return body;
  const content = mapped(body.content, (media) => {
    const { examples: errors, ...rest } = media;
    if (errors) {
      const recorded = Object.entries(errors).filter(([code]) => Object.hasOwn(PROBLEMS, code));
      return recorded.length > 0 ? { ...rest, examples: Object.fromEntries(recorded) } : rest;
    }
    const name = media.schema?.$ref?.replace("#/components/schemas/", "");
    if (name === undefined || !Object.hasOwn(BODIES, name)) return media;
    return { ...media, examples: { [name]: { $ref: `#/components/examples/${name}` } } };
  });
  return { ...body, content };
}

/** Returns the examples that a part of the document refers to. */
function examplesIn(text: string) {
  const all = {
    ...mapped(PROBLEMS, (value) => ({ summary: value.title, value })),
    ...mapped(BODIES, (value) => ({ value })),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => text.includes(`"#/components/examples/${name}"`)),
  );
}
