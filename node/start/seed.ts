/**
 * `npm run seed`: fills the state of `npm run dev` with two companies to develop with. The API makes whatever it can
 * make; SQL adds the states that last only for seconds and the thousands of photos of the large company.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { crc32, deflateSync } from "node:zlib";
import type { Mailbox } from "../../worker/accounts/schemas.ts";
import type { ArContent, Project, Submission } from "../../worker/schemas.ts";
import {
  applyMigrations,
  type Platform,
  querySql,
  requirePackages,
  runSqlFile,
  startPlatform,
} from "./platform.ts";
import { anyFreePort, HOST } from "./ports.ts";
import { Processes, ROOT, StartError } from "./processes.ts";
import { largeCompanySql, markerStatesSql } from "./seed-sql.ts";
import { DEVELOPMENT_STATE, State } from "./state.ts";
import { Visitor } from "./visitor.ts";

/** The password of every person below; for development only. */
const PASSWORD = "vivimark-development";

const OWNER = { name: "Olivia Owner", email: "owner@example.com" };
const COLLEAGUES = [
  { name: "Adam Admin", email: "admin@example.com", role: "admin" },
  { name: "Erin Editor", email: "editor@example.com", role: "editor" },
  { name: "Victor Viewer", email: "viewer@example.com", role: "viewer" },
];
const COMPANY = "Lumen Studio";
const LARGE_COMPANY = "Paper Moon Prints";

const EVENTS = ["marker.ready", "marker.failed", "video.attached"];
const PROJECTS = ["Weddings", "Museum guide", "School yearbook", "Catalogue 2025"];
const PICTURES = path.join(ROOT, "bench/pictures");
const CLIP = path.join(import.meta.dirname, "seed-clip.webm");

/** Number of photos from bench/pictures. The others cannot be compiled. */
const COMPILED = 37;
const LARGE_COMPANY_ORIGINALS = 6;
const POLL_MILLISECONDS = 250;

await Processes.session(async (processes) => {
  requirePackages();
  const state = State.open(DEVELOPMENT_STATE);
  console.log("Applying database migrations …");
  await applyMigrations(processes, state);
  const platform = await startPlatform(processes, {
    state,
    port: await anyFreePort(),
    compilerPort: await anyFreePort(),
    assets: "web/public",
    variables: { RATE_LIMITS: "" },
  });
  await fillByApi(platform, state);
  await platform.stop();

  console.log("Adding marker states and the large company …");
  const file = path.join(state.folder, "seed.sql");
  const columns = async (table: string) =>
    (
      await querySql<{ name: string }>(processes, state, `SELECT name FROM pragma_table_info('${table}')`)
    ).map(({ name }) => name);
  writeFileSync(
    file,
    markerStatesSql(COMPANY) +
      largeCompanySql(LARGE_COMPANY, {
        content: await columns("ar_content"),
        tasks: await columns("compile_tasks"),
      }),
  );
  await runSqlFile(processes, state, file);
  rmSync(file);

  console.log(`\nThe development state ${state.name} is filled. Run \`npm run dev\` and sign in:\n`);
  for (const { name, email } of [OWNER, ...COLLEAGUES]) console.log(`  ${name.padEnd(16)}${email}`);
  console.log(`\n  Password        ${PASSWORD}\n`);
  await processes.finish(0);
});

/** Waits for the invitation in the development mailbox. Returns the token of its link. */
async function emailedToken(platform: Platform, email: string): Promise<string> {
  const headers = { Authorization: `Bearer ${platform.mailboxToken}` };
  for (;;) {
    const { items } = await new Visitor(platform.url).get<Mailbox>("/api/mailbox", headers);
    const mail = items.find(({ to }) => to === email);
    if (mail) return /#(\S+)/.exec(mail.body)![1];
    await setTimeout(POLL_MILLISECONDS);
  }
}

