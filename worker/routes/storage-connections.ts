import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import type { ConnectionRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { invalidInput, readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems, STORAGE_REFUSALS } from "../http/openapi.ts";
import { publicOriginOf } from "../http/origin.ts";
import { type ConnectionStore, heldIn } from "../storage/connection-store.ts";
import {
  addConnection,
  allowUploads,
  beginTrialUpload,
  changeConnection,
  giveFilesUp,
  removeConnection,
  testSaved,
  testSettings,
  usageOf,
} from "../storage/connections.ts";
import { connectionBody, filesBody, platformBody, reportBody, usageBody } from "../storage/representation.ts";
import {
  connection,
  connectionChange,
  connectionList,
  connectionLosses,
  connectionReport,
  connectionTrial,
  connectionUsage,
  givingUp,
  newConnection,
  PLATFORM,
  presetList,
  trialUpload,
} from "../storage/schemas.ts";
import {
  type ConnectionSettings,
  mergeSettings,
  PRESETS,
  type Provider,
  parseSettings,
} from "../storage/settings.ts";
import { removeDueFiles } from "../sweep.ts";
import { companyRoute } from "./guarded.ts";

const connectionId = z.object({
  id: z.string().openapi({
    param: { name: "id", in: "path" },
    description: `"${PLATFORM}" is the platform's own bucket.`,
    example: PLATFORM,
  }),
});

const list = companyRoute("storage:read", {
  method: "get",
  path: "/",
  operationId: "listStorageConnections",
  summary: "List storage connections: the platform's own bucket first, then the company's, oldest first",
  responses: { 200: answers(connectionList, "The connections") },
});

const presets = companyRoute("storage:read", {
  method: "get",
  path: "/presets",
  operationId: "listStoragePresets",
  summary: "List the settings of well-known storage providers, as presets for a form",
  responses: { 200: answers(presetList, "The presets") },
});

const create = companyRoute("storage:manage", {
  method: "post",
  path: "/",
  operationId: "createStorageConnection",
  summary: "Save a storage connection",
  description:
    "The address is checked, but the connection is not; test it separately. Secrets are encrypted, and no response " +
    "contains them.",
  middleware: [readJson] as const,
  request: { body: jsonBody(newConnection) },
  responses: {
    201: {
      ...answers(connection, "Saved; `Location` is the URL of the storage connection"),
      headers: z.object({ Location: z.string() }),
    },
    ...problems(...JSON_REFUSALS, "invalid_storage_settings", "secrets_unavailable"),
  },
});

const read = companyRoute("storage:read", {
  method: "get",
  path: "/{id}",
  operationId: "getStorageConnection",
  summary: "Get a storage connection",
  request: { params: connectionId },
  responses: { 200: answers(connection, "The connection"), ...problems("not_found") },
});

const change = companyRoute("storage:manage", {
  method: "patch",
  path: "/{id}",
  operationId: "changeStorageConnection",
  summary: "Change the name or the settings of a storage connection",
  description:
    "Omitted settings, including secrets, stay the same. While the connection holds files, the new settings must lead " +
    "to the same files: new keys or a new address of the same bucket are accepted, another bucket is not.",
  middleware: [readJson] as const,
  request: {
    params: connectionId,
    body: jsonBody(connectionChange),
  },
  responses: {
    200: answers(connection, "The changed connection"),
    ...problems("not_found", "storage_in_use", ...JSON_REFUSALS, ...STORAGE_REFUSALS),
  },
});

const remove = companyRoute("storage:manage", {
  method: "delete",
  path: "/{id}",
  operationId: "deleteStorageConnection",
  summary: "Delete an unused storage connection",
  request: { params: connectionId },
  responses: { 204: { description: "Deleted" }, ...problems("not_found", "storage_in_use") },
});

const removeFiles = companyRoute("storage:manage", {
  method: "delete",
  path: "/{id}/deleted-files",
  operationId: "removeDeletedFiles",
  summary: "Remove the deleted files of a storage connection at once",
  description:
    "Deleted, replaced and moved files stay in their storage for 24 hours, so that an operator can restore them. This " +
    "request removes them in the background.",
  request: { params: connectionId },
  responses: { 204: { description: "The files are being removed" }, ...problems("not_found") },
});

const losses = companyRoute("storage:read", {
  method: "get",
  path: "/{id}/losses",
  operationId: "getStorageConnectionLosses",
  summary: "Count what giving up the files of a storage connection loses",
  request: { params: connectionId },
  responses: { 200: answers(connectionLosses, "The losses"), ...problems("not_found") },
});

const giveUp = companyRoute("storage:give-up", {
  method: "post",
  path: "/{id}/give-up",
  operationId: "giveUpStorageConnection",
  summary: "Give up the files of a storage connection whose bucket or access is lost",
  description:
    "Photos whose original is in this storage are deleted; other photos lose the files that are in it. The connection " +
    "is deleted once nothing names its files. This cannot be undone.",
  middleware: [readJson] as const,
  request: { params: connectionId, body: jsonBody(givingUp) },
  responses: {
    202: answers(connection, "The files are being given up"),
    ...problems("not_found", "storage_in_use", "storage_conflict", ...JSON_REFUSALS),
  },
});

const test = companyRoute("storage:manage", {
  method: "post",
  path: "/{id}/test",
  operationId: "testStorageConnection",
  summary: "Test a storage connection: write, read, list and delete a file",
  request: { params: connectionId },
  responses: {
    200: answers(connectionReport, "The result of each step, including failures"),
    ...problems("not_found", "secrets_unavailable"),
  },
});

const cors = companyRoute("storage:manage", {
  method: "post",
  path: "/{id}/cors",
  operationId: "allowUploadsToStorage",
  summary: "Allow the studio's pages to upload straight to a storage",
  description:
    "Adds a CORS rule for this platform's origin to the bucket's rules. The access key needs permission for that; if it " +
    "has none, add the rule by hand.",
  request: { params: connectionId },
  responses: {
    204: { description: "Allowed" },
    ...problems("not_found", "not_signed", ...STORAGE_REFUSALS),
  },
});

const tryUpload = companyRoute("storage:manage", {
  method: "post",
  path: "/{id}/trial-upload",
  operationId: "tryUploadToStorage",
  summary: "Get an address to which a browser can try to upload",
  description:
    "A PUT from a page that succeeds shows that the bucket's CORS rules allow uploads, also where the access key may " +
    "neither read nor change them. No file is stored.",
  request: { params: connectionId },
  responses: {
    200: answers(trialUpload, "The address"),
    ...problems("not_found", "not_signed", ...STORAGE_REFUSALS),
  },
});

const trial = companyRoute("storage:manage", {
  method: "post",
  path: "/test",
  operationId: "testStorageSettings",
  summary: "Test settings without saving them",
  middleware: [readJson] as const,
  request: { body: jsonBody(connectionTrial) },
  responses: {
    200: answers(connectionReport, "The result of each step, including failures"),
    ...problems("not_found", ...JSON_REFUSALS, "secrets_unavailable"),
  },
});

const measure = companyRoute("storage:read", {
  method: "get",
  path: "/{id}/usage",
  operationId: "getStorageUsage",
  summary: "Get the usage of a storage connection",
  description:
    "`files` counts the files of the company's content. `usage` counts all objects in the company's folder and has the " +
    "storage's quota if it reports one; it is measured at most every 15 minutes, unless `refresh=true`.",
  request: {
    params: connectionId,
    query: z.object({ refresh: z.enum(["true", "false"]).default("false") }),
  },
  responses: {
    200: answers(connectionUsage, "The usage"),
    ...problems("not_found", "invalid_input", ...STORAGE_REFUSALS),
  },
});

export const storageConnectionRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => {
    const store = c.var.connections;
    const { rows, held } = await store.inventory();
    const context = { company: store.company, held, now: c.env.now() };
    const bodies = rows.map((row) => connectionBody(c.env.storages, row, context));
    return c.json({ items: [platformBody(context), ...(await Promise.all(bodies))] }, 200);
  })
  .openapi(presets, (c) => c.json({ items: PRESETS.map((preset) => ({ ...preset })) }, 200))
  .openapi(create, async (c) => {
    const row = await addConnection(c.env, c.var.connections, c.req.valid("json"), c.var.creation);
    return c.json(await readConnection(c.env, c.var.connections, row.id), 201, {
      Location: `/api/storage-connections/${row.id}`,
    });
  })
  .openapi(trial, async (c) => {
    const { provider, settings, connection_id: savedId } = c.req.valid("json");
    const row = savedId === undefined ? undefined : await find(c.var.connections, savedId);
    const saved = row && (await c.env.storages.settingsOf(row));
    const merged = saved?.provider === provider ? mergeSettings(saved.settings, settings) : settings;
    const tested = parseOrThrow(provider, merged);
    return c.json(reportBody(await testSettings(c.env, c.var.store.company, tested)), 200);
  })
  .openapi(read, async (c) =>
    c.json(await readConnection(c.env, c.var.connections, c.req.valid("param").id), 200),
  )
  .openapi(change, async (c) => {
    const { id } = c.req.valid("param");
    const { name, settings: some } = c.req.valid("json");
    const row = await find(c.var.connections, id);
    const before = some && (await c.env.storages.settingsOf(row));
    const settings = before && parseOrThrow(row.provider, mergeSettings(before.settings, some)).settings;
    const changed = await changeConnection(c.env, c.var.connections, row, { name, settings });
    if (!changed) throw notFound(id);
    return c.json(await readConnection(c.env, c.var.connections, id), 200);
  })
  .openapi(remove, async (c) => {
    const row = await find(c.var.connections, c.req.valid("param").id);
    await removeConnection(c.env, c.var.connections, row);
    return c.body(null, 204);
  })
  .openapi(removeFiles, async (c) => {
    const id = await idOf(c.var.connections, c.req.valid("param").id);
    await c.var.connections.deleteKept(id, c.env.now());
    c.env.later(removeDueFiles(c.env, c.env.now()));
    return c.body(null, 204);
  })
  .openapi(losses, async (c) => {
    const { id } = c.req.valid("param");
    const losses = await c.var.connections.losses(id);
    if (!losses) throw notFound(id);
    return c.json(losses, 200);
  })
  .openapi(giveUp, async (c) => {
    const row = await find(c.var.connections, c.req.valid("param").id);
    await giveFilesUp(c.env, c.var.connections, row, c.req.valid("json").photos);
    return c.json(await readConnection(c.env, c.var.connections, row.id), 202);
  })
  .openapi(test, async (c) => {
    const id = await idOf(c.var.connections, c.req.valid("param").id);
    return c.json(reportBody(await testSaved(c.env, c.var.connections, id)), 200);
  })
  .openapi(cors, async (c) => {
    const id = await idOf(c.var.connections, c.req.valid("param").id);
    await allowUploads(c.env, c.var.connections, id, publicOriginOf(c));
    return c.body(null, 204);
  })
  .openapi(tryUpload, async (c) => {
    const id = await idOf(c.var.connections, c.req.valid("param").id);
    return c.json(await beginTrialUpload(c.env, c.var.connections, id), 200);
  })
  .openapi(measure, async (c) => {
    const { id } = c.req.valid("param");
    const refresh = c.req.valid("query").refresh === "true";
    const store = c.var.connections;
    const { rows, held } = await store.inventory(id);
    const row = id === PLATFORM ? null : rows[0];
    if (row === undefined) throw notFound(id);
    const { usage, measuredAt } = await usageOf(c.env, store, row, { refresh });
    const files = filesBody(heldIn(held, row?.id ?? null));
    return c.json({ ...files, usage: usageBody(usage, measuredAt, c.env.now()) }, 200);
  });

