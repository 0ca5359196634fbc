/**
 * SQL for what the API cannot make: marker states that last only for seconds, and thousands of photos at once.
 * Leases and retries are due in a year, so that the sweep leaves these states as they are.
 */

/** Photos of the large company that are copies; their files are those of the photos that were uploaded. */
const COPIES = 4_994;

const NOW = "(unixepoch() * 1000)";
const IN_A_YEAR = "((unixepoch() + 31536000) * 1000)";
const MINUTE = 60_000;

interface MarkerState {
  readonly photos: readonly string[];
  /** Assignments of `compile_tasks`, as SQL. */
  readonly task: Readonly<Record<string, string>>;
  readonly status: "pending" | "processing" | "failed";
}

const UNSTARTED = { started_at: "NULL", finished_at: "NULL", executor: "NULL", lease_hash: "NULL" };

const STATES: readonly MarkerState[] = [
  {
    photos: ["Acanthus mollis", "Airplane from above"],
    status: "pending",
    task: { ...UNSTARTED, state: "'pending'", attempts: "0", next_attempt_at: IN_A_YEAR },
  },
  {
    photos: ["Allium oreophilum", "Brick"],
    status: "pending",
    task: {
      ...UNSTARTED,
      state: "'pending'",
      attempts: "2",
      next_attempt_at: IN_A_YEAR,
      error_code: "'compiler_unreachable'",
      error_message: "'The compiler could not be reached.'",
    },
  },
  {
    photos: ["Black canyon", "Cat face"],
    status: "processing",
    task: {
      state: "'processing'",
      executor: "'browser'",
      lease_hash: "hex(randomblob(32))",
      lease_expires_at: IN_A_YEAR,
      next_attempt_at: IN_A_YEAR,
      progress: `'{"stage":"match","done":3,"total":9}'`,
      started_at: `${NOW} - ${MINUTE}`,
      finished_at: "NULL",
    },
  },
  {
    photos: ["Cell", "Clock"],
    status: "processing",
    task: {
      state: "'processing'",
      executor: "'node'",
      attempts: "1",
      lease_hash: "hex(randomblob(32))",
      lease_expires_at: IN_A_YEAR,
      next_attempt_at: IN_A_YEAR,
      progress: `'{"stage":"track","done":1,"total":2}'`,
      started_at: `${NOW} - ${MINUTE}`,
      finished_at: "NULL",
    },
  },
  {
    photos: ["Coffee", "Coins"],
    status: "failed",
    task: {
      state: "'failed'",
      attempts: "6",
      next_attempt_at: "NULL",
      error_code: "'retries_exhausted'",
      error_message: "'The compiler did not answer in 6 attempts.'",
      finished_at: NOW,
    },
  },
];

/** Returns SQL that puts some ready photos of a company into the other marker states, and lets one expire. */
export function markerStatesSql(company: string): string {
  const statements = STATES.flatMap(({ photos, status, task }) => {
    const contents = `SELECT id FROM ar_content WHERE title IN (${photos.map(quoted).join(", ")}) AND company_id = ${companyId(company)}`;
    const assignments = Object.entries(task).map(([column, value]) => `${column} = ${value}`);
    return [
      `UPDATE compile_tasks SET ${assignments.join(", ")} WHERE content_id IN (${contents})`,
      `UPDATE ar_content SET marker_status = ${quoted(status)}, marker_path = NULL, marker_url = NULL,
        marker_generated_at = NULL, marker_metadata = NULL, thumbnail_path = NULL, thumbnail_url = NULL
        WHERE id IN (${contents})`,
    ];
  });
  statements.push(
    `UPDATE ar_content SET expires_at = ${NOW} - ${MINUTE}, updated_at = ${NOW}
      WHERE title = 'Galaxies' AND company_id = ${companyId(company)}`,
  );
  return statements.map((statement) => `${statement};\n`).join("");
}

/** Returns SQL that copies the photos of a company, and their tasks, until it has thousands. */
export function largeCompanySql(
  company: string,
  columns: { readonly content: readonly string[]; readonly tasks: readonly string[] },
): string {
  const copyId = "printf('%s%06d', substr(original.id, 1, 30), copy.n)";
  const before = `- copy.n * ${37 * MINUTE}`;
  const content: Record<string, string> = {
    id: copyId,
    unique_id: "printf('%s%06d', substr(original.unique_id, 1, 30), copy.n)",
    title: "printf('%s %d', original.title, copy.n)",
    search_text: "printf('%s %d', original.search_text, copy.n)",
    created_at: `original.created_at ${before}`,
    updated_at: `original.updated_at ${before}`,
    // Made when somebody asks for it.
    qr_code_path: "NULL",
  };
  const task: Record<string, string> = {
    id: "printf('%s%06d', substr(task.id, 1, 30), copy.n)",
    content_id: copyId,
    created_at: `task.created_at ${before}`,
  };
  const copies = `WITH RECURSIVE
    copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${COPIES}),
    original AS (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS total
      FROM ar_content WHERE company_id = ${companyId(company)})`;
  const values = (names: readonly string[], table: string, changed: Record<string, string>) =>
    names.map((name) => changed[name] ?? `${table}.${name}`).join(", ");
  const pairs = "copy JOIN original ON original.place = copy.n % original.total";
  // Copies have no tasks yet, so the photos with a task are the originals again, in the same order.
  const withTasks = copies.replace(
    "FROM ar_content WHERE",
    "FROM ar_content WHERE EXISTS (SELECT 1 FROM compile_tasks WHERE content_id = ar_content.id) AND",
  );
  return `INSERT INTO ar_content (${columns.content.join(", ")})
    ${copies} SELECT ${values(columns.content, "original", content)} FROM ${pairs};
  INSERT INTO compile_tasks (${columns.tasks.join(", ")})
    ${withTasks} SELECT ${values(columns.tasks, "task", task)}
    FROM ${pairs} JOIN compile_tasks AS task ON task.content_id = original.id;
`;
}

function companyId(name: string): string {
  return `(SELECT id FROM companies WHERE name = ${quoted(name)})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
