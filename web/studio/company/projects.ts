import { signal } from "@preact/signals";
import type { Project } from "../../../client/client.ts";
import { contents } from "../photos/contents.ts";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";

/** The company's projects, oldest first; null until they are known. */
export const projects = signal<readonly Project[] | null>(null);

export const openProjects = (all: readonly Project[]) =>
  all.filter(({ archived_at }) => archived_at === null);
export const archivedProjects = (all: readonly Project[]) =>
  all.filter(({ archived_at }) => archived_at !== null);

/** The project that new photos go to when this one is looked at; empty: the company's default one. */
export function projectOf(id: string): Project | undefined {
  const all = projects.value ?? [];
  return id === "" ? openProjects(all)[0] : all.find((project) => project.id === id);
}

/** Reads them again; what was known stays when that fails. */
export async function loadProjects(): Promise<void> {
  try {
    projects.value = await api.listProjects();
  } catch (reason) {
    toastError(reason);
  }
}

/** Shows the photos of one project, or of all (empty). */
export function choose(projectId: string): void {
  contents.setFilter({ project: projectId });
}
