import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";
import { describe, expect, it } from "vitest";
import { studio as english } from "../../messages/en/studio.ts";
import { viewer as englishViewer } from "../../messages/en/viewer.ts";
import { LANGUAGES, languageOf } from "../../messages/languages.ts";
import { studio as russian } from "../../messages/ru/studio.ts";
import { viewer as russianViewer } from "../../messages/ru/viewer.ts";
import { ACTIONS } from "../../worker/audit/actions.ts";

it("a person gets the first language that there is, else English", () => {
  expect(languageOf(["ru-RU", "en"])).toBe("ru");
  expect(languageOf(["fr", "RU", "en"])).toBe("ru");
  expect(languageOf(["en-GB", "ru"])).toBe("en");
  expect(languageOf(["fr", "constructor"])).toBe("en");
  expect(languageOf([])).toBe("en");
});

it("each language has a folder of the same files", () => {
  const files = (language: string) =>
    readdirSync(join(import.meta.dirname, "../../messages", language)).sort();
  for (const language of Object.keys(LANGUAGES)) expect(files(language)).toEqual(files("en"));
});

it("the studio and the API name the actions of the audit log alike", () => {
  expect(english.company.activity.actions).toEqual(ACTIONS);
});

type Message = string | ((...values: never[]) => string) | { readonly [name: string]: Message };

/** Returns the texts of messages by path; a function's with the names of its places in place of values. */
function textsOf(messages: Message, path = ""): [path: string, text: string][] {
  if (typeof messages === "string") return [[path, messages]];
  if (typeof messages === "function") {
    const places = Array.from({ length: messages.length }, (_, at) => `{${at}}`);
    return [[path, filled(messages, places)]];
  }
  return Object.entries(messages).flatMap(([name, inner]) => textsOf(inner, path ? `${path}.${name}` : name));
}

function filled(message: (...values: never[]) => string, places: string[]): string {
  try {
    return message(...(places as never[]));
  } catch {
    // It takes a list of thirds of a photo.
    return message(["left", "upper"] as never);
  }
}

/** A text of values, names, signs and units only, which may be the same in each language. */
const isNeutral = (text: string) =>
  !/\p{Ll}{2}/u.test(text.replace(/\{\d\}|<\/?\w+>|NaN|px|\w*\p{Lu}\w*/gu, ""));

describe.each([
  ["viewer", englishViewer, russianViewer],
  ["studio", english, russian],
])("the Russian %s", (_, originals, translations) => {
  const original = new Map(textsOf(originals));

  it.each(textsOf(translations))("translates %s", (path, text) => {
    const english = original.get(path)!;
    if (!isNeutral(english) && !isNeutral(text)) expect(text).toMatch(/\p{Script=Cyrillic}/u);
    const tags = (of: string) => of.match(/<\w+>/g)?.sort() ?? [];
    expect(tags(text)).toEqual(tags(english));
  });
});

/** Attributes whose values no one reads. */
const CODE_ATTRIBUTES = [
  "accept",
  "class",
  "d",
  "href",
  "id",
  "preserveAspectRatio",
  "rel",
  "style",
  "type",
  "viewBox",
];

/** Files whose texts are for developers. */
const UNTRANSLATED = ["debug.tsx"];

/** Returns the texts of a component that a person would read. */
function literalsOf(file: string, source: string): string[] {
  const found: string[] = [];
  const isWords = (text: string) => /\p{L}{2,}[,.:;]? +\p{L}|^(?!Vivimark$)\p{Lu}\p{Ll}+$/u.test(text.trim());
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const { type, value, name, source, operator } = node as Record<string, never> & { type?: string };
    if (type === "JSXAttribute" && CODE_ATTRIBUTES.includes((name as { name: string }).name)) return;
    // Types, imports and what is compared, such as the name of a key.
    if (type?.startsWith("TS") || source || /^[!=]==$/.test(operator ?? "")) return;
    if (type === "JSXText") {
      const text = (value as string).trim();
      if (text !== "Vivimark" && /\p{L}{2}/u.test(text)) found.push(text);
    }
    if (type === "Literal" && typeof value === "string" && isWords(value)) found.push(value);
    if (type === "TemplateElement" && isWords((value as { raw: string }).raw))
      found.push((value as { raw: string }).raw);
    for (const inner of Object.values(node)) visit(inner);
  };
  visit(parseSync(file, source).program);
  return found;
}

it("a literal text in a component is found", () => {
  const component =
    '<p class="big red" title={isNow ? "It is here" : name}>Photo <b aria-label="Close">{t.close}</b></p>';
  expect(literalsOf("a.tsx", component)).toEqual(["It is here", "Photo", "Close"]);
});

const WEB = join(import.meta.dirname, "../../web");

const COMPONENTS = readdirSync(WEB, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".tsx") && !UNTRANSLATED.some((path) => file.endsWith(path)),
);

it.each(COMPONENTS)("no text stands in the component %s", (file) => {
  expect(literalsOf(file, readFileSync(join(WEB, file), "utf8"))).toEqual([]);
});
