import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Vite's own `<style>` elements carry it, so that the pages' policies hold in development too. */
const NONCE = "development";

/**
 * Makes Vite's development server answer pages as production does: the viewer at /v/:id, the studio at every other
 * address, with the headers of public/_headers. The policies additionally allow what Vite injects.
 */
export function productionPages(): Plugin {
  const rules = readHeaders(join(import.meta.dirname, "public/_headers"));
  return {
    name: "production-pages",
    apply: "serve",
    config: () => ({ html: { cspNonce: NONCE } }),
    transformIndexHtml: (html) =>
      html.replace(
        /(http-equiv="Content-Security-Policy"\s+content=")([^"]+)/,
        (_, before, policy) => before + inDevelopment(policy),
      ),
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? "/", "http://localhost");
        if (/^\/(api|media)\//.test(pathname)) return next();
        const isPage = request.headers.accept?.includes("text/html") ?? false;
        const isViewer = /^\/(v\/|viewer$)/.test(pathname);
        if (isPage && isViewer) request.url = "/viewer.html";
        for (const path of ["/*", ...(isPage ? [isViewer ? "/viewer" : "/"] : [])]) {
          for (const [name, value] of rules.get(path) ?? [])
            response.setHeader(name, name === "Content-Security-Policy" ? inDevelopment(value) : value);
        }
        next();
      });
    },
  };
}

/** MindAR's worker is a blob in production and a file in development; Vite's styles are elements of the page. */
function inDevelopment(policy: string): string {
  return policy
    .replace("style-src 'self'", `style-src 'self' 'nonce-${NONCE}'`)
    .replace("worker-src blob:", "worker-src 'self' blob:");
}

/** Returns the headers of a Cloudflare `_headers` file by path. */
function readHeaders(file: string): Map<string, [name: string, value: string][]> {
  const rules = new Map<string, [string, string][]>();
  let current: [string, string][] = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const header = /^\s+([\w-]+):\s*(.+)$/.exec(line);
    if (header) current.push([header[1]!, header[2]!]);
    else if (line.startsWith("/")) {
      current = [];
      rules.set(line.trim(), current);
    }
  }
  return rules;
}
