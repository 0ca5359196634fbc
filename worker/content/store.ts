import {
  type AnyColumn,
  and,
  count,
  desc,
  eq,
  exists,
  isNotNull,
  isNull,
  lte,
  notInArray,
  type SQL,
  sql,
} from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { alias } from "drizzle-orm/sqlite-core";
import type { Action } from "../audit/actions.ts";
import type { Audit, AuditDetail, AuditObject } from "../audit/log.ts";
import { companiesWith } from "../db/companies-with.ts";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import { isListed } from "../db/is-listed.ts";
import { pageOf } from "../db/newest-first.ts";
import {
  arContent,
  type Company,
  type CompileTaskRow,
  type Content,
  companies,
  compileTasks,
  contentCounts,
  type Database,
  orphanedFiles,
  projects,
  touched,
  type VideoUploadRow,
  videoUploads,
} from "../db/tables.ts";
import { Transaction } from "../db/transaction.ts";
import { Refusal } from "../errors.ts";
import { supersedeTasks } from "../marker/life.ts";
import type { MarkerStatus, VideoPlayback } from "../schemas.ts";
import { acceptsFiles, isConnectionOf } from "../storage/connection-store.ts";
import type { Storages } from "../storage/open.ts";
import { recordEvent, recordEvents } from "../webhooks/events.ts";
import { FILE_KINDS, KINDS } from "./file-kinds.ts";
import { isSamePlace, placeColumns, placeOf, placeValues, type StoredVideo } from "./files.ts";
import { type ContentFilter, filterCondition, isIndexed } from "./filters.ts";
import { areReserved, orphanReplaced, releaseNamed } from "./orphaned-files.ts";
import { foldersOf, mediaUrlPrefix } from "./paths.ts";
import {
  fitsQuotas,
  type Quotas,
  quotaBrieflyExhausted,
  quotaRefusal,
  readUsage,
  UNLIMITED,
  type Wanted,
} from "./quotas.ts";
import { deletionTime, endRetentionOf } from "./retention.ts";
import {
  candidates,
  changedSearchColumns,
  MAX_CANDIDATES,
  numbered,
  type Search,
  type SearchedFields,
  searchColumns,
} from "./search.ts";
import { comesAfter, positionOf, type Sort, type SortPosition, sortedBy } from "./sorts.ts";

/** Unfinished video uploads of one company. */
export const MAX_VIDEO_UPLOADS = 500;

export interface ContentWithTask {
  readonly content: Content;
  /** The newest compile task. */
  readonly task: CompileTaskRow;
}

/** Hidden content that becomes visible, with its changes and its first task. */
export interface Reveal {
  readonly content: Content;
  readonly change: Partial<Content>;
  readonly task: Omit<typeof compileTasks.$inferInsert, "companyId" | "contentId">;
}

/** A row to insert. The company says which storage gets the files. */
export interface HiddenContent {
  /** The storage that the image is on its way to, if it is already. Null: the platform's own bucket. */
  readonly storageId?: string | null | undefined;
  readonly row: Omit<
    typeof arContent.$inferInsert,
    "companyId" | "searchText" | "searchOrder" | "deletedAt" | "imageStorageId" | "qrCodeStorageId"
  >;
  /** How many compilations the photo needs. */
  readonly compilations: number;
}

/** An image, and the number of points to keep in its keyframes; null: all. */
export interface ReusableImage {
  readonly sha256: string;
  readonly maxFeatures: number | null;
}

export interface ContentQuery {
  /** Absent: every project that is not archived. */
  readonly projectId?: string | undefined;
  readonly status?: MarkerStatus | undefined;
  /** Default: the newest first. */
  readonly sort?: Sort | undefined;
  readonly filters?: readonly ContentFilter[] | undefined;
  /** Text that the title, the description, the order number or the customer contains, regardless of case. */
  readonly text?: string | undefined;
  /** The page begins after this position. */
  readonly after?: SortPosition | undefined;
  readonly limit: number;
}

export interface ContentList {
  readonly rows: readonly ContentWithTask[];
  /** Null on the last page. */
  readonly next: SortPosition | null;
  /** All matches, not only those of the page; of a search or with filters, those among its first candidates. */
  readonly total: number;
  readonly isTotalExact: boolean;
}

/** How content, or its video, is removed. */
export interface Removal {
  /** Removes it only if the content is still this. */
  readonly expected?: Content | undefined;
  /** Whether the files are kept for a while (worker/content/retention.ts). Default: true. */
  readonly keepFiles?: boolean | undefined;
  readonly now: number;
}

export interface ContentChange {
  /** The change as the API names it. */
  readonly auditDetail: AuditDetail;
  /** Changes the content only if it is still this. */
  readonly expected?: Content | undefined;
  readonly now: number;
}

