import { DurableObject } from "cloudflare:workers";
import worker from "./index.js";

const statement = { bind: () => statement, raw: async () => [], all: async () => ({ results: [] }) };
const DB = { prepare: () => statement, withSession: () => DB };

/** The Worker with an empty database. */
export default {
  fetch: (request, env, context) => worker.fetch(request, { ...env, DB }, context),
};

/** Containers need bindings that this benchmark lacks. */
export class CompilerContainer extends DurableObject {}
