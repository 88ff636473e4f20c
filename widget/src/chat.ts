// The launcher and the panel: what is on the screen, what the keyboard does, and where the focus goes.

import { html, nothing, type TemplateResult } from "lit/html.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { Api } from "./api.ts";
import { inBubble, ready, renderBlock, ring, type Around } from "./blocks.ts";
import { Conversation, type Entry } from "./conversation.ts";
import { DrawnElement } from "./element.ts";
import { icons } from "./icons.ts";
import { MAX_TEXT } from "./protocol.ts";
import { keep, recall } from "./memory.ts";
import { fill, plural, strings } from "./strings.ts";
import styles from "./styles.css";
import { day, moment, sameDay, time } from "./when.ts";

const OPEN = "open"; // kept once it was opened in this tab: "" while it is closed
const DRAFT = "draft";
const LARGER = "larger";
const TWICE = 1000; // milliseconds between two presses that belong together
const SIMPLER = "Please say it simpler."; // the assistant understands English
const SHORT = 160; // characters that need no simpler words
const HANDED: Record<string, string> = {
  "human.joined": strings.joined,
  "human.passed_on": strings.joined,
  "human.left": strings.left,
};
const PHONE = matchMedia("(max-width: 40em), (max-height: 30em)");

/** `<waypoint-chat>`. Until it is opened it asks the server nothing and stores nothing. */
export class WaypointChat extends DrawnElement {
  /** Where the server is, and the language; set before the element is put into a page. */
  api = "";
  language = "en";
  startOpen = false;
  link = "";
  /** Where a quick exit leads. */
  exitTo = "about:blank";
  /** The conversation is in a frame, and this is only its launcher. */
  frame = false;
  /** This is the conversation in a frame; the origin of the page around it. */
  parent: string | null = null;

  #opened = false;
  #menu = false;
  #erasing = false; // whether we asked if all is to be deleted
  #api!: Api;
  #conversation!: Conversation;
  #opener: HTMLElement | null = null;
  #atEnd = true;
  #placed = 0; // where we scrolled to last
  #shownEntries = 0;
  #height = 0;
  #live = false; // whether what is added now is to be read out
  #escaped = -TWICE; // when Escape was pressed last

  constructor() {
    super(styles);
  }

