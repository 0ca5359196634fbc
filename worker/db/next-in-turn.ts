import { type SQL, sql } from "drizzle-orm";
import { companiesWith } from "./companies-with.ts";
import { companies, type compileTasks, type storageMigrations } from "./tables.ts";

/** Rows that companies wait with, and the conditions that sort them. Columns are those of the table. */
interface Line {
  readonly table: typeof compileTasks | typeof storageMigrations;
  /** The rows that wait or are worked on. An index begins with the company and has exactly this condition. */
  readonly isOpen: SQL;
  /** The open rows that may be taken now. */
  readonly isReady: SQL | undefined;
  /** The rows that are worked on now, with an index of their own. */
  readonly isTaken: SQL | undefined;
  /** The moment since which a row waits. */
  readonly since: SQL;
  /** The column of `companies` with the moment of its last turn. */
  readonly lastTurn: typeof companies.compiledAt | typeof companies.movedAt;
  /** The row to prefer if it is its company's turn; by default, the one that has waited longest. */
  readonly preferred?: SQL | undefined;
  /** The most rows of one company that are worked on at a time. */
  readonly atOnce?: number;
}

/**
 * Returns the id of the row to take next, as SQL; NULL if no row is ready. Companies take turns: first the one with
 * the fewest rows that are worked on, then the one whose last turn was longest ago. Companies that one person created
 * have the turns of one company, which they share in the same way: otherwise more companies would mean more turns.
 *
 * It reads a few rows per company that waits, however many rows each of them waits with.
 */
export function nextInTurn(line: Line): SQL {
  const {
    table,
    isOpen,
    isReady,
    isTaken,
    since,
    lastTurn,
    preferred,
    atOnce = Number.MAX_SAFE_INTEGER,
  } = line;
  const { id, companyId } = table;
  const ofCompany = sql`FROM ${table} WHERE ${companyId} = waiting.company_id`;
  const oldest = sql`(SELECT ${id} ${ofCompany} AND ${isOpen} AND ${isReady} ORDER BY ${since} LIMIT 1)`;
  const chosen = preferred
    ? sql`coalesce((SELECT ${id} ${ofCompany} AND ${preferred} AND ${isReady}), ${oldest})`
    : oldest;
  return sql`(
    WITH RECURSIVE ${companiesWith(table, isOpen)}
    SELECT line.id FROM (
      SELECT company.id, company.taken, ${lastTurn} AS turn,
        sum(company.taken) OVER (PARTITION BY coalesce(${companies.createdBy}, ${companies.id})) AS taken_together,
        coalesce((SELECT max(sibling.${sql.identifier(lastTurn.name)}) FROM ${companies} AS sibling
          WHERE sibling.created_by = ${companies.createdBy}), ${lastTurn}) AS turn_together
      FROM (
        SELECT waiting.company_id AS company_id,
          ${chosen} AS id,
          (SELECT count(*) ${ofCompany} AND ${isTaken}) AS taken
        FROM waiting WHERE waiting.company_id IS NOT NULL
      ) AS company JOIN ${companies} ON ${companies.id} = company.company_id
    ) AS line
    WHERE line.id IS NOT NULL AND line.taken < ${atOnce}
    ORDER BY line.taken_together, line.turn_together, line.taken, line.turn LIMIT 1)`;
}
