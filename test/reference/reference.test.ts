import { expect, test } from "vitest";
import { compileReference } from "../compiler/oracle.ts";
import { REFERENCES, readReference } from "./pictures.ts";

test.each(Object.entries(REFERENCES))("mind-ar makes the stored file: %s", async (name, pictures) => {
  const { bytes } = await compileReference(...(await Promise.all(pictures.map((picture) => picture()))));
  expect(bytes).toEqualBytes(readReference(name));
});
