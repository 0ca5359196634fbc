import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Deployment, deploy } from "../../../node/deploy/deployment.ts";
import { DeployMemory } from "../../../node/deploy/memory.ts";
import { readOptions } from "../../../node/deploy/options.ts";
import { WORKERS_DEV, WranglerStandIn } from "./wrangler-stand-in.ts";

const RESOURCES = {
  database: "vivimark",
  bucket: "vivimark",
  queues: ["vivimark-compile", "vivimark-compile-dead", "vivimark-storage"],
};
const SECRETS = ["AUTH_SECRET", "COMPILER_SECRET", "METRICS_KEY", "SECRETS_KEYS", "SETUP_TOKEN"];

let folder: string;
let wrangler: WranglerStandIn;
let printed: string[];
let questions: string[];
let answers: string[];

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), "vivimark-deployment-")), "memory");
  wrangler = new WranglerStandIn(RESOURCES);
  reset();
});

afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

function reset(): void {
  [printed, questions] = [[], []];
  answers = ["https://ar.example.com", "https://compiler.example.com"];
}

/** Runs `npm run deploy -- ARGS` in a terminal. */
function run(args: readonly string[] = [], changes: Partial<Deployment> = {}): Promise<void> {
  return deploy({
    options: readOptions(args),
    resources: RESOURCES,
    memory: new DeployMemory(folder),
    environment: {},
    wrangler: wrangler.run,
    build: async () => {},
    ask: async (question) => {
      questions.push(question);
      return answers.shift() ?? "";
    },
    say: (line) => printed.push(line),
    fetch: wrangler.fetch,
    sleep: async () => {},
    ...changes,
  });
}

const kept = () => new DeployMemory(folder).secrets;
const commands = () => wrangler.calls.map((args) => args.slice(0, 3).join(" "));

test("a first deployment makes everything, and prints the set-up link", async () => {
  await run();
  expect(questions).toHaveLength(2);
  expect(wrangler.databases.get("vivimark")).toEqual({ isMigrated: true });
  expect([...wrangler.queues].sort()).toEqual(RESOURCES.queues);
  expect([...wrangler.buckets]).toEqual(["vivimark"]);
  expect(wrangler.worker?.variables).toEqual({
    PUBLIC_URL: "https://ar.example.com",
    COMPILER_URL: "https://compiler.example.com",
    COMPILER_CONTAINER: "false",
  });
  expect(wrangler.worker?.hasContainer).toBe(false);
  expect(wrangler.worker?.domains).toEqual(["ar.example.com"]);
  expect(Object.keys(wrangler.worker!.secrets).sort()).toEqual(SECRETS);
  expect(wrangler.worker!.secrets).toEqual(kept());
  const { SETUP_TOKEN, ...others } = kept();
  expect(printed).toContain(`Set it up:             https://ar.example.com/setup#${SETUP_TOKEN}`);
  for (const secret of Object.values(others)) {
    expect(secret.length).toBeGreaterThanOrEqual(32);
    expect(printed.join("\n")).not.toContain(secret);
    expect(JSON.stringify(wrangler.calls)).not.toContain(secret);
  }
});

test("the next deployment asks nothing, creates nothing and changes no secret", async () => {
  await run();
  const { secrets } = wrangler.worker!;
  // The owner has rotated one.
  secrets.AUTH_SECRET = "rotated";
  const before = { ...secrets };
  reset();
  wrangler.calls.length = 0;
  await run();
  expect(questions).toEqual([]);
  expect(
    commands().filter((command) => command.includes("create") || command.startsWith("secret bulk")),
  ).toEqual([]);
  expect(wrangler.calls.find(([command]) => command === "deploy")).not.toContain("--secrets-file");
  expect(wrangler.worker!.secrets).toEqual(before);
});