async function fillByApi(platform: Platform, state: State): Promise<void> {
  const owner = new Visitor(platform.url);
  const { open } = await owner.get<{ open: boolean }>("/api/setup");
  if (!open)
    throw new StartError(
      `The development state ${state.name} has an owner already. Delete that folder to fill it again.`,
    );
  console.log("Creating people, projects and webhooks …");
  await owner.send("POST", "/api/setup", {
    ...OWNER,
    password: PASSWORD,
    company_name: COMPANY,
    token: platform.setupToken,
  });
  for (const { name, email, role } of COLLEAGUES) {
    await owner.send("POST", "/api/auth/organization/invite-member", { email, role });
    const headers = { Authorization: `Bearer ${await emailedToken(platform, email)}` };
    const account = { name, password: PASSWORD };
    await new Visitor(platform.url).send("POST", "/api/invitation/account", account, headers);
  }
  await owner.send("POST", "/api/auth/organization/invite-member", {
    email: "invited@example.com",
    role: "editor",
  });
  await owner.send("POST", "/api/api-keys", { name: "Print shop", scopes: ["read", "submit"] });

  const projects: Project[] = [];
  for (const name of PROJECTS) projects.push(await owner.send("POST", "/api/projects", { name }));
  await owner.send("PATCH", `/api/projects/${projects.at(-1)!.id}`, { archived: true });
  projects.pop();

  const receiver = await startReceiver();
  const webhooks = [
    await owner.send<{ id: string }>("POST", "/api/webhooks", {
      url: `${receiver.url}/orders`,
      description: "Order system",
      events: EVENTS,
    }),
    await owner.send<{ id: string }>("POST", "/api/webhooks", {
      // Nothing listens on port 9: its test event fails, and it stays unverified.
      url: "http://127.0.0.1:9/hook",
      description: "Unreachable server",
      events: EVENTS,
    }),
  ];
  for (const { id } of webhooks) await owner.send("POST", `/api/webhooks/${id}/test`, {});
  await owner.send("POST", "/api/webhooks", {
    url: `${receiver.url}/old`,
    description: "Old order system",
    events: EVENTS,
    enabled: false,
  });

  console.log("Uploading and compiling 40 photos …");
  const pictures = readdirSync(PICTURES)
    .filter((name) => name.endsWith(".webp"))
    .sort();
  const contents: ArContent[] = [];
  for (const [index, name] of pictures.slice(0, COMPILED).entries()) {
    const image = readFileSync(path.join(PICTURES, name));
    const projectId = projects[index % projects.length]!.id;
    contents.push(
      await submit(owner, { image, title: titleOf(name), projectId, description: describe(index) }),
    );
  }
  const projectId = projects[0]!.id;
  const refused = [
    { image: whitePng(400, 300), title: "Blank paper", description: "Has nothing to track." },
    { image: whitePng(640, 640), title: "White wall", description: "Has nothing to track either." },
    {
      image: png(400, 300, Buffer.from("not compressed")),
      title: "Scratched disc",
      description: "Cannot be decoded.",
    },
  ];
  for (const photo of refused) await submit(owner, { ...photo, projectId });

  const clip = readFileSync(CLIP);
  for (const { id } of contents.filter((_, index) => index % 3 === 0))
    await owner.sendBytes("PUT", `/api/ar-content/${id}/video`, "video/webm", clip);
  await untilCompiled(owner, contents);
  for (const { id } of contents.slice(1, 3))
    await owner.send("PATCH", `/api/ar-content/${id}`, { is_active: false });
  await owner.send("POST", `/api/ar-content/${contents[4]!.id}/marker/recompile`, { max_features: 300 });
  await untilCompiled(owner, contents);

  const { id } = await owner.send<{ id: string }>("POST", "/api/me/companies", { name: LARGE_COMPANY });
  await owner.send("POST", "/api/auth/organization/set-active", { organizationId: id });
  const [project] = (await owner.get<{ items: Project[] }>("/api/projects")).items;
  const originals: ArContent[] = [];
  for (const name of pictures.slice(-LARGE_COMPANY_ORIGINALS)) {
    const image = readFileSync(path.join(PICTURES, name));
    originals.push(await submit(owner, { image, title: titleOf(name), projectId: project!.id }));
  }
  await untilCompiled(owner, originals);
  receiver.close();
}

/** "gogh-cafe-terrace.webp" is "Gogh cafe terrace". */
function titleOf(file: string): string {
  const words = file.replace(/\.webp$/, "").replaceAll("-", " ");
  return words[0]!.toUpperCase() + words.slice(1);
}

function describe(index: number): string {
  return index % 4 === 0 ? "Printed 13 × 18 cm on matt paper. The video starts with the first frame." : "";
}

async function submit(
  owner: Visitor,
  photo: {
    readonly image: Uint8Array;
    readonly title: string;
    readonly projectId: string;
    readonly description?: string;
  },
): Promise<ArContent> {
  const { image, title, projectId, description = "" } = photo;
  const form = new FormData();
  form.set("title", title);
  form.set("description", description);
  form.set("project_id", projectId);
  form.set("compile", "server");
  form.set("image", new Blob([new Uint8Array(image)]), "photo");
  return (await owner.sendForm<Submission>("POST", "/api/ar-content", form)).content;
}

/** Waits until no photo is pending or processing. Some pictures have too little detail and fail. */
async function untilCompiled(owner: Visitor, contents: readonly ArContent[]): Promise<void> {
  for (const { id } of contents) {
    for (;;) {
      const { marker_status: status } = await owner.get<ArContent>(`/api/ar-content/${id}`);
      if (status === "ready" || status === "failed") break;
      await setTimeout(POLL_MILLISECONDS);
    }
  }
}

/** A server that accepts every webhook. */
async function startReceiver(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.end("Thank you.");
  });
  const port = await anyFreePort();
  await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
  return { url: `http://${HOST}:${port}`, close: () => server.close() };
}

function whitePng(width: number, height: number): Uint8Array {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width, 255)]);
  return png(width, height, deflateSync(Buffer.concat(Array.from({ length: height }, () => row))));
}

/** Returns a PNG, 8-bit grey, with the compressed rows given. */
function png(width: number, height: number, rows: Uint8Array): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([size, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", rows),
    chunk("IEND", new Uint8Array()),
  ]);
}
