import { z } from "@hono/zod-openapi";
import type { Bindings } from "../bindings.ts";
import type { ConnectionRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { ConnectionStore } from "./connection-store.ts";
import { addConnection, changeConnection } from "./connections.ts";
import { StorageError } from "./provider.ts";
import { yandexDiskSettings } from "./settings.ts";

/**
 * How a company connects its Yandex Disk. The details of an authorization go through Yandex and back in OAuth's
 * `state`, encrypted, bound to the company, and valid for half an hour.
 */

const AUTHORIZATION_MILLISECONDS = 30 * 60_000;

const authorization = z.object({
  companyId: z.string(),
  verifier: z.string(),
  name: z.string(),
  root: yandexDiskSettings.shape.root,
  /** The connection that gets new tokens; null: a new connection is made. */
  connectionId: z.string().nullable(),
  endsAt: z.number(),
});

export type RequestedConnection = Pick<z.infer<typeof authorization>, "name" | "root" | "connectionId">;

type Services = Pick<Bindings, "storages" | "yandex" | "now">;

/** Returns the address at which a person permits the access. */
export async function startAuthorization(
  { storages, yandex, now }: Services,
  store: ConnectionStore,
  requested: RequestedConnection,
  redirectUri: string,
): Promise<string> {
  const app = application(yandex);
  const verifier = app.newVerifier();
  const endsAt = now() + AUTHORIZATION_MILLISECONDS;
  const details = { companyId: store.company.id, verifier, ...requested, endsAt };
  const state = await storages.sealText(JSON.stringify(details), CONTEXT);
  return (await app.authorizeUrl({ state, verifier }, redirectUri)).href;
}

/** Makes the connection, or gives it new tokens, with the code that Yandex returned. */
export async function finishAuthorization(
  services: Services,
  store: ConnectionStore,
  code: string,
  state: string,
): Promise<ConnectionRow> {
  const { verifier, name, root, connectionId } = await openState(services, store, state);
  const settings = await application(services.yandex)
    .exchange(code, verifier, root)
    .catch((error) => {
      if (error instanceof StorageError && error.code === "denied") {
        throw new Refusal("authorization_failed", error.message);
      }
      throw error;
    });
  if (connectionId === null)
    return addConnection(services, store, { name, provider: "yandex_disk", settings });
  const row = await store.get(connectionId);
  const changed = row && (await changeConnection(services, store, row, { settings }));
  if (!changed) throw new Refusal("not_found", "The connection was deleted.");
  return changed;
}

const CONTEXT = "yandex_permission";

async function openState({ storages, now }: Services, store: ConnectionStore, state: string) {
  const details = await storages
    .openText(state, CONTEXT)
    .then((text) => authorization.parse(JSON.parse(text)))
    .catch(() => null);
  if (details?.companyId === store.company.id && details.endsAt > now()) return details;
  throw new Refusal(
    "authorization_failed",
    "This authorization is more than 30 minutes old, or belongs to another company. Start again.",
  );
}

function application(yandex: Services["yandex"]) {
  if (yandex) return yandex;
  throw new Refusal(
    "authorization_unavailable",
    "This installation is not registered with Yandex (YANDEX_CLIENT_ID, YANDEX_CLIENT_SECRET). Paste a token instead.",
  );
}
