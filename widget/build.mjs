// Builds the widget into bot/static/widget.js, which is committed: whoever runs the bot needs no Node.
// With --check, builds in memory instead and fails when the committed file is stale or too heavy.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const BUILT = new URL("../bot/static/widget.js", import.meta.url);
const LIMIT = 20 * 1024; // gzipped, lit included: a phone on a slow line should not wait for it

const styleSheets = {
  name: "style sheets",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

const { outputFiles } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ["src/main.ts"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "eof",
  plugins: [styleSheets],
  write: false,
});
// In minified code only templates still have line ends; the indentation behind them says nothing.
const built = Buffer.from(outputFiles[0].text.replace(/\n\s+/g, "\n"));
const weight = gzipSync(built, { level: 9 }).length;
console.log(`widget.js: ${weight} bytes gzipped of ${LIMIT}`);
if (weight > LIMIT) {
  console.error("The widget is too heavy. Take something out of it.");
  process.exit(1);
}
if (!process.argv.includes("--check")) {
  writeFileSync(BUILT, built);
} else if (!built.equals(readFileSync(BUILT))) {
  console.error("bot/static/widget.js is stale. Run `npm --prefix widget run build` and commit it.");
  process.exit(1);
}
