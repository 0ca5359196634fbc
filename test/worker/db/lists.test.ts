import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import { Edge } from "../edge.ts";

/** The database migration that counts and indexes what lists and searches read. */
const MIGRATION = "0026_lists.sql";
const PROJECT = "00000000-0000-4000-8000-000000000002";

const rows = async (query: string) => (await env.DB.prepare(query).all()).results;

beforeAll(async () => {
  await reset();
  const at = env.TEST_MIGRATIONS.findIndex(({ name }) => name === MIGRATION);
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS.slice(0, at));
  const content = (id: string, status: string, deletedAt: string) =>
    `INSERT INTO ar_content (id, project_id, company_id, unique_id, title, description, search_text, image_path,
        image_url, image_type, image_sha256, image_width, image_height, image_bytes, generation, marker_status, created_at,
        updated_at, deleted_at)
      VALUES ('${id}', '${PROJECT}', '${FIRST_COMPANY_ID}', '${id}', 'Закат ${id}', '', 'закат ${id}' || char(10), '${id}',
        '/${id}', 'image/jpeg', '${id}', 1, 1, 1, 1, '${status}', 5, 5, ${deletedAt})`;
  const task = (id: string, state: string) =>
    `INSERT INTO compile_tasks (id, content_id, company_id, generation, state, attempts, created_at)
      VALUES ('${id}', '${id}', '${FIRST_COMPANY_ID}', 1, '${state}', 0, 7)`;
  await env.DB.batch(
    [
      content("a", "ready", "NULL"),
      content("b", "ready", "NULL"),
      content("c", "failed", "NULL"),
      content("d", "pending", "NULL"),
      content("hidden", "ready", "99999999999999"),
      ...["a", "b"].map((id) => task(id, "ready")),
      task("c", "failed"),
      task("d", "pending"),
    ].map((statement) => env.DB.prepare(statement)),
  );
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});

test("photos from before are counted, without hidden ones", async () => {
  expect(await rows("SELECT marker_status, contents FROM content_counts ORDER BY marker_status")).toEqual([
    { marker_status: "failed", contents: 1 },
    { marker_status: "pending", contents: 1 },
    { marker_status: "ready", contents: 2 },
  ]);
});

test("photos from before are found", async () => {
  const { rows, total } = await (await new Edge().store()).list({ text: "ЗАКАТ", limit: 10 }, 0);
  expect([rows.map(({ content }) => content.id).sort(), total]).toEqual([["a", "b", "c", "d"], 4]);
});

test("the sweep finds a compilation whose next message was not recorded", async () => {
  expect(
    await rows("SELECT id, next_attempt_at FROM compile_tasks WHERE next_attempt_at IS NOT NULL"),
  ).toEqual([{ id: "d", next_attempt_at: 7 }]);
});
