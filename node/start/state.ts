import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, StartError } from "./processes.ts";

/** The folder of one platform's database, files and secrets, which this process alone uses. */
export class State {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Opens the folder named by VIVIMARK_STATE, or the default, relative to the repository: makes it, closes it to
   * other users of the machine, and locks it until this process ends. Throws a StartError when another process
   * uses it or when it holds something else.
   */
  static open(fallback: string): State {
    const folder = path.resolve(ROOT, process.env.VIVIMARK_STATE || fallback);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(folder);
    if (names.length > 0 && !["start.env", "start.pid", "v3"].some((name) => names.includes(name)))
      throw new StartError(
        `The state folder ${folder} holds other files. Choose an empty one: VIVIMARK_STATE=FOLDER.`,
      );
    chmodSync(folder, 0o700);
    lock(folder);
    return new State(folder);
  }

  /** The folder as messages show it. */
  get name(): string {
    const relative = path.relative(ROOT, this.folder);
    return relative.startsWith("..") ? this.folder : relative;
  }

  /** Whether the folder has a database already. */
  get isNew(): boolean {
    return !existsSync(path.join(this.folder, "v3"));
  }

  /** Writes variables to a file for `wrangler dev`, so that secrets show in no list of processes. Returns its path. */
  writeVariables(variables: Readonly<Record<string, string>>): string {
    const file = path.join(this.folder, "start.env");
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(file, lines.join(""), { mode: 0o600 });
    return file;
  }

  /**
   * Returns a secret that is created once and stored next to the database: the key that encrypts the settings of
   * storage connections, without which they cannot be read, or the one that signs sessions, without which all end.
   */
  secret(name: string, make: () => string): string {
    const file = path.join(this.folder, name);
    if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: "wx" });
    return readFileSync(file, "utf8").trim();
  }
}

/** The state folder of `npm run dev` and `npm run seed`. */
export const DEVELOPMENT_STATE = ".wrangler/dev";

export function randomToken(): string {
  return randomBytes(24).toString("hex");
}

function lock(folder: string): void {
  const file = path.join(folder, "start.pid");
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(readFileSync(file, "utf8"));
    if (isRunning(holder))
      throw new StartError(
        `The state folder ${folder} is in use by process ${holder}. Stop that process, or choose another folder: VIVIMARK_STATE=FOLDER. ` +
          `If that process is not Vivimark, delete ${file}.`,
      );
    // Its process was killed.
    rmSync(file, { force: true });
  }
  process.once("exit", () => rmSync(file, { force: true }));
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
