import { signal } from "@preact/signals";
import type { Project } from "../../../client/client.ts";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";

/** The company's projects, oldest first; null until they are loaded. */
export const projects = signal<readonly Project[] | null>(null);

export const openProjects = (all: readonly Project[]) =>
  all.filter(({ archived_at }) => archived_at === null);
export const archivedProjects = (all: readonly Project[]) =>
  all.filter(({ archived_at }) => archived_at !== null);

/** Returns the project of an ID; for an empty ID, the company's default project. */
export function projectOf(id: string): Project | undefined {
  const all = projects.value ?? [];
  return id === "" ? openProjects(all)[0] : all.find((project) => project.id === id);
}

/** Loads the projects again. Keeps the earlier ones if that fails. */
export async function loadProjects(): Promise<void> {
  try {
    projects.value = await api.listProjects();
  } catch (reason) {
    toastError(reason);
  }
}
