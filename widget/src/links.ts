// Finds what may be a link in plain text. Only these three kinds ever become one.

export interface Part {
  text: string;
  href?: string;
}

const LINK = /\b(?:https:\/\/[^\s<>"']+|mailto:[^\s<>"'@]+@[^\s<>"'@]+|tel:\+?[\d().-]+)/gi;
const TRAILING = /[.,;:!?)\]}…]+$/;

/** The text in pieces, in order; those that are safe addresses carry `href`. */
export function findLinks(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const href = match[0].replace(TRAILING, "");
    if (!isSafe(href)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: href.replace(/^(?:mailto|tel):/i, ""), href });
    end = match.index + href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function isSafe(href: string): boolean {
  try {
    return ["https:", "mailto:", "tel:"].includes(new URL(href).protocol);
  } catch {
    return false;
  }
}
