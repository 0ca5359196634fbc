import { existsSync, readFileSync, writeFileSync } from "node:fs";

const RESULTS = new URL("results.md", import.meta.url);

/** The benchmarks, in the order of bench/results.md. Each one writes its own section. */
const SECTIONS = [
  "compile",
  "start",
  "edit",
  "api",
  "lists",
  "uploads",
  "start-up",
  "recall",
  "find",
  "absent",
  "photographs",
  "follow",
  "viewer",
  "start-page",
] as const;

/** Replaces the section of one benchmark in bench/results.md. */
export function writeResults(section: (typeof SECTIONS)[number], text: string): void {
  const known = existsSync(RESULTS) ? readFileSync(RESULTS, "utf8") : "";
  const parts = SECTIONS.map((name) => {
    const begin = `<!-- ${name} -->`;
    const end = `<!-- end of ${name} -->`;
    const from = known.indexOf(begin);
    const old = from === -1 ? "" : known.slice(from + begin.length, known.indexOf(end)).trim();
    return `${begin}\n\n${name === section ? text.trim() : old}\n\n${end}\n`;
  });
  writeFileSync(RESULTS, `# Benchmark results\n\n${parts.join("\n")}`);
}
