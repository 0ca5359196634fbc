import { z } from "@hono/zod-openapi";

/** Returns a nullable schema. `.nullable()` on a named schema becomes an `allOf` in the document that rejects null. */
export const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

/** Returns a text as one well-formed line, without control characters and overrides of the text direction. */
export function oneLine(text: string): string {
  return manyLines(text).replace(/[\t\n\u2028\u2029]+/g, " ");
}

/** The same for a text of several lines, separated by LF. */
export function manyLines(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Control}\t\n]|[\u202a-\u202e\u2066-\u2069]/gu, "")
    .trim();
}

/** Returns whether a text has visible characters: more than spaces, joiners and fillers. */
export function isVisible(text: string): boolean {
  return /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}

/** A name or title: one line of 1 to `maxLength` characters. */
export const nameText = (maxLength: number) =>
  z
    .string()
    .overwrite(oneLine)
    .min(1)
    .max(maxLength)
    // `min` reports the empty text.
    .refine((text) => text === "" || isVisible(text), "expected at least one visible character");

export const titleText = nameText(200);

/** The same, or an empty line. */
export const optionalText = (maxLength: number) =>
  z
    .string()
    .overwrite(oneLine)
    .max(maxLength)
    .refine((text) => text === "" || isVisible(text), "expected at least one visible character");

export const descriptionText = z.string().overwrite(manyLines).max(2000);

/** A search text. */
export const searchText = z.string().overwrite(manyLines).max(200);

/** A whole number in a query or form, where values are text. */
export const decimal = <Schema extends z.ZodType<number, number>>(schema: Schema) =>
  z.preprocess((text, context) => {
    if (typeof text === "string" && /^\d{1,9}$/.test(text)) return Number(text);
    context.addIssue({ code: "custom", message: "expected a whole number in decimal digits", input: text });
    return z.NEVER;
  }, schema);
