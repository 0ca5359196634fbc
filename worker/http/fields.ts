import { z } from "@hono/zod-openapi";

/** The wire: what the API takes and gives, in snake_case. The web app and the Node host import the types. */

/** Not `.nullable()`: for a named schema the document's generator makes an `allOf` of it that null never meets. */
export const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

/** A text of one line: well-formed, without control characters and overrides of its direction. */
export function oneLine(text: string): string {
  return manyLines(text).replace(/[\t\n\u2028\u2029]+/g, " ");
}

/** The same for a text of several lines, which end with LF. */
export function manyLines(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Control}\t\n]|[\u202a-\u202e\u2066-\u2069]/gu, "")
    .trim();
}

/** Whether anything of a text is seen: not only spaces, joiners and fillers. */
export function isVisible(text: string): boolean {
  return /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}

/** What people tell things apart by. */
export const nameText = (maxLength: number) =>
  z
    .string()
    .overwrite(oneLine)
    .min(1)
    .max(maxLength)
    // Of nothing at all it is said already.
    .refine((text) => text === "" || isVisible(text), "expected something that can be seen");

export const titleText = nameText(200);

export const descriptionText = z.string().overwrite(manyLines).max(2000);

/** Part of a title or description. */
export const searchText = z.string().overwrite(manyLines).max(200);

/** A number of a query or a form, where numbers come as text. */
export const decimal = <Schema extends z.ZodType<number, number>>(schema: Schema) =>
  z.preprocess((text, context) => {
    if (typeof text === "string" && /^\d{1,9}$/.test(text)) return Number(text);
    context.addIssue({ code: "custom", message: "expected a whole number in decimal digits", input: text });
    return z.NEVER;
  }, schema);
