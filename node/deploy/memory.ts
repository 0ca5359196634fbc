import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What the owner of a deployment answered. */
export interface Answers {
  /** The id of the Cloudflare account. */
  readonly account: string;
  /** The platform's origin; "": that of the Worker on workers.dev. */
  readonly address: string;
  /** The origin of the Node compiler, `container` or `none`. */
  readonly compiler: string;
}

export type Secrets = Readonly<Record<string, string>>;

/**
 * The folder in which a deployment keeps its answers and the secrets that it made, closed to other users of the
 * machine. Without it the questions are asked again.
 */
export class DeployMemory {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get answers(): Partial<Answers> {
    return this.#read("answers.json");
  }

  /** Keeps answers besides those that are kept already. */
  keepAnswers(answers: Partial<Answers>): void {
    this.#write("answers.json", { ...this.answers, ...answers });
  }

  /** The secrets that were made here, which Cloudflare does not show again. */
  get secrets(): Secrets {
    return this.#read("secrets.json");
  }

  keepSecrets(secrets: Secrets): void {
    this.#write("secrets.json", { ...this.secrets, ...secrets });
  }

  /** Calls `use` with a file of secrets, which is deleted afterwards. */
  async withSecretsFile(secrets: Secrets, use: (file: string) => Promise<void>): Promise<void> {
    const file = this.#write("upload.json", secrets);
    try {
      await use(file);
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** Path of a file in the folder, which exists afterwards. */
  pathOf(name: string): string {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    chmodSync(this.folder, 0o700);
    return path.join(this.folder, name);
  }

  #read<T>(name: string): T {
    const file = path.join(this.folder, name);
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : ({} as T);
  }

  /** Replaces the file as a whole, so that a process that is killed leaves the old one or the new one. */
  #write(name: string, content: object): string {
    const file = this.pathOf(name);
    writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return file;
  }
}
