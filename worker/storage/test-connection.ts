import { logFailure } from "../log.ts";
import { StorageError, type StorageErrorCode, type StorageProvider } from "./provider.ts";

export const CONNECTION_STEPS = ["write", "read", "list", "delete"] as const;

interface StepReport {
  readonly step: (typeof CONNECTION_STEPS)[number];
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly error?: StepError;
}

interface StepError {
  /** `mismatch`: the storage answered, and not with what it had been given. */
  readonly code: StorageErrorCode | "mismatch" | "internal_error";
  readonly message: string;
  /** Which setting is wrong, where that is known. */
  readonly field?: string | undefined;
}

export interface ConnectionReport {
  readonly ok: boolean;
  /** In order; what could not be tried because of a failure before it is left out. */
  readonly steps: readonly StepReport[];
}

/**
 * Does with a small probe what Vivimark does with files, and leaves nothing: whatever else fails, the probe
 * is deleted if it may be there.
 *
 * @param folder where the probe goes; "" is the root
 */
export async function testConnection(
  storage: StorageProvider,
  folder = "",
  now: () => number = Date.now,
): Promise<ConnectionReport> {
  const name = `.vivimark-probe-${crypto.randomUUID()}`;
  const key = folder === "" ? name : `${folder}/${name}`;
  const probe = Uint8Array.from(new TextEncoder().encode(`Vivimark tests its connection: ${name}\n`));
  const steps: StepReport[] = [];
  const attempt = async (step: StepReport["step"], act: () => Promise<void>): Promise<boolean> => {
    const started = now();
    try {
      await act();
      steps.push({ step, ok: true, milliseconds: now() - started });
      return true;
    } catch (error) {
      steps.push({ step, ok: false, milliseconds: now() - started, error: stepError(error) });
      return false;
    }
  };

  const written = await attempt("write", () =>
    storage.upload(key, probe, { length: probe.length, contentType: "text/plain; charset=utf-8" }),
  );
  if (written) {
    await attempt("read", async () => {
      const download = await storage.download(key);
      if (!download) throw new Mismatch("The probe that was just written is not there.");
      const bytes = new Uint8Array(await new Response(download.body).arrayBuffer());
      if (bytes.length !== probe.length || bytes.some((byte, i) => byte !== probe[i])) {
        throw new Mismatch(
          `The probe came back with other bytes (${bytes.length}, ${probe.length} were written).`,
        );
      }
    });
    await attempt("list", async () => {
      if (!(await isListed(storage, folder, key))) throw new Mismatch("The listing does not show the probe.");
    });
    await attempt("delete", async () => {
      await storage.delete(key);
      if (await storage.head(key)) throw new Mismatch("The probe is still there after it was deleted.");
    });
  } else {
    // The answer may have got lost on its way back.
    await storage.delete(key).catch(() => {});
  }
  return { ok: steps.every(({ ok }) => ok), steps };
}

class Mismatch extends Error {}

/** Looks through the whole folder, for the probe may be anywhere in it. */
async function isListed(storage: StorageProvider, folder: string, key: string): Promise<boolean> {
  let cursor: string | undefined;
  do {
    const page = await storage.list(folder, { cursor });
    if (page.objects.some((object) => object.key === key)) return true;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return false;
}

function stepError(error: unknown): StepError {
  if (error instanceof Mismatch) return { code: "mismatch", message: error.message };
  if (error instanceof StorageError) {
    const { code, message, field } = error;
    return field === undefined ? { code, message } : { code, message, field };
  }
  logFailure("A connection could not be tested", error);
  return { code: "internal_error", message: "Something went wrong on our side; it was noted." };
}