const ofNewestGeneration = and(
  eq(compileTasks.contentId, arContent.id),
  eq(compileTasks.generation, arContent.generation),
);

export function isStill(expected: Content | undefined): SQL | undefined {
  return expected && eq(arContent.updatedAt, expected.updatedAt);
}

/** Reads and changes the content of one company, and of no other. */
export class ContentStore {
  readonly company: Company;
  readonly #db: Database;
  readonly #audit: Audit | null;
  readonly #quotas: Quotas;

  /**
   * @param audit null: the platform itself makes the changes, and nothing is noted
   * @param quotas what the company may use
   */
  constructor(db: Database, company: Company, audit: Audit | null, quotas: Quotas = UNLIMITED) {
    this.#db = db;
    this.company = company;
    this.#audit = audit;
    this.#quotas = quotas;
  }

  /** Returns the condition that what is wanted fits into the quotas. */
  fitsQuotas(wanted: Wanted, now: number): SQL {
    return fitsQuotas(this.company.id, this.#quotas, wanted, now);
  }

  /** Returns why what is wanted does not fit into the quotas; null when it does by now. */
  async quotaRefusal(wanted: Wanted & { bytes?: number }, now: number): Promise<Refusal | null> {
    return quotaRefusal(this.#quotas, await readUsage(this.#db, this.company.id, now), wanted, now);
  }

  /** Returns the error for a change that did not fit into the quotas. */
  async quotaError(wanted: Wanted & { bytes?: number }, now: number): Promise<Refusal> {
    return (await this.quotaRefusal(wanted, now)) ?? quotaBrieflyExhausted();
  }

  /** Returns the statements that record an action. They must directly follow the change in its batch. */
  #auditEntries(action: Action, id: string, detail: AuditDetail | null = null) {
    return this.#audit ? [this.#audit.entry(action, named(id), detail)] : [];
  }

  /** Makes a change and notes it in the audit log, in one batch with the statements in `events`. */
  async #audited<Row>(
    change: BatchItem<"sqlite"> & PromiseLike<Row[]>,
    entry: { readonly action: Action; readonly id: string; readonly detail?: AuditDetail | null },
    events: readonly BatchItem<"sqlite">[] = [],
  ): Promise<Row[]> {
    const { action, id, detail } = entry;
    const [rows] = await this.#db.batch([change, ...this.#auditEntries(action, id, detail), ...events]);
    return rows as Row[];
  }

