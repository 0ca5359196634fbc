import { z } from "@hono/zod-openapi";
import { ALERTS, DEAD_LETTER_QUEUES } from "../db/tables.ts";
import { MAX_RETRIED } from "./retry.ts";

/** The schemas of the platform's state, in snake_case. */

const count = z.number().int();
const time = z.iso.datetime();

const deadLetter = z
  .object({
    id: z.string(),
    queue: z.enum(DEAD_LETTER_QUEUES),
    code: z.string().nullable().openapi({ description: "The code of the last error; null without one." }),
    attempts: count,
    arrived_at: time,
  })
  .openapi("DeadLetter");

export const platform = z
  .object({
    photos: z
      .object({ pending: count, processing: count, ready: count, failed: count })
      .openapi({ description: "Photos of all companies by the status of their marker." }),
    compilations: z.object({
      running: count.openapi({ description: "Compilations that the Node compiler has." }),
      places: count,
      due_since: time
        .nullable()
        .openapi({ description: "When the longest waiting compilation was due; null if none is." }),
    }),
    queues: z.array(
      z.object({
        name: z.string(),
        messages: count.nullable().openapi({ description: "Null: the queue did not tell." }),
        oldest_at: time.nullable(),
      }),
    ),
    webhooks: z.object({ pending: count }),
    dead_letters: z.object({
      count,
      items: z.array(deadLetter).openapi({ description: "The oldest 50." }),
    }),
    sweep: z
      .object({
        started_at: time,
        milliseconds: count,
        succeeded_at: time.openapi({ description: "When the last sweep without a failed step ended." }),
        failed_steps: z.array(z.string()),
      })
      .nullable(),
    alerts: z.object({
      by_email: z.boolean(),
      by_webhook: z.boolean(),
      firing: z.array(z.object({ name: z.enum(ALERTS), since: time, sent_at: time.nullable() })),
    }),
    versions: z.object({
      deployment: z
        .string()
        .openapi({ description: "The id of the Worker's version; empty on this machine." }),
      deployed_at: time.nullable(),
      compiler: z.string(),
      database: z.string().nullable().openapi({ description: "The newest database migration." }),
    }),
  })
  .openapi("Platform");
export type Platform = z.infer<typeof platform>;

export const retryRequest = z
  .strictObject({
    ids: z
      .array(z.string().max(64))
      .min(1)
      .max(MAX_RETRIED)
      .optional()
      .openapi({
        description: `Dead letters to retry. Without it, the oldest ${MAX_RETRIED}.`,
      }),
  })
  .openapi("DeadLetterRetry");

export const retried = z
  .object({
    retried: count,
    discarded: count.openapi({
      description: "Dead letters whose photo was deleted, or whose webhook was disabled.",
    }),
    left: count.openapi({ description: "Dead letters that are left." }),
  })
  .openapi("RetriedDeadLetters");
