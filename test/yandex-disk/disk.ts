// The files of one person's Yandex Disk, for the test server in server.ts.

import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";

const MAX_NAME_LENGTH = 255;
const MAX_PATH_LENGTH = 32_760;

/** An error of the API: `{error, description, message}` with this status. */
export class DiskError extends Error {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, description: string) {
    super(description);
    this.status = status;
    this.error = error;
  }
}

/** Uploaded bytes, in a file of their own. Several resources may share them. */
export interface Content {
  readonly id: string;
  readonly file: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

export interface Resource {
  readonly id: string;
  /** null for a folder. */
  readonly content: Content | null;
  readonly created: Date;
  readonly modified: Date;
}

export interface Operation {
  readonly id: string;
  /** Everything at, below or above these paths is locked until the operation ends. */
  readonly paths: readonly string[];
  pollsLeft: number;
  readonly fails: boolean;
  status: "in-progress" | "success" | "failed";
  readonly apply: () => void;
}

/** The app folder, which `app:/` names too. */
const APP_FOLDER = "/Приложения/Vivimark";

/** Paths are absolute and without a scheme: `/`, `/a/b.mp4`. Listings are in the order of creation. */
export class Disk {
  readonly #resources = new Map<string, Resource>();
  readonly #operations = new Map<string, Operation>();
  readonly #inProgress = new Set<Operation>();
  /** Number of resources that share a content. */
  readonly #uses = new Map<Content, number>();
  usedSpace = 0;

  constructor() {
    for (const path of ["/", "/Приложения", APP_FOLDER]) this.#resources.set(path, folder());
  }

  /** Returns the path of an API parameter, which may be `disk:/a`, `app:/a`, `/a` or `a`. */
  resolve(parameter: string | null, appOnly: boolean): string {
    if (!parameter) throw invalid('Error validating field "path": This field is required.');
    const [, scheme, rest] = parameter.match(/^(?:(disk|app|[^/]*):)?(.*)$/s)!;
    const known = scheme === undefined ? !rest.includes(":") : scheme === "disk" || scheme === "app";
    if (!known) throw invalid('Error validating field "path": Not an allowed scheme.');
    const names = rest.split("/").filter((name) => name !== "");
    if (parameter.length > MAX_PATH_LENGTH || names.some((name) => name.length > MAX_NAME_LENGTH)) {
      throw invalid('Error validating field "path": Too long.');
    }
    const inApp = scheme === "app" ? APP_FOLDER : "";
    const path =
      names.length === 0 && inApp === "" ? "/" : `${inApp}${names.map((name) => `/${name}`).join("")}`;
    if (appOnly && path !== APP_FOLDER && !path.startsWith(`${APP_FOLDER}/`)) {
      throw new DiskError(
        403,
        "ForbiddenError",
        "Access denied: the application may only use its own folder.",
      );
    }
    return path;
  }

  find(path: string): Resource | undefined {
    return this.#resources.get(path);
  }

  get(path: string): Resource {
    const resource = this.#resources.get(path);
    if (!resource) throw new DiskError(404, "DiskNotFoundError", "Resource not found.");
    return resource;
  }

  children(path: string): [path: string, Resource][] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return [...this.#resources].filter(
      ([other]) =>
        other.length > prefix.length && other.startsWith(prefix) && !other.includes("/", prefix.length),
    );
  }

  /** Throws status 423 while an operation locks one of the paths. */
  checkLocks(...paths: string[]): void {
    for (const { paths: locks } of this.#inProgress) {
      for (const path of paths) {
        if (locks.some((locked) => contains(locked, path) || contains(path, locked))) {
          throw new DiskError(423, "DiskResourceLockedError", `Resource "disk:${path}" is locked.`);
        }
      }
    }
  }

  checkParent(path: string): void {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    const found = this.#resources.get(parent);
    if (!found || found.content) {
      throw new DiskError(409, "DiskPathDoesntExistsError", `Specified path "disk:${path}" doesn't exists.`);
    }
  }

