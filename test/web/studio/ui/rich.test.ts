import type { ComponentChildren, VNode } from "preact";
import { expect, it } from "vitest";
import { rich } from "../../../../web/studio/ui/rich.tsx";

/** Returns what is rendered, as text. */
function textOf(shown: ComponentChildren): string {
  if (Array.isArray(shown)) return shown.map(textOf).join("");
  if (typeof shown === "object" && shown !== null) return textOf((shown as VNode).props.children);
  return String(shown ?? "");
}

const renderers = {
  bold: (part: ComponentChildren) => `*${textOf(part)}*`,
  name: () => "Anna",
};
const shown = (text: string) => textOf(rich(text, renderers));

it("renders the parts between tags, and leaves other tags as text", () => {
  expect(shown("Ask <bold>Eva</bold> or <bold></bold>.")).toBe("Ask *Eva* or **.");
  expect(shown("Remove<bold> <name></name></bold>")).toBe("Remove* Anna*");
  expect(shown("<b>x</b> & <bold>y</bold> <constructor>z</constructor>")).toBe(
    "<b>x</b> & *y* <constructor>z</constructor>",
  );
  expect(shown("No tags < 5 > 3")).toBe("No tags < 5 > 3");
});
