import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { StartError } from "../start/processes.ts";
import { randomToken } from "../start/state.ts";
import type { Answers, DeployMemory, Secrets } from "./memory.ts";
import { checkAddress, checkCompiler, type Options } from "./options.ts";

/** What a deployment uses of the machine and of Cloudflare. */
export interface Deployment {
  readonly options: Options;
  readonly resources: Resources;
  readonly memory: DeployMemory;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Runs wrangler and returns its standard output. Throws a StartError when it fails. */
  readonly wrangler: (args: readonly string[], options?: WranglerOptions) => Promise<string>;
  /** Builds the studio and the viewer. */
  readonly build: () => Promise<void>;
  /** Asks the person at the terminal; null when there is no terminal. */
  readonly ask: ((question: string) => Promise<string>) | null;
  readonly say: (line: string) => void;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

interface WranglerOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether its output is shown while it runs. */
  readonly isShown?: boolean;
}

/** Names in wrangler.toml. */
export interface Resources {
  readonly database: string;
  readonly bucket: string;
  /** Those of producers, of consumers, and the dead-letter queues. */
  readonly queues: readonly string[];
}

/** Makes each secret that the Worker needs, and that nobody has to know. */
export const SECRETS: Readonly<Record<string, () => string>> = {
  AUTH_SECRET: randomToken,
  COMPILER_SECRET: randomToken,
  SECRETS_KEYS: () => `1:${randomBytes(32).toString("base64")}`,
  METRICS_KEY: randomToken,
  SETUP_TOKEN: randomToken,
};

/** A new domain needs some minutes for its name and its certificate. */
const HEALTH_ATTEMPTS = 100;
const HEALTH_PAUSE_MILLISECONDS = 3_000;
const RESPONSE_MILLISECONDS = 10_000;

interface Health {
  readonly dependencies: Readonly<Record<string, { readonly ok: boolean }>>;
}

/**
 * Creates or upgrades the platform. Every step checks what is there, so that a deployment that was interrupted goes on
 * when it is started again. Throws a StartError when a step fails.
 */
export async function deploy(deployment: Deployment): Promise<void> {
  const { options, say, memory } = deployment;
  const steps = new Steps(deployment);
  if (options.isDryRun) {
    steps.all.forEach(([title], index) => {
      say(`${index + 1}. ${title}`);
    });
    return;
  }
  await steps.signIn();
  await steps.answer();
  for (const [index, [title, run]] of steps.all.entries()) {
    say(`[${index + 1}/${steps.all.length}] ${title}`);
    await run();
  }
  if (steps.hasMadeSecrets)
    say(`\nKeep a copy of ${memory.folder}: it has the secrets, which Cloudflare does not show again.`);
}

/** Returns the arguments of `wrangler deploy`. Variables and secrets that they do not name stay as they are. */
export function deployArguments(
  { address, compiler }: Partial<Answers>,
  { variables }: Pick<Options, "variables">,
): string[] {
  // Cloudflare's own builds, which have no answers, use a container unless the Worker has a COMPILER_URL.
  const isContainer = compiler === undefined || compiler === "container";
  const all = [
    ...(address ? [`PUBLIC_URL:${address}`] : []),
    ...(compiler ? [`COMPILER_URL:${compiler.startsWith("https://") ? compiler : ""}`] : []),
    `COMPILER_CONTAINER:${isContainer}`,
    ...variables,
  ];
  const host = address ? new URL(address).host : "";
  return [
    "deploy",
    ...all.flatMap((variable) => ["--var", variable]),
    ...(host && !host.endsWith(".workers.dev") ? ["--domain", host] : []),
    ...(isContainer ? [] : ["--containers-rollout", "none"]),
  ];
}

