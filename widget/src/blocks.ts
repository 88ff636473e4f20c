// One template a kind of block. Text is only ever text.

import { html, nothing, svg, type TemplateResult } from "lit/html.js";
import { icons } from "./icons.ts";
import { findLinks } from "./links.ts";
import type { Block, ChecklistBlock, Choice, ChoicesBlock, FileBlock, QrBlock } from "./protocol.ts";
import { fill, strings } from "./strings.ts";

const LONG = 600; // characters that are shown of a text at least, before the rest is folded away

/** What a block needs beside itself: what of it is trusted, and what its buttons do. */
export interface Around {
  links: boolean;
  folds: boolean;
  press: (choice: Choice) => void;
  save: (file: { id: string; name: string }) => void;
}

/** Whether a block is part of what was said, inside the bubble, or stands below it. */
export function inBubble(block: Block): boolean {
  return ["text", "file", "steps"].includes(block.type);
}

export function renderBlock(block: Block, around: Around): TemplateResult | TemplateResult[] | typeof nothing {
  switch (block.type) {
    case "text":
      return words(block.text, around);
    case "choices":
      return choices(block, around);
    case "checklist":
      return checklist(block);
    case "file":
      return file(block, around);
    case "steps": // the words beside it say the same
      return html`<progress max=${block.total} .value=${block.at} aria-hidden="true"></progress>`;
    case "qr":
      return code(block);
    default:
      return nothing; // a newer server may know kinds that this page, opened earlier, does not
  }
}

function words(text: string, { links, folds }: Around): TemplateResult[] {
  const all = text.split(/\n{2,}/).filter((paragraph) => paragraph.trim());
  const paragraphs = all.map((paragraph) => {
    const parts = links ? findLinks(paragraph) : [{ text: paragraph }];
    // prettier-ignore
    return html`<p dir="auto">${parts.map((part) => part.href
      ? html`<a href=${part.href} target="_blank" rel="noopener noreferrer">${part.text}</a>`
      : part.text)}</p>`;
  });
  let length = 0;
  const shown = all.findIndex((paragraph) => (length += paragraph.length) > LONG) + 1;
  const rest = all.slice(shown).join("").length;
  if (!folds || !shown || rest < LONG / 3) return paragraphs;
  return [
    ...paragraphs.slice(0, shown),
    html`<details @toggle=${unfold}><summary>${strings.more}</summary>${paragraphs.slice(shown)}</details>`,
  ];
}

/** The button goes once it was pressed; whoever pressed it reads on where it stood. */
function unfold({ target }: Event): void {
  const next = (target as Element).querySelector("p")!;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
}

function choices({ choices, used }: ChoicesBlock, { press }: Around): TemplateResult {
  if (used) {
    // Nobody needs to hear again what was asked a moment ago.
    return html`<p class="used" aria-live="off">${strings.chosen} ${choices.map(({ label }) => label).join(" · ")}</p>`;
  }
  return html`<div class="choices" role="group" aria-label=${strings.choices}>
    ${choices.map((choice) => html`<button type="button" dir="auto" @click=${() => press(choice)}>${choice.label}</button>`)}
  </div>`;
}

function checklist({ title, done, total, items }: ChecklistBlock): TemplateResult {
  return html`<div class="card">
    <div class="card-head">
      ${ring(done, total)}
      <div><b dir="auto">${title}</b><p>${ready(done, total)}</p></div>
    </div>
    <ul role="list">
      ${items.map(
        ({ label, state, state_label }) =>
          html`<li class="item ${state}"><span class="dot"></span><span dir="auto">${label}</span> <span>${state_label}</span></li>`,
      )}
    </ul>
  </div>`;
}

/** How much is done, in words. */
export function ready(done: number, total: number): string {
  return fill(strings.progress, { done: done.toLocaleString(strings.lang), total: total.toLocaleString(strings.lang) });
}

/** How much is done, as a ring; the words stand beside it. */
export function ring(done: number, total: number): TemplateResult {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  // This radius makes the ring 100 long.
  return html`<svg class="ring" viewBox="0 0 36 36" aria-hidden="true">
    ${svg`<circle cx="18" cy="18" r="15.9155"/>
    <circle cx="18" cy="18" r="15.9155" stroke-dasharray="${share * 100} 200" stroke-opacity=${share ? 1 : 0} />`}
  </svg>`;
}

/** A phone's camera wants it dark on light, with room around it. */
function code({ label, size, path }: QrBlock): TemplateResult {
  return html`<figure><svg viewBox="-4 -4 ${size + 8} ${size + 8}" role="img" aria-label="QR">${svg`<path d=${path} />`}</svg>
    <figcaption dir="auto">${label}</figcaption></figure>`;
}

function file({ id, name, size }: FileBlock, { save }: Around): TemplateResult {
  const label = html`${icons.file}<span dir="auto">${name}</span> <small>${readableSize(size)}</small>`;
  if (!id) return html`<div class="file">${label}</div>`;
  return html`<button type="button" class="file" @click=${() => save({ id, name })}>
    <span class="hidden">${strings.download}</span>${label}
  </button>`;
}

function readableSize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  const digits = power > 0 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(strings.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${units[power]}`;
}
