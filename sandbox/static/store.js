// What the page knows of the world, kept up to date by the stream.
import { get } from "./api.js";

export class Store {
  /** Read everything anew. */
  async load() {
    this.state = await get("state");
    this.group = this.state.groups.find((g) => g.id === this.state.group) ?? this.state.groups[0];
    const members = new Set(this.group.members.filter((m) => !["left", "kicked"].includes(m.status)).map((m) => m.id));
    this.coordinators = this.state.people.filter((p) => members.has(p.id));
    this.patients = this.state.people.filter((p) => !members.has(p.id));
    this.messages = new Map();
    const chats = [this.group.id, ...this.state.people.map((p) => p.id)];
    const lists = await Promise.all(chats.map((id) => get(`chats/${id}/messages`)));
    chats.forEach((id, n) => this.messages.set(id, new Map(lists[n].map((m) => [m.message_id, m]))));
    this.topics = new Map((await get(`chats/${this.group.id}/topics`)).map((t) => [t.id, t]));
  }

  /** Take in a new, edited or deleted message. */
  put(message) {
    if (!this.messages.has(message.chat.id)) this.messages.set(message.chat.id, new Map());
    this.messages.get(message.chat.id).set(message.message_id, message);
  }

  /** The messages that stand in a chat; of one topic, if it has any (0 is General). */
  standing(chat, thread = 0) {
    const all = [...(this.messages.get(chat)?.values() ?? [])];
    return all.filter((m) => !m.sandbox.deleted && (m.message_thread_id ?? 0) === thread);
  }
}
