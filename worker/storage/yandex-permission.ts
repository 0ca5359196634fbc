import { z } from "@hono/zod-openapi";
import type { Bindings } from "../bindings.ts";
import type { ConnectionRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { ConnectionStore } from "./connection-store.ts";
import { addConnection, changeConnection } from "./connections.ts";
import { StorageError } from "./provider.ts";
import { yandexDiskSettings } from "./settings.ts";

/**
 * How a company gives the permission to use its Yandex Disk. What the attempt must remember travels through
 * Yandex and back in `state`, sealed: bound to the company, and worth nothing after a while.
 */

const ATTEMPT_MILLISECONDS = 30 * 60_000;

const attempt = z.object({
  companyId: z.string(),
  verifier: z.string(),
  name: z.string(),
  root: yandexDiskSettings.shape.root,
  /** The connection that gets new tokens; null: a new one is made. */
  connectionId: z.string().nullable(),
  endsAt: z.number(),
});

export interface PermissionWish {
  readonly name: string;
  readonly root: string;
  readonly connectionId: string | null;
}

type Services = Pick<Bindings, "storages" | "yandex" | "now">;

/** The address that the person's browser goes to. */
export async function permissionUrl(
  { storages, yandex, now }: Services,
  store: ConnectionStore,
  wish: PermissionWish,
  redirectUri: string,
): Promise<string> {
  const app = application(yandex);
  const verifier = app.newVerifier();
  const endsAt = now() + ATTEMPT_MILLISECONDS;
  const remembered = { companyId: store.company.id, verifier, ...wish, endsAt };
  const state = await storages.sealText(JSON.stringify(remembered), CONTEXT);
  return (await app.authorizeUrl({ state, verifier }, redirectUri)).href;
}

/** The person came back with a code: makes the connection, or gives it its new tokens. */
export async function takePermission(
  services: Services,
  store: ConnectionStore,
  code: string,
  state: string,
): Promise<ConnectionRow> {
  const { verifier, name, root, connectionId } = await recall(services, store, state);
  const settings = await application(services.yandex)
    .exchange(code, verifier, root)
    .catch((error) => {
      if (error instanceof StorageError && error.code === "denied") {
        throw new Refusal("authorization_failed", error.message);
      }
      throw error;
    });
  if (connectionId === null)
    return addConnection(services, store, name, { provider: "yandex_disk", settings });
  const row = await store.get(connectionId);
  const changed = row && (await changeConnection(services, store, row, undefined, settings));
  if (!changed) throw new Refusal("not_found", "The connection was deleted meanwhile.");
  return changed;
}

const CONTEXT = "yandex_permission";

async function recall({ storages, now }: Services, store: ConnectionStore, state: string) {
  const remembered = await storages
    .openText(state, CONTEXT)
    .then((text) => attempt.parse(JSON.parse(text)))
    .catch(() => null);
  if (remembered?.companyId === store.company.id && remembered.endsAt > now()) return remembered;
  throw new Refusal(
    "authorization_failed",
    "This answer of Yandex belongs to another attempt, or to one of more than 30 minutes ago; begin again.",
  );
}

function application(yandex: Services["yandex"]) {
  if (yandex) return yandex;
  throw new Refusal(
    "authorization_unavailable",
    "This installation is not registered with Yandex (YANDEX_CLIENT_ID, YANDEX_CLIENT_SECRET); paste a token instead.",
  );
}
