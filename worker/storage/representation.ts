import { timestamp } from "../content/representation.ts";
import type { Company, ConnectionRow, MeasuredUsage } from "../db/tables.ts";
import { type HeldFiles, heldIn } from "./connection-store.ts";
import type { Storages } from "./open.ts";
import { StorageError } from "./provider.ts";
import {
  PLATFORM,
  type StorageConnection,
  type StorageConnectionReport,
  type StorageUsage,
} from "./schemas.ts";
import { VaultError } from "./secrets.ts";
import { withoutSecrets } from "./settings.ts";
import type { ConnectionReport } from "./test-connection.ts";

/** Storage connections as the API shows them, without secrets. */

interface Context {
  readonly company: Company;
  /** By connection id; null is the platform's own bucket. */
  readonly held: ReadonlyMap<string | null, HeldFiles>;
  readonly now: number;
}

export async function connectionBody(
  storages: Storages,
  row: ConnectionRow,
  { company, held, now }: Context,
): Promise<StorageConnection> {
  const isCurrent = company.storageConnectionId === row.id;
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    built_in: false,
    is_current: isCurrent,
    ...(await settingsBody(storages, row)),
    ...filesBody(heldIn(held, row.id)),
    companies: isCurrent ? [{ id: company.id, name: company.name }] : [],
    usage: usageOrNull(row, now),
    last_test_at: timestamp(row.lastTestAt),
    last_test_error: row.lastTestError,
    given_up_at: timestamp(row.givenUpAt),
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
  };
}

/** Returns the platform's own bucket as a connection. */
export function platformBody({ company, held, now }: Context): StorageConnection {
  const isCurrent = company.storageConnectionId === null;
  return {
    id: PLATFORM,
    name: "Vivimark",
    provider: "r2",
    built_in: true,
    is_current: isCurrent,
    settings: {},
    settings_error: null,
    secrets: [],
    ...filesBody(heldIn(held, null)),
    companies: isCurrent ? [{ id: company.id, name: company.name }] : [],
    usage: usageOrNull(company, now),
    last_test_at: null,
    last_test_error: null,
    given_up_at: null,
    created_at: null,
    updated_at: null,
  };
}

export function usageBody(
  { objects, bytes, quota }: MeasuredUsage,
  measuredAt: number,
  now: number,
): StorageUsage {
  return {
    objects,
    bytes,
    quota: quota && { used_bytes: quota.usedBytes, total_bytes: quota.totalBytes },
    measured_at: new Date(measuredAt).toISOString(),
    age_seconds: Math.max(0, now - measuredAt) / 1000,
  };
}

export function reportBody({ ok, steps }: ConnectionReport): StorageConnectionReport {
  return { ok, steps: steps.map((step) => ({ ...step })) };
}

async function settingsBody(storages: Storages, row: ConnectionRow) {
  try {
    const { settings, secrets } = withoutSecrets((await storages.settingsOf(row)).settings);
    return { settings: settings as Record<string, string>, secrets, settings_error: null };
  } catch (error) {
    if (!(error instanceof VaultError || error instanceof StorageError)) throw error;
    return { settings: null, secrets: [], settings_error: error.message };
  }
}

function usageOrNull({ usage, usageAt }: Pick<ConnectionRow, "usage" | "usageAt">, now: number) {
  return usage && usageAt !== null ? usageBody(usage, usageAt, now) : null;
}

/** Returns the files in a storage as the API shows them. */
export function filesBody({ files, bytes, deleted }: HeldFiles) {
  return { files: { count: files, bytes }, deleted_files: { count: deleted.files, bytes: deleted.bytes } };
}