  createFolder(path: string): void {
    this.checkLocks(path);
    const existing = this.#resources.get(path);
    if (existing?.content === null) {
      throw new DiskError(
        409,
        "DiskPathPointsToExistentDirectoryError",
        `Specified path "disk:${path}" points to existent directory.`,
      );
    }
    if (existing) throw alreadyExists(path);
    this.checkParent(path);
    this.#set(path, folder());
  }

  /** Throws when an upload may not write this path. */
  checkUpload(path: string, overwrite: boolean): void {
    this.checkLocks(path);
    const existing = this.#resources.get(path);
    if (existing && (existing.content === null || !overwrite)) throw alreadyExists(path);
    this.checkParent(path);
  }

  write(path: string, content: Content): void {
    const now = new Date();
    const created = this.#resources.get(path)?.created ?? now;
    this.#set(path, { id: randomUUID(), content, created, modified: now });
  }

  delete(path: string): void {
    for (const other of this.#at(path)) this.#remove(other);
  }

  checkMove(from: string, to: string, overwrite: boolean): void {
    this.checkLocks(from, to);
    this.get(from);
    if (this.#resources.has(to) && !overwrite) throw alreadyExists(to);
    this.checkParent(to);
  }

  /** Moves, or with `keep` copies. Replaces what is at the target, even a folder. */
  move(from: string, to: string, keep: boolean): void {
    if (from === to) return;
    const moved = this.#at(from).map((path) => [path, this.get(path)] as const);
    for (const path of this.#at(to)) if (!contains(from, path)) this.#remove(path);
    for (const [path, resource] of moved) {
      this.#set(to + path.slice(from.length), keep ? { ...resource, id: randomUUID() } : resource);
      if (!keep) this.#remove(path);
    }
  }

  start(
    operation: Omit<Operation, "id" | "status">,
    id: string = randomUUID().replaceAll("-", ""),
  ): Operation {
    const started: Operation = { ...operation, id, status: "in-progress" };
    this.#operations.set(id, started);
    this.#inProgress.add(started);
    return started;
  }

  /** Advances an operation by one step per poll, independent of the clock. */
  poll(id: string): Operation {
    const operation = this.#operations.get(id);
    if (!operation) throw new DiskError(404, "DiskOperationNotFoundError", "Operation not found.");
    if (operation.status === "in-progress" && operation.pollsLeft-- <= 0) {
      operation.status = operation.fails ? "failed" : "success";
      this.#inProgress.delete(operation);
      if (!operation.fails) operation.apply();
    }
    return operation;
  }

  /** Returns the path and everything below it, if it exists. */
  #at(path: string): string[] {
    const resource = this.#resources.get(path);
    if (!resource) return [];
    return resource.content ? [path] : [...this.#resources.keys()].filter((other) => contains(path, other));
  }

  #set(path: string, resource: Resource): void {
    const { content } = resource;
    if (content) {
      this.#uses.set(content, (this.#uses.get(content) ?? 0) + 1);
      this.usedSpace += content.size;
    }
    this.#remove(path);
    this.#resources.set(path, resource);
  }

  #remove(path: string): void {
    const content = this.#resources.get(path)?.content;
    this.#resources.delete(path);
    if (!content) return;
    this.usedSpace -= content.size;
    const uses = (this.#uses.get(content) ?? 1) - 1;
    this.#uses.set(content, uses);
    if (uses > 0) return;
    this.#uses.delete(content);
    void rm(content.file, { force: true });
  }
}

function folder(): Resource {
  const now = new Date();
  return { id: randomUUID(), content: null, created: now, modified: now };
}

function contains(path: string, other: string): boolean {
  return other === path || other.startsWith(path === "/" ? "/" : `${path}/`);
}

function alreadyExists(path: string): DiskError {
  return new DiskError(409, "DiskResourceAlreadyExistsError", `Resource "disk:${path}" already exists.`);
}

function invalid(description: string): DiskError {
  return new DiskError(400, "FieldValidationError", description);
}
