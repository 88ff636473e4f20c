// One message as it is drawn in a chat.
import { avatar, colorOf, el, fullName, icon, iconButton } from "./dom.js";
import { formatted, serviceText, summary } from "./text.js";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/**
 * The element of a message. `view`: {me, group, press(message, button), reply(message), edit(message), remove(message)}.
 */
export function bubble(message, view) {
  const service = serviceText(message);
  if (service) return el("li", { class: "service", "data-id": message.message_id }, el("span", {}, service));
  const own = message.from.id === view.me;
  const name = fullName(message.from);
  const body = el(
    "div",
    { class: `bubble${isBareSticker(message) ? " bare" : ""}` },
    view.group && !own ? named(name, message.from.id) : null,
    origin(message),
    quoted(message),
    media(message),
    words(message),
    footer(message, own),
  );
  return el(
    "li",
    { class: `message ${own ? "own" : "theirs"}`, "data-id": message.message_id, "aria-label": own ? "You" : name },
    view.group && !own ? avatar(name, message.from.id) : null,
    el("div", { class: "stack" }, body, keyboard(message, view), reactions(message), actions(message, own, view)),
  );
}

function isBareSticker(message) {
  return "sticker" in message;
}

function named(name, id) {
  const line = el("span", { class: "sender" }, name);
  line.style.setProperty("--hue-of", colorOf(id));
  return line;
}

function origin(message) {
  const from = message.forward_origin;
  if (!from) return null;
  return el("span", { class: "origin" }, `Forwarded from ${from.sender_user_name ?? fullName(from.sender_user)}`);
}

function quoted(message) {
  const parent = message.reply_to_message;
  if (!parent || parent.forum_topic_created) return null;
  return el(
    "span",
    { class: "quote" },
    el("strong", {}, fullName(parent.from)),
    el("span", {}, summary(parent).slice(0, 120)),
  );
}

function words(message) {
  const text = message.text ?? message.caption;
  if (!text) return null;
  return el("div", { class: "words", dir: "auto" }, formatted(text, message.entities ?? message.caption_entities));
}

function media(message) {
  if (message.photo) {
    const large = message.photo.at(-1);
    const image = el("img", {
      class: "photo",
      src: `/sandbox/files/${large.file_id}`,
      alt: message.caption ? "" : "Photo",
      loading: "lazy",
    });
    image.style.setProperty("aspect-ratio", `${large.width} / ${large.height}`);
    return image;
  }
  if (message.sticker) return el("span", { class: "sticker" }, message.sticker.emoji ?? "🙂");
  if (message.location) return el("span", { class: "place" }, `📍 ${message.location.latitude}, ${message.location.longitude}`);
  if (message.contact) return el("span", { class: "place" }, `👤 ${fullName(message.contact)} · ${message.contact.phone_number}`);
  const kind = ["voice", "audio", "video", "video_note", "animation", "document"].find((name) => name in message);
  if (!kind) return null;
  const file = message[kind];
  const title = file.file_name ?? { voice: "Voice message", audio: "Audio", video: "Video", video_note: "Video message" }[kind] ?? "File";
  return el(
    "a",
    { class: "file", href: `/sandbox/files/${file.file_id}`, download: title },
    el("span", { class: "disc" }, icon(kind === "voice" ? "voice" : "file")),
    el("span", { class: "about" }, el("strong", {}, title), el("small", {}, size(file.file_size))),
  );
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function footer(message, own) {
  const at = new Date(message.date * 1000);
  return el(
    "span",
    { class: "footer" },
    message.sandbox.pinned ? icon("pin") : null,
    message.edit_date ? "edited " : null,
    el("time", { datetime: at.toISOString() }, TIME.format(at)),
    own ? el("span", { class: "ticks", "aria-hidden": "true" }, "✓✓") : null,
  );
}

function keyboard(message, view) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return el(
    "div",
    { class: "keyboard", role: "group", "aria-label": "Buttons" },
    rows.map((row) => el("div", {}, row.map((button) => key(message, button, view)))),
  );
}

function key(message, button, view) {
  if (button.url) return el("a", { href: button.url, target: "_blank", rel: "noopener noreferrer" }, `${button.text} ↗`);
  return el("button", { type: "button", onclick: (event) => view.press(message, button, event.currentTarget) }, button.text);
}

function reactions(message) {
  const given = message.sandbox.reactions.flatMap((r) => r.emoji);
  return given.length ? el("div", { class: "reactions", "aria-label": "Reactions" }, given.map((e) => el("span", {}, e))) : null;
}

function actions(message, own, view) {
  const editable = own && ("text" in message || "caption" in message);
  return el(
    "div",
    { class: "actions" },
    iconButton("reply", "Reply", () => view.reply(message)),
    editable ? iconButton("edit", "Edit", () => view.edit(message)) : null,
    own ? iconButton("delete", "Delete", () => view.remove(message)) : null,
  );
}
