import type { studio } from "../../messages/en/studio.ts";
import { LANGUAGES, type Language, languageOf } from "../../messages/languages.ts";

type Texts = typeof studio;

const TEXTS: Readonly<Record<Language, () => Promise<{ studio: Texts }>>> = {
  en: () => import("../../messages/en/studio.ts"),
  ru: () => import("../../messages/ru/studio.ts"),
};

const CHOSEN = "vivimark.language";

/** The language that was chosen in this browser, else the browser's. */
export const language: Language = chosenLanguage() ?? languageOf(globalThis.navigator.languages);

/** The texts in that language. Nothing is rendered before {@link loadTexts} has set them. */
export let t: Texts;

/** Loads the texts in the language, and no other. */
export async function loadTexts(): Promise<void> {
  t = (await TEXTS[language]()).studio;
}

/** Remembers a language in this browser, and shows the page in it. */
export function chooseLanguage(chosen: Language): void {
  try {
    localStorage.setItem(CHOSEN, chosen);
  } catch {
    // Without storage, the language of the browser stays.
  }
  location.reload();
}

function chosenLanguage(): Language | null {
  try {
    const chosen = localStorage.getItem(CHOSEN);
    return chosen !== null && Object.hasOwn(LANGUAGES, chosen) ? (chosen as Language) : null;
  } catch {
    return null;
  }
}
