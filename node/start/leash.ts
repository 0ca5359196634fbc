/**
 * Loaded before the script of every child of `npm start` (node/start/processes.ts). When the parent is gone, however it
 * ended, it kills the child's process group: a workerd that is left behind would keep the port and the database.
 */

const POLL_MILLISECONDS = 500;

const parent = process.ppid;

setInterval(() => {
  // A process whose parent is gone gets another one.
  if (process.ppid === parent) return;
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    // Not the leader of the group, but wrangler's own child.
    process.exit(1);
  }
}, POLL_MILLISECONDS).unref();

export {};
