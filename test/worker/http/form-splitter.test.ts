import { describe, expect, it } from "vitest";
import { Refusal } from "../../../worker/errors.ts";
import { FormSplitter, PART_END, type PartHead, type Piece } from "../../../worker/http/form-splitter.ts";

const BOUNDARY = "----form";

/** Returns bytes of a text, one for each character. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

function part(name: string, content: string, more = ""): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
}

/** Returns the parts of a form that arrives in chunks; a part that does not end has no content. */
function split(chunks: Iterable<Uint8Array>): (PartHead & { content?: string })[] {
  const parts: (PartHead & { content?: string })[] = [];
  let content = "";
  const take = (piece: Piece) => {
    if (piece === PART_END) parts.push({ ...(parts.pop() as PartHead), content });
    else if (piece instanceof Uint8Array) content += String.fromCharCode(...piece);
    else {
      parts.push(piece);
      content = "";
    }
  };
  const splitter = new FormSplitter(BOUNDARY);
  for (const chunk of chunks) for (const piece of splitter.write(chunk)) take(piece);
  splitter.finish();
  return parts;
}

function refusalOf(body: string): string {
  try {
    split([bytesOf(body)]);
  } catch (error) {
    if (error instanceof Refusal && error.code === "malformed_upload") return error.message;
    throw error;
  }
  return "none";
}

describe("a form", () => {
  // Beginnings of delimiters, of which none is one.
  const content = `\x89PNG\r\n--${BOUNDARY.slice(0, -1)}\r\r\n--\r\n-\r\n--${BOUNDARY.slice(0, -1)}\n`;
  const image = `; filename="${utf8("фото.png")}"\r\nContent-Type: image/png`;
  const body = `${part("title", "Anna")}${part("empty", "")}${part("image", content, image)}--${BOUNDARY}--\r\n`;
  const parts = [
    { name: "title", fileName: "", content: "Anna" },
    { name: "empty", fileName: "", content: "" },
    { name: "image", fileName: "фото.png", content },
  ];

  it("has the same parts wherever its chunks are divided", () => {
    const bytes = bytesOf(body);
    expect(split([bytes])).toEqual(parts);
    expect(split(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(parts);
    for (let at = 0; at <= bytes.length; at++) {
      expect(split([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(parts);
    }
  });

  it("is refused wherever it is cut off", () => {
    const complete = body.length - "\r\n".length;
    for (let length = 0; length < complete; length++) {
      expect(refusalOf(body.slice(0, length))).toContain("cut off");
    }
  });

  it("may have a short rest after its last boundary", () => {
    expect(split([bytesOf(body), bytesOf("\r\nepilogue")])).toEqual(parts);
    const chunks = Array<Uint8Array>(3).fill(new Uint8Array(30_000));
    expect(() => split([bytesOf(body), ...chunks])).toThrow("cut off or malformed");
  });

  it.each([
    ["does not begin with its boundary", `preamble\r\n${body}`, "cut off or malformed"],
    ["has another boundary", body.replaceAll(BOUNDARY, "----other"), "cut off or malformed"],
    ["has a boundary that goes on", body.replace(BOUNDARY, `${BOUNDARY}X`), "cut off or malformed"],
    ["has headers of more than 8 KB", part("a", "1", `\r\nX-Long: ${"x".repeat(8192)}`), "too many headers"],
    ["has headers that do not end", `--${BOUNDARY}\r\n${"x".repeat(8193)}`, "too many headers"],
    ["has a name that is not UTF-8", `${part("\xff", "1")}--${BOUNDARY}--`, "not valid UTF-8"],
    [
      "has a name with half a character in it",
      `${part("%D0", "1", `; filename*=UTF-8''%D0`)}--${BOUNDARY}--`,
      "none",
    ],
  ])("that %s", (_, form, refusal) => {
    expect(refusalOf(form)).toContain(refusal);
  });

  it("has parts without a name if their headers are missing or broken", () => {
    const form = `--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\n1\r\n--${BOUNDARY}\r\nnonsense\r\n\r\n2\r\n--${BOUNDARY}--`;
    expect(split([bytesOf(form)]).map(({ name }) => name)).toEqual(["", ""]);
  });
});
