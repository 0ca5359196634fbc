import { Refusal } from "../errors.ts";

/** A position in a list that is sorted newest first. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

export function encodeCursor({ createdAt, id }: Position): string {
  return `${createdAt.toString(36)}.${id}`;
}

export function decodeCursor(cursor: string): Position {
  const [, time, id] = cursor.match(/^([0-9a-z]{1,10})\.([0-9a-f-]{32,36})$/) ?? [];
  if (time === undefined || id === undefined) {
    throw new Refusal(
      "invalid_input",
      `Field "cursor" of the query: expected the next_cursor of a previous page.`,
    );
  }
  return { createdAt: Number.parseInt(time, 36), id };
}
