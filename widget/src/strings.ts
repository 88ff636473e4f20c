// Every word of the widget itself, by language. What the assistant says comes from the server.

const en = {
  title: "ChinaMed Waypoint",
  subtitle: "Automated assistant – not a medical provider",
  open: "Chat about a second opinion",
  openShort: "Chat",
  close: "Close the chat",
  unread: (count: number) => (count === 1 ? "1 new message" : `${count} new messages`),
  emergency: "Not for emergencies.",
  emergencyMore: "If someone is in danger now, call your local emergency number.",
  conversation: "Conversation",
  you: "You",
  assistant: "Assistant",
  automated: "Automated",
  coordinator: "Coordinator",
  aPerson: "A person",
  notice: "Notice",
  write: "Write your message",
  send: "Send",
  attach: "Send a file",
  typing: "The assistant is writing",
  latest: "Go to the newest message",
  waiting: "Waiting for a connection",
  sending: "Sending…",
  sent: "Sent",
  failed: "Not sent.",
  again: "Try again",
  discard: "Discard",
  choices: "Choices",
  chosen: "Choices given:",
  progress: (done: number, total: number) => `${done} of ${total} ready`,
  download: "Download",
  uploading: (name: string) => `Sending ${name}`,
  offline: "You are offline. You can go on writing; it is sent when you are back.",
  reconnecting: "The connection broke off. Trying again…",
  ended: "Your earlier conversation has ended. This is a new one.",
  tooLong: "This message is too long. Please send it in parts.",
  tooLarge: "This file is larger than 20 MB. Please send a smaller one, or send it in parts.",
  noAnswer: "The chat does not answer at the moment.",
  downloadFailed: "The file could not be fetched. Please try again.",
};

export type Strings = typeof en;

const languages: Record<string, Strings> = { en };

/** The words for a language code such as `en` or `en-GB`; English where we do not have it. */
export function stringsFor(lang: string): Strings {
  return languages[lang.toLowerCase()] ?? languages[lang.toLowerCase().split("-")[0] ?? ""] ?? en;
}