/** Returns the id in the database for an id of the API; null is the platform's own bucket. */
export async function idOf(store: ConnectionStore, id: string): Promise<string | null> {
  return id === PLATFORM ? null : (await find(store, id)).id;
}

async function find(store: ConnectionStore, id: string): Promise<ConnectionRow> {
  if (id === PLATFORM) {
    throw new Refusal("storage_in_use", "The platform's own bucket cannot be changed or deleted.");
  }
  const row = await store.get(id);
  if (!row) throw notFound(id);
  return row;
}

/** Reads a connection and returns its API representation. */
async function readConnection({ storages, now }: AppEnv["Bindings"], store: ConnectionStore, id: string) {
  const { rows, held } = await store.inventory(id);
  const context = { company: store.company, held, now: now() };
  if (id === PLATFORM) return platformBody(context);
  const [row] = rows;
  if (!row) throw notFound(id);
  return connectionBody(storages, row, context);
}

function parseOrThrow(provider: Provider, settings: unknown): ConnectionSettings {
  const result = parseSettings(provider, settings);
  if (!result.success) throw invalidInput(result.error, settings, "settings");
  return { provider, settings: result.data } as ConnectionSettings;
}

function notFound(id: string): Refusal {
  return new Refusal("not_found", `No storage connection has the id "${id.slice(0, 100)}".`);
}
