// The server, as the widget sees it: one session, and the few requests that go with it.

import { forget, keep, recall, watch } from "./memory.ts";
import { readSse } from "./sse.ts";
import type { ChatEvent, Session, Standing } from "./protocol.ts";

/** The server said no, for a reason that trying again does not change. `message` is for the person. */
export class Refused extends Error {}

/** No answer, or one that says "later". */
export class Unreachable extends Error {}

/** The session is over for good; a new conversation has to be opened. */
export class SessionEnded extends Error {}

const SILENCE = 40_000; // the server gives a sign of life every 15 seconds
const FIRST_SIGN = 8_000; // a stream that is silent from the start is held back by something on the way
const LEFT = "left"; // stands for a moment in the place of a session that a quick exit ended
const POLL_WAIT = 20; // seconds
const FAILED_STREAMS = 2; // as many in a row that gave no sign, and polling is tried

export type Outbound = { id: string; text: string } | { id: string; choice: string };

export class Api {
  #session: Session | null;
  #renewing: Promise<void> | null = null;
  #silent = 0; // streams that failed without a sign, in a row

  /** Whether the session is kept on this device, and not only in this tab. */
  remembered: boolean;

  readonly #base: string;
  readonly #lang: string;

  constructor(base: string, lang: string) {
    this.#base = base;
    this.#lang = lang;
    this.#session = JSON.parse(recall(this.#key) ?? "null") as Session | null;
    this.remembered = recall(this.#key, "localStorage") !== null;
  }

  /** Whether a conversation is known here. Asks nobody. */
  get known(): boolean {
    return this.#session !== null;
  }

  /** Keeps the session on this device from now on, or only in this tab. */
  remember(wanted: boolean): void {
    this.remembered = wanted;
    this.#set(this.#session);
  }

  /** Forgets the session, and all that this device and this tab kept. */
  forget(): void {
    this.#session = null;
    if (this.remembered) keep(this.#key, LEFT, "localStorage"); // the other tabs hear of it
    this.remembered = false;
    forget();
  }

  /** Calls `act` when another tab of this device has ended the session, or has another one. */
  watch(act: () => void): void {
    watch(this.#key, (value) => {
      if (!this.remembered) return;
      const before = this.#session?.conversation;
      if (!value) return this.remember(false); // this tab goes on by itself
      if (value === LEFT) this.forget();
      else this.#session = JSON.parse(value) as Session;
      if (this.#session?.conversation !== before) act();
    });
  }

  /** Deletes on the server all that was said and sent. */
  async erase(): Promise<void> {
    await this.#authorized("sessions", { method: "DELETE" });
  }

  /** Opens a conversation. */
  async open(): Promise<void> {
    const response = await this.#fetch("sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ lang: this.#lang }),
    });
    this.#set((await response.json()) as Session);
  }

