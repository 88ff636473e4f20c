import assert from "node:assert/strict";
import { test } from "node:test";
import { readSse, type SseMessage } from "../src/sse.ts";

async function read(...pieces: (string | Uint8Array)[]): Promise<(SseMessage | null)[]> {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) {
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : new Uint8Array(piece));
      }
      controller.close();
    },
  });
  const messages = [];
  for await (const message of readSse(body)) messages.push(message);
  return messages;
}

const one = { id: "7", data: '{"a":1}' };

test("it reads an event however the network cuts it", async () => {
  const text = 'id: 7\ndata: {"a":1}\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    assert.deepEqual(await read(text.slice(0, cut), text.slice(cut)), [one], `cut at ${cut}`);
  }
});

test("it reads every kind of line end, even one that is cut in two", async () => {
  assert.deepEqual(await read('id: 7\r\ndata: {"a":1}\r', "\n\r\n"), [one]);
  assert.deepEqual(await read('id: 7\rdata: {"a":1}\r\r\r', "id: 8"), [one]);
});

test("it keeps letters whole whose bytes arrive apart", async () => {
  const bytes = new TextEncoder().encode("data: é\n\n");
  assert.deepEqual(await read(bytes.slice(0, 7), bytes.slice(7)), [{ id: "", data: "é" }]);
});

test("it tells of comments, which are signs of life", async () => {
  assert.deepEqual(await read(": open\n\n", 'id: 7\ndata: {"a":1}\n\n'), [null, one]);
});

test("it joins the lines of one event and drops an event that breaks off", async () => {
  assert.deepEqual(await read("data: a\ndata: b\n\ndata: c\n"), [{ id: "", data: "a\nb" }]);
});
