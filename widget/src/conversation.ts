// What is being said: the events that came, the messages on their way out, and the line between.
// It knows nothing of the screen; whoever shows it listens for "change".

import { type Api, Refused, SessionEnded } from "./api.ts";
import { MAX_FILE, START, type Block, type ChatEvent, type ChecklistBlock, type Role } from "./protocol.ts";
import type { Strings } from "./strings.ts";

export type Delivery = "waiting" | "sending" | "sent" | "failed";

/** One line of the conversation as it is shown. `key` stays the same from the first key stroke to the echo. */
export interface Entry {
  key: string;
  role: Role;
  name: string;
  lang: string;
  at: Date;
  blocks: Block[];
  seq: number; // 0 until the server has it
  delivery?: Delivery;
  error?: string;
  progress?: number; // of a file on its way, 0 to 1
}

interface Outgoing {
  id: string;
  body: { text: string } | { choice: string } | { file: File };
  shown: Block[];
  at: Date;
  delivery: Delivery;
  seq: number;
  error: string;
  progress: number;
  tried?: true; // it may have arrived, whatever we heard of it
  under?: number; // of a pressed button: the message that offered it
}

const PAUSES = [500, 1000, 2000, 4000, 8000, 15_000, 30_000];
const TYPING_FOR = 20_000; // then nobody believes it any more

export class Conversation extends EventTarget {
  /** The line to the server: unknown until it was tried. */
  line: "unknown" | "open" | "broken" = "unknown";
  /** Whether everything that was said before is here; what comes after is news. */
  caughtUp = false;
  /** Coordinators' and the assistant's messages that came while nobody looked. */
  unread = 0;
  watched = false;
  /** A one-time code that joins this conversation to one that was begun elsewhere; used once. */
  link = "";
  /** Something the person should know that is no message. */
  notice = "";

  #events = new Map<number, ChatEvent>();
  #outgoing: Outgoing[] = [];
  #keys = new Map<number, string>(); // an event that we sent ourselves keeps its key
  #pressed = new Set<number>(); // events whose choices were used here
  #last = 0;
  #started = false;
  #sending = false;
  #wakeUps = new Set<() => void>();
  #typingSince = 0;
  #breaking = 0;
  #stream = new AbortController();

  readonly #api: Api;
  readonly #strings: Strings;