  /** Sends one message; the same id again changes nothing. Returns its number. */
  async send(message: Outbound): Promise<number> {
    const response = await this.#authorized("messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
    });
    return ((await response.json()) as { seq: number }).seq;
  }

  /** Sends one file. `fetch` cannot tell how far an upload is, so this is the older way. */
  async upload(id: string, file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<number> {
    const form = new FormData();
    form.append("id", id);
    form.append("file", file);
    for (let attempt = 0; ; attempt++) {
      const response = await new Promise<Response>((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open("POST", this.#address("files"));
        request.setRequestHeader("Authorization", this.#bearer());
        request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
        request.onload = () => resolve(new Response(request.responseText || null, { status: request.status }));
        request.onerror = request.onabort = () => reject(new Unreachable());
        signal.onabort = () => request.abort();
        request.send(form);
      });
      if (!(await this.#retryable(response, attempt))) {
        return ((await (await checked(response)).json()) as { seq: number }).seq;
      }
    }
  }

  /** A file, as something to save. */
  async download(id: string): Promise<Blob> {
    return (await this.#authorized(`files/${encodeURIComponent(id)}`)).blob();
  }

  /** What was said after `after`, at once; empty when there is no more. */
  async history(after: number): Promise<ChatEvent[]> {
    return (await this.#poll(after, 0)).events;
  }

  /** Events from `after` on, and who talks, as they come, until the connection ends. `onOpen` is called when it stands. */
  async *events(after: number, onOpen: () => void, signal: AbortSignal): AsyncGenerator<ChatEvent | Standing> {
    if (this.#silent >= FAILED_STREAMS) {
      this.#silent = 0; // when this fails too, it was not the stream
      const { events, state } = await this.#poll(after, POLL_WAIT, signal);
      this.#silent = FAILED_STREAMS;
      onOpen();
      yield* events;
      if (state) yield state;
      return;
    }
    const quiet = new AbortController();
    const stop = () => quiet.abort();
    signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, FIRST_SIGN);
    let signs = 0;
    try {
      const response = await this.#authorized("events?state=1", {
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(after) },
        signal: quiet.signal,
      });
      clearTimeout(timer);
      timer = setTimeout(stop, FIRST_SIGN);
      for await (const message of readSse(response.body!)) {
        clearTimeout(timer);
        timer = setTimeout(stop, SILENCE);
        if (!signs++) onOpen();
        this.#silent = 0;
        if (message) yield JSON.parse(message.data) as ChatEvent | Standing;
      }
    } catch (error) {
      if (error instanceof Refused || error instanceof SessionEnded) throw error;
      throw new Unreachable();
    } finally {
      // Some proxies hold a stream back until it ends, some filters refuse it: then ask again and again instead.
      if (!signs && !signal.aborted && navigator.onLine) this.#silent += quiet.signal.aborted ? FAILED_STREAMS : 1;
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      quiet.abort();
    }
  }

  async #poll(after: number, wait: number, signal?: AbortSignal): Promise<{ events: ChatEvent[]; state?: Standing }> {
    const response = await this.#authorized(`events?state=1&after=${after}&wait=${wait}`, {
      headers: { Accept: "application/json" },
      signal: signal ?? null,
    });
    return (await response.json()) as { events: ChatEvent[]; state?: Standing };
  }

  async #authorized(path: string, init: RequestInit = {}): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#raw(path, { ...init, headers: { ...init.headers, Authorization: this.#bearer() } });
      if (!(await this.#retryable(response, attempt))) return checked(response);
    }
  }

  /** Whether a fresh token is worth another attempt. A session that is refused even so is forgotten. */
  async #retryable(response: Response, attempt: number): Promise<boolean> {
    if (response.status !== 401) return false;
    if (attempt > 0) this.#set(null);
    else await this.#renew();
    return attempt === 0;
  }

  /** Exchanges the token for a fresh one; once, however many requests found it stale. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#fetch("sessions", { method: "POST", headers: { Authorization: this.#bearer() } })
      .then(async (response) => this.#set((await response.json()) as Session))
      .catch((error) => {
        if (error instanceof SessionEnded) this.#set(null);
        throw error;
      })
      .finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  #bearer(): string {
    if (!this.#session) throw new SessionEnded();
    return `Bearer ${this.#session.token}`;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    return checked(await this.#raw(path, init));
  }

  async #raw(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#address(path), {
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        ...init,
      });
    } catch {
      throw new Unreachable();
    }
  }

  #address(path: string): string {
    return `${this.#base}/api/${path}`;
  }

  #set(session: Session | null): void {
    this.#session = session;
    const kept = session && JSON.stringify(session);
    keep(this.#key, this.remembered ? null : kept);
    keep(this.#key, this.remembered ? kept : null, "localStorage");
  }

  get #key(): string {
    return this.#base;
  }
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  if (response.status === 401) throw new SessionEnded();
  if (response.status === 429 || response.status >= 500) throw new Unreachable();
  const problem = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new Refused(problem?.error?.message ?? "");
}
