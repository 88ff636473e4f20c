// Learns the examples of a JSON file ([[intent, text], ...]), then answers each text on standard input, one JSON string
// a line, with what Rasa's /model/parse would answer, and the seconds that it took.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { dockStart } from "@nlpjs/basic";

const LOCALE = "en";
const NONE = "None"; // what nlp.js calls an utterance that is like nothing it has learned

const settings = { languages: [LOCALE], forceNER: false, autoSave: false, modelFileName: "", nlu: { log: false } };
const dock = await dockStart({ settings: { nlp: settings }, use: ["Basic", "LangEn"] }, false);
const nlp = dock.get("nlp");
nlp.addLanguage(LOCALE);
for (const [intent, text] of JSON.parse(await readFile(process.argv[2], "utf8"))) {
  nlp.addDocument(LOCALE, text, intent);
}
await nlp.train();
console.log(JSON.stringify({ trained: true }));

for await (const line of createInterface({ input: process.stdin })) {
  const began = performance.now();
  const { intent, score, classifications } = await nlp.process(LOCALE, JSON.parse(line));
  const seconds = (performance.now() - began) / 1000;
  const name = (found) => (found === NONE ? "nlu_fallback" : found);
  const ranking = (classifications ?? []).map((one) => ({ name: name(one.intent), confidence: one.score }));
  console.log(JSON.stringify({ intent: { name: name(intent), confidence: score }, ranking, seconds }));
}
