import { signal } from "@preact/signals";
import type { Me, Permission } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { sessionEnded } from "../api/client.ts";
import * as api from "./api.ts";

/** Who is signed in; null: nobody; undefined: not known yet. */
export const me = signal<Me | null | undefined>(undefined);
/** Why that could not be found out. */
export const meError = signal<Error | null>(null);

/** Asks the server who is signed in. */
export async function loadMe(): Promise<void> {
  try {
    me.value = await api.getMe();
    meError.value = null;
    // Another page load does it when this one cannot.
    api.extendSession().catch(() => {});
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) me.value = null;
    else meError.value = reason as Error;
  }
}

/** Whether the person's role includes `permission` (worker/accounts/permissions.ts). */
export function may(permission: Permission): boolean {
  return me.value?.company?.permissions.includes(permission) ?? false;
}

/** Everything on the page belongs to a company: with another one, it begins anew. */
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
