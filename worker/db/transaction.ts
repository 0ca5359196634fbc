import type { BatchItem } from "drizzle-orm/batch";
import type { Database } from "./tables.ts";

/**
 * Collects statements whose number is not known beforehand and runs them in one D1 batch, which is atomic.
 * Each statement's result is read through what `add` returned for it, not by position.
 */
export class Transaction {
  readonly #statements: BatchItem<"sqlite">[] = [];
  #results: readonly unknown[] | undefined;

  /** Adds a statement, and returns a function that gives the statement's result once `commit` has resolved. */
  add<Result>(statement: BatchItem<"sqlite"> & PromiseLike<Result>): () => Result {
    const index = this.#statements.push(statement) - 1;
    return () => {
      if (!this.#results) throw new Error("The transaction is not committed.");
      return this.#results[index] as Result;
    };
  }

  async commit(db: Database): Promise<void> {
    const [first, ...others] = this.#statements;
    this.#results = first ? await db.batch([first, ...others]) : [];
  }
}