  constructor(api: Api, strings: Strings) {
    super();
    this.#api = api;
    this.#strings = strings;
    addEventListener("online", () => this.#retryNow());
    addEventListener("offline", () => this.#setLine("broken"));
  }

  /** Opens the conversation, or goes on with the one that this tab knows. Only once. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#listen();
  }

  say(text: string): void {
    this.#post({ text }, [{ type: "text", text }]);
  }

  press(entry: Entry, choice: { id: string; label: string }): void {
    if (this.#pressed.has(entry.seq)) return; // a double click
    this.#pressed.add(entry.seq);
    this.#post({ choice: choice.id }, [{ type: "text", text: choice.label }]).under = entry.seq;
  }

  sendFile(file: File): void {
    const outgoing = this.#post({ file }, [{ type: "file", name: file.name, mime: file.type, size: file.size }]);
    if (file.size > MAX_FILE) this.#fail(outgoing, this.#strings.tooLarge);
  }

  /** Tries once more to send what was refused. */
  again(key: string): void {
    const outgoing = this.#outgoing.find(({ id }) => id === key);
    if (!outgoing) return;
    outgoing.delivery = "waiting";
    outgoing.error = "";
    this.#pump();
  }

  discard(key: string): void {
    this.#pressed.delete(this.#outgoing.find(({ id }) => id === key)?.under ?? 0);
    this.#outgoing = this.#outgoing.filter(({ id }) => id !== key);
    this.#changed();
  }

  async save(file: { id: string; name: string }): Promise<void> {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await this.#api.download(file.id));
      link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch {
      this.note(this.#strings.downloadFailed);
    }
  }

  note(notice: string): void {
    this.notice = notice;
    this.#changed();
  }

  look(watched: boolean): void {
    this.watched = watched;
    if (watched) this.unread = 0;
    this.#changed();
  }

  /** Whether something would be lost if the page went away now. */
  get unsent(): boolean {
    return this.#outgoing.some(({ delivery, shown }) => delivery !== "failed" && shown.length > 0);
  }

  /** Whether an answer of the assistant is to be expected any moment. */
  get typing(): boolean {
    return this.#typingSince > 0 && Date.now() - this.#typingSince < TYPING_FOR;
  }

  /** Everything in the order to be shown. */
  get entries(): Entry[] {
    const entries: Entry[] = [];
    const cards = new Map<string, ChecklistBlock>();
    const events = [...this.#events.values()].sort((a, b) => a.seq - b.seq);
    const choosable = events.filter((event) => event.blocks.some(({ type }) => type === "choices")).at(-1)?.seq;
    for (const event of events) {
      for (const block of event.blocks) if (block.type === "checklist") cards.set(block.id, block);
    }
    const placed = new Set<string>();
    for (const event of events) {
      const blocks = event.blocks
        // A checklist stays where it first stood and shows what is known now.
        .filter((block) => block.type !== "checklist" || (!placed.has(block.id) && placed.add(block.id)))
        .map((block) => {
          if (block.type === "checklist") return cards.get(block.id)!;
          if (block.type !== "choices") return block;
          return { ...block, used: block.used || event.seq !== choosable || this.#pressed.has(event.seq) };
        });
      if (!blocks.length || isStart(event.role, blocks)) continue;
      const { seq, role, name, lang } = event;
      const own = role === "patient" ? { delivery: "sent" as const } : {};
      const key = this.#keys.get(seq) ?? `event ${seq}`;
      entries.push({ key, role, name, lang, at: new Date(event.at), blocks, seq, ...own });
    }
    for (const { id, shown, at, delivery, error, progress, seq } of this.#outgoing) {
      if (!isStart("patient", shown)) {
        entries.push({ key: id, role: "patient", name: "", lang: "", at, blocks: shown, seq, delivery, error, progress });
      }
    }
    return entries;
  }

  /** The newest state of the newest checklist. */
  get checklist(): ChecklistBlock | undefined {
    let found: ChecklistBlock | undefined;
    for (const { blocks } of this.entries) for (const block of blocks) if (block.type === "checklist") found = block;
    return found;
  }

  async #listen(): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        if (!this.#api.known) await this.#api.open();
        if (!this.caughtUp) await this.#catchUp();
        const opened = () => {
          failures = 0;
          this.#setLine("open");
          this.#retryNow();
          this.#pump();
        };
        for await (const event of this.#api.events(this.#last, opened, this.#stream.signal)) {
          this.#take(event);
          this.#changed();
        }
      } catch (error) {
        if (error instanceof SessionEnded) this.#beginAnew();
        if (error instanceof Refused) this.note(error.message || this.#strings.noAnswer);
        this.#setLine("broken");
        await this.#pause(failures++);
      }
    }
  }

  /** Reads what was said before this page was opened. An empty conversation is begun. */
  async #catchUp(): Promise<void> {
    for (let news = true; news; ) {
      const events = await this.#api.history(this.#last);
      for (const event of events) this.#take(event);
      news = events.length > 0;
    }
    if (this.link || (!this.#events.size && !this.#outgoing.some(({ shown }) => isStart("patient", shown)))) {
      const text = this.link ? `${START} ${this.link}` : START;
      this.link = "";
      this.#post({ text }, [{ type: "text", text }]);
    }
    this.caughtUp = true;
    this.#changed();
  }

  #beginAnew(): void {
    if (this.#api.known) return; // somebody did already
    this.#events.clear();
    this.#keys.clear();
    this.#pressed.clear();
    this.#last = 0;
    this.caughtUp = false;
    this.#stream.abort();
    this.#stream = new AbortController();
    this.note(this.#strings.ended);
  }

  #take(event: ChatEvent): void {
    if (this.#events.has(event.seq)) return;
    this.#events.set(event.seq, event);
    this.#last = Math.max(this.#last, event.seq);
    for (const block of event.blocks) {
      if (block.type !== "withdrawn") continue;
      for (const seq of block.seqs) if (this.#events.has(seq)) this.#events.get(seq)!.blocks = [];
    }
    if (event.role === "patient") {
      // The echo may overtake the acknowledgement: then it is known by what it says.
      const text = shownText(event.blocks);
      const echo =
        this.#outgoing.find(({ seq }) => seq === event.seq) ??
        this.#outgoing.find(({ tried, shown }) => tried && shownText(shown) === text);
      if (echo) this.#settle(echo, event.seq);
    } else {
      this.#typingSince = 0;
      if (this.caughtUp && !this.watched) this.unread++;
    }
  }

  #post(body: Outgoing["body"], shown: Block[]): Outgoing {
    const outgoing: Outgoing = {
      id: uuid(),
      body,
      shown,
      at: new Date(),
      delivery: "waiting",
      seq: 0,
      error: "",
      progress: 0,
    };
    this.#outgoing.push(outgoing);
    if (!isStart("patient", shown)) this.notice = ""; // whoever goes on has read it
    queueMicrotask(() => this.#pump());
    return outgoing;
  }

  /** Sends what waits, words in the order they were written. Files take long, so each goes by itself. */
  #pump(): void {
    this.#changed();
    if (!this.#api.known || !this.#started) return;
    for (const file of this.#outgoing.filter(({ body, delivery }) => "file" in body && delivery === "waiting")) {
      void this.#deliver(file);
    }
    if (this.#sending) return;
    const next = this.#outgoing.find(({ body, delivery }) => !("file" in body) && delivery === "waiting");
    if (!next) return;
    this.#sending = true;
    void this.#deliver(next).finally(() => {
      this.#sending = false;
      this.#pump();
    });
  }

  async #deliver(outgoing: Outgoing): Promise<void> {
    outgoing.tried = true;
    outgoing.delivery = "sending";
    this.#changed();
    for (let failures = 0; ; ) {
      try {
        const seq = await this.#transmit(outgoing);
        if (this.#lastSpeaker !== "coordinator") this.#expectAnswer(seq);
        if (this.#outgoing.includes(outgoing)) {
          outgoing.seq = seq;
          outgoing.delivery = "sent";
          if (this.#events.has(seq)) this.#settle(outgoing, seq);
        }
        this.#changed();
        return;
      } catch (error) {
        if (error instanceof Refused) {
          this.#fail(outgoing, error.message || this.#strings.noAnswer);
          return;
        }
        if (error instanceof SessionEnded) this.#beginAnew(); // and this goes out in the new one
        outgoing.delivery = "waiting";
        this.#changed();
        await this.#pause(failures++);
        if (!this.#outgoing.includes(outgoing)) return;
        outgoing.delivery = "sending";
        this.#changed();
      }
    }
  }

  #transmit(outgoing: Outgoing): Promise<number> {
    const { id, body } = outgoing;
    if (!("file" in body)) return this.#api.send({ id, ...body });
    return this.#api.upload(id, body.file, (share) => {
      outgoing.progress = share;
      this.#changed();
    });
  }

  #settle(outgoing: Outgoing, seq: number): void {
    this.#outgoing = this.#outgoing.filter((other) => other !== outgoing);
    this.#keys.set(seq, outgoing.id);
  }

  #fail(outgoing: Outgoing, reason: string): void {
    outgoing.delivery = "failed";
    outgoing.error = reason;
    this.#changed();
  }

  #expectAnswer(seq: number): void {
    for (const event of this.#events.values()) if (event.seq > seq && event.role !== "patient") return;
    this.#typingSince = Date.now();
    setTimeout(() => this.#changed(), TYPING_FOR + 50);
  }

  get #lastSpeaker(): Role | undefined {
    return [...this.#events.values()].filter(({ role }) => role === "assistant" || role === "coordinator").at(-1)?.role;
  }

  #setLine(line: "open" | "broken"): void {
    clearTimeout(this.#breaking);
    const set = () => {
      this.line = line;
      this.#changed();
    };
    // A short break mends itself before anybody has to know.
    if (line === "open" || !navigator.onLine) set();
    else this.#breaking = window.setTimeout(set, 3000);
  }

  #retryNow(): void {
    for (const wakeUp of this.#wakeUps) wakeUp();
  }

  /** Waits longer after each failure, and not at all once the browser is back online. */
  #pause(failures: number): Promise<void> {
    const time = PAUSES[Math.min(failures, PAUSES.length - 1)]! * (0.75 + Math.random() / 2);
    return new Promise((resolve) => {
      const done = () => {
        this.#wakeUps.delete(done);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, time);
      this.#wakeUps.add(done);
    });
  }

  #changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

function isStart(role: Role, blocks: Block[]): boolean {
  return role === "patient" && shownText(blocks).split(" ")[0] === START;
}

function shownText(blocks: Block[]): string {
  return blocks.map((block) => (block.type === "text" ? block.text : block.type === "file" ? block.name : "")).join("\n");
}

function uuid(): string {
  // `randomUUID` is missing on pages without TLS.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
