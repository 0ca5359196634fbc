// Uses the result of `npm run build:library` in a project without anything else. Needs no registry: the only
// dependencies, the image codecs, come from this checkout.

import { execFile } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { beforeAll, expect, test } from "vitest";
import { photoPath, temporaryFolder, vivimark } from "../node/cli/vivimark.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const execute = promisify(execFile);

const folder = temporaryFolder();
const project = path.join(folder, "project");
const installed = path.join(project, "node_modules/vivimark");
const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));

/** Runs a Node script in the project. */
const node = (...words: string[]) => execute(process.execPath, words, { cwd: project });
const npm = (...words: string[]) =>
  execute("npm", words, { cwd: project, shell: process.platform === "win32" });

beforeAll(async () => {
  mkdirSync(project);
  await node(path.join(ROOT, "node/package/build.ts"), path.join(folder, "built"));
  await npm("pack", path.join(folder, "built"), "--pack-destination", folder);
  // The codecs as the registry would serve them, without anything of the platform.
  const codecs = readdirSync(path.join(ROOT, "node_modules/@jsquash"));
  for (const name of codecs) {
    cpSync(path.join(ROOT, "node_modules/@jsquash", name), path.join(folder, "codecs", name), {
      recursive: true,
    });
  }
  const local = Object.fromEntries(codecs.map((name) => [`@jsquash/${name}`, `file:../codecs/${name}`]));
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({
      type: "module",
      private: true,
      dependencies: { vivimark: `file:../vivimark-${version}.tgz`, ...local },
      overrides: Object.fromEntries(Object.keys(local).map((name) => [name, `$${name}`])),
    }),
  );
  await npm("install", "--offline", "--no-audit", "--no-fund");
  copyFileSync(photoPath("dust-bowl-home"), path.join(project, "portrait.jpg"));
});

