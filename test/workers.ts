import { availableParallelism } from "node:os";

/** Test files that run at the same time. More than there are cores: most wait for servers and browsers. */
export const WORKERS = Math.ceil(availableParallelism() * 1.5);
