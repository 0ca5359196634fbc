import { and, asc, eq, lte, sql } from "drizzle-orm";
import {
  arContent,
  type Company,
  type Database,
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

  /** Notes a part that came through the Worker. A part that is sent again replaces the one before. */
  async notePart(id: string, { number, etag, size }: UploadedPart): Promise<void> {
    await this.#db
      .insert(videoUploadParts)
      .values({ videoUploadId: id, number, etag, bytes: size })
      .onConflictDoUpdate({
        target: [videoUploadParts.videoUploadId, videoUploadParts.number],
        set: { etag, bytes: size },
      });
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

  /** Tells whether the content shows the video of an upload. */
  async isShown({ contentId, path }: VideoUploadRow): Promise<boolean> {
    const rows = await this.#db
      .select({ id: arContent.id })
      .from(arContent)
      .where(and(eq(arContent.id, contentId), eq(arContent.videoPath, path)));
    return rows.length > 0;
  }

  async remove(id: string): Promise<void> {
    await this.#db.delete(videoUploads).where(eq(videoUploads.id, id));
  }
}

function partOf({ number, etag, bytes }: typeof videoUploadParts.$inferSelect): UploadedPart {
  return { number, etag, size: bytes };
}

/** Lists abandoned uploads of all companies. */
export function listExpired(db: Database, limit: number, now: number): Promise<VideoUploadRow[]> {
  const { companyId, expiresAt } = videoUploads;
  return db
    .select()
    .from(videoUploads)
    .where(lte(expiresAt, now))
    .orderBy(sql`row_number() OVER (PARTITION BY ${companyId} ORDER BY ${expiresAt})`)
    .limit(limit);
}
