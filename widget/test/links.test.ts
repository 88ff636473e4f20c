import assert from "node:assert/strict";
import { test } from "node:test";
import { findLinks } from "../src/links.ts";

const hrefs = (text: string) => findLinks(text).flatMap(({ href }) => href ?? []);
const whole = (text: string) => findLinks(text).map(({ text: part }) => part).join("");

test("it finds web addresses, mail addresses and telephone numbers", () => {
  assert.deepEqual(hrefs("See https://example.org/a?b=c, mailto:help@example.org or tel:+44-20-7946-0000."), [
    "https://example.org/a?b=c",
    "mailto:help@example.org",
    "tel:+44-20-7946-0000",
  ]);
});

test("it never makes a link of anything else", () => {
  for (const text of [
    "javascript:alert(1)",
    "http://example.org",
    "data:text/html,<b>",
    "//example.org",
    "https://",
    "xhttps://example.org",
    "vbscript:https:",
  ]) {
    assert.deepEqual(hrefs(text), [], text);
  }
});

test("it leaves the punctuation of the sentence outside the link", () => {
  assert.deepEqual(hrefs("(https://example.org/a). https://example.org/b!"), [
    "https://example.org/a",
    "https://example.org/b",
  ]);
});

test("it stops at what would end an attribute", () => {
  assert.deepEqual(hrefs(`https://example.org/"onclick="x`), ["https://example.org/"]);
});

test("it keeps every word of the text, in order", () => {
  const text = "Write to help or see https://example.org/a, then <b>rest</b>\nand more.";
  assert.equal(whole(text), text);
});
