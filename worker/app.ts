import type { ExecutionContext } from "hono";
import type { Bindings } from "./bindings.ts";
import { pages } from "./pages.ts";

/** Responds to requests: what viewers load comes from `pages`, which starts quickly, and the rest from the API. */
export const app = {
  async fetch(request: Request, bindings: Bindings, context?: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!isOfApi(pathname)) return pages.fetch(request, bindings, context);
    const { api } = await import("./api.ts");
    return api.fetch(request, bindings, context);
  },
};

function isOfApi(path: string): boolean {
  return /^\/api(\/|$)/.test(path) && !path.startsWith("/api/viewer/");
}