  connectedCallback(): void {
    if (this.#conversation) return;
    this.dir = strings.dir;
    this.lang = strings.lang;
    if (this.frame) addEventListener("message", (event) => this.#onTold(event));
    this.toggleAttribute("inside", this.parent !== null);
    this.#api = new Api(this.api, this.language);
    this.#conversation = new Conversation(this.#api);
    this.#conversation.link = this.link;
    this.#conversation.addEventListener("change", () => this.requestUpdate());
    this.#conversation.addEventListener("over", () => this.#opened && this.close());
    document.addEventListener("keydown", (event) => this.#onEscape(event), true);
    PHONE.addEventListener("change", () => this.#opened && this.#show());
    addEventListener("beforeunload", (event) => this.#conversation.unsent && event.preventDefault());
    // Any element of the page may open the chat.
    document.addEventListener("click", (event) => {
      const opener = event.target instanceof Element && event.target.closest<HTMLElement>("[data-waypoint-open]");
      if (opener) this.open(opener);
    });
    visualViewport?.addEventListener("resize", () => this.#fit());
    this.toggleAttribute("larger", recall(LARGER) !== null);
    this.requestUpdate();
    const before = recall(OPEN);
    if (before !== null && !this.frame) this.#conversation.start();
    // Where the chat was open on the page before, it stays open; on a phone it would bury the page.
    if (this.startOpen || this.parent !== null || (before && !PHONE.matches)) void this.open(null, false);
  }

  /** Opens the panel. The focus goes back to `opener` when it closes. */
  async open(opener: HTMLElement | null = null, focus = true): Promise<void> {
    this.#opener = opener;
    this.#opened = true;
    this.requestUpdate();
    if (!this.frame) {
      this.#remember();
      this.#conversation.start();
      this.#conversation.look(true);
    }
    await this.updateComplete;
    this.#show(focus);
    if (!this.frame) this.#scrollToNews();
  }

  /** Closes the panel; the conversation goes on. */
  async close(): Promise<void> {
    if (this.parent !== null) return this.#tell("close");
    this.#opened = this.#menu = this.#erasing = this.#live = false;
    this.requestUpdate();
    if (!this.frame) this.#remember();
    this.#conversation.look(false);
    this.#panel.close();
    await this.updateComplete;
    (this.#opener?.isConnected ? this.#opener : this.#part<HTMLElement>(".launcher")).focus();
  }

  /** Leaves the page at once, and nothing of the chat on this device. */
  exit(): void {
    this.#conversation.leave();
    this.#api.forget();
    this.#tell("exit");
    this.remove();
    const go = () => location.replace(this.exitTo);
    // The page around a frame leaves with it. If the frame went first, its message might be gone with it.
    if (this.parent) setTimeout(go, TWICE);
    else go();
  }

  /** Says to the page around a frame what the person did; nothing of what they said. */
  #tell(act: "close" | "exit"): void {
    if (this.parent) parent.postMessage({ waypoint: act }, this.parent);
  }

  #onTold({ source, origin, data }: MessageEvent): void {
    const inside = this.renderRoot.querySelector("iframe")?.contentWindow;
    if (!source || source !== inside || origin !== this.api) return;
    const { waypoint: act } = (data ?? {}) as { waypoint?: string };
    if (act === "close") void this.close();
    if (act === "exit") this.exit();
  }

  protected override render(): TemplateResult {
    const { unread } = this.#conversation;
    return html`
      <button class="launcher" type="button" aria-haspopup="dialog" ?hidden=${this.#opened} @click=${() => this.open()}>
        ${icons.chat}<span class="long">${strings.open}</span><span class="short" aria-hidden="true">${strings.openShort}</span>
        ${unread ? html`<span class="badge">${plural(strings.unread, unread)}</span>` : nothing}
      </button>
      <dialog
        class="panel"
        aria-label=${strings.title}
        @cancel=${this.#onCancel}
        @dragover=${(event: Event) => event.preventDefault()}
        @drop=${this.#onDrop}
      >
        ${this.frame ? this.#renderFrame() : this.#renderInside()}
      </dialog>
    `;
  }

  /** The chat's own page, from the first opening on. */
  #renderFrame(): TemplateResult | typeof nothing {
    if (!this.#opened && !this.renderRoot.querySelector("iframe")) return nothing;
    const said = new URLSearchParams({ parent: location.origin, ...(this.link && { link: this.link }) });
    const src = `${this.api}/chat?lang=${encodeURIComponent(this.language)}#${said}`;
    return html`<iframe id="title" title=${strings.title} src=${src} referrerpolicy="no-referrer"></iframe>`;
  }

  #renderInside(): TemplateResult {
    return html`
        ${this.#renderHead()}
        <p class="emergency"><b>${strings.emergency}</b> ${strings.emergencyMore}</p>
        ${this.#menu ? this.#renderMenu() : nothing}
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
          ${this.#conversation.typing ? html`<div class="typing" aria-hidden="true"><i></i><i></i><i></i></div>` : nothing}
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
            @input=${() => keep(DRAFT, this.#input.value || null)}
            @paste=${this.#onPaste}
            @keydown=${this.#onWrite}
          ></textarea>
          <button class="send" type="submit" aria-label=${strings.send}>${icons.send}</button>
        </form>
    `;
  }

  /** Who one talks with stands above everything, in words and in shape. */
  #renderHead(): TemplateResult {
    const { holder, answer_by: due } = this.#conversation.standing;
    return html`<div class="head ${holder ? "coordinator" : ""}">
      <span class="face" aria-hidden="true">${holder ? [...holder][0] : icons.machine}</span>
      <div>
        <h2 id="title" tabindex="-1">${strings.title}</h2>
        <p>${holder ? fill(strings.withPerson, { name: holder }) : strings.subtitle}</p>
        ${due ? html`<p>${fill(strings.answerBy, { time: moment(new Date(due)) })}</p>` : nothing}
      </div>
      <button type="button" class="exit" title=${strings.exitMore} aria-label=${strings.exitMore} @click=${this.exit}>${strings.exit}</button>
      <button type="button" class="more" aria-label=${strings.menu} aria-expanded=${this.#menu ? "true" : "false"} @click=${this.#toggleMenu}>${icons.more}</button>
      <button type="button" aria-label=${strings.close} @click=${this.close}>${icons.close}</button>
    </div>`;
  }

  #renderMenu(): TemplateResult {
    const conversation = this.#conversation;
    return html`<div class="menu">
      <label><input type="checkbox" .checked=${this.#api.remembered} @change=${(event: Event) => this.#api.remember(isChecked(event))} />
        <span>${strings.remember} <small>${strings.rememberMore}</small></span></label>
      <label><input type="checkbox" .checked=${this.hasAttribute("larger")} @change=${this.#onLarger} /><span>${strings.larger}</span></label>
      <button type="button" @click=${() => this.#ask(() => conversation.say("/link"))}>${strings.elsewhere}</button>
      ${this.#erasing
        ? html`<p id="sure">${strings.eraseSure}</p>
            <div class="retry" role="group" aria-labelledby="sure">
              <button type="button" @click=${() => this.#ask(() => void conversation.erase())}>${strings.eraseYes}</button>
              <button type="button" @click=${() => this.#ask(() => {})}>${strings.eraseNo}</button>
            </div>`
        : html`<button type="button" @click=${this.#askToErase}>${strings.erase}</button>`}
    </div>`;
  }

  get #status(): string {
    const { notice, line } = this.#conversation;
    if (notice) return notice;
    if (line !== "broken") return "";
    return navigator.onLine ? strings.reconnecting : strings.offline;
  }

  #renderSummary(): TemplateResult | typeof nothing {
    const checklist = this.#conversation.checklist;
    if (!checklist) return nothing;
    const { title, done, total } = checklist;
    return html`<button type="button" class="summary" @click=${this.#toChecklist}>
      ${ring(done, total)}<span><b dir="auto">${title}</b> ${ready(done, total)}</span>
    </button>`;
  }

  #renderEntries(): TemplateResult {
    const { entries } = this.#conversation;
    return html`<ol role="list">
      ${repeat(
        entries,
        ({ key }) => key,
        (entry, index) => {
          const before = entries[index - 1];
          const anotherDay = !before || !sameDay(before.at, entry.at);
          const first = anotherDay || before.role !== entry.role || before.name !== entry.name;
          const last = index === entries.length - 1;
          // A long history is not looked through anew for every word.
          return guard([...entry.made, anotherDay, first, last], () => this.#renderEntry(entry, anotherDay, first, last));
        },
      )}
    </ol>`;
  }

  #renderEntry(entry: Entry, anotherDay: boolean, first: boolean, last: boolean): TemplateResult {
    const { role, name, lang, say, blocks, delivery, at, file } = entry;
    const around: Around = {
      links: role !== "patient",
      folds: role !== "patient" && !say.startsWith("safety."), // nothing of what to do now is ever folded away
      press: (choice) => this.#press(entry, choice),
      save: (file) => void this.#conversation.save(file),
    };
    const said = blocks.filter(inBubble);
    return html`<li class=${`entry ${role} ${delivery ?? ""} ${first ? "first" : ""}`} lang=${lang || nothing}>
      ${anotherDay ? html`<p class="day">${day(at)}</p>` : nothing}
      ${name && HANDED[say] ? html`<b class="handed">${fill(HANDED[say], { name })}</b>` : nothing}
      ${this.#renderSpeaker(entry, first)}
      ${said.length
        ? html`<div class="bubble">
            ${file ? html`<canvas .file=${file} aria-hidden="true"></canvas>` : nothing}${said.map((block) => renderBlock(block, around))}${this.#renderProgress(entry)}
          </div>`
        : nothing}
      ${blocks.filter((block) => !inBubble(block)).map((block) => renderBlock(block, around))}
      ${delivery ? this.#renderDelivery(entry) : nothing}
      ${last && role === "assistant" && around.folds && said.some((block) => block.type === "text" && block.text.length > SHORT)
        ? html`<button type="button" class="simpler" aria-live="off" @click=${this.#simpler}>${strings.simpler}</button>`
        : nothing}
    </li>`;
  }

  /** Who speaks stands before every message, in words; where the speaker stays the same, only for listeners. */
  #renderSpeaker({ role, name, at }: Entry, first: boolean): TemplateResult {
    if (role === "patient") return html`<span class="hidden">${strings.you}:</span>`;
    if (role === "system") return html`<span class="hidden">${strings.notice}:</span>`;
    const human = role === "coordinator";
    const who = human ? name || strings.coordinator : strings.assistant;
    const kind = human ? strings.aPerson : strings.automated;
    if (!first) return html`<span class="hidden">${who} (${kind}):</span>`;
    return html`<div class="speaker" lang=${strings.lang}>
      <span class="face" aria-hidden="true">${human ? [...who][0] : icons.machine}</span>
      <b dir="auto">${who}</b> <span class="kind">${kind}</span> ${this.#renderTime(at)}
    </div>`;
  }

  #renderTime(at: Date): TemplateResult {
    return html`<time datetime=${at.toISOString()}>${time(at)}</time>`;
  }

  #renderDelivery({ key, at, delivery, error, seq, blocks, lost }: Entry): TemplateResult {
    const conversation = this.#conversation;
    if (delivery === "failed") {
      return html`<p class="meta">${strings.failed} ${error}</p>
        <div class="retry">
          ${lost
            ? html`<button type="button" @click=${() => this.#chooseAgain(key)}>${strings.attach}</button>`
            : html`<button type="button" @click=${() => conversation.again(key)}>${strings.again}</button>`}
          <button type="button" @click=${() => this.#discard(key)}>${strings.discard}</button>
        </div>`;
    }
    const isFile = blocks[0]?.type === "file";
    return html`<p class="meta" data-seq=${seq || nothing}>${this.#renderTime(at)} · ${strings[delivery ?? "sent"]}</p>
      ${isFile && !seq
        ? html`<div class="retry"><button type="button" @click=${() => this.#discard(key)}>${strings.cancel}</button></div>`
        : nothing}`;
  }

  #renderProgress({ delivery, progress, blocks }: Entry): TemplateResult | typeof nothing {
    const file = blocks.find((block) => block.type === "file");
    if (delivery !== "sending" || !file || !("name" in file)) return nothing;
    return html`<progress max="1" .value=${progress ?? 0} aria-label=${fill(strings.uploading, { name: file.name })}></progress>`;
  }

  protected override firstUpdated(): void {
    if (!this.frame) this.#input.value = recall(DRAFT) ?? "";
  }

  protected override updated(): void {
    if (!this.#opened || this.frame) return;
    const count = this.#conversation.entries.length;
    // Whoever scrolled back to read is left alone.
    const undisturbed = this.#atEnd || Math.abs(this.#log.scrollTop - this.#placed) < 2;
    const { clientHeight } = this.#log; // what stands above may take from it
    if ((count > this.#shownEntries || clientHeight !== this.#height) && undisturbed) this.#scrollToNews();
    this.#shownEntries = count;
    this.#height = clientHeight;
    this.#onScroll();
    if (!this.#live && this.#conversation.caughtUp) this.#listenFromHere();
    for (const canvas of this.renderRoot.querySelectorAll<HTMLCanvasElement & { file?: File }>("canvas")) {
      if (canvas.file) void draw(canvas, canvas.file);
      delete canvas.file;
    }
  }

  protected override focusLost(): void {
    this.#log.focus({ preventScroll: true });
  }

  /** Lets screen readers take what is here already for old: only what is added later is news. */
  #listenFromHere(): void {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.#live = this.#opened;
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

  /** Closes the menu and does what was chosen there; the focus goes on to the conversation. */
  #ask(act: () => void): void {
    this.#menu = this.#erasing = false;
    this.requestUpdate();
    act();
    this.#log.focus({ preventScroll: true });
  }

  #toggleMenu(): void {
    this.#menu = !this.#menu;
    this.#erasing = false;
    this.requestUpdate();
  }

  async #askToErase(): Promise<void> {
    this.#erasing = true;
    this.requestUpdate();
    await this.updateComplete;
    this.#part<HTMLElement>(".menu .retry button:last-child").focus(); // the button that was pressed is gone
  }

  #onLarger(event: Event): void {
    const wanted = isChecked(event);
    keep(LARGER, wanted ? "1" : null);
    this.toggleAttribute("larger", wanted);
  }

  #simpler(): void {
    this.#atEnd = true;
    this.#conversation.say(SIMPLER);
    this.#log.focus({ preventScroll: true });
  }

  #chooseAgain(key: string): void {
    this.#discard(key);
    this.#picker.click();
  }

  #discard(key: string): void {
    this.#conversation.discard(key);
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
    if (text.length > MAX_TEXT) return this.#conversation.note(strings.tooLong);
    this.#atEnd = true;
    input.value = "";
    keep(DRAFT, null);
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
    this.#sendFiles(this.#picker.files);
    this.#picker.value = "";
    this.#log.focus({ preventScroll: true });
  }

  #onPaste(event: ClipboardEvent): void {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.#sendFiles(event.clipboardData.files);
  }

  #onDrop(event: DragEvent): void {
    event.preventDefault();
    this.#sendFiles(event.dataTransfer?.files);
  }

  #sendFiles(files: FileList | null | undefined): void {
    this.#atEnd = true;
    for (const file of files ?? []) this.#conversation.sendFile(file);
  }

  /** Once closes the chat; twice leaves the page. */
  #onEscape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing || event.repeat) return;
    if (event.timeStamp - this.#escaped < TWICE) return this.exit();
    if (!this.#opened || !event.composedPath().includes(this)) return;
    event.preventDefault();
    this.#escaped = event.timeStamp;
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
    if (PHONE.matches && this.parent === null) panel.showModal();
    else panel.open = true; // `show()` would take the focus, wanted or not
    this.#fit();
    if (focus) this.#part<HTMLElement>(PHONE.matches || this.frame ? "#title" : "textarea").focus();
  }

  #remember(): void {
    keep(OPEN, this.#opened ? "1" : "");
  }

  /** Keeps the panel above a phone's keyboard. */
  #fit(): void {
    const covered = this.#opened && PHONE.matches && this.parent === null && visualViewport && visualViewport.scale === 1;
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

function isChecked({ target }: Event): boolean {
  return (target as HTMLInputElement).checked;
}

/** Shows a picture small. Drawn, since a page's policy may forbid any address of it. */
async function draw(canvas: HTMLCanvasElement, file: File): Promise<void> {
  const picture = await createImageBitmap(file).catch(() => null); // not every picture can be shown
  canvas.hidden = !picture;
  if (!picture) return;
  const scale = Math.min(1, 480 / picture.width, 480 / picture.height);
  canvas.width = picture.width * scale;
  canvas.height = picture.height * scale;
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
}
