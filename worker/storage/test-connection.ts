import { logFailure } from "../log.ts";
import { readBeginning } from "./chunks.ts";
import {
  type CompletedPart,
  listObjects,
  type MultipartUploads,
  StorageError,
  type StorageErrorCode,
  type StorageProvider,
} from "./provider.ts";

export const CONNECTION_STEPS = ["write", "read", "list", "parts", "delete"] as const;

interface StepReport {
  readonly step: (typeof CONNECTION_STEPS)[number];
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly error?: StepError;
}

interface StepError {
  /** `mismatch`: the storage responded, but with another content than it was given. */
  readonly code: StorageErrorCode | "mismatch" | "internal_error";
  readonly message: string;
  /** The setting that is wrong, if that is known. */
  readonly field?: string | undefined;
}

export interface ConnectionReport {
  readonly ok: boolean;
  /**
   * In order. Steps that an earlier failure made impossible are left out, and `parts` of a storage without multipart
   * uploads.
   */
  readonly steps: readonly StepReport[];
}

/**
 * Writes, reads and lists a small file, the probe, and uploads a second one in two parts. Deletes both in one call, even
 * when another step fails.
 *
 * @param folder of the probe; "" is the root
 */
export async function testConnection(
  storage: StorageProvider,
  folder = "",
  now: () => number = Date.now,
): Promise<ConnectionReport> {
  const name = `.vivimark-probe-${crypto.randomUUID()}`;
  const key = folder === "" ? name : `${folder}/${name}`;
  const joined = `${key}-parts`;
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
      if (!download) throw new Mismatch("The storage does not have the file that was just written.");
      const bytes = await readBeginning(download.body, probe.length + 1);
      if (bytes.length !== probe.length || bytes.some((byte, i) => byte !== probe[i])) {
        throw new Mismatch(
          `The file that was read differs from the file that was written (${download.size} bytes; expected ${probe.length}).`,
        );
      }
    });
    await attempt("list", async () => {
      if (!(await isListed(storage, folder, key)))
        throw new Mismatch("The storage does not list the file that was just written.");
    });
    const { multipart } = storage;
    if (multipart) {
      await attempt("parts", async () => {
        await uploadInParts(multipart, joined, [new Uint8Array(multipart.minBytes), probe]);
        const size = (await storage.head(joined))?.size;
        const expected = multipart.minBytes + probe.length;
        if (size !== expected) {
          throw new Mismatch(
            `The file that was uploaded in two parts has ${size ?? "no"} bytes; expected ${expected}.`,
          );
        }
      });
    }
    await attempt("delete", async () => {
      // Many files are deleted by one request, where the storage can do that.
      await storage.delete([key, joined]);
      for (const each of [key, joined]) {
        if (await storage.head(each)) {
          throw new Mismatch("The storage still has a file after it was deleted.");
        }
      }
    });
  } else {
    // The file may exist even so, if only the response was lost.
    await storage.delete(key).catch(() => {});
  }
  return { ok: steps.every(({ ok }) => ok), steps };
}

async function uploadInParts(
  uploads: MultipartUploads,
  key: string,
  bodies: readonly Uint8Array<ArrayBuffer>[],
): Promise<void> {
  const uploadId = await uploads.start(key, "application/octet-stream");
  try {
    const parts: CompletedPart[] = [];
    for (const body of bodies) {
      const number = parts.length + 1;
      parts.push({ number, etag: await uploads.put({ key, uploadId, number }, body, body.length) });
    }
    await uploads.complete(key, uploadId, parts);
  } catch (error) {
    await uploads.abort(key, uploadId).catch(() => {});
    throw error;
  }
}

class Mismatch extends Error {}

async function isListed(storage: StorageProvider, folder: string, key: string): Promise<boolean> {
  for await (const object of listObjects(storage, folder, { recursive: false })) {
    if (object.key === key) return true;
  }
  return false;
}

function stepError(error: unknown): StepError {
  if (error instanceof Mismatch) return { code: "mismatch", message: error.message };
  if (error instanceof StorageError) {
    const { code, message, field } = error;
    return field === undefined ? { code, message } : { code, message, field };
  }
  logFailure("A connection could not be tested", error);
  return { code: "internal_error", message: "An internal error occurred. Try again." };
}
