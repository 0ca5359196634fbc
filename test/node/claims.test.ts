// SECURITY.md and docs/ name, in footnotes, the tests that show what they claim: `[^name]` in the text, and at the end
// `[^name]: [the.test.ts](path) › "title", "title"`.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = path.join(import.meta.dirname, "../..");
const DOCUMENTS = [
  ...["README.md", "SECURITY.md"],
  ...readdirSync(path.join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** Sections of SECURITY.md that tell the reader what to do. Everything else there is a claim. */
const INSTRUCTIONS = ["", "Report a vulnerability", "Operator checklist"];

interface NamedTest {
  readonly file: string;
  readonly title: string;
}

interface Document {
  /** The text without its footnotes. */
  readonly text: string;
  /** The tests of each footnote. */
  readonly notes: ReadonlyMap<string, readonly NamedTest[]>;
}

/** @param name Relative to the root, as are the paths of the result */
function readDocument(name: string): Document {
  const [text, ...definitions] = readFileSync(path.join(ROOT, name), "utf8").split(/^\[\^([\w-]+)\]:/m);
  const notes = new Map<string, NamedTest[]>();
  for (let i = 0; i < definitions.length; i += 2) {
    expect([...notes.keys()], `${name} defines a footnote twice`).not.toContain(definitions[i]);
    notes.set(definitions[i], testsIn(definitions[i + 1].replaceAll(/\s+/g, " "), path.dirname(name)));
  }
  return { text, notes };
}

function testsIn(definition: string, folder: string): NamedTest[] {
  const named: NamedTest[] = [];
  const file = /\[[^\]]*\]\(([^)]*)\) › ((?:"[^"]+",? ?)+)/g;
  const rest = definition.replaceAll(file, (_, link: string, titles: string) => {
    for (const [, title] of titles.matchAll(/"([^"]+)"/g))
      named.push({ file: path.join(folder, link), title });
    return "";
  });
  expect(rest.replaceAll(/[\s;.]/g, ""), "a footnote is not a list of tests").toBe("");
  return named;
}

/** Returns the titles of the tests and groups of tests in a file, as they are written there. */
function titlesIn(file: string): Set<string> {
  const source = readFileSync(path.join(ROOT, file), "utf8").replaceAll(/^\s*\/\/.*$/gm, "");
  const call = /(?:\b(?:test|it|describe)(?:\.(?!skip|todo)\w+)?|\))\(\s*(["`])((?:(?!\1).)*)\1,/g;
  return new Set(Array.from(source.matchAll(call), ([, , title]) => title));
}

/** Returns the paragraphs, list items and table rows of a text. An introduction of a list or a table is not one. */
function statementsOf(text: string): { section: string; statement: string }[] {
  const blocks = text.split(/\n{2,}|\n(?=- |\d+\. |\|)/).map((block) => block.trim());
  const statements: { section: string; statement: string }[] = [];
  let section = "";
  for (const [i, block] of blocks.entries()) {
    const isHead = [block, blocks[i + 1] ?? ""].some((line) => /^\|[ |-]*$/.test(line));
    if (block.startsWith("#")) section = block.replace(/^#+ /, "");
    else if (block !== "" && !isHead && !block.endsWith(":")) statements.push({ section, statement: block });
  }
  return statements;
}

const documents = new Map(DOCUMENTS.map((name) => [name, readDocument(name)]));

describe.each(DOCUMENTS.filter((name) => documents.get(name)!.notes.size > 0))("%s", (name) => {
  const { text, notes } = documents.get(name)!;

  test("refers to each of its footnotes, and has each that it refers to", () => {
    const referred = new Set(Array.from(text.matchAll(/\[\^([\w-]+)\]/g), ([, note]) => note));
    expect([...referred].sort()).toEqual([...notes.keys()].sort());
  });

  test("names tests that exist", () => {
    const named = Array.from(notes.values()).flat();
    expect(named.length).toBeGreaterThan(0);
    const missing = named.filter(({ file, title }) => !titlesIn(file).has(title));
    expect(missing).toEqual([]);
  });
});

test("every statement in SECURITY.md names a test", () => {
  const statements = statementsOf(documents.get("SECURITY.md")!.text);
  const claims = statements.filter(({ section }) => !INSTRUCTIONS.includes(section));
  expect(claims.length).toBeGreaterThan(30);
  expect(claims.filter(({ statement }) => !statement.includes("[^"))).toEqual([]);
});
