// The server, as the widget sees it: one session, and the few requests that go with it.

import { keep, recall } from "./memory.ts";
import { readSse } from "./sse.ts";
import type { ChatEvent, Session } from "./protocol.ts";

/** The server said no, for a reason that trying again does not change. `message` is for the person. */
export class Refused extends Error {}

/** No answer, or one that says "later". */
export class Unreachable extends Error {}

/** The session is over for good; a new conversation has to be opened. */
export class SessionEnded extends Error {}

const SILENCE = 40_000; // the server gives a sign of life every 15 seconds
const FIRST_SIGN = 8_000; // a stream that is silent from the start is held back by something on the way
const POLL_WAIT = 20; // seconds

export type Outbound = { id: string; text: string } | { id: string; choice: string };

export class Api {
  #session: Session | null;
  #renewing: Promise<void> | null = null;
  #streams = true;

  readonly #base: string;
  readonly #lang: string;

  constructor(base: string, lang: string) {
    this.#base = base;
    this.#lang = lang;
    this.#session = JSON.parse(recall(this.#key) ?? "null") as Session | null;
  }

  /** Whether a conversation of this tab is known. Asks nobody. */
  get known(): boolean {
    return this.#session !== null;
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
  async upload(id: string, file: File, onProgress: (share: number) => void): Promise<number> {
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
    return this.#poll(after, 0);
  }

  /** Events from `after` on, as they come, until the connection ends. `onOpen` is called when it stands. */
  async *events(after: number, onOpen: () => void, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    if (!this.#streams) {
      const events = await this.#poll(after, POLL_WAIT, signal);
      onOpen();
      yield* events;
      return;
    }
    const quiet = new AbortController();
    const stop = () => quiet.abort();
    signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, FIRST_SIGN);
    let signs = 0;
    try {
      const response = await this.#authorized("events", {
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(after) },
        signal: quiet.signal,
      });
      clearTimeout(timer);
      timer = setTimeout(stop, FIRST_SIGN);
      for await (const message of readSse(response.body!)) {
        clearTimeout(timer);
        timer = setTimeout(stop, SILENCE);
        if (!signs++) onOpen();
        if (message) yield JSON.parse(message.data) as ChatEvent;
      }
    } catch (error) {
      if (error instanceof Refused || error instanceof SessionEnded) throw error;
      throw new Unreachable();
    } finally {
      // Some proxies hold a stream back until it ends: then ask again and again instead.
      if (!signs && quiet.signal.aborted && !signal.aborted && navigator.onLine) this.#streams = false;
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      quiet.abort();
    }
  }

  async #poll(after: number, wait: number, signal?: AbortSignal): Promise<ChatEvent[]> {
    const response = await this.#authorized(`events?after=${after}&wait=${wait}`, {
      headers: { Accept: "application/json" },
      signal: signal ?? null,
    });
    return ((await response.json()) as { events: ChatEvent[] }).events;
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
    keep(this.#key, session && JSON.stringify(session));
  }

  get #key(): string {
    return `waypoint ${this.#base}`;
  }
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  if (response.status === 401) throw new SessionEnded();
  if (response.status === 429 || response.status >= 500) throw new Unreachable();
  const problem = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new Refused(problem?.error?.message ?? "");
}


