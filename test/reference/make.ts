// Compiles the pictures with mind-ar, for the tests of our compiler: `node test/reference/make.ts`.

import { mkdirSync, writeFileSync } from "node:fs";
import { compileReference } from "../compiler/oracle.ts";
import { REFERENCES, referenceFile } from "./pictures.ts";

mkdirSync(new URL("./files/", import.meta.url), { recursive: true });
for (const [name, pictures] of Object.entries(REFERENCES)) {
  const { bytes } = await compileReference(...(await Promise.all(pictures.map((picture) => picture()))));
  writeFileSync(referenceFile(name), bytes);
}
