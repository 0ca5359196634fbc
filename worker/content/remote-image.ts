import { MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import type { Internet } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import type { HeldBytes } from "../http/upload-memory.ts";
import { joinChunks } from "../storage/chunks.ts";
import { StorageError } from "../storage/provider.ts";

const MAX_REDIRECTS = 3;
/** The longest wait for the response to begin, and between two chunks of it. */
const SILENCE_SECONDS = 10;
const TOTAL_SECONDS = 30;

/**
 * Downloads the image at an address that a user gave. The server's Content-Type is ignored: the file's own bytes
 * tell its format.
 *
 * @param held counts the image's bytes
 * @throws Refusal `invalid_input` for an address that does not lead to a public server, `image_not_fetched` for
 *   a server that does not answer with a file in time, `image_too_many_bytes`
 */
export async function fetchImage(
  internet: Internet,
  address: string,
  held: HeldBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = URL.parse(address);
  if (!url) throw refused("it is not a URL; expected https:// and a host");
  // Also stops the download, so that no bytes are read after the time is up.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TOTAL_SECONDS * 1000);
  const timeUp = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () =>
      reject(missed(url, `it did not arrive within ${TOTAL_SECONDS} s`)),
    );
  });
  try {
    return await Promise.race([download(internet, url, held, stop.signal), timeUp]);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === "invalid_config") throw refused(error.message);
    throw missed(url, error.message);
  } finally {
    clearTimeout(timer);
  }
}

async function download(
  internet: Internet,
  url: URL,
  held: HeldBytes,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const { status, headers, body } = await internet.open({
    method: "GET",
    url,
    headers: { Accept: "image/jpeg, image/png, image/webp", "User-Agent": "Vivimark" },
    maxRedirects: MAX_REDIRECTS,
    silenceSeconds: SILENCE_SECONDS,
    idempotent: false,
  });
  if (status !== 200 || signal.aborted) {
    await body?.cancel();
    throw missed(url, `the server responded with status ${status}; expected 200 and an image`);
  }
  const declared = Number(headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    // Leaving the loop cancels the body.
    for await (const chunk of body ?? []) {
      if (signal.aborted) break;
      // Two comparisons, because the declared length may be NaN.
      if (size + chunk.length > MAX_IMAGE_BYTES || declared > MAX_IMAGE_BYTES) {
        throw new Refusal(
          "image_too_many_bytes",
          `The photo at ${url.host} is larger than the maximum of ${MAX_IMAGE_BYTES / 1_000_000} MB.`,
        );
      }
      await held.add(chunk.length);
      size += chunk.length;
      chunks.push(chunk);
    }
  } catch (error) {
    held.release(size);
    throw error;
  }
  if (signal.aborted) held.release(size);
  return joinChunks(chunks);
}

function refused(why: string): Refusal {
  return new Refusal("invalid_input", `Field "image_url" of the body: ${why.replace(/\.$/, "")}.`, {}, [
    { field: "image_url", detail: why },
  ]);
}

/** Names only the host: the path may contain a secret. */
function missed({ host }: URL, why: string): Refusal {
  return new Refusal(
    "image_not_fetched",
    `The photo could not be downloaded from ${host}: ${why.replace(/\.$/, "")}.`,
  );
}
