// The script's only task: read its own `data-…` attributes and put one chat into the page.
//
//   <script src="https://…/widget.js" data-lang="en" data-open defer></script>
//
// data-api   where the server is, when it is not where the script came from
// data-lang  the language of the chat's own words; else the page's
// data-open  open at once

import { WaypointChat } from "./chat.ts";

const script = document.currentScript as HTMLScriptElement | null;

function embed(): void {
  const { api, lang, open } = script?.dataset ?? {};
  const chat = new WaypointChat();
  chat.api = (api ?? new URL(script?.src || location.href).origin).replace(/\/+$/, "");
  chat.language = lang || document.documentElement.lang || "en";
  chat.startOpen = open !== undefined && open !== "false";
  const link = /^#link=([A-Za-z0-9_-]{16,64})$/.exec(location.hash)?.[1];
  if (link) {
    history.replaceState(null, "", location.pathname + location.search); // it works once, and need not stay to be seen
    chat.link = link;
    chat.startOpen = true;
  }
  document.body.append(chat);
}

if (!customElements.get("waypoint-chat")) {
  customElements.define("waypoint-chat", WaypointChat);
  if (document.body) embed();
  else addEventListener("DOMContentLoaded", embed);
}
