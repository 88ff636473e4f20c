// The launcher and the panel: what is on the screen, what the keyboard does, and where the focus goes.

import { html, LitElement, nothing, unsafeCSS, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Api } from "./api.ts";
import { inBubble, renderBlock, ring, type Around } from "./blocks.ts";
import { Conversation, type Entry } from "./conversation.ts";
import { icons } from "./icons.ts";
import { MAX_TEXT } from "./protocol.ts";
import { keep, recall } from "./memory.ts";
import { stringsFor, type Strings } from "./strings.ts";
import styles from "./styles.css";

const OPEN = "waypoint open";
const PHONE = matchMedia("(max-width: 40em), (max-height: 30em)");

/** `<waypoint-chat>`. Until it is opened it asks the server nothing and stores nothing. */
export class WaypointChat extends LitElement {
  static override styles = unsafeCSS(styles);
  static override properties = { opened: { state: true } };

  /** Where the server is, and the language; set before the element is put into a page. */
  api = "";
  language = "en";
  startOpen = false;
  link = "";

  private opened = false;
  #strings!: Strings;
  #conversation!: Conversation;
  #opener: HTMLElement | null = null;
  #atEnd = true;
  #placed = 0; // where we scrolled to last
  #shownEntries = 0;
  #live = false; // whether what is added now is to be read out

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#conversation) return;
    this.#strings = stringsFor(this.language);
    const api = new Api(this.api, this.language);
    this.#conversation = new Conversation(api, this.#strings);
    this.#conversation.link = this.link;
    this.#conversation.addEventListener("change", () => this.requestUpdate());
    PHONE.addEventListener("change", () => this.opened && this.#show());
    addEventListener("beforeunload", (event) => this.#conversation.unsent && event.preventDefault());
    // Any element of the page may open the chat.
    document.addEventListener("click", (event) => {
      const opener = event.target instanceof Element && event.target.closest<HTMLElement>("[data-waypoint-open]");
      if (opener) this.open(opener);
    });
    visualViewport?.addEventListener("resize", () => this.#fit());
    if (api.known) this.#conversation.start();
    // Where the chat was open on the page before, it stays open; on a phone it would bury the page.
    if (this.startOpen || (api.known && !PHONE.matches && recall(OPEN))) void this.open(null, false);
  }

  /** Opens the panel. The focus goes back to `opener` when it closes. */
  async open(opener: HTMLElement | null = null, focus = true): Promise<void> {
    this.#opener = opener;
    this.opened = true;
    this.#remember();
    this.#conversation.start();
    this.#conversation.look(true);
    await this.updateComplete;
    this.#show(focus);
    this.#scrollToNews();
  }

  /** Closes the panel; the conversation goes on. */
  async close(): Promise<void> {
    this.opened = this.#live = false;
    this.#remember();
    this.#conversation.look(false);
    this.#panel.close();
    await this.updateComplete;
    (this.#opener?.isConnected ? this.#opener : this.#part<HTMLElement>(".launcher")).focus();
  }

  protected override render(): TemplateResult {
    const strings = this.#strings;
    const conversation = this.#conversation;
    const { unread } = conversation;
    return html`
      <button class="launcher" type="button" aria-haspopup="dialog" ?hidden=${this.opened} @click=${() => this.open()}>
        ${icons.chat}<span class="long">${strings.open}</span><span class="short" aria-hidden="true">${strings.openShort}</span>
        ${unread ? html`<span class="badge">${strings.unread(unread)}</span>` : nothing}
      </button>
      <dialog
        class="panel"
        aria-labelledby="title"
        @cancel=${this.#onCancel}
        @keydown=${this.#onKey}
      >
        <div class="head">
          <div>
            <h2 id="title" tabindex="-1">${strings.title}</h2>
            <p>${strings.subtitle}</p>
          </div>
          <button type="button" aria-label=${strings.close} @click=${this.close}>${icons.close}</button>
        </div>
        <p class="emergency"><b>${strings.emergency}</b> ${strings.emergencyMore}</p>
        <div class="status" role="status">${this.#status}</div>
        ${this.#renderSummary()}
        <div
          class="log"
          role="log"
          tabindex="0"
          aria-label=${strings.conversation}
          aria-relevant="additions"
          aria-live=${this.#live ? "polite" : "off"}
          @scroll=${this.#onScroll}
        >
          ${this.#renderEntries()}
          ${conversation.typing ? html`<div class="typing" aria-hidden="true"><i></i><i></i><i></i></div>` : nothing}
          ${this.#atEnd
            ? nothing
            : html`<button type="button" class="latest" aria-label=${strings.latest} @click=${this.#toLatest}>${icons.down}</button>`}
        </div>
        <form @submit=${this.#onSubmit}>
          <button type="button" aria-label=${strings.attach} @click=${() => this.#picker.click()}>${icons.clip}</button>
          <input type="file" hidden multiple tabindex="-1" aria-hidden="true" @change=${this.#onPick} />
          <textarea
            rows="1"
            dir="auto"
            aria-label=${strings.write}
            placeholder=${strings.write}
            enterkeyhint="send"
            @keydown=${this.#onWrite}
          ></textarea>
          <button class="send" type="submit" aria-label=${strings.send}>${icons.send}</button>
        </form>
      </dialog>
    `;
  }

  get #status(): string {
    const { notice, line } = this.#conversation;
    if (notice) return notice;
    if (line !== "broken") return "";
    return navigator.onLine ? this.#strings.reconnecting : this.#strings.offline;
  }

  #renderSummary(): TemplateResult | typeof nothing {
    const checklist = this.#conversation.checklist;
    if (!checklist) return nothing;
    const { title, done, total } = checklist;
    return html`<button type="button" class="summary" @click=${this.#toChecklist}>
      ${ring(done, total)}<span><b dir="auto">${title}</b> ${this.#strings.progress(done, total)}</span>
    </button>`;
  }

  #renderEntries(): TemplateResult {
    let before: Entry | undefined;
    const entries = this.#conversation.entries.map((entry) => {
      const first = !before || before.role !== entry.role || before.name !== entry.name;
      before = entry;
      return { entry, first };
    });
    return html`<ol role="list">
      ${repeat(
        entries,
        ({ entry }) => entry.key,
        ({ entry, first }) => this.#renderEntry(entry, first),
      )}
    </ol>`;
  }

  #renderEntry(entry: Entry, first: boolean): TemplateResult {
    const { role, lang, blocks, delivery } = entry;
    const around: Around = {
      strings: this.#strings,
      links: role !== "patient",
      press: (choice) => this.#press(entry, choice),
      save: (file) => void this.#conversation.save(file),
    };
    const said = blocks.filter(inBubble);
    return html`<li class=${`entry ${role} ${delivery ?? ""} ${first ? "first" : ""}`} lang=${lang || nothing}>
      ${this.#renderSpeaker(entry, first)}
      ${said.length ? html`<div class="bubble">${said.map((block) => renderBlock(block, around))}${this.#renderProgress(entry)}</div>` : nothing}
      ${blocks.filter((block) => !inBubble(block)).map((block) => renderBlock(block, around))}
      ${delivery ? this.#renderDelivery(entry) : nothing}
    </li>`;
  }

  /** Who speaks stands before every message, in words; where the speaker stays the same, only for listeners. */
  #renderSpeaker({ role, name, at }: Entry, first: boolean): TemplateResult {
    const strings = this.#strings;
    if (role === "patient") return html`<span class="hidden">${strings.you}:</span>`;
    if (role === "system") return html`<span class="hidden">${strings.notice}:</span>`;
    const human = role === "coordinator";
    const who = human ? name || strings.coordinator : strings.assistant;
    const kind = human ? strings.aPerson : strings.automated;
    if (!first) return html`<span class="hidden">${who} (${kind}):</span>`;
    return html`<div class="speaker" lang=${this.language}>
      <span class="face" aria-hidden="true">${human ? [...who][0] : icons.machine}</span>
      <b dir="auto">${who}</b> <span class="kind">${kind}</span> ${this.#renderTime(at)}
    </div>`;
  }

  #renderTime(at: Date): TemplateResult {
    const today = at.toDateString() === new Date().toDateString();
    const date: Intl.DateTimeFormatOptions = today ? {} : { day: "numeric", month: "short" };
    const text = at.toLocaleString(this.language, { ...date, hour: "numeric", minute: "2-digit" });
    return html`<time datetime=${at.toISOString()}>${text}</time>`;
  }

  #renderDelivery({ key, at, delivery, error, seq }: Entry): TemplateResult {
    const strings = this.#strings;
    const conversation = this.#conversation;
    if (delivery === "failed") {
      return html`<p class="meta">${strings.failed} ${error}</p>
        <div class="retry">
          <button type="button" @click=${() => conversation.again(key)}>${strings.again}</button>
          <button type="button" @click=${() => conversation.discard(key)}>${strings.discard}</button>
        </div>`;
    }
    const state = { waiting: strings.waiting, sending: strings.sending, sent: strings.sent }[delivery ?? "sent"];
    return html`<p class="meta" data-seq=${seq || nothing}>${this.#renderTime(at)} · ${state}</p>`;
  }

  #renderProgress({ delivery, progress, blocks }: Entry): TemplateResult | typeof nothing {
    const file = blocks.find((block) => block.type === "file");
    if (delivery !== "sending" || !file || !("name" in file)) return nothing;
    return html`<progress max="1" .value=${progress ?? 0} aria-label=${this.#strings.uploading(file.name)}></progress>`;
  }

  protected override updated(): void {
    if (!this.opened) return;
    const count = this.#conversation.entries.length;
    // Whoever scrolled back to read is left alone.
    const undisturbed = this.#atEnd || Math.abs(this.#log.scrollTop - this.#placed) < 2;
    if (count > this.#shownEntries && undisturbed) this.#scrollToNews();
    this.#shownEntries = count;
    this.#onScroll();
    if (!this.#live && this.#conversation.caughtUp) this.#listenFromHere();
  }

  /** Lets screen readers take what is here already for old: only what is added later is news. */
  #listenFromHere(): void {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.#live = this.opened;
        this.requestUpdate();
      }),
    );
  }

  /** Shows the newest, but not past the beginning of what has not been read yet. */
  #scrollToNews(): void {
    const log = this.#log;
    const lines = [...log.querySelectorAll<HTMLElement>(".entry")];
    const ownLast = lines.map((line) => line.classList.contains("patient")).lastIndexOf(true);
    const unread = lines[Math.max(ownLast, 0)];
    const bottom = log.scrollHeight - log.clientHeight;
    log.scrollTop = unread ? Math.min(bottom, unread.offsetTop - 12) : bottom;
    this.#placed = log.scrollTop;
  }

  #onScroll(): void {
    const log = this.#log;
    const atEnd = log.scrollHeight - log.clientHeight - log.scrollTop < 40;
    if (atEnd === this.#atEnd) return;
    this.#atEnd = atEnd;
    this.requestUpdate();
  }

  #toLatest(): void {
    this.#log.focus();
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #toChecklist(): void {
    this.#part(".card").scrollIntoView({ block: "start" });
    this.#log.focus({ preventScroll: true });
  }

  #press(entry: Entry, choice: { id: string; label: string }): void {
    this.#atEnd = true;
    this.#conversation.press(entry, choice);
    // The pressed button goes away; the focus stays in the conversation, and no keyboard pops up.
    this.#log.focus({ preventScroll: true });
  }

  #onSubmit(event: Event): void {
    event.preventDefault();
    const input = this.#input;
    const text = input.value.trim();
    if (!text) return input.focus();
    if (text.length > MAX_TEXT) return this.#conversation.note(this.#strings.tooLong);
    this.#atEnd = true;
    input.value = "";
    this.#conversation.say(text);
    input.focus();
  }

  #onWrite(event: KeyboardEvent): void {
    // While a word is being composed, as in Chinese, Enter belongs to the composition.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#input.form!.requestSubmit();
  }

  #onPick(): void {
    this.#atEnd = true;
    for (const file of this.#picker.files ?? []) this.#conversation.sendFile(file);
    this.#picker.value = "";
    this.#log.focus({ preventScroll: true });
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    void this.close();
  }

  #onCancel(event: Event): void {
    event.preventDefault();
    void this.close();
  }

  /** On a phone the panel is all there is, and the page behind it is out of reach; elsewhere it stands beside it. */
  #show(focus = true): void {
    const panel = this.#panel;
    if (panel.open) panel.close();
    if (PHONE.matches) panel.showModal();
    else panel.open = true; // `show()` would take the focus, wanted or not
    this.#fit();
    if (focus) this.#part<HTMLElement>(PHONE.matches ? "#title" : "textarea").focus();
  }

  #remember(): void {
    keep(OPEN, this.opened ? "1" : null);
  }

  /** Keeps the panel above a phone's keyboard. */
  #fit(): void {
    const covered = this.opened && PHONE.matches && visualViewport && visualViewport.scale === 1;
    this.#panel.style.blockSize = covered ? `${visualViewport!.height}px` : "";
  }

  get #panel(): HTMLDialogElement {
    return this.#part("dialog");
  }

  get #log(): HTMLElement {
    return this.#part(".log");
  }

  get #input(): HTMLTextAreaElement {
    return this.#part("textarea");
  }

  get #picker(): HTMLInputElement {
    return this.#part("input");
  }

  #part<Kind extends Element>(selector: string): Kind {
    return this.renderRoot.querySelector<Kind>(selector)!;
  }
}
