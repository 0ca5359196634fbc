import type { InstanceState } from "./container.ts";

/** A CompilerContainer, as its binding shows it. */
export interface Instance {
  reserve(): Promise<boolean>;
  state(): Promise<InstanceState>;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

const BUSY_RETRY_SECONDS = 2;

/**
 * Sends a request of worker/marker/compile-service.ts to containers. A compilation goes to the first instance with a
 * free place, so that as many run as there are compilations, and the others sleep. A health check starts none.
 */
export async function fetchFromContainers(
  instances: readonly Instance[],
  url: string,
  init: RequestInit,
): Promise<Response> {
  const capacity = instances.length;
  if (new URL(url).pathname === "/health") {
    const states = await Promise.all(instances.map((instance) => instance.state()));
    const status = states.every(({ isFailing }) => isFailing) ? "failing" : "ok";
    return Response.json({ status, running: states.filter(({ isFree }) => !isFree).length, capacity });
  }
  for (const instance of instances) {
    if (await instance.reserve()) return instance.fetch(url, init);
  }
  const busy = { code: "busy", detail: `All ${capacity} places of the compiler are taken.` };
  return Response.json(busy, { status: 503, headers: { "Retry-After": String(BUSY_RETRY_SECONDS) } });
}
