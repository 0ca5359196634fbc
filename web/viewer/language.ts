import type { viewer } from "../../messages/en/viewer.ts";
import { type Language, languageOf } from "../../messages/languages.ts";

type Texts = typeof viewer;

const TEXTS: Readonly<Record<Language, () => Promise<{ viewer: Texts }>>> = {
  en: () => import("../../messages/en/viewer.ts"),
  ru: () => import("../../messages/ru/viewer.ts"),
};

/** The texts in the visitor's language. Nothing is rendered before {@link loadTexts} has set them. */
export let t: Texts;

/** Loads the texts in the language of the visitor's browser, and no other. */
export async function loadTexts(): Promise<void> {
  const language = languageOf(navigator.languages);
  t = (await TEXTS[language]()).viewer;
  document.documentElement.lang = language;
}
