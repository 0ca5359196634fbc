import type { Bindings } from "../bindings.ts";
import { type Creation, derivedId } from "../db/idempotency.ts";
import { type ErrorCode, problemOf, Refusal } from "../errors.ts";
import { refusalFor } from "../http/refusals.ts";
import type { HeldBytes } from "../http/upload-memory.ts";
import { logFailure } from "../log.ts";
import type { BatchItem } from "../schemas.ts";
import type { ContentStore } from "./store.ts";
import { type Photo, type Services, submitPhotos } from "./submission.ts";

/** The most photos in one request. */
export const MAX_BATCH = 500;

/**
 * How many photos are stored together: enough to save round trips to the database, and few enough that the next
 * photo fits beside them into the memory of one request.
 */
const GROUP_PHOTOS = 16;
const GROUP_BYTES = 8_000_000;

const MAX_NAME_LENGTH = 300;

/** An entry of a batch: a photo, or why it cannot be read. */
export type BatchEntry =
  | { readonly name: string; readonly photo: Photo }
  | { readonly name: string; readonly error: unknown };

/**
 * Submits photos as they come, in groups. Each gets a result of its own, in the order in which they came; a
 * refused photo does not affect the others. Photos above the limit are left out, and the result says so.
 *
 * @param held counts the bytes of the photos in `entries`
 */
export async function submitBatch(
  services: Services & Pick<Bindings, "now">,
  store: ContentStore,
  { entries, creation, held }: { entries: AsyncIterable<BatchEntry>; creation: Creation; held: HeldBytes },
): Promise<BatchItem[]> {
  const items: BatchItem[] = [];
  let group: { index: number; name: string; photo: Photo }[] = [];
  const flush = async () => {
    const photos = group;
    group = [];
    const requests = await Promise.all(
      photos.map(async ({ index, photo }) => ({
        photo,
        creation: { id: await derivedId(creation.id, index), isRepeated: creation.isRepeated },
      })),
    );
    const outcomes = await submitPhotos(services, store, requests, services.now()).catch((error: unknown) =>
      photos.map(() => ({ error })),
    );
    for (const [i, { index, name, photo }] of photos.entries()) {
      held.release(photo.file.length);
      const outcome = outcomes[i];
      items[index] = "error" in outcome ? failed(index, name, outcome.error) : made(index, name, outcome);
    }
  };
  let index = 0;
  try {
    for await (const entry of entries) {
      const name = entry.name.slice(0, MAX_NAME_LENGTH);
      if (index === MAX_BATCH) {
        const detail = `A batch can have at most ${MAX_BATCH} photos. This photo and all later ones were not submitted. Send them in another batch.`;
        items[index] = failed(index, name, new Refusal("batch_too_large", detail));
        break;
      }
      if ("photo" in entry) group.push({ index, name, photo: entry.photo });
      else items[index] = failed(index, name, entry.error);
      index += 1;
      const bytes = group.reduce((sum, { photo }) => sum + photo.file.length, 0);
      if (group.length === GROUP_PHOTOS || bytes >= GROUP_BYTES) await flush();
    }
  } catch (error) {
    // The rest of the body is unreadable; the photos before it count.
    if (index === 0 || isAboutWholeBatch(error)) throw error;
    items[index] = failed(index, "", error);
  }
  if (group.length > 0) await flush();
  return items;
}

/** Tells whether an error is about the Idempotency-Key, and so about the batch as a whole. */
function isAboutWholeBatch(error: unknown): boolean {
  return (
    error instanceof Refusal &&
    (error.code === "idempotency_key_reused" || error.code === "request_in_progress")
  );
}

/** The outcomes of a batch, in a few bytes per photo. All ids follow from the id of its creation. */
interface BatchSummary {
  /** Each different outcome once. */
  readonly outcomes: readonly ("created" | "reused" | ErrorCode)[];
  /** The index of each photo's outcome. */
  readonly items: readonly number[];
}

/** Returns what `repeatBatch` needs to tell the results again. */
export function summarizeBatch(items: readonly BatchItem[]): string {
  const each = items.map(({ error, reused }) => error?.code ?? (reused ? "reused" : "created"));
  const outcomes = [...new Set(each)];
  const summary: BatchSummary = { outcomes, items: each.map((outcome) => outcomes.indexOf(outcome)) };
  return JSON.stringify(summary);
}

/** Returns the results of an earlier batch, without the names of its files and the sentences of its errors. */
export async function repeatBatch(creationId: string, summary: string): Promise<BatchItem[]> {
  const { outcomes, items }: BatchSummary = JSON.parse(summary);
  return Promise.all(
    items.map(async (outcome, index) => {
      const name = outcomes[outcome];
      if (name !== "created" && name !== "reused") {
        const detail = "This photo was refused. Only the first response to this batch says more.";
        return failed(index, "", new Refusal(name, detail));
      }
      const id = await derivedId(creationId, index);
      const task = { id: await derivedId(id, "task") };
      return made(index, "", { content: { id }, task, reused: name === "reused" });
    }),
  );
}

function made(
  index: number,
  name: string,
  { content, task, reused }: { content: { id: string }; task: { id: string }; reused: boolean },
): BatchItem {
  return { index, name, status: 201, content_id: content.id, task_id: task.id, reused, error: null };
}

function failed(index: number, name: string, error: unknown): BatchItem {
  const refusal =
    refusalFor(error) ?? new Refusal("internal_error", "Something went wrong on our side. Try again.");
  if (refusal.code === "internal_error")
    logFailure("A photo of a batch could not be submitted", error, { index });
  const problem = problemOf(refusal.code, refusal.message, refusal.fields);
  return {
    index,
    name,
    status: problem.status,
    content_id: null,
    task_id: null,
    reused: false,
    error: problem,
  };
}
