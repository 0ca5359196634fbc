import { type ImageInfo, ImageInspector } from "../../compiler/image/inspect.ts";
import type { Bindings } from "../bindings.ts";
import type { Company } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { FileSink } from "../http/multipart.ts";
import { hex, sha256Sink } from "../sha256.ts";
import type { KeptBytes } from "../storage/provider.ts";
import { imagePath } from "./paths.ts";

/** What the row of a photo says about its file. */
export interface InspectedPhoto {
  readonly image: ImageInfo;
  readonly sha256: string;
  readonly bytes: number;
}

interface Place {
  readonly storages: Bindings["storages"];
  readonly company: Company;
  /** Counts what the storage keeps in memory. */
  readonly kept: KeptBytes;
}

/**
 * A photo on its way into a storage while its request is still being read. It is inspected and hashed as it flows by, so
 * that hardly any of it is in memory. The storage gets its end only by `complete`: until then, nothing is stored.
 */
export class IncomingPhoto implements FileSink {
  readonly uniqueId: string = crypto.randomUUID();
  /** Null: the platform's own bucket. */
  readonly storageId: string | null;
  /** Bytes of the whole file. */
  readonly length: number;
  readonly #place: Place;
  readonly #inspector: ImageInspector;
  readonly #hash = sha256Sink();
  readonly #hashing = this.#hash.getWriter();
  readonly #stream = new TransformStream<Uint8Array, Uint8Array>();
  readonly #writer = this.#stream.writable.getWriter();
  /** The first chunks, until they tell the format. */
  #first: Uint8Array[] = [];
  #received = 0;
  #upload: Promise<void> | undefined;
  #isComplete = false;

  /**
   * @param length bytes of the whole file
   * @throws CompileError `empty_file`, `image_too_many_bytes`
   */
  constructor(place: Place, length: number) {
    this.#place = place;
    this.length = length;
    this.#inspector = new ImageInspector(length);
    this.storageId = place.company.storageConnectionId;
    this.#hash.digest.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  /** @throws CompileError for a file that cannot become a marker, StorageError, Refusal `invalid_input` */
  async write(chunk: Uint8Array): Promise<void> {
    this.#received += chunk.length;
    if (this.#received > this.length) throw otherSize(this.length, "more");
    this.#inspector.write(chunk);
    await this.#hashing.write(chunk);
    const { mime } = this.#inspector;
    this.#first.push(chunk);
    if (mime === null) return;
    this.#upload ??= this.#open(mime);
    for (const next of this.#first.splice(0)) await this.#passing(this.#writer.write(next));
  }

  /** Ends the file. @throws CompileError, Refusal `invalid_input` */
  async end(): Promise<InspectedPhoto> {
    if (this.#received !== this.length) throw otherSize(this.length, String(this.#received));
    const image = this.#inspector.end();
    await this.#hashing.close();
    return { image, sha256: hex(new Uint8Array(await this.#hash.digest)), bytes: this.length };
  }

  /** Lets the storage have the end of the file, and waits until it is stored. */
  async complete(): Promise<void> {
    this.#isComplete = true;
    await this.#passing(this.#writer.close());
    await this.#upload;
  }

  /** Ends the upload without storing anything; does nothing after `complete`. */
  async abort(reason: unknown): Promise<void> {
    if (this.#isComplete) return;
    this.#hashing.abort(reason).catch(() => {});
    this.#writer.abort(reason).catch(() => {});
    await this.#upload?.catch(() => {});
  }

  #open(mime: ImageInfo["mime"]): Promise<void> {
    const { storages, company, kept } = this.#place;
    const path = imagePath(company.storagePath, this.uniqueId, mime);
    const options = { length: this.length, contentType: mime, kept };
    const upload = async () => {
      const storage = await storages.open(this.storageId);
      await storage.upload(path, this.#stream.readable, options);
    };
    const uploaded = upload();
    uploaded.catch(() => {});
    return uploaded;
  }

  /** Waits until the storage has taken what was written. @throws its error */
  async #passing(written: Promise<void>): Promise<void> {
    written.catch(() => {});
    try {
      // A storage that fails before it reads does not end the stream.
      await Promise.race([written, this.#upload]);
    } catch (error) {
      // An upload that fails ends the stream first.
      await this.#upload;
      throw error;
    }
  }
}

/** Returns the refusal of a photo that has another number of bytes than its form says. */
export function otherSize(expected: number, received: string): Refusal {
  return new Refusal(
    "invalid_input",
    `Field "image_bytes" is ${expected}, but the image has ${received} bytes; expected the size of the image.`,
  );
}
