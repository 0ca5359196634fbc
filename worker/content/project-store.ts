import { and, eq, exists, getTableColumns, isNull, ne, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Audit, AuditDetail } from "../audit/log.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import { insertIf } from "../db/insert-if.ts";
import { type Company, contentCounts, type Database, type ProjectRow, projects } from "../db/tables.ts";

/** The most projects of a company. They are listed without paging. */
export const MAX_PROJECTS = 1000;

export interface CountedProject extends ProjectRow {
  /** The number of photos in it. */
  readonly contents: number;
}

/** The settings of a project that members change. */
export type ProjectChange = Partial<Pick<ProjectRow, "name" | "maxFeatures" | "expiresAfterDays">> & {
  readonly isArchived?: boolean | undefined;
};

/** Reads and changes the projects of one company, and of no other. */
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
    const contents = this.#db
      .select({ contents: sql`coalesce(sum(${contentCounts.contents}), 0)` })
      .from(contentCounts)
      .where(and(eq(contentCounts.companyId, this.company.id), eq(contentCounts.projectId, projects.id)));
    return this.#db
      .select({ ...getTableColumns(projects), contents: sql<number>`(${contents})` })
      .from(projects)
      .where(this.#own(condition))
      .orderBy(projects.createdAt, projects.id);
  }

  /** Returns the default project of submissions: the oldest that is not archived. */
  async first(): Promise<ProjectRow | undefined> {
    const [project] = await this.#db
      .select()
      .from(projects)
      .where(this.#own(isNull(projects.archivedAt)))
      .orderBy(projects.createdAt, projects.id)
      .limit(1);
    return project;
  }

  /** Creates a project. Returns undefined when the company has the most it may have. */
  async insert(
    project: Pick<ProjectRow, "name" | "maxFeatures" | "expiresAfterDays">,
    now: number,
    { id, isRepeated }: Creation = newCreation(),
  ): Promise<CountedProject | undefined> {
    const made = isRepeated ? await this.get(id) : undefined;
    if (made) return made;
    const values = { ...project, id, companyId: this.company.id, createdAt: now, updatedAt: now };
    const isBelowLimit = sql`(SELECT count(*) FROM ${projects} WHERE ${this.#own()}) < ${MAX_PROJECTS}`;
    const [row] = await this.#audit.record(
      insertIf(this.#db, projects, values, isBelowLimit).returning(),
      "project.created",
      { id, name: project.name },
    );
    return row && { ...row, contents: 0 };
  }

  /**
   * Changes a project. The last project that is not archived cannot be archived, because submissions need a
   * default project.
   *
   * @param auditDetail the change as the API names it
   * @returns false when the project does not exist, or is that last one
   */
  async change(
    id: string,
    { isArchived, ...change }: ProjectChange,
    auditDetail: AuditDetail,
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
    const rows = await this.#audit.record(
      this.#db
        .update(projects)
        .set({ ...change, archivedAt, updatedAt: now })
        .where(this.#own(eq(projects.id, id), isArchived ? exists(others) : undefined))
        .returning({ id: projects.id }),
      "project.changed",
      { id, name: sql`(SELECT name FROM projects WHERE id = ${id})` },
      auditDetail,
    );
    return rows.length === 1;
  }
}
