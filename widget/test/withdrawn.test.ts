import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Api } from "../src/api.ts";
import { Conversation } from "../src/conversation.ts";
import type { Block, ChatEvent } from "../src/protocol.ts";

// What of a browser the conversation asks for; it hears nothing of going off line here.
Object.assign(globalThis, { addEventListener: () => {}, window: globalThis });
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });

// A conversation tries for ever; its pauses must not keep this process from ending.
const { setTimeout: pause } = globalThis;
Object.assign(globalThis, { setTimeout: (act: () => void, time: number) => pause(act, time).unref() });

const event = (seq: number, role: ChatEvent["role"], ...blocks: Block[]): ChatEvent => {
  return { seq, role, name: "Mei", lang: "en", say: "", blocks, at: "2026-11-23T09:00:00Z", in_reply_to: null };
};

test("a message that was taken back goes from the screen, and what was said of it stays", async () => {
  let stream: ServerResponse | undefined;
  const before = [
    event(1, "coordinator", { type: "text", text: "For somebody else." }),
    event(2, "coordinator", { type: "text", text: "For you." }),
  ];
  const server = createServer((request, response) => {
    if (request.url!.startsWith("/api/sessions")) {
      response.end(JSON.stringify({ token: "t", conversation: "c" }));
    } else if (request.headers.accept === "application/json") {
      const after = Number(new URL(request.url!, "http://here").searchParams.get("after"));
      response.end(JSON.stringify({ events: before.filter(({ seq }) => seq > after) }));
    } else {
      stream = response;
      response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const conversation = new Conversation(new Api(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "en"));
  const shown = () => conversation.entries.map(({ blocks }) => blocks.map((b) => (b.type === "text" ? b.text : b.type)));
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`it never came to pass; shown: ${JSON.stringify(shown())}`)), 5000);
      const look = () => holds() && (clearTimeout(late), resolve());
      conversation.addEventListener("change", look);
      look();
    });
  try {
    conversation.start();
    await until(() => shown().length === 2 && conversation.line === "open");
    const news = event(3, "system", { type: "text", text: "Taken back." }, { type: "withdrawn", seqs: [1, 99] });
    stream!.write(`id: 3\ndata: ${JSON.stringify(news)}\n\n`);
    await until(() => shown().flat().includes("Taken back."));
    assert.deepEqual(shown(), [["For you."], ["Taken back.", "withdrawn"]]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
