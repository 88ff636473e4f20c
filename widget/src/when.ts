// Times and days as the person's own language and clock say them.

import { strings } from "./strings.ts";

const DAY = 24 * 60 * 60 * 1000;
const DATE = { weekday: "long", day: "numeric", month: "long" } as const;
const TIME = { hour: "numeric", minute: "2-digit" } as const;

// The person's own kind of our language: "16:30" to a British reader, "4:30 PM" to an American one.
const locale = navigator.languages?.find((language) => language.split("-")[0] === strings.lang) ?? strings.lang;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The time of day. */
export function time(at: Date): string {
  return format(TIME).format(at);
}

/** The time, with the day unless that is today. */
export function moment(at: Date): string {
  return sameDay(at, new Date()) ? time(at) : format({ ...DATE, ...TIME }).format(at);
}

/** The day: today, yesterday, or its date. */
export function day(at: Date): string {
  const ago = Math.round((midnight(new Date()) - midnight(at)) / DAY); // a day may have 23 hours
  if (ago < 0 || ago > 1) return format(DATE).format(at);
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-ago, "day");
}

export function sameDay(one: Date, other: Date): boolean {
  return midnight(one) === midnight(other);
}

function midnight(at: Date): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = Object.keys(options).join();
  let known = formats.get(key);
  if (!known) formats.set(key, (known = new Intl.DateTimeFormat(locale, options)));
  return known;
}