test("contains the codecs and nothing of the platform", () => {
  const manifest = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8"));
  expect(Object.keys(manifest.dependencies)).toEqual(["@jsquash/jpeg", "@jsquash/png", "@jsquash/webp"]);
  expect(manifest).toMatchObject({ name: "vivimark", version, license: "MIT" });
  expect(manifest.private).toBeUndefined();
  expect(readdirSync(installed).sort()).toEqual([
    ...["LICENSE", "README.md", "client", "compiler", "node", "package.json", "player"],
  ]);
  const files = readdirSync(installed, { recursive: true }).map(String);
  expect(files.filter((file) => /service|start|multipart|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  expect(readdirSync(path.join(project, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
    "@jsquash",
    "vivimark",
  ]);
});

test("its command writes the same bytes as the repository's", async () => {
  const words = ["compile", "portrait.jpg", "--max-size", "300", "--output", "targets.mind", "--json"];
  const { stdout } = await npm("exec", "--offline", "--", "vivimark", ...words);
  expect(JSON.parse(stdout).targets).toHaveLength(1);
  await vivimark(["compile", "portrait.jpg", "--max-size", "300", "-o", "here.mind"], { cwd: project });
  const [there, here] = ["targets.mind", "here.mind"].map((name) => readFileSync(path.join(project, name)));
  expect(there).toEqualBytes(here);
  expect((await npm("exec", "--offline", "--", "vivimark", "--version")).stdout).toContain(
    `vivimark ${version} `,
  );
});

test("the examples in its README run", async () => {
  const readme = readFileSync(path.join(installed, "README.md"), "utf8");
  // The others are parts of pages and of bundlers' settings.
  const programs = Array.from(readme.matchAll(/```js\n(.*?)```/gs), ([, program]) => program).filter(
    (program) => /from "vivimark/.test(program),
  );
  expect(programs.length).toBeGreaterThan(0);
  copyFileSync(photoPath("dust-bowl-home"), path.join(project, "front.jpg"));
  // A JPEG file named .png: the bytes decide.
  copyFileSync(photoPath("locomotion-house-cat"), path.join(project, "back.png"));
  for (const [i, program] of programs.entries()) {
    writeFileSync(path.join(project, `readme-${i}.js`), program);
    expect((await node(`readme-${i}.js`)).stderr).toBe("");
  }
  const names = ["targets.mind", "back.mind"];
  for (const name of names) {
    expect((await vivimark(["inspect", name], { cwd: project })).code).toBe(0);
    rmSync(path.join(project, name));
  }
});

test("the compiler works in any host, on given pixels", async () => {
  writeFileSync(
    path.join(project, "pixels.js"),
    `import { readFile } from "node:fs/promises";
     import { CompileError, compile, decodeMind, encodeMind, loadKernels } from "vivimark";
     let state = 1;
     const kernels = await WebAssembly.compile(await readFile(new URL(import.meta.resolve("vivimark/kernels.wasm"))));
     const data = Uint8Array.from({ length: 200 * 160 }, () => (state = (state * 16807) % 2147483647) >> 20);
     const images = [{ data, width: 200, height: 160 }];
     const bytes = compile(images);
     loadKernels(kernels);
     if (Buffer.compare(compile(images), bytes) !== 0) throw new Error("other kernels, other bytes");
     if (Buffer.compare(encodeMind(decodeMind(bytes)), bytes) !== 0) throw new Error("not the same");
     try {
       decodeMind(new TextEncoder().encode("<html>"));
     } catch (error) {
       console.log(error instanceof CompileError, error.code, error.fault);
     }`,
  );
  expect((await node("pixels.js")).stdout).toBe("true invalid_marker html\n");
});

test("stack traces name the lines of its sources", async () => {
  writeFileSync(
    path.join(project, "trace.js"),
    `import { compile } from "vivimark";
     try {
       compile([]);
     } catch ({ stack }) {
       console.log(stack);
     }`,
  );
  const lines = readFileSync(path.join(ROOT, "compiler/compile.ts"), "utf8").split("\n");
  const line = 1 + lines.findIndex((text) => text.includes("Got no image"));
  const { stdout } = await node("--enable-source-maps", "trace.js");
  expect(stdout).toContain(`${path.join("compiler", "compile.ts")}:${line}:`);
});

test.each<[name: string, kilobytes: number, code: string, ...files: string[]]>([
  [
    "compiling",
    24,
    `export { compile, decodeMind, loadKernels } from "vivimark";`,
    "compiler/wasm/kernels.wasm",
  ],
  ["the client", 3, `export { Vivimark } from "vivimark/client";`],
  // With its worker, which has the kernels inside.
  ["the player", 48, `export { createPlayer } from "vivimark/player";`],
])("a page downloads for %s at most %i KB, gzip", async (name, kilobytes, code, ...files) => {
  const entry = path.join(project, `${name}.js`);
  writeFileSync(entry, code);
  const built = await build({
    root: project,
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: { write: false, target: "es2022", minify: "oxc", lib: { entry, formats: ["es"] } },
  });
  const [{ output }] = built as { output: { code?: string; source?: string }[] }[];
  const contents = [
    ...output.map(({ code, source }) => code ?? source!),
    ...files.map((file) => readFileSync(path.join(installed, file))),
  ];
  const bytes = contents.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
  expect(bytes / 1024).toBeLessThan(kilobytes);
});

test("the client's requests and types fit the API", async () => {
  writeFileSync(
    path.join(project, "client.js"),
    `import { ApiError, Vivimark } from "vivimark/client";
     const asked = [];
     const problem = { type: "", title: "", status: 404, detail: "Not found.", code: "not_found" };
     const answers = [
       Response.json({ items: [{ id: "a" }], next_cursor: "more of it" }),
       Response.json({ items: [{ id: "b" }], next_cursor: null }),
       Response.json({}, { status: 201 }),
       Response.json({ ...problem }, { status: 404, headers: { "Content-Type": "application/problem+json" } }),
       new Response("Bad gateway", { status: 502 }),
     ];
     const fetch = async (request) => {
       const { method, url, headers } = request;
       const type = headers.get("content-type");
       asked.push([method, url, headers.get("authorization"), headers.get("idempotency-key"), type?.split(";")[0] ?? null]);
       return answers.shift();
     };
     const vivimark = new Vivimark({ url: "https://vivimark.example/below/", key: "vivi_1", fetch });
     const ids = [];
     for await (const { id } of vivimark.list({ q: "a&b" })) ids.push(id);
     await vivimark.submit({ image: new Uint8Array(3) }, { idempotencyKey: "once" });
     const failures = [];
     for (const id of ["a/b", "c"]) {
       await vivimark.get(id).catch((error) => {
         if (error instanceof ApiError) failures.push([error.code, error.status, error.message]);
       });
     }
     console.log(JSON.stringify({ ids, asked, failures }));`,
  );
  const base = "https://vivimark.example/below/api/ar-content";
  expect(JSON.parse((await node("client.js")).stdout)).toEqual({
    ids: ["a", "b"],
    asked: [
      ["GET", `${base}?q=a%26b`, "Bearer vivi_1", null, null],
      ["GET", `${base}?q=a%26b&cursor=more+of+it`, "Bearer vivi_1", null, null],
      ["POST", base, "Bearer vivi_1", "once", "multipart/form-data"],
      ["GET", `${base}/a%2Fb`, "Bearer vivi_1", null, null],
      ["GET", `${base}/c`, "Bearer vivi_1", null, null],
    ],
    failures: [
      ["not_found", 404, "Not found."],
      [
        "internal_error",
        502,
        "GET /api/ar-content/c returned status 502, which is not an answer of Vivimark. Check the URL and any proxy.",
      ],
    ],
  });
});

test.each(["nodenext", "bundler"])("its types work with %s resolution", async (resolution) => {
  writeFileSync(
    path.join(project, "program.ts"),
    `import {
       type CompileOptions, type CompiledPhoto, type ImageTarget, type MarkerReport, type RgbaImage,
       compile, compilePhoto, decodeMind, drawFeatures, inspectMind, mergeMinds,
     } from "vivimark";
     import { type ArContent, ApiError, Vivimark } from "vivimark/client";
     import { compileMarkers, compilePhotos, prepareCompiler } from "vivimark/node";
     import { createPlayer, type Player, type PlayerPose } from "vivimark/player";
     import { Controller } from "vivimark/player/controller";
     const options: CompileOptions = { maxFeatures: 100, maxSize: Infinity };
     await prepareCompiler();
     const photo: CompiledPhoto = await compilePhoto(new Uint8Array(0), options, ({ done, total }) => done / total);
     const [result] = await compilePhotos(["portrait.jpg", photo.thumbnail], { ...options, threads: 2 });
     const markers = await compileMarkers(["portrait.jpg"], options);
     console.log(markers.length);
     const marker: Uint8Array = result.status === "fulfilled" ? result.value.marker : photo.marker;
     const targets: ImageTarget[] = decodeMind(mergeMinds([marker]));
     const report: MarkerReport = inspectMind(marker);
     const picture: RgbaImage = drawFeatures({ data: marker, width: 1, height: 1 }, targets[0]);
     console.log(report.problems[0].code === "html", picture.width, compile([], options).length);
     const vivimark = new Vivimark({ url: "https://vivimark.example", key: "vivi_" });
     try {
       const { content } = await vivimark.submit({ image: new Blob(["bytes"]), title: "Grandmother", max_features: 300 });
       const ready: ArContent = await vivimark.whenReady(content.id);
       const bytes: Uint8Array = await vivimark.marker(ready);
       for await (const { title } of vivimark.list({ status: "ready" })) console.log(title.length, bytes.length);
       const { items } = await vivimark.call("GET /api/projects");
       const { name } = await vivimark.call("PATCH /api/projects/{id}", { path: { id: items[0].id }, body: { archived: true } });
       console.log(name, (await vivimark.submitBatch({ items: [{ image_url: "https://images.example.com/a.jpg" }] })).refused);
     } catch (error) {
       if (error instanceof ApiError && error.code === "project_archived") console.log(error.status, error.problem.detail);
     }
     const player: Player = await createPlayer({ marker: new ArrayBuffer(0), maxTrack: 2 });
     player.on("pose", ({ target, homography }: PlayerPose) => console.log(target, homography[8]));
     player.start(document.createElement("video"));
     const controller = new Controller({ inputWidth: 640, inputHeight: 480, onUpdate: ({ type }) => console.log(type) });
     console.log((await controller.addImageTargets("targets.mind")).dimensions[0][0], controller.getProjectionMatrix()[0]);
     // @ts-expect-error: unknown event
     player.on("seen", () => undefined);
     // @ts-expect-error: unknown state
     vivimark.list({ status: "done" });
     // @ts-expect-error: unknown operation
     vivimark.call("GET /api/nothing");
     // @ts-expect-error: the project's id is missing
     vivimark.call("GET /api/projects/{id}");
     // @ts-expect-error: unknown code
     console.log(new ApiError({ type: "", title: "", status: 404, detail: "", code: "nope" }));
     // @ts-expect-error: pixels are bytes
     compile([{ data: [1, 2, 3], width: 3, height: 1 }]);
     // @ts-expect-error: not an option
     await compilePhotos([], { maxPixels: 3 });
    `,
  );
  const settings = ["--module", resolution === "bundler" ? "esnext" : resolution];
  const { stdout } = await node(
    path.join(ROOT, "node_modules/typescript/bin/tsc"),
    ...["--noEmit", "--strict", "--target", "es2023", "--types", "", "--skipLibCheck", "false"],
    ...[...settings, "--moduleResolution", resolution, "program.ts"],
  ).catch((error) => error as { stdout: string });
  expect(stdout).toBe("");
});
