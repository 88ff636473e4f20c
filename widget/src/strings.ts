// The words of the language that this file is built for, and how numbers and names get into them.

import en from "./strings/en.ts";

export type Strings = typeof en;
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** The build puts another language in the place of English. */
export const strings: Strings = en;

/** A text with its `{name}`s filled in. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}

/** The form that the language has for so many. */
export function plural(forms: Plural, n: number): string {
  const form = forms[new Intl.PluralRules(strings.lang).select(n)] ?? forms.other;
  return fill(form, { n: n.toLocaleString(strings.lang) });
}
