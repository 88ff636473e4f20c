// Builds the widget into bot/static, once a language: whoever runs the bot needs no Node, and whoever reads it loads no
// other language. With --check, builds in memory instead and fails when a committed file is stale or too heavy. With --pin
// it also keeps this build under its version's name, for sites that name it; do so for each release.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const LANGUAGES = { en: "widget.js", ar: "widget.ar.js" };
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

/** Puts another language in the place of English. */
const words = (language) => ({
  name: "words",
  setup({ onLoad }) {
    onLoad({ filter: /strings\/en\.ts$/ }, ({ path }) => {
      return { contents: readFileSync(path.replace(/en\.ts$/, `${language}.ts`), "utf8"), loader: "ts" };
    });
  },
});

for (const [language, name] of Object.entries(LANGUAGES)) {
  const { outputFiles } = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: ["src/main.ts"],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "eof",
    plugins: [styleSheets, words(language)],
    write: false,
  });
  // In minified code only templates still have line ends; the indentation behind them says nothing.
  const built = Buffer.from(outputFiles[0].text.replace(/\n\s+/g, "\n"));
  const path = new URL(`../bot/static/${name}`, import.meta.url);
  const weight = gzipSync(built, { level: 9 }).length;
  console.log(`${name}: ${weight} bytes gzipped of ${LIMIT}`);
  if (weight > LIMIT) {
    console.error("The widget is too heavy. Take something out of it.");
    process.exit(1);
  }
  if (process.argv.includes("--pin")) {
    const pinned = new URL("../bot/static/pinned/", import.meta.url);
    mkdirSync(pinned, { recursive: true });
    const version = createHash("sha256").update(built).digest("hex").slice(0, 12);
    writeFileSync(new URL(`widget-${version}.js`, pinned), built);
    console.log(`  /widget-${version}.js sha384-${createHash("sha384").update(built).digest("base64")}`);
  }
  if (!process.argv.includes("--check")) {
    writeFileSync(path, built);
  } else if (!built.equals(readFileSync(path))) {
    console.error(`bot/static/${name} is stale. Run \`npm --prefix widget run build\` and commit it.`);
    process.exit(1);
  }
}
