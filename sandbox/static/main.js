// The page: a patient's phone beside the coordinators' group, and between them the website if it is asked for.
import { follow } from "./api.js";
import { Chat, head } from "./chat.js";
import { avatar, colorOf, el, fullName, icon, notice } from "./dom.js";
import { Store } from "./store.js";
import { serviceText, summary } from "./text.js";

const GENERAL = 1;
const ICONS = {
  "5417915203100613993": "💬",
  "5237699328843200968": "✅",
  "5379748062124056162": "❗",
  "5377316857231450742": "❓",
  "5373251851074415873": "📝",
  "5357315181649076022": "📁",
  "5357121491508928442": "👀",
  "5312241539987020022": "🔥",
  "5350307998340226571": "🩺",
  "5235579393115438657": "⭐",
};

const store = new Store();
const phone = new Chat(document.querySelector("#phone"), "Chat of the patient with the assistant");
const group = new Chat(document.querySelector("#group"), "Messages of the topic");
const chooser = { patient: document.querySelector("#patient"), coordinator: document.querySelector("#coordinator") };
const seen = new Map();
const typing = new Map();
const keyboards = new Map();
let topic = GENERAL;

const threadOf = (id) => (id === GENERAL ? 0 : id);
const topicOf = (message) => message.message_thread_id ?? GENERAL;

function drawPhone() {
  const me = Number(chooser.patient.value);
  const person = store.state.people.find((p) => p.id === me);
  const messages = store.standing(me);
  drawPhoneHead();
  phone.show({ chat: me, thread: 0, me, group: false }, messages);
  phone.empty.replaceChildren(
    ...(messages.length
      ? []
      : [
          el("strong", {}, "What can this bot do?"),
          el("p", {}, "Nothing is written yet. A chat with a bot begins with Start."),
          el("button", { type: "button", class: "start", onclick: () => phone.send({ text: "/start" }) }, "Start"),
        ]),
  );
  phone.empty.hidden = messages.length > 0;
  phone.commands(store.state.commands);
  phone.replyKeys(keyboards.get(me));
  phone.close(person?.blocked ? "This person has blocked the bot." : "");
}

function drawPhoneHead() {
  const bot = store.state.bot;
  const below = typing.has(Number(chooser.patient.value)) ? "typing…" : "bot";
  phone.head.replaceChildren(...head(avatar(bot.first_name, bot.id), bot.first_name, below));
}

function drawTopics() {
  const topics = [...store.topics.values()].filter((t) => !t.deleted && !(t.id === GENERAL && t.hidden));
  const lines = topics.map((t) => ({ t, messages: store.standing(store.group.id, threadOf(t.id)) }));
  const latest = ({ t, messages }) => messages.at(-1)?.sandbox.changed ?? (t.id === GENERAL ? 0 : -1);
  lines.sort((a, b) => (a.t.id === GENERAL ? -1 : b.t.id === GENERAL ? 1 : latest(b) - latest(a)));
  document.querySelector("#topics").replaceChildren(...lines.map(({ t, messages }) => topicLine(t, messages)));
}

function topicLine(t, messages) {
  const last = messages.at(-1);
  const fresh = messages.filter((m) => m.message_id > (seen.get(t.id) ?? 0) && !serviceText(m));
  const unread = t.id === topic ? 0 : fresh.length;
  const person = last && !serviceText(last) && last.from.first_name;
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", "aria-current": t.id === topic ? "true" : null, onclick: () => choose(t.id) },
      topicSign(t),
      el(
        "span",
        { class: "about" },
        el("strong", {}, t.name, t.closed ? icon("lock") : null),
        el("small", {}, last ? `${person ? `${person}: ` : ""}${summary(last)}` : "No messages yet"),
      ),
      unread ? el("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null,
    ),
  );
}

function topicSign(t) {
  const sign = el("span", { class: "sign", "aria-hidden": "true" }, t.id === GENERAL ? "#" : (ICONS[t.icon_custom_emoji_id] ?? [...t.name][0]));
  const color = t.id === GENERAL ? "#8a97a3" : `#${t.icon_color.toString(16).padStart(6, "0")}`;
  sign.style.setProperty("--hue-of", color);
  if (ICONS[t.icon_custom_emoji_id]) sign.classList.add("emoji");
  return sign;
}

function drawGroup() {
  const me = Number(chooser.coordinator.value);
  const thread = threadOf(topic);
  const messages = store.standing(store.group.id, thread);
  drawGroupHead();
  group.show({ chat: store.group.id, thread, me, group: true }, messages);
  group.empty.replaceChildren(...(messages.length ? [] : [el("p", {}, "No messages here yet.")]));
  group.empty.hidden = messages.length > 0;
  group.close(store.topics.get(topic).closed && !manages() ? "This topic is closed." : "");
  seen.set(topic, messages.at(-1)?.message_id ?? 0);
}

/** Whether the acting coordinator may close and delete the chosen topic. */
function manages() {
  const me = Number(chooser.coordinator.value);
  const member = store.group.members.find((m) => m.id === me);
  return ["creator", "administrator"].includes(member?.status) || store.topics.get(topic).creator === me;
}

