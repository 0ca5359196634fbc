import type { WebhookEndpointRow } from "../db/tables.ts";
import type { Storages } from "../storage/open.ts";

/** The secrets that sign an endpoint's requests: `whsec_` and the base64 of random bytes (Standard Webhooks). */

const PREFIX = "whsec_";
/** Standard Webhooks allows 24 to 64. */
const SECRET_BYTES = 32;

/** How long the previous secret signs beside a new one. */
export const OVERLAP_MILLISECONDS = 24 * 3_600_000;

type Vault = Pick<Storages, "sealText" | "openText">;

/** Returns a new secret, plain and sealed. @throws VaultError without a key to seal it */
export async function newSecret(
  vault: Vault,
  endpointId: string,
): Promise<{ secret: string; sealed: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const secret = PREFIX + btoa(String.fromCharCode(...bytes));
  return { secret, sealed: await sealSecret(vault, endpointId, secret) };
}

export function sealSecret(vault: Vault, endpointId: string, secret: string): Promise<string> {
  return vault.sealText(secret, contextOf(endpointId));
}

/** @throws VaultError when the key that sealed it is missing */
export function openSecret(vault: Vault, endpointId: string, sealed: string): Promise<string> {
  return vault.openText(sealed, contextOf(endpointId));
}

/** Returns the secrets that sign now, the newest first. */
export function signingSecrets(
  vault: Vault,
  { id, secret, previousSecret, previousSecretExpiresAt }: WebhookEndpointRow,
  now: number,
): Promise<string[]> {
  const isOverlap = previousSecret !== null && (previousSecretExpiresAt ?? 0) > now;
  const sealed = isOverlap ? [secret, previousSecret] : [secret];
  return Promise.all(sealed.map((each) => openSecret(vault, id, each)));
}

function contextOf(endpointId: string): string {
  return `webhook_endpoints/${endpointId}`;
}
