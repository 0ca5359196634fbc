// A stand-in for wrangler and for the Cloudflare account behind it: it records calls, and fails on request. It knows
// only the commands that a deployment uses. test/start/deploy.test.ts runs `wrangler deploy --dry-run` itself.

import { appendFileSync, readFileSync } from "node:fs";
import type { Resources } from "../../../node/deploy/deployment.ts";
import { StartError } from "../../../node/start/processes.ts";

/** Where the account serves the Worker without a domain of its own. */
export const WORKERS_DEV = "https://vivimark.lumen.workers.dev";

interface DeployedWorker {
  readonly variables: Record<string, string>;
  readonly secrets: Record<string, string>;
  readonly domains: string[];
  hasContainer: boolean;
  isOnWorkersDev: boolean;
}

export class WranglerStandIn {
  readonly calls: string[][] = [];
  readonly databases = new Map<string, { isMigrated: boolean }>();
  readonly queues = new Set<string>();
  readonly buckets = new Set<string>();
  worker: DeployedWorker | null = null;
  isSignedIn = true;
  /** Whether the platform has no owner. */
  isOpen = true;
  accounts = [{ id: "a1", name: "Lumen Studio" }];
  /** The number of the call that fails, and whether it does its work before. */
  failure: { readonly call: number; readonly isAfterwards: boolean } | null = null;

  readonly #resources: Resources;

  constructor(resources: Resources) {
    this.#resources = resources;
  }

  readonly run = async (
    args: readonly string[],
    { environment = {} }: { readonly environment?: Readonly<Record<string, string>> } = {},
  ): Promise<string> => {
    const call = this.calls.length;
    this.calls.push([...args]);
    const { failure } = this;
    if (failure?.call === call && !failure.isAfterwards) throw new StartError(`Call ${call} failed.`);
    const printed = this.#answer(args, environment);
    if (failure?.call === call) throw new StartError(`Call ${call} was interrupted.`);
    return printed;
  };

  /** The platform that the Worker serves. */
  readonly fetch = async (url: string): Promise<Response> => {
    const { origin, pathname } = new URL(url);
    const { worker } = this;
    const served = worker && [
      ...worker.domains.map((host) => `https://${host}`),
      ...(worker.isOnWorkersDev ? [WORKERS_DEV] : []),
    ];
    if (!worker || !served?.includes(origin)) throw new TypeError("fetch failed");
    if (pathname === "/api/setup") return Response.json({ open: this.isOpen });
    const { PUBLIC_URL, COMPILER_URL, COMPILER_CONTAINER } = worker.variables;
    const hasCompiler = Boolean(COMPILER_URL) || (COMPILER_CONTAINER === "true" && worker.hasContainer);
    const dependencies = { database: true, public_url: Boolean(PUBLIC_URL), compiler: hasCompiler };
    const checked = Object.entries(dependencies).map(([name, ok]) => [name, { ok }]);
    return Response.json({ dependencies: Object.fromEntries(checked) }, { status: 503 });
  };

  #answer(args: readonly string[], environment: Readonly<Record<string, string>>): string {
    const [command, action, name = ""] = args;
    switch (`${command} ${action}`) {
      case "whoami --json":
        if (!this.isSignedIn) throw new StartError('{"loggedIn":false}');
        return JSON.stringify({ loggedIn: true, accounts: this.accounts });
      case "login undefined":
        this.isSignedIn = true;
        return "";
      case "d1 list":
        return JSON.stringify(Array.from(this.databases.keys(), (name) => ({ name })));
      case "d1 create":
        create(this.databases, name, () => this.databases.set(name, { isMigrated: false }));
        return "";
      case "d1 migrations": {
        const database = this.databases.get(args[3]!);
        if (!database) throw new StartError(`Couldn't find a D1 DB named '${args[3]}'.`);
        database.isMigrated = true;
        return "";
      }
      case "queues info":
        if (!this.queues.has(name)) throw new StartError(`Queue "${name}" does not exist.`);
        return `Queue Name: ${name}`;
      case "queues create":
        create(this.queues, name, () => this.queues.add(name));
        return "";
      case "secret list":
        if (!this.worker) throw new StartError('Worker "vivimark" not found.');
        return JSON.stringify(
          Object.keys(this.worker.secrets).map((secret) => ({ name: secret, type: "secret_text" })),
        );
      case "secret bulk":
        Object.assign(this.worker!.secrets, JSON.parse(readFileSync(name, "utf8")));
        return "";
      default:
        if (command === "deploy") return this.#deploy(args.slice(1), environment);
        throw new Error(`wrangler ${args.join(" ")} is not a command of the stand-in.`);
    }
  }

  #deploy(options: readonly string[], environment: Readonly<Record<string, string>>): string {
    const { database, bucket, queues } = this.#resources;
    const values = (option: string) =>
      options.flatMap((text, at) => (options[at - 1] === option ? [text] : []));
    for (const queue of queues) {
      if (!this.queues.has(queue)) throw new StartError(`Queue "${queue}" does not exist.`);
    }
    if (!this.databases.get(database)?.isMigrated)
      throw new Error("The Worker is deployed before its tables.");
    this.buckets.add(bucket);
    this.worker ??= { variables: {}, secrets: {}, domains: [], hasContainer: false, isOnWorkersDev: true };
    for (const file of values("--secrets-file"))
      Object.assign(this.worker.secrets, JSON.parse(readFileSync(file, "utf8")));
    for (const variable of values("--var")) {
      const [name, ...value] = variable.split(":");
      this.worker.variables[name!] = value.join(":");
    }
    const domains = values("--domain");
    this.worker.domains.push(...domains);
    this.worker.isOnWorkersDev = domains.length === 0;
    this.worker.hasContainer ||= !values("--containers-rollout").includes("none");
    const addresses = domains.length > 0 ? domains.map((host) => `${host} (custom domain)`) : [WORKERS_DEV];
    const targets = [...addresses, "Producer for vivimark-compile", "schedule: * * * * *"];
    const report = { type: "deploy", targets };
    appendFileSync(
      environment.WRANGLER_OUTPUT_FILE_PATH!,
      `{"type":"wrangler-session"}\n${JSON.stringify(report)}\n`,
    );
    return "";
  }
}

function create(existing: { has(name: string): boolean }, name: string, add: () => void): void {
  if (existing.has(name)) throw new StartError(`"${name}" exists already.`);
  add();
}
