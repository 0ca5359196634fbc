import type { Language } from "./languages.ts";

/** The forms of a text by the plural categories of its language; `#` stands for the number. */
type Forms = Partial<Readonly<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string };

/** Returns the form of a text for a number. */
export type Plural = (value: number, forms: Forms) => string;

/** Returns a function that chooses among the plural forms of a language, and formats the number in it. */
export function pluralIn(language: Language): Plural {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (value, forms) => (forms[rules.select(value)] ?? forms.other).replace("#", numbers.format(value));
}
