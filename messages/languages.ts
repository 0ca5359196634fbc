/** The languages of the studio and the viewer, in their own names. Each has a folder beside this file. */
export const LANGUAGES = { en: "English", ru: "Русский" } as const;

export type Language = keyof typeof LANGUAGES;

/** Returns the first of a person's languages that there is, as tags such as `en-GB`; else English. */
export function languageOf(preferred: readonly string[]): Language {
  const codes = preferred.map((tag) => tag.toLowerCase().split("-")[0]!);
  return codes.find((code): code is Language => Object.hasOwn(LANGUAGES, code)) ?? "en";
}