function drawGroupHead() {
  const t = store.topics.get(topic);
  const managed = manages() && topic !== GENERAL;
  group.head.replaceChildren(
    ...head(
      topicSign(t),
      t.name,
      typing.has(`${store.group.id}/${threadOf(topic)}`) ? "typing…" : t.closed ? "closed topic" : "topic",
      managed
        ? el(
            "button",
            { type: "button", class: "quiet", onclick: () => group.act(`topics/${t.closed ? "reopen" : "close"}`, { thread: topic }) },
            t.closed ? "Reopen" : "Close",
          )
        : "",
      managed
        ? el("button", { type: "button", class: "quiet", onclick: () => group.act("topics/delete", { thread: topic }) }, "Delete")
        : "",
    ),
  );
}

function choose(id) {
  topic = id;
  group.input.value = "";
  drawGroup();
  drawTopics();
  document.querySelector("#topics [aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
}

function drawFrame() {
  document.querySelector("#group-title").textContent = store.group.title;
  document.querySelector("#group-members").textContent = `${store.group.members.length} members`;
  const sign = document.querySelector("#group-avatar");
  sign.textContent = [...store.group.title][0];
  sign.style.setProperty("--hue-of", colorOf(store.group.id));
  fill(chooser.patient, store.patients, "patient");
  fill(chooser.coordinator, store.coordinators, "coordinator");
}

/** Offer people in a list; the address can choose the first (?patient=…, ?coordinator=…). */
function fill(select, people, name) {
  const chosen = select.value || new URLSearchParams(location.search).get(name);
  select.replaceChildren(...people.map((p) => el("option", { value: p.id, selected: String(p.id) === chosen }, fullName(p))));
}

async function reload() {
  await store.load();
  if (!store.topics.has(topic) || store.topics.get(topic).deleted) topic = GENERAL;
  drawFrame();
  drawPhone();
  drawGroup();
  drawTopics();
}

function heard(event) {
  if (["message", "edited", "deleted"].includes(event.kind)) return heardMessage(event.message);
  if (event.kind === "topic" && event.chat === store.group.id) {
    store.topics.set(event.topic.id, event.topic);
    if (event.topic.deleted && event.topic.id === topic) topic = GENERAL;
    drawGroup();
    return drawTopics();
  }
  if (event.kind === "action") return heardAction(event);
  if (event.kind === "answer") return heardAnswer(event);
  if (event.kind === "reply_keyboard") {
    keyboards.set(event.chat, event.markup);
    return drawPhone();
  }
  return reload();
}

function heardMessage(message) {
  const fresh = !store.messages.get(message.chat.id)?.has(message.message_id);
  store.put(message);
  if (message.from.id === store.state.bot.id && fresh) quiet(message.chat.id, message.message_thread_id ?? 0);
  const place = message.chat.id;
  if (place === Number(chooser.patient.value)) {
    if (phone.empty.hidden) phone.update(message, store.standing(place));
    else drawPhone();
  }
  if (place !== store.group.id) return;
  if (topicOf(message) === topic) {
    if (group.empty.hidden) group.update(message, store.standing(place, threadOf(topic)));
    else drawGroup();
    seen.set(topic, Math.max(seen.get(topic) ?? 0, message.message_id));
  }
  drawTopics();
}

function heardAction({ chat, thread }) {
  const key = chat === store.group.id ? `${chat}/${thread}` : chat;
  clearTimeout(typing.get(key));
  typing.set(key, setTimeout(() => quiet(chat, thread), 5000));
  drawHeads();
}

function quiet(chat, thread) {
  const key = chat === store.group.id ? `${chat}/${thread}` : chat;
  clearTimeout(typing.get(key));
  if (typing.delete(key)) drawHeads();
}

function drawHeads() {
  drawPhoneHead();
  drawGroupHead();
}

function heardAnswer({ person, answer }) {
  const shown = [chooser.patient.value, chooser.coordinator.value].includes(String(person));
  if (!shown || !answer.text) return;
  if (!answer.show_alert) return notice(answer.text);
  const dialog = document.querySelector("#alert");
  dialog.querySelector("p").textContent = answer.text;
  if (!dialog.open) dialog.showModal();
}

function showSite() {
  const address = new URLSearchParams(location.search).get("widget") ?? "";
  if (!/^http:\/\/(127\.0\.0\.1|localhost):\d+(\/|$)/.test(address)) return;
  document.querySelector("#site").src = address;
  document.querySelector("#site-address").textContent = new URL(address).host;
  document.querySelector(".site").hidden = document.querySelector("[data-side=site]").hidden = false;
  document.querySelector("main").classList.add("three");
}

for (const button of document.querySelectorAll("[data-side]:is(button)")) {
  button.addEventListener("click", () => {
    document.querySelector("main").dataset.side = button.dataset.side;
    for (const other of document.querySelectorAll(".sides button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    phone.down();
    group.down();
  });
}
chooser.patient.addEventListener("change", drawPhone);
chooser.coordinator.addEventListener("change", drawGroup);
showSite();
try {
  await reload();
  const wanted = new URLSearchParams(location.search).get("topic");
  const open = [...store.topics.values()].find((t) => !t.deleted && (String(t.id) === wanted || t.name === wanted));
  if (open) choose(open.id);
  follow(store.state.changes, heard);
} catch (error) {
  notice(`The sandbox does not answer: ${error.message}`);
}
