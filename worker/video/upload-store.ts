import { and, asc, eq, lte, sql } from "drizzle-orm";
import { companiesWith } from "../db/companies-with.ts";
import { insertSelect } from "../db/insert-select.ts";
import {
  type Company,
  type Database,
  orphanedFiles,
  type VideoUploadRow,
  videoUploadParts,
  videoUploads,
} from "../db/tables.ts";
import type { UploadedPart } from "../storage/provider.ts";

/** Reads and changes the unfinished video uploads of one company. */
export class VideoUploadStore {
  readonly company: Company;
  readonly #db: Database;

  constructor(db: Database, company: Company) {
    this.#db = db;
    this.company = company;
  }

  #own(contentId: string, id: string) {
    return and(
      eq(videoUploads.id, id),
      eq(videoUploads.contentId, contentId),
      eq(videoUploads.companyId, this.company.id),
    );
  }

  async get(contentId: string, id: string): Promise<VideoUploadRow | undefined> {
    const [row] = await this.#db.select().from(videoUploads).where(this.#own(contentId, id));
    return row;
  }

  /** Returns an upload with the parts that came through the Worker, in order. */
  async getWithParts(
    contentId: string,
    id: string,
  ): Promise<{ upload: VideoUploadRow; received: UploadedPart[] } | undefined> {
    const [[upload], received] = await this.#db.batch([
      this.#db.select().from(videoUploads).where(this.#own(contentId, id)),
      this.#parts(id),
    ]);
    return upload && { upload, received: received.map(partOf) };
  }

  /** Keeps the sweep from removing an upload before `expiresAt`. */
  async extend(id: string, expiresAt: number): Promise<void> {
    await this.#db.update(videoUploads).set({ expiresAt }).where(eq(videoUploads.id, id));
  }

  /**
   * Notes a part that came through the Worker, and keeps the sweep from removing the upload before `expiresAt`. A part
   * that is sent again replaces the one before.
   *
   * @returns false when the upload does not exist any more
   */
  async notePart(id: string, { number, etag, size }: UploadedPart, expiresAt: number): Promise<boolean> {
    const part = { videoUploadId: videoUploads.id, number, etag, bytes: size };
    const [extended] = await this.#db.batch([
      this.#db
        .update(videoUploads)
        .set({ expiresAt })
        .where(eq(videoUploads.id, id))
        .returning({ id: videoUploads.id }),
      insertSelect(
        this.#db,
        videoUploadParts,
        part,
        sql`FROM ${videoUploads} WHERE ${eq(videoUploads.id, id)}`,
      ).onConflictDoUpdate({
        target: [videoUploadParts.videoUploadId, videoUploadParts.number],
        set: { etag, bytes: size },
      }),
    ]);
    return extended.length === 1;
  }

  /** Returns the parts that came through the Worker, in order. */
  async parts(id: string): Promise<UploadedPart[]> {
    return (await this.#parts(id)).map(partOf);
  }

  #parts(id: string) {
    return this.#db
      .select()
      .from(videoUploadParts)
      .where(eq(videoUploadParts.videoUploadId, id))
      .orderBy(asc(videoUploadParts.number));
  }

  /**
   * Deletes an upload, and records its parts or file as orphaned in the same transaction. From then on, no request can
   * complete it.
   *
   * @returns the id of the orphaned file
   */
  async end(id: string, now: number): Promise<string> {
    const orphan = {
      id: crypto.randomUUID(),
      companyId: videoUploads.companyId,
      contentId: videoUploads.contentId,
      storageId: videoUploads.storageId,
      path: videoUploads.path,
      uploadId: videoUploads.uploadId,
      isReserved: false,
      createdAt: now,
      dueAt: now,
    };
    await this.#db.batch([
      insertSelect(
        this.#db,
        orphanedFiles,
        orphan,
        sql`FROM ${videoUploads} WHERE ${eq(videoUploads.id, id)}`,
      ),
      this.#db.delete(videoUploads).where(eq(videoUploads.id, id)),
    ]);
    return orphan.id;
  }
}

function partOf({ number, etag, bytes }: typeof videoUploadParts.$inferSelect): UploadedPart {
  return { number, etag, size: bytes };
}

/** Lists abandoned uploads of all companies: first the oldest of each. */
export function listExpired(db: Database, limit: number, now: number): Promise<VideoUploadRow[]> {
  const { id, companyId, expiresAt } = videoUploads;
  const ofCompany = sql`SELECT rowid FROM ${videoUploads} WHERE ${companyId} = waiting.company_id
    AND ${lte(expiresAt, now)} ORDER BY ${expiresAt} LIMIT ${limit}`;
  const expired = sql`(
    WITH RECURSIVE ${companiesWith(videoUploads, sql`1`)}
    SELECT ${id} FROM waiting JOIN ${videoUploads} ON ${videoUploads}.rowid IN (${ofCompany})
    ORDER BY row_number() OVER (PARTITION BY ${companyId} ORDER BY ${expiresAt}) LIMIT ${limit})`;
  return db.select().from(videoUploads).where(sql`${id} IN ${expired}`).orderBy(expiresAt);
}
