// Runs test/*.test.ts: bundles each for Node, then hands them to Node's own test runner.
import { mkdtempSync, rmSync } from "node:fs";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { build } from "esbuild";

const outdir = mkdtempSync(join(tmpdir(), "waypoint-widget-"));
try {
  const names = readdirSync(join(import.meta.dirname, "test")).filter((name) => name.endsWith(".test.ts"));
  await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: names.map((name) => `test/${name}`),
    bundle: true,
    platform: "node",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    outdir,
  });
  const files = names.map((name) => join(outdir, name.replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(outdir, { recursive: true });
}
