import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { StartError } from "../start/processes.ts";
import type { Archive } from "./archive.ts";
import { loadDatabase } from "./load.ts";
import type { Database, Statement, Value } from "./stores.ts";

/**
 * Restores the database of a backup in memory. Throws a StartError if a row refers to one that is missing: something was
 * deleted while the platform was running.
 */
export async function checkReferences(archive: Archive): Promise<void> {
  const sqlite = new DatabaseSync(":memory:");
  try {
    await loadDatabase(databaseOf(sqlite), archive);
  } catch (error) {
    throw new StartError(
      `The backup cannot be restored: ${(error as Error).message}. Rows were deleted while they were read. Run it again, into another folder.`,
    );
  } finally {
    sqlite.close();
  }
}

/** Returns a database of this process as the binding of a D1 database. */
export function databaseOf(sqlite: DatabaseSync): Database {
  const prepare = (sql: string): Statement & { run(): readonly unknown[] } => statementOf(sqlite, sql, []);
  return {
    prepare,
    async batch(statements) {
      sqlite.exec("BEGIN");
      try {
        for (const statement of statements) (statement as ReturnType<typeof prepare>).run();
        sqlite.exec("COMMIT");
      } catch (error) {
        sqlite.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

function statementOf(sqlite: DatabaseSync, sql: string, values: readonly Value[]) {
  const run = () => sqlite.prepare(sql).all(...(values as SQLInputValue[]));
  return {
    run,
    bind: (...bound: readonly Value[]) => statementOf(sqlite, sql, bound),
    all: async <Row>() => ({ results: run() as Row[] }),
  };
}