describe.each([false, true])("with a call that fails, after its work: %s", (isAfterwards) => {
  test("each deployment goes on where the one before it ended", async () => {
    await run();
    const count = wrangler.calls.length;
    expect(count).toBeGreaterThan(9);
    for (let call = 0; call < count; call += 1) {
      wrangler = new WranglerStandIn(RESOURCES);
      rmSync(folder, { recursive: true, force: true });
      reset();
      // A call that asks whether something exists may fail: creating it then succeeds.
      wrangler.failure = { call, isAfterwards };
      const failed = await run().then(
        () => false,
        () => true,
      );
      const made = failed ? kept() : {};
      wrangler.failure = null;
      await run();
      expect(questions, `call ${call}`).toHaveLength(2);
      expect(wrangler.worker!.secrets, `call ${call}`).toEqual(kept());
      expect(kept(), `call ${call}`).toMatchObject(made);
      expect(wrangler.worker!.variables.PUBLIC_URL).toBe("https://ar.example.com");
      expect([...wrangler.queues].sort()).toEqual(RESOURCES.queues);
      expect(wrangler.databases.get("vivimark")).toEqual({ isMigrated: true });
    }
  });
});

test("a setup token that its owner removed stays away while the platform has an owner", async () => {
  await run();
  delete wrangler.worker!.secrets.SETUP_TOKEN;
  wrangler.isOpen = false;
  reset();
  await run();
  expect(Object.keys(wrangler.worker!.secrets)).not.toContain("SETUP_TOKEN");
  expect(printed.join("\n")).not.toContain("/setup#");
});

test("an interrupted question is asked again, and those before it are not", async () => {
  answers = ["https://ar.example.com"];
  const ask = async (question: string) => {
    questions.push(question);
    const answer = answers.shift();
    if (answer === undefined) throw new Error("Ctrl-C");
    return answer;
  };
  await expect(run([], { ask })).rejects.toThrow("Ctrl-C");
  answers = ["none"];
  await run([], { ask });
  expect(questions).toHaveLength(3);
});

test("invalid answers are explained and asked again", async () => {
  answers = ["http://ar.example.com", "ar.example.com", "some", "none"];
  await run();
  expect(questions).toHaveLength(4);
  expect(printed.join("\n")).toContain('The address is "http://ar.example.com"; expected one such as');
  expect(printed.join("\n")).toContain('The Node compiler is "some"; expected "container", "none"');
  expect(wrangler.worker!.variables).toEqual({
    PUBLIC_URL: "https://ar.example.com",
    COMPILER_URL: "",
    COMPILER_CONTAINER: "false",
  });
  expect(printed.join("\n")).toContain("No Node compiler: photos that programs submit wait");
});

test("the Node compiler runs in a container unless something else is asked for", async () => {
  answers = ["https://ar.example.com", ""];
  await run();
  expect(wrangler.worker).toMatchObject({
    variables: { COMPILER_URL: "", COMPILER_CONTAINER: "true" },
    hasContainer: true,
  });
  expect(printed.join("\n")).not.toContain("Node compiler");
  await run(["--compiler", "none"]);
  expect(wrangler.worker).toMatchObject({ variables: { COMPILER_CONTAINER: "false" } });
  expect(printed.join("\n")).toContain("No Node compiler: photos that programs submit wait.");
});

test("without an address, links lead to workers.dev", async () => {
  answers = ["", "none"];
  await run();
  expect(wrangler.worker!.variables.PUBLIC_URL).toBe(WORKERS_DEV);
  expect(wrangler.worker!.domains).toEqual([]);
  const deployments = () => commands().filter((command) => command.startsWith("deploy")).length;
  expect(deployments()).toBe(2);
  await run();
  expect(deployments()).toBe(3);
});

test("a dry run prints the plan and calls nothing", async () => {
  await run(["--dry-run"]);
  expect(wrangler.calls).toEqual([]);
  expect(questions).toEqual([]);
  expect(printed[1]).toBe("2. Create the D1 database vivimark if it is missing");
  expect(printed).toHaveLength(8);
});

test("options answer the questions, and set variables", async () => {
  const args = [
    "--address",
    "https://ar.example.com/",
    "--compiler",
    "none",
    "--var",
    "MAIL_URL:https://mail.example",
  ];
  await run(args, { ask: null });
  expect(wrangler.worker!.variables).toEqual({
    PUBLIC_URL: "https://ar.example.com",
    COMPILER_URL: "",
    COMPILER_CONTAINER: "false",
    MAIL_URL: "https://mail.example",
  });
});

