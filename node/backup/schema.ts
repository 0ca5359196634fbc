import type { Database, Value } from "./stores.ts";

/** A table whose rows are saved. */
export interface Table {
  readonly name: string;
  /** Without generated columns. */
  readonly columns: readonly string[];
  /** The tables that its rows refer to. */
  readonly parents: readonly string[];
}

export interface Schema {
  readonly tables: readonly Table[];
  /** SQL that creates the tables, and SQL that creates all else once the rows are there. */
  readonly sql: { readonly tables: readonly string[]; readonly rest: readonly string[] };
}

const PAGE_ROWS = 500;

/** The search has no rows of its own: migrations/0026_lists.sql fills it in the same way. */
const FILL_SEARCH =
  "INSERT INTO content_search (rowid, company, text) SELECT rowid, substr(company_id, 1, 8), search_text FROM ar_content";

/** Reads which tables, indexes and triggers a database has. Tables of SQLite and of D1 are left out. */
export async function readSchema(database: Database): Promise<Schema> {
  const all = async <Row>(sql: string) => (await database.prepare(sql).all<Row>()).results;
  const objects = await all<{ type: string; name: string; sql: string | null }>(
    "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY rowid",
  );
  const kinds = new Map(
    (await all<{ name: string; type: string }>("PRAGMA table_list")).map(({ name, type }) => [name, type]),
  );
  const sqlOf = (type: string, kind?: string) =>
    objects.flatMap((object) =>
      object.type === type && object.sql && (!kind || kinds.get(object.name) === kind) ? [object.sql] : [],
    );
  const names = objects.flatMap(({ type, name }) =>
    type === "table" && kinds.get(name) === "table" ? [name] : [],
  );
  const tables = await Promise.all(
    names.map(async (name) => {
      const columns = await all<{ name: string }>(`PRAGMA table_info(${quoted(name)})`);
      const references = await all<{ table: string }>(`PRAGMA foreign_key_list(${quoted(name)})`);
      return {
        name,
        columns: columns.map((column) => column.name),
        parents: [...new Set(references.map(({ table }) => table))],
      };
    }),
  );
  const search = sqlOf("table", "virtual");
  return {
    tables,
    sql: {
      tables: sqlOf("table", "table"),
      rest: [...sqlOf("index"), ...search, ...(search.length > 0 ? [FILL_SEARCH] : []), ...sqlOf("trigger")],
    },
  };
}

/**
 * Groups tables so that the rows of each group refer only to the group itself and to groups before it. A group has
 * several tables if they refer to each other.
 */
export function groupsOf(tables: readonly Table[]): Table[][] {
  const ancestors = new Map(tables.map(({ name, parents }) => [name, new Set(parents)]));
  for (const above of ancestors.values()) {
    // Adding to a set continues its loop.
    for (const name of above) for (const next of ancestors.get(name) ?? []) above.add(next);
  }
  const refersTo = (table: Table, other: Table) => ancestors.get(table.name)!.has(other.name);
  const groups: Table[][] = [];
  let left = [...tables];
  while (left.length > 0) {
    const first = left.find((table) =>
      left.every((other) => !refersTo(table, other) || refersTo(other, table)),
    )!;
    const group = left.filter(
      (other) => other === first || (refersTo(first, other) && refersTo(other, first)),
    );
    groups.push(group);
    left = left.filter((table) => !group.includes(table));
  }
  return groups;
}

/** Reads the rows of a table in the order in which they were inserted. */
export async function* readRows(
  database: Database,
  { name, columns }: Table,
): AsyncGenerator<readonly Value[]> {
  const sql = `SELECT rowid AS "(rowid)", ${columns.map(quoted).join(", ")} FROM ${quoted(name)} WHERE rowid > ? ORDER BY rowid LIMIT ${PAGE_ROWS}`;
  for (let last = 0; ; ) {
    const { results } = await database.prepare(sql).bind(last).all<Record<string, unknown>>();
    for (const row of results) yield columns.map((column) => jsonValueOf(row[column], `${name}.${column}`));
    if (results.length < PAGE_ROWS) return;
    last = results.at(-1)!["(rowid)"] as number;
  }
}

export function insertSql({ name, columns }: Pick<Table, "name" | "columns">): string {
  return `INSERT INTO ${quoted(name)} (${columns.map(quoted).join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
}

function jsonValueOf(value: unknown, column: string): Value {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new Error(`${column} has a value of a type that a backup cannot hold: ${typeof value}.`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
