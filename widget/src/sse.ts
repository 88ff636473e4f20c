// Server-sent events over `fetch`: `EventSource` cannot send an Authorization header.

export interface SseMessage {
  id: string;
  data: string;
}

/** Messages out of a stream of bytes, in order; `null` for a comment, which only shows that the line is open. */
export async function* readSse(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<SseMessage | null> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let id = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      // A line may end with "\r" whose "\n" is still under way, so the last line always waits.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield { id, data: data.join("\n") };
          data = [];
        } else if (line.startsWith(":")) {
          yield null;
        } else {
          const [, field, content = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
          if (field === "data") data.push(content);
          if (field === "id") id = content;
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
