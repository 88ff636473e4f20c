// The few pictures, drawn by hand; none says anything that words beside it do not say.

import { svg, html, type TemplateResult } from "lit/html.js";

const icon = (path: TemplateResult) => html`<svg viewBox="0 0 24 24" aria-hidden="true">${path}</svg>`;

export const icons = {
  chat: icon(svg`<path d="M4 5h16v11H10l-5 4v-4H4z"/><path d="M8 9h8M8 12h5"/>`),
  close: icon(svg`<path d="M6 6l12 12M18 6L6 18"/>`),
  more: icon(svg`<path d="M12 5v.01M12 12v.01M12 19v.01"/>`),
  send: icon(svg`<path d="M4 12h15M13 6l6 6-6 6"/>`),
  down: icon(svg`<path d="M12 5v14M6 13l6 6 6-6"/>`),
  clip: icon(svg`<path d="M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.2a3 3 0 0 1 4.3 4.3L9.5 16.3a1.5 1.5 0 0 1-2.1-2.1L14 7.6"/>`),
  file: icon(svg`<path d="M6 3h8l4 4v14H6z"/><path d="M14 3v4h4M9 13h6M9 17h4"/>`),
  machine: icon(svg`<rect x="4" y="8" width="16" height="11" rx="2"/><path d="M12 8V4M9 13v1M15 13v1"/>`),
};
