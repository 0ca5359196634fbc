import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, problems } from "../http/openapi.ts";
import { failureOf, testSaved } from "../storage/connections.ts";
import { migration, newStorageMigration, storageMigrationList } from "../storage/schemas.ts";
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
  summary: "Move all files of the company to a connection",
  description:
    "In the background, file by file: copied, read back and compared, then named by its content, and only then " +
    "removed from where it was. Everything is served all the time. The connection is tested first. New files go " +
    "where the company's current connection says, which this does not change.",
  middleware: [readJson] as const,
  request: { body: { required: true, content: { "application/json": { schema: newStorageMigration } } } },
  responses: {
    202: {
      ...answers(migration, "Begun; `Location` is its address"),
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
  summary: `The last ${MAX_LISTED} migrations, newest first`,
  responses: { 200: answers(storageMigrationList, "The migrations") },
});

const read = companyRoute("storage:read", {
  method: "get",
  path: "/{id}",
  operationId: "getStorageMigration",
  summary: "How far a migration is",
  request: { params: migrationId },
  responses: { 200: answers(migration, "The migration"), ...problems("not_found") },
});

const steer = <Command extends life.Command>(command: Command, summary: string, description: string) =>
  companyRoute("storage:manage", {
    method: "post",
    path: `/{id}/${command}`,
    operationId: `${command}StorageMigration`,
    summary,
    description,
    request: { params: migrationId },
    responses: { 200: answers(migration, "The migration"), ...problems("not_found", "migration_over") },
  });

const pause = steer(
  "pause",
  "Pause a migration",
  "The file on its way stays where it was. What was moved stays moved.",
);
const resume = steer("resume", "Go on with a paused migration", "Files that failed are tried again.");
const cancel = steer(
  "cancel",
  "End a migration before its end",
  "What was moved stays moved, and is served from there; another migration may move it back.",
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
    if (failure !== null) throw new Refusal("storage_test_failed", `${failure} Nothing is moved.`);
    const begun = await life.begin(
      c.env.db,
      connections.company.id,
      toId,
      null,
      c.var.audit,
      c.env.now(),
      creation.id,
    );
    if (!begun) {
      throw new Refusal("migration_running", "Another migration is under way; let it end, or cancel it.");
    }
    await announceStorageMigration(c.env.storageQueue, begun.id, 0);
    return c.json(await shown(c.env, begun.companyId, begun.id), 202, { Location: location });
  })
  .openapi(list, async (c) => {
    const reports = await life.list(c.env.db, c.var.store.company.id, MAX_LISTED);
    return c.json({ items: reports.map(storageMigrationBody) }, 200);
  })
  .openapi(read, async (c) =>
    c.json(await shown(c.env, c.var.store.company.id, c.req.valid("param").id), 200),
  )
  .openapi(pause, async (c) => c.json(await obey(c, c.req.valid("param").id, "pause"), 200))
  .openapi(resume, async (c) => c.json(await obey(c, c.req.valid("param").id, "resume"), 200))
  .openapi(cancel, async (c) => c.json(await obey(c, c.req.valid("param").id, "cancel"), 200));

async function find({ db }: AppEnv["Bindings"], companyId: string, id: string) {
  const report = await life.find(db, companyId, id);
  if (!report) throw new Refusal("not_found", `There is no migration with the id "${id.slice(0, 100)}".`);
  return report;
}

async function shown(env: AppEnv["Bindings"], companyId: string, id: string) {
  return storageMigrationBody(await find(env, companyId, id));
}

async function obey({ env, var: { audit, access } }: Context<CompanyEnv>, id: string, command: life.Command) {
  const companyId = access.company.id;
  const row = await life.command(env.db, companyId, id, command, audit, env.now());
  if (!row) {
    const { state } = (await find(env, companyId, id)).migration;
    throw new Refusal("migration_over", `The migration is ${state}: there is nothing to ${command}.`);
  }
  // To cancel, too, is work: half a copy is to be cleared away.
  if (command !== "pause") await announceStorageMigration(env.storageQueue, row.id, 0);
  return shown(env, companyId, row.id);
}