  /** Returns the condition that every query on content includes. */
  #own(...conditions: (SQL | undefined)[]): SQL | undefined {
    return and(eq(arContent.companyId, this.company.id), isNull(arContent.deletedAt), ...conditions);
  }

  async get(id: string): Promise<ContentWithTask | undefined> {
    const [row] = await this.#db
      .select({ content: arContent, task: compileTasks })
      .from(arContent)
      .innerJoin(compileTasks, ofNewestGeneration)
      .where(this.#own(eq(arContent.id, id)));
    return row;
  }

  async list(query: ContentQuery, now: number): Promise<ContentList> {
    const { projectId, status, sort = "newest", filters = [], text = "", after, limit } = query;
    const archived = this.#db
      .select({ id: projects.id })
      .from(projects)
      .where(and(eq(projects.companyId, this.company.id), isNotNull(projects.archivedAt)));
    const hasStatus = status && eq(arContent.markerStatus, status);
    // What an index serves in this order. Other conditions are tested on candidates.
    const indexed = sort === "newest" && projectId === undefined ? filters.find(isIndexed) : undefined;
    const isListed = this.#own(
      projectId === undefined
        ? notInArray(arContent.projectId, archived)
        : eq(arContent.projectId, projectId),
      sort === "newest" && !indexed ? hasStatus : undefined,
      indexed && filterCondition(indexed, now),
    );
    if (text !== "" || filters.length > 0 || (status && sort !== "newest")) {
      const isWanted = and(hasStatus, ...filters.map((filter) => filterCondition(filter, now)));
      return this.#search({ companyId: this.company.id, text, sort, isListed, isWanted, after }, limit);
    }
    const counted = and(
      eq(contentCounts.companyId, this.company.id),
      projectId === undefined
        ? notInArray(contentCounts.projectId, archived)
        : eq(contentCounts.projectId, projectId),
      status && eq(contentCounts.markerStatus, status),
    );
    const total = this.#db
      .select({ total: sql<number>`coalesce(sum(${contentCounts.contents}), 0)`.mapWith(Number) })
      .from(contentCounts)
      .where(counted);
    // Not a batch: D1 returns its rows by column name, and these tables share names.
    const found = await this.#db
      .select({ content: arContent, task: compileTasks, total: sql<number>`(${total})` })
      .from(arContent)
      .innerJoin(compileTasks, ofNewestGeneration)
      .where(and(isListed, comesAfter(sort, after)))
      .orderBy(sortedBy(sort))
      .limit(limit + 1);
    const { rows, next } = pageOf(found, limit, ({ content }) => positionOf(sort, content));
    const [first] = found.length > 0 ? found : await total;
    return {
      rows: rows.map(({ content, task }) => ({ content, task })),
      next,
      total: first.total,
      isTotalExact: true,
    };
  }

  /** Returns the matches among the next candidates. Where these end, the page ends, even before its limit. */
  async #search(search: Search, limit: number): Promise<ContentList> {
    const isWanted = sql`candidate.is_match AND candidate.match_number <= ${limit + 1}`;
    const ofFirstPage = this.#db
      .select({ counts: sql<string>`json_array(count(*), coalesce(sum(is_match), 0))` })
      .from(sql`${candidates({ ...search, after: undefined })} AS newest`);
    const found = await this.#db
      .select({
        content: arContent,
        task: compileTasks,
        number: sql<number>`candidate.number`,
        isWanted: sql<number>`${isWanted}`,
        counts:
          search.after === undefined
            ? sql<string>`json_array(candidate.number, candidate.match_number)`
            : sql<string>`(${ofFirstPage})`,
      })
      .from(sql`${numbered(search)} AS candidate`)
      .innerJoin(arContent, sql`${arContent}.rowid = candidate.place`)
      .leftJoin(compileTasks, ofNewestGeneration)
      .where(sql`(${isWanted}) OR candidate.is_last`)
      .orderBy(sql`candidate.number`);
    const matches = found.flatMap(({ content, task, isWanted }) =>
      isWanted && task ? [{ content, task }] : [],
    );
    const { rows, next } = pageOf(matches, limit, ({ content }) => positionOf(search.sort, content));
    const last = found.at(-1);
    const end = last?.number === MAX_CANDIDATES ? last.content : null;
    const counted = last ?? (search.after === undefined ? undefined : (await ofFirstPage)[0]);
    const [seen, total]: [number, number] = JSON.parse(counted?.counts ?? "[0,0]");
    return {
      rows,
      next: next ?? (end && positionOf(search.sort, end)),
      total,
      isTotalExact: seen < MAX_CANDIDATES,
    };
  }

  /**
   * Inserts content whose files are not stored yet. It stays invisible until `reveal`; the sweep removes it,
   * with its files, when it is not revealed before `until`. From now on its storage connection cannot be deleted.
   *
   * @returns the rows by id, which name the storage for the files; `insertError` says why a row is missing
   */
  async insertHidden(
    contents: readonly HiddenContent[],
    until: number,
    now: number,
  ): Promise<ReadonlyMap<string, Content>> {
    const transaction = new Transaction();
    // As the insertion finds it: the storage may have been switched, and the former connection deleted.
    const current = sql`(SELECT storage_connection_id FROM companies WHERE id = ${this.company.id})`;
    const inserted = contents.map(({ row, storageId, compilations }) => {
      const content = {
        ...row,
        imageStorageId: storageId === undefined ? current : storageId,
        qrCodeStorageId: current,
        companyId: this.company.id,
        ...searchColumns(row),
        deletedAt: until,
      };
      const fits = this.fitsQuotas({ contents: 1, bytes: row.imageBytes, compilations }, now);
      const isStorable = storageId ? acceptsFiles(this.#db, this.company.id, storageId) : sql`1`;
      const isOpen = sql`EXISTS (SELECT 1 FROM ${projects} WHERE ${this.#isOpen(row.projectId)})`;
      const condition = sql`${fits} AND ${isStorable} AND ${isOpen} AND ${isOrderFree(row)}`;
      return transaction.add(insertIf(this.#db, arContent, content, condition).returning());
    });
    await transaction.commit(this.#db);
    return new Map(inserted.flatMap((rows) => rows()).map((content) => [content.id, content]));
  }

  /** Returns the error for a photo that could not be inserted. */
  async insertError(
    { row, storageId }: Pick<HiddenContent, "storageId"> & { readonly row: Order },
    wanted: Wanted & { readonly bytes?: number },
    now: number,
  ): Promise<Refusal> {
    const [project] = await this.#db.select().from(projects).where(this.#isOpen(row.projectId));
    if (!project) {
      return new Refusal(
        "project_archived",
        "The project was archived while the photo was sent. Restore it, or choose another project.",
      );
    }
    if (storageId && !(await this.#is(acceptsFiles(this.#db, this.company.id, storageId)))) {
      return new Refusal(
        "storage_conflict",
        "The storage connection was deleted, or its files were given up, while the photo was sent. Send it again.",
      );
    }
    return (await this.orderError(row)) ?? (await this.quotaError(wanted, now));
  }

  async #is(condition: SQL): Promise<boolean> {
    const [row] = await this.#db
      .select({ holds: sql<number>`${condition}` })
      .from(companies)
      .limit(1);
    return Boolean(row.holds);
  }

  /** Returns the error for an order number that another photo of the project has; null if none has it. */
  async orderError(order: Order): Promise<Refusal | null> {
    const [taken] = await this.#db
      .select({ id: arContent.id, title: arContent.title })
      .from(arContent)
      .where(this.#own(hasOrder(order)));
    return taken ? orderTaken(order.orderNumber, taken) : null;
  }

  /** The condition that a project takes new photos. */
  #isOpen(id: string): SQL | undefined {
    return and(eq(projects.id, id), eq(projects.companyId, this.company.id), isNull(projects.archivedAt));
  }

  /** Throws Refusal `quota_exceeded` for a video that does not fit into the quota, before it is sent. */
  async assertVideoFitsQuota(content: Content, bytes: number, now: number): Promise<void> {
    // Saves the query while the quota is far away.
    if (this.#quotas.bytes === 0 || this.company.contentBytes + bytes <= this.#quotas.bytes) return;
    const refused = await this.quotaRefusal(addedVideo(content, bytes), now);
    if (refused) throw refused;
  }

  /**
   * Inserts an upload of a video. From then on, its bytes count against the quota, and its storage connection cannot
   * be deleted.
   *
   * @returns undefined when the content does not exist any more
   * @throws Refusal `quota_exceeded`, `storage_conflict`
   */
  async insertVideoUpload(
    content: Content,
    upload: Omit<typeof videoUploads.$inferInsert, "companyId" | "contentId">,
    now: number,
  ): Promise<VideoUploadRow | undefined> {
    const row = { ...upload, companyId: this.company.id, contentId: content.id };
    const wanted = addedVideo(content, upload.bytes);
    const present = this.#db
      .select({ id: arContent.id })
      .from(arContent)
      .where(this.#own(eq(arContent.id, content.id)));
    const isStorable = isConnectionOf(this.#db, this.company.id, upload.storageId ?? null);
    const unfinished = sql<number>`(SELECT count(*) FROM ${videoUploads} WHERE ${eq(videoUploads.companyId, this.company.id)})`;
    const condition = sql`${this.fitsQuotas(wanted, now)} AND ${unfinished} < ${MAX_VIDEO_UPLOADS} AND ${exists(present)} AND ${isStorable}`;
    const [begun] = await insertIf(this.#db, videoUploads, row, condition).returning();
    if (begun) return begun;
    if ((await present).length === 0) return undefined;
    if (!(await this.#is(isStorable))) {
      throw new Refusal(
        "storage_conflict",
        "The storage connection was deleted at the same moment. Start the upload again.",
      );
    }
    const [{ count: uploads }] = await this.#db
      .select({ count: count() })
      .from(videoUploads)
      .where(eq(videoUploads.companyId, this.company.id));
    if (uploads < MAX_VIDEO_UPLOADS) throw await this.quotaError(wanted, now);
    throw new Refusal(
      "quota_exceeded",
      `The company has ${MAX_VIDEO_UPLOADS} unfinished video uploads, the maximum. Complete or cancel some.`,
    );
  }

  /** Returns content that is not revealed yet, or deleted. */
  async getHidden(id: string): Promise<Content | undefined> {
    const [row] = await this.#db
      .select()
      .from(arContent)
      .where(
        and(eq(arContent.companyId, this.company.id), eq(arContent.id, id), isNotNull(arContent.deletedAt)),
      );
    return row;
  }

  /**
   * Makes hidden content visible, with its changes and its first task.
   *
   * @returns what was revealed, by the content's id; `revealError` says why content is missing
   */
  async reveal(reveals: readonly Reveal[], now: number): Promise<ReadonlyMap<string, ContentWithTask>> {
    const transaction = new Transaction();
    const revealed = reveals.map(({ content, change, task }) => {
      const { id, deletedAt, projectId, orderNumber } = content;
      const compilations = task.state === "ready" ? 0 : 1;
      const contents = transaction.add(
        this.#db
          .update(arContent)
          .set({ ...change, deletedAt: null })
          // The sweep changes `deletedAt` before it deletes the files.
          .where(
            and(
              eq(arContent.id, id),
              sql`${arContent.deletedAt} = ${deletedAt}`,
              this.fitsQuotas({ compilations }, now),
              isOrderFree({ id, projectId, orderNumber }),
            ),
          )
          .returning(),
      );
      const row = { ...task, companyId: this.company.id, contentId: id };
      const isVisible = sql`EXISTS (SELECT 1 FROM ar_content WHERE id = ${id} AND deleted_at IS NULL)`;
      const tasks = transaction.add(insertIf(this.#db, compileTasks, row, isVisible).returning());
      for (const entry of this.#auditEntries("content.created", id)) transaction.add(entry);
      return { contents, tasks };
    });
    for (const { content, task } of reveals) {
      if (task.state !== "ready") continue;
      for (const statement of recordEvent(this.#db, {
        type: "marker.ready",
        contentId: content.id,
        now,
        condition: sql`1`,
      })) {
        transaction.add(statement);
      }
    }
    await transaction.commit(this.#db);
    const found = new Map<string, ContentWithTask>();
    for (const { contents, tasks } of revealed) {
      const [[content], [task]] = [contents(), tasks()];
      if (content) found.set(content.id, { content, task });
    }
    return found;
  }

  /** Returns the error for content that could not be revealed. */
  async revealError(content: Content, now: number): Promise<Refusal> {
    const hidden = await this.getHidden(content.id);
    if (hidden?.deletedAt === content.deletedAt) {
      return (await this.orderError(content)) ?? (await this.quotaError({ compilations: 1 }, now));
    }
    return new Refusal(
      "storage_unavailable",
      "The storage took so long that the photo was removed again. Try again.",
    );
  }

  /**
   * Returns the new row; undefined when the content does not exist or is not the `expected` one any more, or another
   * photo has the order number, as `orderError` tells.
   */
  async update(
    id: string,
    change: SearchedFields & Partial<Pick<Content, "isActive" | "projectId" | "expiresAt">>,
    { auditDetail, expected, now }: ContentChange,
  ): Promise<Content | undefined> {
    const { projectId = arContent.projectId, orderNumber = arContent.orderNumber } = change;
    const isFree = isOrderFree({ id, projectId, orderNumber });
    const [row] = await this.#audited(
      this.#db
        .update(arContent)
        .set({ ...change, ...changedSearchColumns(change), updatedAt: touched(now) })
        .where(this.#own(eq(arContent.id, id), isStill(expected), isFree))
        .returning(),
      { action: "content.changed", id, detail: auditDetail },
    );
    return row;
  }

  /**
   * Replaces the video that the content shows; null removes it.
   *
   * @returns the content just before and just after the change, and the id of the orphaned file of the video before.
   *   Nothing changed if `after` is missing: the content shows this video already, or the row that keeps the video
   *   is gone or, if `before` is missing too, the content does not exist or is not the `expected` one any more
   * @throws Refusal `quota_exceeded`
   */
  async replaceVideo(
    { id, uniqueId }: Content,
    video: StoredVideo | null,
    { expected, keepFiles = true, now }: Removal,
  ): Promise<{ readonly before?: Content; readonly after?: Content; readonly orphanId: string }> {
    const version = sql<number>`${arContent.videoVersion} + 1`;
    const place = placeColumns("video");
    const isCurrent = this.#own(eq(arContent.id, id), isStill(expected));
    const isOther =
      video && sql`NOT (${place.storageId} IS ${video.storageId} AND ${place.path} IS ${video.path})`;
    const isLimited = video !== null && "reservation" in video.keptBy;
    const fits = isLimited ? this.fitsQuotas({ bytes: additionalBytes(video.bytes) }, now) : undefined;
    const condition = and(isCurrent, isOther ?? undefined, fits, video ? this.#isKept(video) : undefined);
    const orphanId = crypto.randomUUID();
    const quotas = keepFiles ? this.#quotas : null;
    const orphaned = { id: orphanId, contentId: id, kind: "video", condition, quotas, now } as const;
    const [[before], , [after]] = await this.#db.batch([
      // In the same transaction: the file may have been moved since the content was last read.
      this.#db.select().from(arContent).where(isCurrent),
      orphanReplaced(this.#db, orphaned),
      this.#db
        .update(arContent)
        .set({
          ...placeValues("video", video),
          videoUrl: video && sql`${mediaUrlPrefix(uniqueId, "video")} || (${version})`,
          videoType: video?.type ?? null,
          videoBytes: video?.bytes ?? null,
          videoMetadata: video?.metadata ?? null,
          videoPlayback: null,
          videoVersion: version,
          updatedAt: touched(now),
        })
        .where(condition)
        .returning(),
      ...this.#auditEntries(
        video ? "video.attached" : "video.removed",
        id,
        video && { bytes: video.bytes, type: video.type },
      ),
      ...(video ? recordEvent(this.#db, { type: "video.attached", contentId: id, now }) : []),
      ...(video ? [this.#endKeeping(video, id)] : []),
    ]);
    const isRefused = before && !after && isLimited && !isSamePlace(placeOf(before, "video"), video);
    if (isRefused) throw await this.quotaError(addedVideo(before, video.bytes), now);
    return { before, after, orphanId };
  }

  /**
   * Changes how viewers play the video that the content shows.
   *
   * @returns the new row; undefined when the content shows another video or none, does not exist, or is not the
   *   `expected` one any more
   */
  async setPlayback(
    { id, videoVersion }: Content,
    videoPlayback: VideoPlayback,
    { auditDetail, expected, now }: ContentChange,
  ): Promise<Content | undefined> {
    const isSame = and(isNotNull(arContent.videoPath), eq(arContent.videoVersion, videoVersion));
    const [row] = await this.#audited(
      this.#db
        .update(arContent)
        .set({ videoPlayback, updatedAt: touched(now) })
        .where(this.#own(eq(arContent.id, id), isSame, isStill(expected)))
        .returning(),
      { action: "content.changed", id, detail: auditDetail },
    );
    return row;
  }

  /** Returns the statements that end the unfinished video uploads of deleted content, whose parts become orphaned. */
  #endUploads(contentIds: readonly string[], now: number) {
    const { companyId, storageId, path, uploadId } = videoUploads;
    const isDeleted = sql`EXISTS (SELECT 1 FROM ${arContent} WHERE ${and(
      eq(arContent.id, videoUploads.contentId),
      eq(arContent.companyId, this.company.id),
      isNotNull(arContent.deletedAt),
    )})`;
    const ofContent = and(isListed(videoUploads.contentId, contentIds), isDeleted);
    const orphan = {
      id: sql`lower(hex(randomblob(16)))`,
      companyId,
      contentId: videoUploads.contentId,
      storageId,
      path,
      uploadId,
      isReserved: false,
      createdAt: now,
      dueAt: now,
    };
    return [
      insertSelect(this.#db, orphanedFiles, orphan, sql`FROM ${videoUploads} WHERE ${ofContent}`),
      this.#db.delete(videoUploads).where(ofContent),
    ] as const;
  }

  /** The condition that a video's file still exists. */
  #isKept({ keptBy }: StoredVideo): SQL {
    if ("reservation" in keptBy) return areReserved(this.#db, [keptBy.reservation]);
    return sql`EXISTS (SELECT 1 FROM ${videoUploads} WHERE ${eq(videoUploads.id, keptBy.upload)})`;
  }

  /** Returns the statement that deletes the row that kept a video, once the content shows it. */
  #endKeeping({ keptBy, path }: StoredVideo, contentId: string) {
    if ("reservation" in keptBy) return releaseNamed(this.#db, [keptBy.reservation]);
    const shown = this.#db
      .select({ id: arContent.id })
      .from(arContent)
      .where(and(eq(arContent.id, contentId), eq(arContent.videoPath, path)));
    return this.#db.delete(videoUploads).where(and(eq(videoUploads.id, keptBy.upload), exists(shown)));
  }

  /** Returns, for each of these images, the newest content with a ready marker that this compiler version made of it. */
  findReusable(images: readonly ReusableImage[], compilerVersion: string): Promise<Content[]> {
    const isReusable = this.#own(
      sql`${arContent.imageSha256} = value ->> 'sha256'`,
      sql`${arContent.maxFeatures} IS value ->> 'maxFeatures'`,
      eq(arContent.markerStatus, "ready"),
      isNotNull(arContent.markerPath),
      sql`json_extract(${arContent.markerMetadata}, '$.compiler_version') = ${compilerVersion}`,
    );
    const newest = sql`(SELECT (SELECT ${arContent.id} FROM ${arContent} WHERE ${isReusable}
      ORDER BY ${desc(arContent.markerGeneratedAt)} LIMIT 1) FROM json_each(${JSON.stringify(images)}))`;
    return this.#db.select().from(arContent).where(sql`${arContent.id} IN ${newest}`);
  }

  /** Returns all compile tasks of a content, newest first. */
  async tasks(contentId: string): Promise<CompileTaskRow[]> {
    const rows = await this.#db
      .select({ task: compileTasks })
      .from(compileTasks)
      .innerJoin(arContent, eq(compileTasks.contentId, arContent.id))
      .where(this.#own(eq(arContent.id, contentId)))
      .orderBy(desc(compileTasks.generation));
    return rows.map(({ task }) => task);
  }

  async task(taskId: string): Promise<CompileTaskRow | undefined> {
    const [row] = await this.#db
      .select({ task: compileTasks })
      .from(compileTasks)
      .innerJoin(arContent, eq(compileTasks.contentId, arContent.id))
      .where(this.#own(eq(compileTasks.id, taskId)));
    return row?.task;
  }

  /**
   * Deletes content: it is unreachable at once. `purge` removes its files and its row, from `deletedAt` on.
   *
   * @returns the deleted row; undefined when the content does not exist or is not the `expected` one any more
   */
  async remove(id: string, removal: Removal): Promise<Content | undefined> {
    const [row] = await this.removeAll([id], removal);
    return row;
  }

  /** Deletes several contents in the same way. @returns those that existed */
  async removeAll(ids: readonly string[], { expected, keepFiles = true, now }: Removal): Promise<Content[]> {
    const condition = this.#own(isListed(arContent.id, ids), isStill(expected));
    const deletedAt = deletionTime({
      companyId: this.company.id,
      bytes: sql`${sql.join(
        FILE_KINDS.map((kind) => sql`coalesce(${sql.raw(KINDS[kind].bytes)}, 0)`),
        sql` + `,
      )}`,
      quotas: keepFiles ? this.#quotas : null,
      now,
    });
    const transaction = new Transaction();
    // Before the change, while the condition tells which contents it will delete.
    const detail = keepFiles ? null : { keep_files: false };
    for (const entry of this.#entriesBefore("content.deleted", condition, detail)) transaction.add(entry);
    const events = { type: "content.deleted", contentIds: ids, condition, now } as const;
    for (const statement of recordEvents(this.#db, events)) transaction.add(statement);
    const removed = transaction.add(
      this.#db
        .update(arContent)
        .set({ deletedAt, removedAt: now, updatedAt: touched(now) })
        .where(condition)
        .returning(),
    );
    transaction.add(supersedeTasks(this.#db, ids, this.company.id, now));
    for (const statement of this.#endUploads(ids, now)) transaction.add(statement);
    const deleted = { companyId: this.company.id, contentIds: ids };
    if (!keepFiles) transaction.add(endRetentionOf(this.#db, deleted, now));
    await transaction.commit(this.#db);
    return removed();
  }

  /**
   * Makes the same change of several contents.
   *
   * @returns the ids of the changed ones; `changeErrors` tells why others are missing
   */
  async changeAll(
    ids: readonly string[],
    change: Partial<Pick<Content, "isActive" | "projectId" | "expiresAt">>,
    { auditDetail, now }: Pick<ContentChange, "auditDetail" | "now">,
  ): Promise<ReadonlySet<string>> {
    const { projectId } = change;
    const own = this.#own(isListed(arContent.id, ids));
    const condition = and(own, projectId === undefined ? undefined : canMove(own, projectId));
    const transaction = new Transaction();
    for (const entry of this.#entriesBefore("content.changed", condition, auditDetail))
      transaction.add(entry);
    const changed = transaction.add(
      this.#db
        .update(arContent)
        .set({ ...change, updatedAt: touched(now) })
        .where(condition)
        .returning({ id: arContent.id }),
    );
    await transaction.commit(this.#db);
    return new Set(changed().map(({ id }) => id));
  }

  /** Returns why contents could not move to a project: errors by id. Those that do not exist are left out. */
  async moveErrors(ids: readonly string[], projectId: string): Promise<ReadonlyMap<string, Refusal>> {
    const other = alias(arContent, "other");
    const found = await this.#db
      .select({ id: arContent.id, number: arContent.orderNumber, taken: other.id, title: other.title })
      .from(arContent)
      .leftJoin(
        other,
        hasOrder({ id: arContent.id, projectId, orderNumber: arContent.orderNumber }, sql`other`),
      )
      .where(this.#own(isListed(arContent.id, ids)));
    return new Map(
      found.map(({ id, number, taken, title }) => [
        id,
        taken === null ? changedMeanwhile() : orderTaken(number, { id: taken, title: title ?? "" }),
      ]),
    );
  }

  /** Returns which of these contents exist. */
  async existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#db
      .select({ id: arContent.id })
      .from(arContent)
      .where(this.#own(isListed(arContent.id, ids)));
    return new Set(found.map(({ id }) => id));
  }

  /** Returns which of these compile tasks exist. */
  async existingTasks(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#db
      .select({ id: compileTasks.id })
      .from(compileTasks)
      .where(and(isListed(compileTasks.id, ids), eq(compileTasks.companyId, this.company.id)));
    return new Set(found.map(({ id }) => id));
  }

  #entriesBefore(action: Action, condition: SQL | undefined, detail: AuditDetail | null = null) {
    return this.#audit ? [this.#audit.entriesOfPhotos(action, condition, detail)] : [];
  }
}

/** An order number, and the photo that has or wants it. */
interface Order {
  readonly id: string;
  readonly projectId: string;
  readonly orderNumber?: string | null | undefined;
}

type OrderColumns = { readonly [Name in keyof Order]: Order[Name] | AnyColumn };

/** The condition that a row is another visible photo with this order number in the same project. */
function hasOrder({ id, projectId, orderNumber = null }: OrderColumns, of = sql`${arContent}`): SQL {
  return sql`${of}.order_number = ${orderNumber} AND ${of}.project_id = ${projectId} AND ${of}.deleted_at IS NULL AND ${of}.id <> ${id}`;
}

function isOrderFree(order: OrderColumns): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ar_content AS other WHERE ${hasOrder(order, sql`other`)})`;
}

function orderTaken(
  number: string | null | undefined,
  { id, title }: Pick<Content, "id" | "title">,
): Refusal {
  return new Refusal(
    "order_number_taken",
    `The order number "${number}" belongs to the photo "${title}" (${id}) in the same project. ` +
      "Use another order number, or change that photo's.",
  );
}

/** The condition that a row can move to a project: of the rows with the same order number, only one can. */
function canMove(among: SQL | undefined, projectId: string): SQL {
  const { id, orderNumber } = arContent;
  const isThere = eq(arContent.projectId, projectId);
  const isFirst = sql`${id} IN (SELECT id FROM (SELECT ${id}, ${orderNumber},
    row_number() OVER (PARTITION BY ${orderNumber} ORDER BY ${id}) AS number FROM ${arContent} WHERE ${among})
    WHERE order_number IS NULL OR number = 1)`;
  return sql`(${isThere} OR (${isOrderFree({ id, projectId, orderNumber })} AND ${isFirst}))`;
}

function changedMeanwhile(): Refusal {
  return new Refusal("conflict", "Another request changed the photo at the same moment. Try again.");
}

/** Returns what a video needs in addition to the one that it replaces. */
function addedVideo({ videoBytes }: Content, bytes: number) {
  return { bytes: bytes - (videoBytes ?? 0) };
}

/** Returns the same as SQL, which counts with the row as it is when the statement runs. */
function additionalBytes(bytes: number): SQL {
  return sql`${bytes} - coalesce(${arContent.videoBytes}, 0)`;
}

/** Names content in the audit log by its current title. The row still exists when its deletion is noted. */
function named(id: string): AuditObject {
  return { id, name: sql`(SELECT title FROM ar_content WHERE id = ${id})` };
}

/**
 * The company that the first database migration creates. The person who sets the platform up becomes its
 * owner.
 */
export const FIRST_COMPANY_ID = "00000000-0000-4000-8000-000000000001";

export async function openStore(db: Database, companyId: string): Promise<ContentStore> {
  const [company] = await db.select().from(companies).where(eq(companies.id, companyId));
  if (!company) throw new Error(`No company ${companyId}: are the migrations applied?`);
  return new ContentStore(db, company, null);
}

/**
 * Takes deleted content whose files still exist, and hidden content that was not revealed in time and cannot be any
 * more: first the oldest of each company. If it still exists at `retryAt`, it is due again.
 */
export function claimDeleted(db: Database, limit: number, now: number, retryAt: number): Promise<Content[]> {
  const { companyId, deletedAt } = arContent;
  const ofCompany = sql`SELECT rowid FROM ${arContent} WHERE ${companyId} = waiting.company_id
    AND ${lte(deletedAt, now)} ORDER BY ${deletedAt} LIMIT ${limit}`;
  const due = sql`(
    WITH RECURSIVE ${companiesWith(arContent, isNotNull(deletedAt))}
    SELECT ${arContent.id} FROM waiting JOIN ${arContent} ON ${arContent}.rowid IN (${ofCompany})
    ORDER BY row_number() OVER (PARTITION BY ${companyId} ORDER BY ${deletedAt}) LIMIT ${limit})`;
  return db.update(arContent).set({ deletedAt: retryAt }).where(sql`${arContent.id} IN ${due}`).returning();
}

/** Removes deleted content for good: its files, then its row and its tasks. Safe to repeat. */
export async function purge(
  db: Database,
  storages: Storages,
  company: Company,
  content: Content,
): Promise<void> {
  const named = FILE_KINDS.map((kind) => placeOf(content, kind)).filter((place) => place !== null);
  // Also the company's current storage: an upload or a delivery that broke off may have left files there.
  const ids = new Set([...named.map(({ storageId }) => storageId), company.storageConnectionId]);
  for (const id of ids) {
    const storage = await storages.open(id);
    await storage.delete(named.filter(({ storageId }) => storageId === id).map(({ path }) => path));
    for (const folder of foldersOf(company.storagePath, content.uniqueId)) await storage.deleteTree(folder);
  }
  await db.delete(arContent).where(and(eq(arContent.id, content.id), isNotNull(arContent.deletedAt)));
}
