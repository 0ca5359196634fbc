/** The parts of a D1 binding that backups use. */
export interface Database {
  prepare(sql: string): Statement;
  /** Runs statements in one transaction. */
  batch(statements: readonly Statement[]): Promise<unknown>;
}

export interface Statement {
  bind(...values: readonly Value[]): Statement;
  all<Row>(): Promise<{ readonly results: readonly Row[] }>;
}

export type Value = string | number | null;

/** The parts of an R2 binding that backups use. */
export interface Bucket {
  list(options: { readonly cursor?: string; readonly include: readonly string[] }): Promise<{
    readonly objects: readonly StoredFile[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
  get(key: string): Promise<{ readonly body: ReadableStream<Uint8Array> } | null>;
  put(key: string, body: Uint8Array, options: FileOptions & { readonly sha256: string }): Promise<unknown>;
  createMultipartUpload(key: string, options: FileOptions): Promise<MultipartUpload>;
}

interface MultipartUpload {
  uploadPart(number: number, part: Uint8Array): Promise<UploadedPart>;
  complete(parts: readonly UploadedPart[]): Promise<unknown>;
}

interface UploadedPart {
  readonly partNumber: number;
  readonly etag: string;
}

/** What R2 keeps of a file besides its bytes. */
export interface FileOptions {
  readonly httpMetadata?: Readonly<Record<string, unknown>>;
  readonly customMetadata?: Readonly<Record<string, string>>;
}

interface StoredFile extends FileOptions {
  readonly key: string;
  readonly size: number;
}

/** The database and the files of a platform. */
export interface Stores {
  readonly database: Database;
  readonly bucket: Bucket;
}
