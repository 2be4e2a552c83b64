// Builds src/krog/web/static/krog: one stylesheet, one script, the map apart, the fonts. `OUT` names another folder.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.env.OUT ?? join(here, "../src/krog/web/static/krog");
rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "fonts"), { recursive: true });

const common = {
  absWorkingDir: here, bundle: true, minify: true, charset: "utf8", legalComments: "none", logLevel: "warning",
  ignoreAnnotations: true, target: ["es2022", "chrome111", "firefox113", "safari16.4"], format: "esm", external: ["*.woff2"],
};
await build({ ...common, entryPoints: { krog: "src/styles/krog.css", map: "src/styles/map.css" }, outdir: out });
await build({ ...common, entryPoints: { krog: "src/scripts/krog.js", map: "src/scripts/map.js", "map-worker": "src/scripts/map-worker.js" }, outdir: out });

for (const family of ["ibm-plex-sans", "ibm-plex-mono"]) {
  const folder = join(here, "node_modules/@fontsource", family);
  for (const file of readdirSync(join(folder, "files"))) {
    if (/-latin(-ext)?-(400|600)-normal\.woff2$/.test(file) && !(family.endsWith("mono") && file.includes("-600-"))) {
      copyFileSync(join(folder, "files", file), join(out, "fonts", file));
    }
  }
  copyFileSync(join(folder, "LICENSE"), join(out, "fonts", `${family}-LICENCE.txt`));
}
copyFileSync(join(here, "src/circle.svg"), join(out, "circle.svg"));
writeFileSync(join(out, "NOTICES.txt"), ["htmx.org", "maplibre-gl"].map((name) => {
  const about = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
  const licence = readdirSync(join(here, "node_modules", name)).find((file) => /^licen[cs]e/i.test(file));
  return `${name} ${about.version} (${about.license})\n\n${licence ? readFileSync(join(here, "node_modules", name, licence), "utf8") : ""}`;
}).join("\n\n"));
