import { env } from "cloudflare:workers";

/** A scan that may stay, and why it reads few rows. */
interface Exception {
  /** The step of the plan, without `SCAN`. */
  readonly scan: RegExp;
  readonly query: RegExp;
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    scan: /^\w+( USING (COVERING )?INDEX \w+)?$/,
    query: /^select [^()]+ from "\w+" limit \?$/,
    reason: "Reads the first row: whether there is one.",
  },
  {
    scan: /^users USING COVERING INDEX \w+$/,
    query: /not exists \(select 1 from "users"\)/,
    reason: "Reads the first row: whether there is one.",
  },
  {
    scan: /^\w+ USING (COVERING )?INDEX (\w+_waiting|ar_content_deleted|video_uploads_expiry|orphaned_files_due)$/,
    query: /WITH RECURSIVE waiting/,
    reason: "Reads the first row: the first company that has such rows (worker/db/companies-with.ts).",
  },
  {
    scan: /^compile_tasks USING (COVERING )?INDEX compile_tasks_running$/,
    query: /"executor" = 'node'/,
    reason: "The partial index has at most as many rows as the Node compiler has places.",
  },
  {
    scan: /^(storage_migrations|webhook_deliveries) USING INDEX \w+_leased$/,
    query: /"lease" is not null/i,
    reason: "The partial index has a few rows per company that moves files or sends webhooks at this moment.",
  },
  {
    scan: /^storage_migrations USING INDEX storage_migrations_newest$/,
    query: /row_number\(\) OVER \(PARTITION BY company_id, video_of IS NULL/,
    reason: "At most 40 finished storage migrations of each company are kept.",
  },
];

/** Names in plans that are no tables: the statements' own subqueries, whose steps are in the plan too. */
const SUBQUERIES = new Set(["waiting", "line", "files", "shown", "candidate", "newest", "placed"]);

/** Returns the scans of a growing table in the plan of a statement. Every table grows with the companies. */
export function scansIn(query: string, plan: readonly string[]): string[] {
  return plan.flatMap((step) => {
    const [, scan, name, virtual] = step.match(/^SCAN ((\S+)(?: VIRTUAL TABLE INDEX (\S*))?.*)$/) ?? [];
    if (scan === undefined || scan === "CONSTANT ROW" || /^\(subquery-\d+\)$/.test(name)) return [];
    // A function that returns rows, or a full-text search with a MATCH.
    if (name === "json_each" || virtual?.includes(":M") || SUBQUERIES.has(name)) return [];
    // An INSERT looks for rows that refer to the new one only while a foreign key is violated.
    if (/^insert /i.test(query) && !query.includes(name)) return [];
    return EXCEPTIONS.some((exception) => exception.scan.test(scan) && exception.query.test(query))
      ? []
      : [scan];
  });
}

/** Returns the plan of each statement, by its text. */
export async function explain(
  statements: Iterable<readonly [string, readonly unknown[]]>,
): Promise<Map<string, string[]>> {
  const all = [...statements];
  if (all.length === 0) return new Map();
  const plans = await env.DB.batch<{ detail: string }>(
    all.map(([query, values]) => env.DB.prepare(`EXPLAIN QUERY PLAN ${query}`).bind(...values)),
  );
  return new Map(all.map(([query], at) => [query, plans[at].results.map(({ detail }) => detail)]));
}