test("without a terminal, a missing answer names its option", async () => {
  await expect(run([], { ask: null })).rejects.toThrow("Answer with --address");
});

test("a build of Cloudflare asks nothing and keeps the variables of the Worker", async () => {
  await run();
  rmSync(folder, { recursive: true });
  reset();
  await run([], { ask: null, environment: { WORKERS_CI: "1" } });
  expect(wrangler.worker!.variables).toEqual({
    PUBLIC_URL: "https://ar.example.com",
    COMPILER_URL: "https://compiler.example.com",
    COMPILER_CONTAINER: "true",
  });
});

describe("the account", () => {
  test("is asked for if there are several", async () => {
    wrangler.accounts = [...wrangler.accounts, { id: "b2", name: "Paper Moon Prints" }];
    answers = ["3", "2", ...answers];
    const accounts = new Set<string | undefined>();
    await run([], {
      wrangler: (args, options) => {
        accounts.add(options?.environment?.CLOUDFLARE_ACCOUNT_ID);
        return wrangler.run(args, options);
      },
    });
    expect([...accounts]).toEqual([undefined, "b2"]);
    await expect(run([], { memory: new DeployMemory(`${folder}-2`), ask: null })).rejects.toThrow(
      "--account ID",
    );
  });

  test("is signed in to with wrangler", async () => {
    wrangler.isSignedIn = false;
    await expect(run([], { ask: null })).rejects.toThrow("npx wrangler login");
    await run();
    expect(commands()).toContain("login");
  });
});

describe("secrets", () => {
  test("are not replaced when wrangler cannot list them", async () => {
    await run();
    const before = { ...wrangler.worker!.secrets };
    wrangler.calls.length = 0;
    await run();
    const list = wrangler.calls.findIndex(([command, action]) => command === "secret" && action === "list");
    wrangler.calls.length = 0;
    wrangler.failure = { call: list, isAfterwards: false };
    await expect(run()).rejects.toThrow(`Call ${list} failed`);
    expect(wrangler.worker!.secrets).toEqual(before);
  });

  test("come from the environment if it has them", async () => {
    await run([], { environment: { COMPILER_SECRET: "a secret of the compiler's host, long enough" } });
    expect(wrangler.worker!.secrets.COMPILER_SECRET).toBe("a secret of the compiler's host, long enough");
  });

  test("are kept where only their owner reads them", async () => {
    await run();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(folder, "secrets.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(["answers.json", "secrets.json", "wrangler.ndjson"]);
    expect(readFileSync(path.join(folder, "answers.json"), "utf8")).not.toContain(kept().SECRETS_KEYS);
  });

  test("that open the setup page are made again if nobody has them", async () => {
    await run();
    const old = kept().SETUP_TOKEN;
    rmSync(path.join(folder, "secrets.json"));
    reset();
    await run();
    expect(kept()).toEqual({ SETUP_TOKEN: wrangler.worker!.secrets.SETUP_TOKEN });
    expect(kept().SETUP_TOKEN).not.toBe(old);
    expect(printed.join("\n")).toContain(`/setup#${kept().SETUP_TOKEN}`);
  });
});

test("a platform that stays unhealthy is named", async () => {
  const broken = async () => Response.json({ dependencies: { database: { ok: false } } }, { status: 503 });
  await expect(run([], { fetch: broken })).rejects.toThrow("/api/health reports a failure of database.");
  const silent = () => Promise.reject(new TypeError("fetch failed"));
  await expect(run([], { fetch: silent })).rejects.toThrow("/api/health does not respond.");
});

test.each([
  [["--adress", "x"], "Unknown option '--adress'"],
  [["--address", "https://ar.example.com/studio"], "expected one such as https://ar.example.com"],
  [["--compiler", "http://compiler.example.com"], 'expected "container", "none", or an address'],
  [["--var", "MAIL_URL=x"], "expected NAME:VALUE"],
])("%j is refused", (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});
