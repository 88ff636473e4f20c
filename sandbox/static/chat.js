// A chat with its head, its messages and the place to write: the phone is one, the chosen topic another.
import { fileMessage, post } from "./api.js";
import { bubble } from "./bubble.js";
import { el, icon, iconButton, notice } from "./dom.js";
import { summary } from "./text.js";

/**
 * A chat in `root`. `place` says where words go: {chat, thread, me, group}; `head` draws the top line.
 */
export class Chat {
  constructor(root, label) {
    this.place = null;
    this.replyTo = null;
    this.editing = null;
    this.head = el("div", { class: "head" });
    this.pinned = el("div", { class: "pinned", hidden: true });
    this.log = el("ol", { class: "log", role: "log", "aria-label": label, tabindex: "0" });
    this.empty = el("div", { class: "empty" });
    this.context = el("div", { class: "context", hidden: true });
    this.keys = el("div", { class: "reply-keys", hidden: true });
    this.input = el("textarea", {
      rows: "1",
      maxlength: "4096",
      placeholder: "Message",
      "aria-label": `Message: ${label}`,
      onkeydown: (event) => this.typed(event),
      oninput: () => this.grow(),
    });
    this.picker = el("input", { type: "file", class: "hidden", tabindex: "-1", "aria-label": "File", onchange: () => this.attach() });
    this.menu = el("div", { class: "menu", hidden: true, role: "menu", "aria-label": "Commands" });
    this.menuButton = iconButton("menu", "Commands", () => this.toggleMenu(), { hidden: true, "aria-expanded": "false" });
    this.composer = el(
      "form",
      { class: "composer", onsubmit: (event) => this.submit(event) },
      this.menuButton,
      iconButton("attach", "Attach a file", () => this.picker.click()),
      this.picker,
      this.input,
      el("button", { class: "icon-button send", "aria-label": "Send", title: "Send" }, icon("send")),
    );
    this.closed = el("div", { class: "closed", hidden: true });
    root.append(this.head, this.pinned, el("div", { class: "scroll" }, this.empty, this.log), this.keys, this.menu, this.context, this.composer, this.closed);
    this.scroller = root.querySelector(".scroll");
  }

  /** Show a place: its messages, oldest first. */
  show(place, messages) {
    const moved = !this.place || this.place.chat !== place.chat || this.place.thread !== place.thread;
    this.place = place;
    if (moved) this.forget();
    this.log.replaceChildren(...messages.map((message) => this.draw(message)));
    this.pin(messages);
    if (moved) this.down();
  }

  draw(message) {
    return bubble(message, {
      me: this.place.me,
      group: this.place.group,
      press: (...press) => this.press(...press),
      reply: (m) => this.quote(m),
      edit: (m) => this.correct(m),
      remove: (m) => this.act("deletions", { message_id: m.message_id }),
    });
  }

  /** Put a new or changed message in its place; a deleted one goes. */
  update(message, messages) {
    const old = this.log.querySelector(`[data-id="${message.message_id}"]`);
    const bottom = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 80;
    if (message.sandbox.deleted) old?.remove();
    else if (old) old.replaceWith(this.draw(message));
    else this.log.append(this.draw(message));
    this.pin(messages);
    if (bottom || message.from.id === this.place.me) this.down();
  }

  pin(messages) {
    const last = messages.findLast((m) => m.sandbox.pinned);
    this.pinned.hidden = !last;
    if (last) this.pinned.replaceChildren(icon("pin"), el("span", {}, el("strong", {}, "Pinned "), summary(last)));
  }

  down() {
    requestAnimationFrame(() => (this.scroller.scrollTop = this.scroller.scrollHeight));
  }

  /** The keyboard that the bot put under the text box; null takes it away. */
  replyKeys(markup) {
    const rows = markup?.keyboard ?? [];
    this.keys.hidden = !rows.length;
    this.keys.replaceChildren(
      ...rows.map((row) =>
        el("div", {}, row.map((key) => el("button", { type: "button", onclick: () => this.send({ text: key.text }) }, key.text))),
      ),
    );
  }

  /** The bot's commands, behind the button beside the text box. */
  commands(list) {
    this.menuButton.hidden = !list.length;
    this.menu.replaceChildren(
      ...list.map((command) =>
        el(
          "button",
          {
            type: "button",
            role: "menuitem",
            onclick: () => {
              this.toggleMenu();
              this.send({ text: `/${command.command}` });
            },
          },
          el("strong", {}, `/${command.command}`),
          el("span", {}, command.description),
        ),
      ),
    );
  }

  toggleMenu() {
    this.menu.hidden = !this.menu.hidden;
    this.menuButton.setAttribute("aria-expanded", String(!this.menu.hidden));
  }

  /** Say in the place of the text box why nothing can be written; "" gives the text box back. */
  close(reason) {
    this.composer.hidden = Boolean(reason);
    this.closed.hidden = !reason;
    this.closed.textContent = reason;
  }

  typed(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
    if (event.key === "Escape") this.forget();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }

  async submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text) return;
    const done = this.editing
      ? await this.act("edits", { message_id: this.editing.message_id, [this.editing.text ? "text" : "caption"]: text })
      : await this.send({ text });
    if (done) {
      this.input.value = "";
      this.grow();
      this.forget();
    }
  }

  async attach() {
    const [file] = this.picker.files;
    if (!file) return;
    const caption = this.input.value.trim();
    if (await this.send({ ...(await fileMessage(file)), ...(caption ? { caption } : {}) })) {
      this.input.value = "";
      this.forget();
    }
    this.picker.value = "";
  }

  send(content) {
    const reply = this.replyTo ? { reply_to: this.replyTo.message_id } : { thread: this.place.thread };
    return this.act("messages", { ...content, ...reply });
  }

  async act(path, body) {
    try {
      return await post(path, { from: this.place.me, chat: this.place.chat, ...body });
    } catch (error) {
      notice(error.message);
      return null;
    }
  }

  async press(message, button, key) {
    key.classList.add("waiting");
    const answered = await this.act("presses", { message_id: message.message_id, data: button.callback_data, wait: 10 });
    key.classList.remove("waiting");
    if (answered && !answered.answer) notice("The bot has not answered this press.");
  }

  quote(message) {
    this.forget();
    this.replyTo = message;
    this.tell("reply", `Reply to ${message.from.first_name}`, message);
  }

  correct(message) {
    this.forget();
    this.editing = message;
    this.input.value = message.text ?? message.caption;
    this.tell("edit", "Edit", message);
    this.grow();
  }

  tell(sign, title, message) {
    this.context.hidden = false;
    this.context.replaceChildren(
      icon(sign),
      el("span", {}, el("strong", {}, title), el("span", {}, summary(message).slice(0, 120))),
      iconButton("close", "Cancel", () => this.forget()),
    );
    this.input.focus();
  }

  forget() {
    if (this.editing) this.input.value = "";
    this.replyTo = this.editing = null;
    this.context.hidden = true;
  }
}

/** The top line of a chat: a sign, a title, a line below it and buttons. */
export function head(sign, title, below, ...buttons) {
  return [sign, el("div", { class: "title" }, el("strong", {}, title), el("small", {}, below)), ...buttons];
}
