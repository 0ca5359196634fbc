import { signal } from "@preact/signals";
import type { Me, Permission } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { sessionEnded } from "../api/client.ts";
import * as api from "./api.ts";

/** The signed-in person; null if nobody is signed in; undefined until it is loaded. */
export const me = signal<Me | null | undefined>(undefined);
/** Why `me` could not be loaded. */
export const meError = signal<Error | null>(null);

/** Loads who is signed in. */
export async function loadMe(): Promise<void> {
  try {
    me.value = await api.getMe();
    meError.value = null;
    // If this fails, the next page load extends it.
    api.extendSession().catch(() => {});
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) me.value = null;
    else meError.value = reason as Error;
  }
}

/** Returns whether the person's role includes `permission` (worker/accounts/permissions.ts). */
export function may(permission: Permission): boolean {
  return me.value?.company?.permissions.includes(permission) ?? false;
}

/** Switches the company and reloads the studio, since everything on the page belongs to a company. */
export async function switchCompany(id: string): Promise<void> {
  await api.setActiveCompany(id);
  location.assign("/");
}

export async function signOut(): Promise<void> {
  await api.signOut();
  location.assign("/");
}

sessionEnded.onEnd = () => {
  if (me.value) me.value = null;
};
