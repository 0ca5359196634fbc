import { desc, lt, sql } from "drizzle-orm";
import { type Database, mails } from "../db/tables.ts";
import { logFailure } from "../log.ts";

export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** Plain text. */
  readonly body: string;
}

/** Sends emails. `send` rejects when an email could not be handed over. */
export interface Mailer {
  /** False: no email is ever sent. */
  readonly isConfigured: boolean;
  send(mail: Mail): Promise<void>;
}

const KEEP_MAILS_MS = 7 * 24 * 3_600_000;
const SHOWN_MAILS = 50;
const TIMEOUT_MS = 10_000;

/** Stores emails for the page /mailbox, during development. */
export class DevelopmentMailbox implements Mailer {
  readonly isConfigured = true;
  readonly #db: Database;
  readonly #now: () => number;

  constructor(db: Database, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  async send({ to, subject, body }: Mail): Promise<void> {
    const now = this.#now();
    await this.#db.batch([
      this.#db.delete(mails).where(lt(mails.createdAt, now - KEEP_MAILS_MS)),
      this.#db
        .insert(mails)
        .values({ id: crypto.randomUUID(), recipient: to, subject, body, createdAt: now }),
    ]);
  }

  /** Returns the newest emails first. */
  list() {
    return this.#db.select().from(mails).orderBy(desc(mails.createdAt), sql`rowid DESC`).limit(SHOWN_MAILS);
  }
}

/** Posts emails as JSON, `{to, subject, body}`, to the operator's mail service. */
export class HttpMailer implements Mailer {
  readonly isConfigured = true;
  readonly #url: string;
  readonly #secret: string;

  constructor(url: string, secret: string) {
    this.#url = url;
    this.#secret = secret;
  }

  async send(mail: Mail): Promise<void> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.#secret}` },
      body: JSON.stringify(mail),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The mail service responded with status ${response.status}.`);
  }
}

/** Used without a mail service: logs that an email was not sent, but neither its recipient nor its text. */
export const NO_MAILER: Mailer = {
  isConfigured: false,
  async send() {
    logFailure("An email was not sent: MAIL_URL is not set");
  },
};
