import { createServer } from "node:net";
import { StartError } from "./processes.ts";

export const HOST = "127.0.0.1";

/** Returns the TCP port that an environment variable names, or its default. */
export function portFrom(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new StartError(`${name} is "${text}"; expected a whole number from 1 to 65535.`);
  return port;
}

/** Throws a StartError when the port cannot be listened on. */
export function requireFreePort(name: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? "is used by another program" : `cannot be used (${error.code})`;
      reject(new StartError(`Port ${port} ${why}. Choose another one, for example ${name}=${port + 100}.`));
    });
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}

/** Returns a TCP port that no program uses now. */
export function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, HOST, () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
