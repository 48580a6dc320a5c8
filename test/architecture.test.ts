import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DRIVERS = ["lmdb", "better-sqlite3", "kysely", "node:sqlite"];

interface Import {
  readonly file: string;
  /** A path from the root for files of ours, else the package's name. */
  readonly target: string;
  readonly isOurs: boolean;
  readonly kind: "value" | "type" | "dynamic";
}

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const make = (specifier: string, kind: Import["kind"]): Import => {
    const isOurs = specifier.startsWith(".");
    const target = isOurs ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, target, isOurs, kind };
  };
  return [
    ...[...text.matchAll(STATIC)].map((m) => make(m[2]!, m[1] === undefined ? "value" : "type")),
    ...[...text.matchAll(DYNAMIC)].map((m) => make(m[1]!, "dynamic")),
  ];
}

const files = (pattern: string) => globSync(pattern, { cwd: ROOT });
const imports = (pattern: string) => files(pattern).flatMap(importsOf);
const room = (path: string) => path.split("/")[0]!;
const strays = (all: readonly Import[], isAllowed: (i: Import) => boolean) =>
  all.filter((i) => !isAllowed(i)).map((i) => `${i.file} imports ${i.target}`);

describe("the dependency rule", () => {
  test("has files to read", () => {
    for (const dir of ["core", "stores", "io", "executors", "cli", "examples", "bench"]) {
      expect(imports(`${dir}/**/*.ts`).length, dir).toBeGreaterThan(0);
    }
  });

  test("core/ imports nothing but itself", () => {
    expect(strays(imports("core/**/*.ts"), (i) => i.isOurs && room(i.target) === "core")).toEqual(
      [],
    );
  });

  test.each(["stores", "io", "executors"])("%s/ imports core/ and itself", (dir) => {
    const allowed = (i: Import) => !i.isOurs || ["core", dir].includes(room(i.target));
    expect(strays(imports(`${dir}/**/*.ts`), allowed)).toEqual([]);
  });

  test("store adapters never import each other", () => {
    const adapters = ["lmdb", "sqlite"];
    const adapterOf = (path: string) => adapters.find((a) => path.startsWith(`stores/${a}/`));
    const allowed = (i: Import) => {
      const target = adapterOf(i.target);
      return target === undefined || target === adapterOf(i.file);
    };
    expect(strays(imports("stores/{lmdb,sqlite}/**/*.ts"), allowed)).toEqual([]);
    expect(strays(imports("stores/memory.ts"), (i) => adapterOf(i.target) === undefined)).toEqual(
      [],
    );
  });

  test("cli/, bench/ and examples/ import what is published and nothing behind it", () => {
    const published = ["mod.ts", "test/conformance/mod.ts", "package.json"];
    const open = {
      cli: [...published, "bench/command.ts"],
      bench: published,
      examples: published,
    };
    for (const [dir, entries] of Object.entries(open)) {
      const allowed = (i: Import) =>
        !i.isOurs || room(i.target) === dir || entries.includes(i.target);
      expect(strays(imports(`${dir}/**/*.ts`), allowed)).toEqual([]);
    }
  });

  test("what mod.ts loads names no driver", () => {
    const loaded = new Set<string>();
    const queue = ["mod.ts"];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      for (const { target, isOurs, kind } of importsOf(file)) {
        if (kind !== "value" || loaded.has(target)) continue;
        loaded.add(target);
        if (isOurs) queue.push(target);
      }
    }
    expect(loaded.size).toBeGreaterThan(10);
    expect([...loaded].filter((t) => DRIVERS.includes(t))).toEqual([]);
  });

  test("drivers are imported where their stores are opened", () => {
    const uses = imports("{core,stores,io,executors,cli}/**/*.ts").filter((i) =>
      DRIVERS.includes(i.target) && i.kind !== "type"
    );
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((i) => room(i.file) !== "stores")).toEqual([]);
  });
});

describe("the package", () => {
  test("and the Deno configuration export the same entry points", () => {
    const json = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
    const { exports: node, version, dependencies } = json("package.json");
    const { exports: deno, version: denoVersion, imports: map } = json("deno.json");
    expect(denoVersion).toBe(version);
    const entries = Object.keys(node).filter((e) => e !== "./package.json");
    expect(entries.toSorted()).toEqual(Object.keys(deno).toSorted());
    for (const entry of entries) {
      expect(node[entry].default).toBe(
        deno[entry].replace("./", "./dist/").replace(/\.ts$/, ".js"),
      );
    }
    for (const [name, range] of Object.entries(dependencies)) {
      expect(map[name]).toBe(`npm:${name}@${String(range)}`);
    }
  });
});
