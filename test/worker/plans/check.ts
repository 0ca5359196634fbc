import { afterAll } from "vitest";
import { explain, scansIn } from "./plans.ts";
import { checked, prepared } from "./statements.ts";

/**
 * After each file of tests, explains the statements that the Worker prepared in it, and fails if one scans a table:
 * tables grow, and a scan takes longer with every row. Plans do not depend on the number of rows, because the database
 * has no statistics.
 */
afterAll(async () => {
  const fresh = [...prepared].filter(([query]) => !checked.has(query));
  prepared.clear();
  const plans = await explain(fresh);
  for (const query of plans.keys()) checked.add(query);
  const scans = [...plans].flatMap(([query, plan]) =>
    scansIn(query, plan).map((scan) => `SCAN ${scan}, in ${query}`),
  );
  if (scans.length === 0) return;
  throw new Error(
    `A statement scans a table that grows. Add an index, or an exception in plans.ts:\n${scans.join("\n")}`,
  );
});
