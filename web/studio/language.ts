import type { studio } from "../../messages/en/studio.ts";
import type { Language } from "../../messages/languages.ts";

type Texts = typeof studio;

/** The language of the studio. */
export const language: Language = "en";

/** The texts in that language. Nothing is rendered before {@link loadTexts} has set them. */
export let t: Texts;

/** Loads the texts. */
export async function loadTexts(): Promise<void> {
  t = (await import("../../messages/en/studio.ts")).studio;
}