class Steps {
  readonly #deployment: Deployment;
  #account = "";
  #missing: Secrets = {};
  #hasSetupToken = true;
  hasMadeSecrets = false;
  /** The origin of the deployed Worker. */
  #origin = "";
  #health: Health = { dependencies: {} };

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  get all(): readonly (readonly [title: string, run: () => Promise<void>])[] {
    const { database, bucket, queues } = this.#deployment.resources;
    return [
      ["Build the web app", () => this.#deployment.build()],
      [`Create the D1 database ${database} if it is missing`, () => this.#createDatabase()],
      [`Create the queues ${queues.join(", ")} if they are missing`, () => this.#createQueues()],
      [`Make the secrets ${Object.keys(SECRETS).join(", ")} if they are missing`, () => this.#makeSecrets()],
      ["Apply the database migrations", () => this.#applyMigrations()],
      [`Deploy the Worker, and create the R2 bucket ${bucket} if it is missing`, () => this.#deployWorker()],
      ["Wait until the platform is healthy", () => this.#untilHealthy()],
      ["Print the set-up link if the platform has no owner", () => this.#printLink()],
    ];
  }

  /** Signs in to Cloudflare with wrangler, and chooses the account. */
  async signIn(): Promise<void> {
    const { wrangler, ask, options, memory, environment } = this.#deployment;
    let signedIn = await wrangler(["whoami", "--json"]).catch(() => null);
    if (signedIn === null && ask) {
      await wrangler(["login"], { environment: { CI: "false" }, isShown: true });
      signedIn = await wrangler(["whoami", "--json"]);
    }
    if (signedIn === null) {
      throw new StartError(
        "You are not signed in to Cloudflare. Run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.",
      );
    }
    const { accounts } = JSON.parse(signedIn.slice(signedIn.indexOf("{"))) as {
      accounts: { id: string; name: string }[];
    };
    const chosen = options.account ?? environment.CLOUDFLARE_ACCOUNT_ID ?? memory.answers.account;
    this.#account = chosen ?? (accounts.length === 1 ? accounts[0]!.id : await this.#askForAccount(accounts));
    memory.keepAnswers({ account: this.#account });
  }

  async #askForAccount(accounts: readonly { id: string; name: string }[]): Promise<string> {
    const { ask, say } = this.#deployment;
    const list = accounts.map(({ id, name }, index) => `  ${index + 1}. ${name} (${id})`).join("\n");
    if (!ask)
      throw new StartError(`You have several Cloudflare accounts. Choose one with --account ID:\n${list}`);
    for (;;) {
      say(list);
      const account = accounts[Number(await ask(`Account, 1 to ${accounts.length}: `)) - 1];
      if (account) return account.id;
    }
  }

  /** Asks what neither the options nor an earlier deployment answers. */
  async answer(): Promise<void> {
    const { options, memory, environment } = this.#deployment;
    memory.keepAnswers({
      ...(options.address === undefined ? {} : { address: options.address }),
      ...(options.compiler === undefined ? {} : { compiler: options.compiler }),
    });
    const { address, compiler } = memory.answers;
    // Cloudflare's own builds start from the repository alone, and must not change what the Worker has.
    if (environment.WORKERS_CI) return;
    if (address === undefined) {
      const question =
        "Address of the platform, such as https://ar.example.com (empty: an address on workers.dev): ";
      memory.keepAnswers({ address: await this.#ask(question, "--address", checkAddress) });
    }
    if (compiler === undefined) {
      const question =
        "Node compiler, which compiles what programs submit. `container`: on Cloudflare, built with Docker here. " +
        "Otherwise an address such as https://compiler.example.com, or `none` (empty: container): ";
      memory.keepAnswers({ compiler: await this.#ask(question, "--compiler", checkCompiler) });
    }
  }

  /** Asks until the answer is valid. */
  async #ask(question: string, option: string, check: (text: string) => string): Promise<string> {
    const { ask, say } = this.#deployment;
    if (!ask) throw new StartError(`There is nobody to ask. Answer with ${option}: ${question.trim()}`);
    for (;;) {
      const text = await ask(question);
      try {
        return check(text);
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        say(error.message);
      }
    }
  }

  async #createDatabase(): Promise<void> {
    const { database } = this.#deployment.resources;
    const printed = await this.#wrangler(["d1", "list", "--json"]);
    const databases = JSON.parse(printed.slice(printed.indexOf("["))) as { name: string }[];
    if (databases.some(({ name }) => name === database)) return;
    await this.#wrangler(["d1", "create", database]);
  }

  async #createQueues(): Promise<void> {
    for (const queue of this.#deployment.resources.queues) {
      const exists = await this.#wrangler(["queues", "info", queue]).then(
        () => true,
        () => false,
      );
      if (!exists) await this.#wrangler(["queues", "create", queue]);
    }
  }

  /** Makes the secrets that the Worker lacks. Those that were made in an earlier try are used again. */
  async #makeSecrets(): Promise<void> {
    const { memory, environment } = this.#deployment;
    const existing = await this.#listSecrets();
    // Owners may remove it once they have set the platform up.
    this.#hasSetupToken = existing?.includes("SETUP_TOKEN") ?? true;
    const isMissing = (name: string) =>
      existing === null || !(existing.includes(name) || name === "SETUP_TOKEN");
    const missing = Object.entries(SECRETS).flatMap(([name, make]) =>
      isMissing(name) ? [[name, environment[name] || memory.secrets[name] || make()] as const] : [],
    );
    this.#missing = Object.fromEntries(missing);
    // Before they are uploaded: nobody can read them afterwards.
    if (missing.length > 0) memory.keepSecrets(this.#missing);
    this.hasMadeSecrets = missing.length > 0;
  }

  /** Returns the names of the Worker's secrets; null when there is no Worker. */
  async #listSecrets(): Promise<readonly string[] | null> {
    try {
      const printed = await this.#wrangler(["secret", "list", "--format", "json"]);
      const secrets = JSON.parse(printed.slice(printed.indexOf("["))) as { name: string }[];
      return secrets.map(({ name }) => name);
    } catch (error) {
      // Only then: new secrets in the place of others would end sessions and make stored credentials unreadable.
      if (error instanceof StartError && /Worker ".*" not found/.test(error.message)) return null;
      throw error;
    }
  }

  async #applyMigrations(): Promise<void> {
    await this.#wrangler(["d1", "migrations", "apply", this.#deployment.resources.database, "--remote"]);
  }

  async #deployWorker(): Promise<void> {
    const { memory, options } = this.#deployment;
    const args = deployArguments(memory.answers, options);
    const report = memory.pathOf("wrangler.ndjson");
    rmSync(report, { force: true });
    const run = async (secrets: readonly string[]) => {
      const environment = { WRANGLER_OUTPUT_FILE_PATH: report };
      await this.#wrangler([...args, ...secrets], { environment, isShown: true });
    };
    if (Object.keys(this.#missing).length === 0) await run([]);
    else await memory.withSecretsFile(this.#missing, (file) => run(["--secrets-file", file]));
    this.#missing = {};
    this.#origin = memory.answers.address || originIn(report);
  }

  async #untilHealthy(): Promise<void> {
    const { memory, say } = this.#deployment;
    this.#health = await this.#waitFor(({ dependencies }) =>
      Object.entries(dependencies).every(
        ([name, { ok }]) => ok || name === "compiler" || name === "public_url",
      ),
    );
    if (!this.#health.dependencies.public_url?.ok) {
      // Only now its address on workers.dev is known.
      memory.keepAnswers({ address: this.#origin });
      await this.#deployWorker();
      this.#health = await this.#waitFor(({ dependencies }) => dependencies.public_url?.ok === true);
    }
    if (this.#health.dependencies.compiler?.ok) return;
    const { compiler } = memory.answers;
    say(
      compiler === "none"
        ? "No Node compiler: photos that programs submit wait. To add one: npm run deploy -- --compiler container"
        : `The Node compiler (${compiler ?? "container"}) does not respond, or its COMPILER_SECRET differs from the one in ${memory.pathOf("secrets.json")}.`,
    );
  }

  async #waitFor(isHealthy: (health: Health) => boolean): Promise<Health> {
    let last: Health | null = null;
    for (let attempt = 0; attempt < HEALTH_ATTEMPTS; attempt += 1) {
      last = await this.#get<Health>("/api/health");
      if (last?.dependencies && isHealthy(last)) return last;
      await this.#deployment.sleep(HEALTH_PAUSE_MILLISECONDS);
    }
    const failing = Object.entries(last?.dependencies ?? {}).flatMap(([name, { ok }]) => (ok ? [] : [name]));
    const reason = failing.length > 0 ? `reports a failure of ${failing.join(", ")}` : "does not respond";
    throw new StartError(
      `The Worker is deployed, but ${this.#origin}/api/health ${reason}. See the log with \`npx wrangler tail\`. ` +
        "Then run `npm run deploy` again.",
    );
  }

  async #printLink(): Promise<void> {
    const { memory, say } = this.#deployment;
    const setup = await this.#get<{ open: boolean }>("/api/setup");
    say(`\nVivimark is deployed:  ${this.#origin}`);
    if (!setup?.open) return;
    let token = this.#hasSetupToken ? memory.secrets.SETUP_TOKEN : undefined;
    if (!token) {
      // Removed, or made elsewhere and unreadable.
      token = randomToken();
      memory.keepSecrets({ SETUP_TOKEN: token });
      await memory.withSecretsFile({ SETUP_TOKEN: token }, async (file) => {
        await this.#wrangler(["secret", "bulk", file]);
      });
    }
    say(`Set it up:             ${this.#origin}/setup#${token}`);
    say("This link makes you the platform's owner. It works once.");
  }

  async #get<T>(path: string): Promise<T | null> {
    try {
      const signal = AbortSignal.timeout(RESPONSE_MILLISECONDS);
      return (await (await this.#deployment.fetch(this.#origin + path, { signal })).json()) as T;
    } catch {
      // Not deployed everywhere yet, or the name is not known yet.
      return null;
    }
  }

  #wrangler(
    args: readonly string[],
    { environment = {}, isShown = false }: WranglerOptions = {},
  ): Promise<string> {
    const account = { CLOUDFLARE_ACCOUNT_ID: this.#account };
    return this.#deployment.wrangler(args, { environment: { ...account, ...environment }, isShown });
  }
}

/** Returns the origin that wrangler's report of a deployment names. */
function originIn(report: string): string {
  const lines = existsSync(report) ? readFileSync(report, "utf8").trim().split("\n") : [];
  const targets = lines.flatMap((line) => (JSON.parse(line) as { targets?: string[] }).targets ?? []);
  const origin = targets.find((target) => target.startsWith("https://"));
  if (origin) return origin.replace(/\/+$/, "");
  throw new StartError(
    "The Worker is deployed, but it has no address on workers.dev. Give it one: npm run deploy -- --address https://ar.example.com.",
  );
}
