import { desc, lt, sql } from "drizzle-orm";
import { type Database, mails } from "../db/tables.ts";
import { type OperatorService, postTo } from "../http/operator-service.ts";
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
  readonly #service: OperatorService;

  constructor(service: OperatorService) {
    this.#service = service;
  }

  send(mail: Mail): Promise<void> {
    return postTo(this.#service, mail);
  }
}

/** Used without a mail service: logs that an email was not sent, but neither its recipient nor its text. */
export const NO_MAILER: Mailer = {
  isConfigured: false,
  async send() {
    logFailure("An email was not sent: MAIL_URL is not set");
  },
};
