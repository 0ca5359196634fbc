import { expect, test } from "vitest";
import document from "../../../docs/accounts.md?raw";
import {
  PERMISSIONS,
  type Permission,
  ROLES,
  roleMay,
  SCOPES,
  scopesMay,
} from "../../../worker/accounts/permissions.ts";

test("the table in docs/accounts.md matches the permissions", () => {
  const yes = (may: boolean) => (may ? "✓" : "");
  const rows = (Object.keys(PERMISSIONS) as Permission[]).map((permission) => [
    `\`${permission}\``,
    PERMISSIONS[permission].what,
    ...ROLES.map((role) => yes(roleMay(role, permission))),
    SCOPES.filter((scope) => scopesMay([scope], permission))
      .map((scope) => `\`${scope}\``)
      .join(", ") || "people only",
  ]);
  const expected = [["permission", "", ...ROLES, "scope of a key"], ...rows];
  expect(tableOf(document)).toEqual(expected);
});

function tableOf(markdown: string): string[][] {
  const [, table] = /<!-- permissions -->([\s\S]*)<!-- \/permissions -->/.exec(markdown)!;
  const lines = table.trim().split("\n");
  return lines
    .filter((line) => !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .replace(/^\||\|$/g, "")
        .split("|")
        .map((cell) => cell.trim()),
    );
}
