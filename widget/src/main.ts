// The script's only task: read its own `data-…` attributes and put one chat into the page.
//
//   <script src="https://…/widget.js" data-lang="en" data-open defer></script>
//
// data-api   where the server is, when it is not where the script came from
// data-lang  the language of the conversation; else the page's
// data-open  open at once
// data-mode  "iframe": the chat is a page of its own in a frame, which the site around it cannot look into
// data-exit  the page that a quick exit leads to

import { WaypointChat } from "./chat.ts";

const script = document.currentScript as HTMLScriptElement | null;

function embed(): void {
  const { api, lang, open, mode, exit } = script?.dataset ?? {};
  const chat = new WaypointChat();
  chat.api = (api ?? new URL(script?.src || location.href).origin).replace(/\/+$/, "");
  chat.language = lang || document.documentElement.lang || "en";
  chat.startOpen = open !== undefined && open !== "false";
  chat.exitTo = exit || "about:blank";
  const said = new URLSearchParams(location.hash.slice(1));
  const link = /^[A-Za-z0-9_-]{16,64}$/.exec(said.get("link") ?? "")?.[0];
  if (link) {
    history.replaceState(null, "", location.pathname + location.search); // it works once, and need not stay to be seen
    chat.link = link;
    chat.startOpen = true;
  }
  if (mode === "iframe") chat.frame = true;
  if (mode === "inside") chat.parent = said.get("parent") ?? "";
  document.body.append(chat);
}

if (!customElements.get("waypoint-chat")) {
  customElements.define("waypoint-chat", WaypointChat);
  if (document.body) embed();
  else addEventListener("DOMContentLoaded", embed);
}
