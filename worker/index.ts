import { app } from "./app.ts";
import type { CompileMessage, StorageMessage, WebhookMessage } from "./bindings.ts";
import { connect, type Env, isDeadLetterQueue } from "./connect.ts";
import { dispatch } from "./dispatch.ts";
import { scheduledSweep } from "./sweep.ts";

export default {
  fetch: (request, env, context) => app.fetch(request, connect(env), context),
  queue: (batch, env) => dispatch(connect(env), batch.messages, isDeadLetterQueue(batch.queue)),
  scheduled: (_controller, env) => scheduledSweep(connect(env)),
} satisfies ExportedHandler<Env, CompileMessage | StorageMessage | WebhookMessage>;
