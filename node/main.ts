/**
 * `node node/main.ts`: runs the compile service as a process of its own.
 *
 * Reads COMPILER_SECRET (required, at least 32 characters), COMPILER_PORT (default: 8788) and COMPILER_HOST (default:
 * 127.0.0.1).
 * SIGTERM and SIGINT stop it gracefully; a second signal stops it at once.
 */

import { type Compiler, MIN_SECRET_LENGTH, startCompiler } from "./service.ts";

const { COMPILER_SECRET: secret = "", COMPILER_HOST: host = "127.0.0.1" } = process.env;
const port = Number(process.env.COMPILER_PORT || 8788);

if (secret.length < MIN_SECRET_LENGTH) {
  const found = secret === "" ? "is not set" : `has ${secret.length} characters`;
  fail(`COMPILER_SECRET ${found}; expected at least ${MIN_SECRET_LENGTH}, the same as the Worker's.`);
}
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  fail(`COMPILER_PORT is "${process.env.COMPILER_PORT}"; expected a whole number from 0 to 65535.`);
}

// The service keeps working when the reader of its log exits.
process.stdout.on("error", () => {});

const compiler = await startCompiler({ port, host, secret }).catch(explain);
report({ event: "listening", url: compiler.url });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(compiler, signal));

let stopping = false;

async function stop(running: Compiler, signal: string): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  report({ event: "stopping", signal });
  await running.close();
  report({ event: "stopped" });
  process.exit(0);
}

function report(entry: { event: string; url?: string; signal?: string }): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));
}

function explain(error: NodeJS.ErrnoException): never {
  if (error.code === "EADDRINUSE") fail(`Port ${port} on ${host} is used by another program.`);
  if (error.code === "EADDRNOTAVAIL") fail(`COMPILER_HOST ${host} is not an address of this machine.`);
  throw error;
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
