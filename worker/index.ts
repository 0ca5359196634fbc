import { app } from "./app.ts";
import type { CompileMessage, StorageMessage, WebhookMessage } from "./bindings.ts";
import { connect, type Env, isDeadLetterQueue } from "./connect.ts";

export { CompilerContainer } from "./marker/container.ts";

// The rest is loaded when it is first needed: an isolate that starts for a viewer needs little of it.
export default {
  fetch: (request, env, context) => app.fetch(request, connect(env), context),
  async queue(batch, env) {
    const { dispatch } = await import("./dispatch.ts");
    const services = connect(env);
    await dispatch(services, batch.messages, isDeadLetterQueue(batch.queue));
    const { watchConditions } = await import("./platform/alerts.ts");
    watchConditions(services);
  },
  async scheduled(_controller, env) {
    const { scheduledSweep } = await import("./sweep.ts");
    await scheduledSweep(connect(env));
  },
} satisfies ExportedHandler<Env, CompileMessage | StorageMessage | WebhookMessage>;
