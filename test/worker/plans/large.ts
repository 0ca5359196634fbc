/** The company and the project that the first database migration creates. */
const COMPANY = "00000000-0000-4000-8000-000000000001";
const PROJECT = "00000000-0000-4000-8000-000000000002";

const DAY = 86_400_000;

/**
 * Returns the SQL that fills the tables that grow, for the first company: `rows` photos, one in a thousand of them
 * failed, each with a finished compilation, a replaced file that is kept, an audit entry, and an event with its delivery. The photos' numbers are in
 * their titles. There are as many other companies.
 *
 * @param now the time of the newest rows, in milliseconds since 1970
 */
export function largeTables(rows: number, now: number): string[] {
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})`;
  const at = `${now} - 1000 * (${rows} - n)`;
  const company = `'${COMPANY}'`;
  return [
    `INSERT INTO ar_content (id, project_id, company_id, unique_id, title, description, search_text, image_path, image_url,
        image_type, image_sha256, image_width, image_height, image_bytes, generation, marker_status, created_at, updated_at)
      ${numbers} SELECT printf('%08x-0000-4000-8000-%012x', n * 2654435761 % 4294967296, n), '${PROJECT}', ${company},
        printf('%08x-0000-4000-9000-%012x', n * 2654435761 % 4294967296, n), 'Портрет ' || n, 'Family album',
        'портрет ' || n || char(10) || 'family album', 'image-' || n, '/image-' || n,
        'image/jpeg', printf('%064x', n), 600, 800, 75000, 1, CASE WHEN n % 1000 = 7 THEN 'failed' ELSE 'ready' END, ${at}, ${at}
      FROM numbers`,
    `INSERT INTO compile_tasks (id, content_id, company_id, generation, state, attempts, created_at, finished_at)
      SELECT 'task-' || id, id, company_id, 1, marker_status, 1, created_at, created_at FROM ar_content WHERE image_path LIKE 'image-%'`,
    `INSERT INTO audit_log (id, company_id, created_at, actor_kind, actor_id, actor_name, address, action, object_id, object_name)
      ${numbers} SELECT printf('%08x-0000-4000-a000-%012x', n, n), ${company}, ${at}, 'person', 'person-' || (n % 1000), 'Ada', '',
        CASE WHEN n % 1000 = 7 THEN 'member.joined' WHEN n % 1000 = 8 THEN 'content.deleted' ELSE 'content.created' END,
        'object-' || n, 'Photo' FROM numbers`,
    `INSERT INTO webhook_endpoints (id, company_id, url, events, description, is_enabled, secret, secret_id, created_at, updated_at)
      VALUES ('large-endpoint', ${company}, 'https://shop.example.net/large', '[]', '', 1, 'test:', '', ${now}, ${now})`,
    `INSERT INTO webhook_events (id, company_id, type, data, created_at)
      ${numbers} SELECT 'event-' || n, ${company}, 'marker.ready', '{}', ${at} FROM numbers`,
    `INSERT INTO webhook_deliveries (id, company_id, endpoint_id, event_id, state, attempts, created_at, finished_at)
      ${numbers} SELECT printf('%08x-0000-4000-b000-%012x', n, n), ${company}, 'large-endpoint', 'event-' || n,
        CASE WHEN n % 1000 = 7 THEN 'failed' ELSE 'delivered' END, 1, ${at}, ${at} FROM numbers`,
    `INSERT INTO companies (id, name, slug, storage_path, created_at, updated_at)
      ${numbers} SELECT 'company-' || n, 'Company', 'company-' || n, 'company-' || n, ${now}, ${now} FROM numbers`,
    `INSERT INTO compilation_days (company_id, day, compilations)
      ${numbers} SELECT 'company-' || n, date(${now} / 1000 - n % 300 * 86400, 'unixepoch'), 1 FROM numbers`,
    `INSERT INTO idempotency_keys (id, company_id, creation_id, runs, expires_at)
      ${numbers} SELECT 'key-' || n, ${company}, 'object-' || n, 1, ${now + DAY} FROM numbers`,
    `INSERT INTO attempts (key, count, resets_at) ${numbers} SELECT 'attempt-' || n, 1, ${now + DAY} FROM numbers`,
    `INSERT INTO verifications (id, identifier, value, expires_at, created_at, updated_at)
      ${numbers} SELECT 'verification-' || n, 'challenge-' || n, 'person-' || n, ${now + DAY}, ${now}, ${now} FROM numbers`,
    `INSERT INTO orphaned_files (id, company_id, content_id, path, is_reserved, created_at, due_at)
      ${numbers} SELECT 'orphan-' || n, ${company}, 'content-' || n, 'replaced-' || n, 0, ${at}, ${at} + ${DAY} FROM numbers`,
    `INSERT INTO storage_migrations (id, company_id, state, next_message_at, created_at, updated_at, finished_at)
      VALUES ('large-migration', ${company}, 'done', 0, ${now}, ${now}, ${now})`,
    `INSERT INTO file_moves (id, migration_id, content_id, kind, from_path, to_path, state, has_orphaned_copy, parts, attempts, created_at, finished_at)
      ${numbers} SELECT 'move-' || n, 'large-migration', 'content-' || n, 'image', 'from-' || n, 'to-' || n, 'moved', 0, '[]', 0, ${at}, ${at} FROM numbers`,
  ];
}
