// Text with entities. Offsets are UTF-16 units, which is how JavaScript counts too.
import { el } from "./dom.js";

const TAGS = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};
const LINKS = new Set(["url", "text_link", "email", "phone_number", "mention", "hashtag", "bot_command"]);

/** Nodes for a text and its entities, nested as they are. */
export function formatted(text, entities = [], start = 0, end = text.length) {
  const nodes = [];
  let at = start;
  for (let n = 0; n < entities.length; n++) {
    const entity = entities[n];
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at || stop <= at) continue;
    if (entity.offset > at) nodes.push(text.slice(at, entity.offset));
    const inner = entities.slice(n + 1).filter((e) => e.offset + e.length <= stop);
    nodes.push(wrap(entity, text.slice(entity.offset, stop), formatted(text, inner, entity.offset, stop)));
    at = stop;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

function wrap(entity, words, children) {
  if (LINKS.has(entity.type)) {
    const target = entity.url ?? (entity.type === "url" ? words : null);
    if (target && /^https?:\/\//i.test(target))
      return el("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, children);
    return el("span", { class: "mark" }, children);
  }
  if (entity.type === "spoiler") return el("span", { class: "spoiler", tabindex: "0" }, children);
  return el(TAGS[entity.type] ?? "span", {}, children);
}

/** A message in a few words, for replies and lists: what it is, and its first line. */
export function summary(message) {
  const words = (message.text ?? message.caption)?.split("\n")[0];
  const kind = ["photo", "document", "video", "video_note", "voice", "audio", "animation", "sticker", "location", "contact"].find(
    (name) => name in message,
  );
  const label = kind && kind[0].toUpperCase() + kind.slice(1).replace("_", " ");
  if (label) return words ? `${label}, ${words}` : (message.document?.file_name ?? label);
  return words ?? serviceText(message) ?? "Message";
}

function short(text) {
  return text.length > 48 ? `${text.slice(0, 48).trimEnd()}…` : text;
}

/** What a service message says; null for any other. */
export function serviceText(message) {
  const who = message.from?.first_name ?? "Somebody";
  if (message.forum_topic_created) return `${who} created the topic “${message.forum_topic_created.name}”`;
  if (message.forum_topic_edited?.name) return `${who} renamed the topic to “${message.forum_topic_edited.name}”`;
  if (message.forum_topic_edited) return `${who} changed the topic’s icon`;
  if (message.forum_topic_closed) return `${who} closed the topic`;
  if (message.forum_topic_reopened) return `${who} reopened the topic`;
  if (message.pinned_message) return `${who} pinned “${short(summary(message.pinned_message))}”`;
  if (message.new_chat_members) return `${message.new_chat_members[0].first_name} joined the group`;
  if (message.left_chat_member) return `${message.left_chat_member.first_name} left the group`;
  if (message.migrate_to_chat_id) return "The group became a supergroup";
  if (message.migrate_from_chat_id) return "The group was a basic group before";
  if (message.general_forum_topic_hidden) return `${who} hid the General topic`;
  if (message.general_forum_topic_unhidden) return `${who} showed the General topic again`;
  return null;
}
