import { Refusal } from "../errors.ts";

export function notFound(id: string): Refusal {
  return new Refusal("not_found", `No photo has the id "${id.slice(0, 100)}".`);
}
