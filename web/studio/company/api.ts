import type {
  AuditEntry,
  AuditPage,
  CompanyUsage,
  Operations,
  Project,
  ProjectChange,
} from "../../../client/client.ts";
import { vivimark } from "../api/client.ts";

/** Calls of the API about a company: its projects, its audit log and its usage. */

export async function listProjects(): Promise<Project[]> {
  return (await vivimark.call("GET /api/projects")).items;
}

export function createProject(name: string): Promise<Project> {
  return vivimark.call("POST /api/projects", { body: { name } });
}

export function updateProject(id: string, body: ProjectChange): Promise<Project> {
  return vivimark.call("PATCH /api/projects/{id}", { path: { id }, body });
}

type AuditQuery = NonNullable<Operations["GET /api/audit-log"]["query"]>;

/** The first part of an action. */
export type AuditSubject = NonNullable<AuditQuery["subject"]>;

export interface AuditFilter {
  readonly subject?: AuditSubject | undefined;
  readonly actor?: AuditEntry["actor"] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function listAudit(filter: AuditFilter, cursor?: string, signal?: AbortSignal): Promise<AuditPage> {
  return vivimark.call("GET /api/audit-log", { query: { ...queryOf(filter), cursor }, signal });
}

/** Returns the address of the same list as a CSV file. */
export function auditCsvUrl(filter: AuditFilter): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(queryOf(filter)))
    if (value !== undefined) query.set(name, value);
  return `/api/audit-log/export.csv?${query}`;
}

function queryOf({ subject, actor, from, to }: AuditFilter) {
  return { subject, actor_id: actor?.id, from, to };
}

export function getUsage(signal?: AbortSignal): Promise<CompanyUsage> {
  return vivimark.call("GET /api/company/usage", { signal });
}
