// A custom element that lit draws. Of LitElement's many abilities the chat needs these few, and a phone on a slow line
// need not load the others.

import { render, type TemplateResult } from "lit/html.js";

export abstract class DrawnElement extends HTMLElement {
  /** What was drawn is inside. */
  protected readonly renderRoot = this.attachShadow({ mode: "open" });
  /** Fulfilled once what was asked for is drawn. */
  protected updateComplete = Promise.resolve();

  #due = false;
  #drawn = false;

  constructor(styles: string) {
    super();
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      this.renderRoot.adoptedStyleSheets = [sheet]; // no policy forbids this
    } catch {
      const element = document.createElement("style"); // a browser of before 2023
      element.textContent = styles;
      this.renderRoot.append(element);
    }
  }

  /** Draws anew, soon and once, however often it is asked for. */
  requestUpdate(): void {
    if (this.#due) return;
    this.#due = true;
    this.updateComplete = Promise.resolve().then(() => {
      this.#due = false;
      const held = this.renderRoot.activeElement;
      render(this.render(), this.renderRoot, { host: this });
      if (!this.#drawn) this.firstUpdated();
      this.#drawn = true;
      this.updated();
      if (held && !held.isConnected) this.focusLost();
    });
  }

  protected abstract render(): TemplateResult;
  protected abstract firstUpdated(): void;
  protected abstract updated(): void;
  /** What had the focus is not there any more. */
  protected abstract focusLost(): void;
}
