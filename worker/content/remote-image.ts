import { MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import type { Internet } from "../bindings.ts";
import { Refusal } from "../errors.ts";
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
 * @param field the request's field with the address, for the error message
 * @throws Refusal `invalid_input` for an address that does not lead to a public server, `image_not_fetched` for
 *   a server that does not answer with a file in time, `image_too_many_bytes`
 */
export async function fetchImage(
  internet: Internet,
  address: string,
  field = "image_url",
): Promise<Uint8Array<ArrayBuffer>> {
  const url = URL.parse(address);
  if (!url) throw refused(field, "it is not a URL; expected https:// and a host");
  // Also stops the download, so that no bytes are read after the time is up.
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TOTAL_SECONDS * 1000);
  const timeUp = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () =>
      reject(missed(url, `it did not arrive within ${TOTAL_SECONDS} s`)),
    );
  });
  try {
    return await Promise.race([download(internet, url, stop.signal), timeUp]);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === "invalid_config") throw refused(field, error.message);
    throw missed(url, error.message);
  } finally {
    clearTimeout(timer);
  }
}

async function download(internet: Internet, url: URL, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
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
  // Leaving the loop cancels the body.
  for await (const chunk of body ?? []) {
    if (signal.aborted) break;
    size += chunk.length;
    // Two comparisons, because the declared length may be NaN.
    if (size > MAX_IMAGE_BYTES || declared > MAX_IMAGE_BYTES) {
      throw new Refusal(
        "image_too_many_bytes",
        `The photo at ${url.host} is larger than the maximum of ${MAX_IMAGE_BYTES / 1_000_000} MB.`,
      );
    }
    chunks.push(chunk);
  }
  return joinChunks(chunks);
}

function refused(field: string, why: string): Refusal {
  return new Refusal("invalid_input", `Field "${field}" of the body: ${why.replace(/\.$/, "")}.`, {}, [
    { field, detail: why },
  ]);
}

/** Names only the host: the path may contain a secret. */
function missed({ host }: URL, why: string): Refusal {
  return new Refusal(
    "image_not_fetched",
    `The photo could not be downloaded from ${host}: ${why.replace(/\.$/, "")}.`,
  );
}
