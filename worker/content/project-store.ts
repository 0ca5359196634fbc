import { and, count, eq, exists, getTableColumns, isNull, ne, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Audit, AuditDetail } from "../audit/log.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import { insertIf } from "../db/insert-if.ts";
import { arContent, type Company, type Database, type ProjectRow, projects } from "../db/tables.ts";

/** Of one company: they are listed all at once. */
export const MAX_PROJECTS = 1000;

export interface CountedProject extends ProjectRow {
  /** How many pieces of content are in it. */
  readonly contents: number;
}

/** What people choose of a project. */
export type ProjectChange = Partial<Pick<ProjectRow, "name" | "maxFeatures" | "expiresAfterDays">> & {
  readonly isArchived?: boolean | undefined;
};

/** The projects of one company; no other's can be reached through it. */
export class ProjectStore {
  readonly company: Company;
  readonly #db: Database;

  readonly #audit: Audit;

  constructor(db: Database, company: Company, audit: Audit) {
    this.#db = db;
    this.company = company;
    this.#audit = audit;
  }

  #own(...conditions: (SQL | undefined)[]): SQL | undefined {
    return and(eq(projects.companyId, this.company.id), ...conditions);
  }

  /** Oldest first. */
  list(): Promise<CountedProject[]> {
    return this.#select();
  }

  async get(id: string): Promise<CountedProject | undefined> {
    const [project] = await this.#select(eq(projects.id, id));
    return project;
  }

  #select(condition?: SQL) {
    return this.#db
      .select({ ...getTableColumns(projects), contents: count(arContent.id) })
      .from(projects)
      .leftJoin(arContent, and(eq(arContent.projectId, projects.id), isNull(arContent.deletedAt)))
      .where(this.#own(condition))
      .groupBy(projects.id)
      .orderBy(projects.createdAt, projects.id);
  }

  /** Where a submission goes that names no project: the oldest that is not archived. */
  async first(): Promise<ProjectRow | undefined> {
    const [project] = await this.#db
      .select()
      .from(projects)
      .where(this.#own(isNull(projects.archivedAt)))
      .orderBy(projects.createdAt, projects.id)
      .limit(1);
    return project;
  }

  /** Undefined when the company has as many as it may have. */
  async insert(
    project: Pick<ProjectRow, "name" | "maxFeatures" | "expiresAfterDays">,
    now: number,
    { id, isRepeated }: Creation = newCreation(),
  ): Promise<CountedProject | undefined> {
    const made = isRepeated ? await this.get(id) : undefined;
    if (made) return made;
    const values = { ...project, id, companyId: this.company.id, createdAt: now, updatedAt: now };
    const hasRoom = sql`(SELECT count(*) FROM ${projects} WHERE ${this.#own()}) < ${MAX_PROJECTS}`;
    const [row] = await this.#audit.noting(
      insertIf(this.#db, projects, values, hasRoom).returning(),
      "project.created",
      { id, name: project.name },
    );
    return row && { ...row, contents: 0 };
  }

  /**
   * Changes a project. The last one that is not archived stays so: submissions need a place to go.
   *
   * @param noted the change as the API names it
   * @returns false when there is no such project, or it is that one
   */
  async change(
    id: string,
    { isArchived, ...change }: ProjectChange,
    noted: AuditDetail,
    now: number,
  ): Promise<boolean> {
    const other = alias(projects, "other");
    const others = this.#db
      .select({ one: sql`1` })
      .from(other)
      .where(and(eq(other.companyId, this.company.id), ne(other.id, id), isNull(other.archivedAt)));
    const archivedAt =
      isArchived === undefined
        ? undefined
        : isArchived
          ? sql`coalesce(${projects.archivedAt}, ${now})`
          : null;
    const rows = await this.#audit.noting(
      this.#db
        .update(projects)
        .set({ ...change, archivedAt, updatedAt: now })
        .where(this.#own(eq(projects.id, id), isArchived ? exists(others) : undefined))
        .returning({ id: projects.id }),
      "project.changed",
      { id, name: sql`(SELECT name FROM projects WHERE id = ${id})` },
      noted,
    );
    return rows.length === 1;
  }
}
