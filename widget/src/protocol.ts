// What the server sends and takes: the shapes of the web interface.

export interface TextBlock {
  type: "text";
  text: string;
}

export interface Choice {
  id: string;
  label: string;
}

export interface ChoicesBlock {
  type: "choices";
  choices: Choice[];
  used?: boolean;
}

export interface ChecklistItem {
  id: string;
  label: string;
  state: string;
  state_label: string;
}

export interface ChecklistBlock {
  type: "checklist";
  id: string;
  title: string;
  done: number;
  total: number;
  items: ChecklistItem[];
}

export interface FileBlock {
  type: "file";
  id?: string;
  name: string;
  mime: string;
  size: number;
}

/** One question of several. */
export interface StepsBlock {
  type: "steps";
  at: number;
  total: number;
}

/** An address for a phone's camera: a picture of `size` by `size` squares, drawn by `path`. */
export interface QrBlock {
  type: "qr";
  label: string;
  size: number;
  path: string;
}

/** Messages that were taken back: they go from the screen. */
export interface WithdrawnBlock {
  type: "withdrawn";
  seqs: number[];
}

export type Block = TextBlock | ChoicesBlock | ChecklistBlock | FileBlock | StepsBlock | QrBlock | WithdrawnBlock;

export type Role = "assistant" | "patient" | "coordinator" | "system";

export interface ChatEvent {
  seq: number;
  role: Role;
  name: string;
  lang: string;
  say: string;
  blocks: Block[];
  at: string;
  in_reply_to: number | null;
  id?: string; // of one's own message: the one it was sent under
}

/**
 * Who talks with the person ("" while the assistant does), and by when they are to be answered. Messages from `first` on
 * went to the coordinators: up to `arrived` they are in their group, up to `seen` a coordinator has answered since.
 */
export interface Standing {
  holder: string;
  answer_by: string | null;
  first: number;
  arrived: number;
  seen: number;
}

export interface Session {
  token: string;
  conversation: string;
}

// Opens a conversation; the assistant answers it with its greeting. Never shown.
export const START = "/start";

export const MAX_TEXT = 20_000;
export const MAX_FILE = 20 * 1024 * 1024;
// What the server refuses by its content we refuse by its name already, before it is sent.
export const PROGRAM = /\.(?:exe|msi|dll|bat|cmd|com|scr|ps1|vbs|jse?|jar|sh|app|apk|deb|rpm|dmg)$/i;
