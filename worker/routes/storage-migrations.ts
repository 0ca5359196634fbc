import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { failureOf, testSaved } from "../storage/connections.ts";
import { newStorageMigration, storageMigration, storageMigrationList } from "../storage/schemas.ts";
import { announceStorageMigration } from "../storage-migration/announce.ts";
import * as life from "../storage-migration/life.ts";
import { storageMigrationBody } from "../storage-migration/representation.ts";
import { type CompanyEnv, companyRoute } from "./guarded.ts";
import { idOf } from "./storage-connections.ts";

const MAX_LISTED = 20;

const migrationId = z.object({
  id: z
    .string()
    .openapi({ param: { name: "id", in: "path" }, example: "5f1b6a52-6a0c-4b53-9f0e-0d6c1f2b7a11" }),
});

const create = companyRoute("storage:manage", {
  method: "post",
  path: "/",
  operationId: "createStorageMigration",
  summary: "Start a storage migration: move all files to another connection",
  description:
    "The connection is tested first. Then each file is copied in the background, read back, compared, and removed from " +
    "its old storage. All files stay available. New files still go to the company's current connection.",
  middleware: [readJson] as const,
  request: { body: jsonBody(newStorageMigration) },
  responses: {
    202: {
      ...answers(storageMigration, "Started; `Location` is the URL of the storage migration"),
      headers: z.object({ Location: z.string() }),
    },
    ...problems(
      "not_found",
      "migration_running",
      "storage_test_failed",
      "secrets_unavailable",
      ...JSON_REFUSALS,
    ),
  },
});

const list = companyRoute("storage:read", {
  method: "get",
  path: "/",
  operationId: "listStorageMigrations",
  summary: `List the last ${MAX_LISTED} storage migrations, newest first`,
  responses: { 200: answers(storageMigrationList, "The storage migrations") },
});

const read = companyRoute("storage:read", {
  method: "get",
  path: "/{id}",
  operationId: "getStorageMigration",
  summary: "Get a storage migration",
  request: { params: migrationId },
  responses: { 200: answers(storageMigration, "The storage migration"), ...problems("not_found") },
});

const commandRoute = <Command extends life.Command>(command: Command, summary: string, description: string) =>
  companyRoute("storage:manage", {
    method: "post",
    path: `/{id}/${command}`,
    operationId: `${command}StorageMigration`,
    summary,
    description,
    request: { params: migrationId },
    responses: {
      200: answers(storageMigration, "The storage migration"),
      ...problems("not_found", "migration_over"),
    },
  });

const pause = commandRoute(
  "pause",
  "Pause a storage migration",
  "The file being copied stays in its old storage. Files already moved stay in the new one.",
);
const resume = commandRoute("resume", "Resume a paused storage migration", "Failed files are retried.");
const cancel = commandRoute(
  "cancel",
  "Cancel a storage migration",
  "Files already moved stay in the new storage; another storage migration can move them back.",
);

export const storageMigrationRoutes = new OpenAPIHono<AppEnv>()
  .openapi(create, async (c) => {
    const { to } = c.req.valid("json");
    const { connections, creation } = c.var;
    const location = `/api/storage-migrations/${creation.id}`;
    const made = creation.isRepeated && (await life.find(c.env.db, connections.company.id, creation.id));
    if (made) return c.json(storageMigrationBody(made), 202, { Location: location });
    const toId = await idOf(connections, to);
    const failure = failureOf(await testSaved(c.env, connections, toId));
    if (failure !== null) throw new Refusal("storage_test_failed", `No files were moved. ${failure}`);
    const started = await life.start(c.env.db, {
      id: creation.id,
      companyId: connections.company.id,
      toStorageId: toId,
      audit: c.var.audit,
      now: c.env.now(),
    });
    if (!started) {
      // It may have been deleted, or its files given up, since it was found.
      await idOf(connections, to);
      if (toId !== null && (await connections.get(toId))?.givenUpAt) {
        const why = "The files of this storage connection were given up.";
        throw new Refusal("storage_test_failed", `No files were moved. ${why}`);
      }
      throw new Refusal(
        "migration_running",
        "Another storage migration is running. Wait for it to finish, or cancel it.",
      );
    }
    await announceStorageMigration(c.env.storageQueue, started.id, 0);
    return c.json(await readMigration(c.env, started.companyId, started.id), 202, { Location: location });
  })
  .openapi(list, async (c) => {
    const reports = await life.list(c.env.db, c.var.store.company.id, MAX_LISTED);
    return c.json({ items: reports.map(storageMigrationBody) }, 200);
  })
  .openapi(read, async (c) =>
    c.json(await readMigration(c.env, c.var.store.company.id, c.req.valid("param").id), 200),
  )
  .openapi(pause, async (c) => c.json(await runCommand(c, c.req.valid("param").id, "pause"), 200))
  .openapi(resume, async (c) => c.json(await runCommand(c, c.req.valid("param").id, "resume"), 200))
  .openapi(cancel, async (c) => c.json(await runCommand(c, c.req.valid("param").id, "cancel"), 200));

async function find({ db }: AppEnv["Bindings"], companyId: string, id: string) {
  const report = await life.find(db, companyId, id);
  if (!report) throw new Refusal("not_found", `No storage migration has the id "${id.slice(0, 100)}".`);
  return report;
}

async function readMigration(env: AppEnv["Bindings"], companyId: string, id: string) {
  return storageMigrationBody(await find(env, companyId, id));
}

async function runCommand(
  { env, var: { audit, access } }: Context<CompanyEnv>,
  id: string,
  command: life.Command,
) {
  const companyId = access.company.id;
  const row = await life.applyCommand(env.db, { companyId, id, command, audit, now: env.now() });
  if (!row) {
    const { state } = (await find(env, companyId, id)).migration;
    throw new Refusal("migration_over", `Cannot ${command} the storage migration: its state is "${state}".`);
  }
  // Cancelling takes a turn too: it removes the unfinished copy.
  if (command !== "pause") await announceStorageMigration(env.storageQueue, row.id, 0);
  return readMigration(env, companyId, row.id);
}
