// What is being said: the events that came, the messages on their way out, and the line between.
// It knows nothing of the screen; whoever shows it listens for "change".

import { type Api, Refused, SessionEnded } from "./api.ts";
import { keep, recall } from "./memory.ts";
import { MAX_FILE, PROGRAM, START, type Block, type ChatEvent, type ChecklistBlock, type Role, type Standing } from "./protocol.ts";
import { strings } from "./strings.ts";

export type Delivery = "waiting" | "sending" | "sent" | "arrived" | "seen" | "failed";

/** One line of the conversation as it is shown. `key` stays the same from the first key stroke to the echo. */
export interface Entry {
  key: string;
  role: Role;
  name: string;
  lang: string;
  at: Date;
  say: string;
  blocks: Block[];
  seq: number; // 0 until the server has it
  delivery?: Delivery;
  error?: string;
  progress?: number; // of a file on its way, 0 to 1
  file?: File; // a picture that was chosen here
  lost?: boolean; // a file that the page before had not sent; it has to be chosen again
  made: unknown[]; // of what it is made: while these are the same, it looks the same
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
  cancel: AbortController; // of a file on its way
  under?: number; // of a pressed button: the message that offered it
}

const PAUSES = [500, 1000, 2000, 4000, 8000, 15_000, 30_000];
const TYPING_FOR = 20_000; // then nobody believes it any more
const UNSENT = "unsent"; // words that the server does not have yet; gone from this tab's memory once it has
const DELETED = "steer.deleted"; // the assistant says so; nothing from before it is left on the server
const NEW = { delivery: "waiting" as Delivery, error: "", progress: 0, seq: 0 };
const NOBODY: Standing = { holder: "", answer_by: null, first: 0, arrived: 0, seen: 0 };

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
  /** Who talks with the person, and by when they are to be answered. */
  standing = NOBODY;

  #entries: Entry[] | null = null; // as they were shown last
  #events = new Map<number, ChatEvent>();
  #outgoing: Outgoing[] = [];
  #keys = new Map<number, string>(); // an event that we sent ourselves keeps its key
  #pictures = new Map<string, File>(); // that were sent from here, to be shown
  #pressed = new Set<number>(); // events whose choices were used here
  #last = 0;
  #started = false;
  #sending = false;
  #wakeUps = new Set<() => void>();
  #typingSince = 0;
  #breaking = 0;
  #stream = new AbortController();

  readonly #api: Api;

  constructor(api: Api) {
    super();
    this.#api = api;
    // What had not arrived when the page went away goes on its way again, under the same id.
    for (const { at, under, ...kept } of JSON.parse(recall(UNSENT) ?? "[]") as (Outgoing & { at: string })[]) {
      const state = isLost(kept.body) ? { ...NEW, delivery: "failed" as Delivery, error: strings.lost } : NEW;
      this.#outgoing.push({ ...kept, ...state, at: new Date(at), cancel: new AbortController(), ...(under ? { under } : {}) });
      if (under) this.#pressed.add(under);
    }
    for (const name of ["online", "focus", "pageshow"]) addEventListener(name, () => this.#retryNow());
    addEventListener("offline", () => this.#setLine("broken"));
    api.watch(() => {
      const goesOn = this.#started && api.known;
      this.leave();
      if (goesOn) this.start();
      else this.dispatchEvent(new Event("over"));
    });
  }

  /** Opens the conversation, or goes on with the one that is known here. Only once. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#listen(this.#stream);
  }

  /** Stops, and forgets all that was said. */
  leave(): void {
    this.#started = this.caughtUp = false;
    this.#stream.abort();
    this.#stream = new AbortController();
    for (const { cancel } of this.#outgoing) cancel.abort();
    this.#outgoing = [];
    this.#events.clear();
    this.#keys.clear();
    this.#pressed.clear();
    this.#pictures.clear();
    this.#last = this.unread = this.#typingSince = 0;
    this.notice = "";
    this.standing = NOBODY;
    this.#keep();
    this.#retryNow(); // whoever waits sees that it is over
    this.#changed();
  }

  /** Deletes all that was said and sent, on the server too. */
  async erase(): Promise<void> {
    try {
      await this.#api.erase();
      for (const { cancel } of this.#outgoing) cancel.abort();
      this.#outgoing = [];
      this.#keep();
      this.#changed();
    } catch {
      this.note(strings.noAnswer);
    }
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
    if (file.size > MAX_FILE) this.#fail(outgoing, strings.tooLarge);
    else if (!file.size) this.#fail(outgoing, strings.emptyFile);
    else if (PROGRAM.test(file.name)) this.#fail(outgoing, strings.program);
    else if (file.type.startsWith("image/")) this.#pictures.set(outgoing.id, file);
  }

  /** Tries once more to send what was refused. */
  again(key: string): void {
    const outgoing = this.#outgoing.find(({ id }) => id === key);
    if (!outgoing) return;
    Object.assign(outgoing, NEW);
    this.#pump();
  }

  /** Takes back what was refused, or a file on its way. */
  discard(key: string): void {
    const outgoing = this.#outgoing.find(({ id }) => id === key);
    if (!outgoing) return;
    outgoing.cancel.abort();
    this.#pressed.delete(outgoing.under ?? 0);
    this.#outgoing = this.#outgoing.filter((other) => other !== outgoing);
    this.#keep();
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
      this.note(strings.downloadFailed);
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

  /** Whether something would be lost if this tab went away now. */
  get unsent(): boolean {
    return this.#outgoing.some(({ delivery, shown, seq }) => delivery !== "failed" && !seq && !isCommand("patient", shown));
  }

  /** Whether an answer of the assistant is to be expected any moment. */
  get typing(): boolean {
    return this.#typingSince > 0 && Date.now() - this.#typingSince < TYPING_FOR;
  }

  /** Everything in the order to be shown. */
  get entries(): Entry[] {
    return (this.#entries ??= this.#arrange());
  }

  #arrange(): Entry[] {
    const entries: Entry[] = [];
    const cards = new Map<string, ChecklistBlock>();
    const events = [...this.#events.values()].sort((a, b) => a.seq - b.seq);
    const choosable = events.filter((event) => event.blocks.some(({ type }) => type === "choices")).at(-1)?.seq ?? 0;
    const answers = new Set(events.filter(({ seq, role }) => seq > choosable && role === "patient").map(shown));
    for (const event of events) {
      for (const block of event.blocks) if (block.type === "checklist") cards.set(block.id, block);
    }
    const placed = new Set<string>();
    for (const event of events) {
      const made: unknown[] = [event];
      const blocks = event.blocks
        // A checklist stays where it first stood and shows what is known now.
        .filter((block) => block.type !== "checklist" || (!placed.has(block.id) && placed.add(block.id)))
        .map((block) => {
          const card = block.type === "checklist" && cards.get(block.id);
          if (card) made.push(card);
          if (card) return card;
          if (block.type !== "choices") return block;
          const used = block.used || event.seq !== choosable || this.#pressed.has(event.seq);
          const over = used || block.choices.some(({ label }) => answers.has(label)); // here, or in another tab
          made.push(over);
          return { ...block, used: over };
        });
      if (!blocks.length || isCommand(event.role, blocks)) continue;
      const { seq, role, name, lang, say } = event;
      const own: { delivery?: Delivery } = role === "patient" ? { delivery: this.#reached(seq) } : {};
      const key = this.#keys.get(seq) ?? `event ${seq}`;
      const file = this.#pictures.get(key);
      made.push(own.delivery, blocks.length);
      entries.push({ key, role, name, lang, say, at: new Date(event.at), blocks, seq, made, ...own, ...(file && { file }) });
    }
    for (const { id, body, shown, at, delivery, error, progress, seq } of this.#outgoing) {
      if (isCommand("patient", shown)) continue;
      const file = this.#pictures.get(id);
      const mine = { key: id, role: "patient", name: "", lang: "", say: "" } as const;
      const made = [delivery, error, progress, seq];
      const lost = isLost(body);
      entries.push({ ...mine, at, blocks: shown, seq, made, delivery, error, progress, lost, ...(file && { file }) });
    }
    return entries;
  }

  /** How far a message got that the server has. */
  #reached(seq: number): Delivery {
    const { first, arrived, seen } = this.standing;
    if (!first || seq < first) return "sent";
    return seq <= seen ? "seen" : seq <= arrived ? "arrived" : "sent";
  }

  /** The newest state of the newest checklist. */
  get checklist(): ChecklistBlock | undefined {
    let found: ChecklistBlock | undefined;
    for (const { blocks } of this.entries) for (const block of blocks) if (block.type === "checklist") found = block;
    return found;
  }

  async #listen(stream: AbortController): Promise<void> {
    for (let failures = 0; this.#started && stream === this.#stream; ) {
      try {
        if (!this.#api.known) await this.#api.open();
        if (!this.caughtUp) await this.#catchUp();
        const opened = () => {
          failures = 0;
          this.#setLine("open");
          this.#retryNow();
          this.#pump();
        };
        for await (const event of this.#api.events(this.#last, opened, stream.signal)) {
          if (stream !== this.#stream) return;
          if ("seq" in event) this.#take(event);
          else this.standing = event;
          this.#changed();
        }
      } catch (error) {
        if (stream !== this.#stream) return;
        if (error instanceof SessionEnded) this.#beginAnew();
        if (error instanceof Refused) this.note(error.message || strings.noAnswer);
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
    if (this.link || (!this.#events.size && !this.#outgoing.some(({ shown }) => isCommand("patient", shown)))) {
      const text = this.link ? `${START} ${this.link}` : START;
      this.link = "";
      this.#post({ text }, [{ type: "text", text }]);
    }
    this.caughtUp = true;
    this.#changed();
  }

  #beginAnew(): void {
    if (this.#api.known) return; // somebody did already
    const waiting = this.#outgoing;
    this.#outgoing = [];
    this.leave();
    this.#outgoing = waiting;
    this.#keep();
    this.note(strings.ended);
    this.start();
  }

  #take(event: ChatEvent): void {
    if (this.#events.has(event.seq)) return;
    this.#events.set(event.seq, event);
    this.#last = Math.max(this.#last, event.seq);
    for (const block of event.blocks) {
      if (block.type !== "withdrawn") continue;
      for (const seq of block.seqs) if (this.#events.has(seq)) this.#events.get(seq)!.blocks = [];
    }
    if (event.say === DELETED) {
      for (const seq of this.#events.keys()) if (seq < event.seq) this.#events.delete(seq);
    }
    if (event.role === "patient") {
      // The echo may overtake the acknowledgement.
      const echo = this.#outgoing.find(({ id, seq }) => id === event.id || seq === event.seq);
      if (echo) this.#settle(echo, event.seq);
      else if (event.id) this.#keys.set(event.seq, event.id);
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
      cancel: new AbortController(),
      ...NEW,
    };
    this.#outgoing.push(outgoing);
    this.#keep();
    if (!isCommand("patient", shown)) this.notice = ""; // whoever goes on has read it
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
    outgoing.delivery = "sending";
    this.#changed();
    for (let failures = 0; ; ) {
      try {
        const seq = await this.#transmit(outgoing);
        if (!this.standing.holder) this.#expectAnswer(seq);
        if (this.#outgoing.includes(outgoing)) {
          outgoing.seq = seq;
          outgoing.delivery = "sent";
          if (this.#events.has(seq)) this.#settle(outgoing, seq);
          else this.#keep();
        }
        this.#changed();
        return;
      } catch (error) {
        if (error instanceof Refused) {
          this.#fail(outgoing, error.message || strings.noAnswer);
          return;
        }
        if (!this.#outgoing.includes(outgoing)) return;
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
    const progress = (share: number) => {
      outgoing.progress = share;
      this.#changed();
    };
    return this.#api.upload(id, body.file, progress, outgoing.cancel.signal);
  }

  /** Keeps words that the server does not have yet, so that a page that goes away does not take them along; of files the name. */
  #keep(): void {
    const unsent = this.#outgoing.filter(({ body, seq, delivery }) => !seq && !(delivery === "failed" && "file" in body && !isLost(body)));
    const kept = unsent.map(({ id, body, shown, at, under }) => ({ id, body, shown, at, under }));
    keep(UNSENT, kept.length ? JSON.stringify(kept) : null);
  }

  #settle(outgoing: Outgoing, seq: number): void {
    this.#outgoing = this.#outgoing.filter((other) => other !== outgoing);
    this.#keys.set(seq, outgoing.id);
    this.#keep();
  }

  #fail(outgoing: Outgoing, reason: string): void {
    outgoing.delivery = "failed";
    outgoing.error = reason;
    this.#keep();
    this.#changed();
  }

  #expectAnswer(seq: number): void {
    for (const event of this.#events.values()) if (event.seq > seq && event.role !== "patient") return;
    this.#typingSince = Date.now();
    setTimeout(() => this.#changed(), TYPING_FOR + 50);
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
    this.#entries = null;
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether this is a file of which only the name outlived its page. */
function isLost(body: Outgoing["body"]): boolean {
  return "file" in body && !(body.file instanceof File);
}

/** What the chat itself says to the server, and nobody said. */
function isCommand(role: Role, blocks: Block[]): boolean {
  return role === "patient" && /^\/(start|link)\b/.test(shownText(blocks));
}

function shown({ blocks }: ChatEvent): string {
  return shownText(blocks);
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
