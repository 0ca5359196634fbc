import { env } from "cloudflare:workers";

/** Statements that the Worker prepared, with the values of their first use. */
export type Statements = Map<string, readonly unknown[]>;

/** The statements that the Worker prepared since the last check, and those that were checked, for check.ts. */
export const prepared: Statements = new Map();
export const checked = new Set<string>();

/** Returns the database; it notes the statements that are prepared and bound. */
export function noting(statements: Statements = prepared, database: D1Database = env.DB): D1Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (query: string) => notingBind(target.prepare(query), query, statements);
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function notingBind(statement: D1PreparedStatement, query: string, statements: Statements) {
  const bind = statement.bind.bind(statement);
  statement.bind = (...values: unknown[]) => {
    if (!statements.has(query)) statements.set(query, values);
    return bind(...values);
  };
  return statement;
}

/** A statement, and the number of rows that it read and wrote, those of indexes included. */
export interface Reading {
  readonly query: string;
  readonly rows: number;
  readonly written: number;
}

/** Returns the database; it notes how many rows each statement reads. */
export function measuring(database: D1Database): { database: D1Database; read: Reading[] } {
  const read: Reading[] = [];
  const queries = new WeakMap<D1PreparedStatement, string>();
  const note = (query: string, { meta }: D1Result) =>
    void read.push({ query, rows: meta.rows_read, written: meta.rows_written });
  const wrapped = new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (query: string) => binding(target.prepare(query), query);
      if (name === "batch") {
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          for (const [at, result] of results.entries()) note(queries.get(statements[at]) ?? "", result);
          return results;
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  function binding(statement: D1PreparedStatement, query: string): D1PreparedStatement {
    const bind = statement.bind.bind(statement);
    statement.bind = (...values: unknown[]) => {
      const bound = bind(...values);
      queries.set(bound, query);
      const { all, raw } = bound;
      const run = async () => {
        const result = await all.call(bound);
        note(query, result);
        return result;
      };
      bound.all = run as typeof all;
      bound.run = run as typeof all;
      // `raw` tells no number of rows. Rows that a statement returns after a change come from one table, so that their
      // names differ; a SELECT runs twice.
      bound.raw = (async () => {
        const { results } = await run();
        if (!/^\s*select/i.test(query)) return results.map((row) => Object.values(row as object));
        return raw.call(bound);
      }) as typeof raw;
      return bound;
    };
    return statement;
  }
  return { database: wrapped, read };
}
