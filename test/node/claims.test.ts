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
const INSTRUCTIONS = ["Security", "Report a vulnerability", "Operator checklist"];

/** Sections of docs/ in which everything is a claim. */
const CLAIMS = [
  "Sign-in limits",
  "Retry safely",
  "Rate limits",
  "Quotas",
  "File limits",
  "Delivery rules",
  "Fair shares",
  "When a storage does not respond",
];

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

/**
 * Returns the paragraphs, list items and table rows of a text. Introductions of a list or a table are not among them,
 * nor are the rows of a table whose head has a footnote for all.
 */
function statementsOf(text: string): { section: string; statement: string }[] {
  const blocks = text
    .replaceAll(/^```[\s\S]*?^```$/gm, "")
    .split(/\n{2,}|\n(?=- |\d+\. |\|)/)
    .map((block) => block.trim());
  const isRule = (block = "") => /^\|[ |-]*$/.test(block);
  const statements: { section: string; statement: string }[] = [];
  let section = "";
  let isShownByHead = false;
  for (const [i, block] of blocks.entries()) {
    const isHead = isRule(blocks[i + 1]);
    if (isHead || !block.startsWith("|")) isShownByHead = isHead && block.includes("[^");
    if (block.startsWith("#")) section = block.replace(/^#+ /, "");
    else if (block !== "" && !isHead && !isRule(block) && !isShownByHead && !/:(\[\^[\w-]+\])*$/.test(block))
      statements.push({ section, statement: block });
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

test("every statement in SECURITY.md, and of limits in docs/, names a test", () => {
  const claims = DOCUMENTS.flatMap((name) =>
    statementsOf(documents.get(name)!.text).filter(({ section }) =>
      name === "SECURITY.md" ? !INSTRUCTIONS.includes(section) : CLAIMS.includes(section),
    ),
  );
  for (const section of CLAIMS) expect(claims.map((claim) => claim.section)).toContain(section);
  expect(claims.filter(({ statement }) => !statement.includes("[^"))).toEqual([]);
});

test("the limits in docs/api.md are those of wrangler.toml", () => {
  const settings = readFileSync(path.join(ROOT, "wrangler.toml"), "utf8");
  const { text } = documents.get("docs/api.md")!;
  const setting = (name: string) => new RegExp(`^${name} = "(.*)"`, "m").exec(settings)![1];
  for (const rate of setting("RATE_LIMITS").split(", ")) {
    const [policy, requests] = rate.split(" ");
    expect(text).toMatch(
      new RegExp(`^\\| \`${policy}\` .* \\| ${Number(requests).toLocaleString("en")} \\|$`, "m"),
    );
  }
  expect(text).toContain(`| Photos | ${Number(setting("QUOTA_CONTENTS")).toLocaleString("en")} |`);
  expect(text).toContain(`| Bytes | ${Number(setting("QUOTA_BYTES")) / 1e12} TB |`);
  const compilations = Number(setting("QUOTA_COMPILATIONS_A_DAY")).toLocaleString("en");
  expect(text).toContain(`| Compilations | ${compilations} per day (UTC) |`);
});
