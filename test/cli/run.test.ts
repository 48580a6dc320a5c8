import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, test, vi } from "vitest";
import type { RunReport } from "../../mod.ts";
import { MOD, modules, start, succeeded, tidemark } from "./tidemark.ts";

// Every test starts processes, which takes long on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** Five sources; `fail=a,b` in the arguments fails some, `hold=b` holds one until standard input ends. */
const LETTERS = `
  import { pipeline, failed } from ${MOD};
  import process from "node:process";
  const released = new Promise((resolve) => process.stdin.on("end", resolve).resume());
  export default (args) => {
    const option = (name) => (args.find((arg) => arg.startsWith(name + "=")) ?? "").slice(name.length + 1).split(",");
    return pipeline("letters")
      .source(["a", "b", "c", "d", "e"], { id: (letter) => letter })
      .map(async (letter) => {
        console.error("started " + letter);
        if (option("hold").includes(letter)) await released;
        return option("fail").includes(letter) ? failed("no " + letter) : letter;
      }, { name: "spell" })
      .sink((letter) => console.error("wrote " + letter), { name: "write" });
  };`;

function reportOf(stdout: string): RunReport {
  return JSON.parse(stdout) as RunReport;
}

describe("tidemark run", () => {
  test("tidemark run does the work once and says so the second time", async () => {
    const cwd = await modules({ "p.ts": LETTERS });
    const first = await tidemark(["run", "p.ts", "--checkpoint", "ckpt"], { cwd });
    succeeded(first);
    expect(first.stdout).toMatch(/letters: finished in [\d.]+ s\n {2}sources: 5 completed\n/);
    expect(first.stdout).toMatch(/spell +5 +5 +0 +0/);
    const second = await tidemark(["run", "p.ts", "--checkpoint", "ckpt"], { cwd });
    expect(second.code).toBe(0);
    expect(second.stdout).toBe(
      "letters: Nothing to do: all 5 sources were complete already.\n" +
        "  That is recorded in ckpt; to run them again, choose another checkpoint or delete its directory .tidemark.\n",
    );
    expect(second.stderr).not.toContain("wrote");
  });

  test("tidemark run retries what failed, exits with 1 and says what to do next", async () => {
    const cwd = await modules({ "p.ts": LETTERS });
    const first = await tidemark(["run", "p.ts", "--checkpoint", "sqlite:ckpt", "fail=b,d"], {
      cwd,
    });
    expect(first.code).toBe(1);
    expect(first.stdout).toContain("3 completed, 2 failed");
    expect(first.stdout).toContain("b in spell: no b");
    expect(first.stdout).toContain("Run the same command again to retry the 2 failed sources.");
    const second = await tidemark(["run", "p.ts", "--checkpoint", "sqlite:ckpt", "--json"], {
      cwd,
    });
    expect(second.code).toBe(0);
    expect(reportOf(second.stdout).sources).toMatchObject({ completed: 2, skipped: 3, failed: 0 });
  });

  test("tidemark run --json prints one document, whatever the module prints", async () => {
    const cwd = await modules({
      "p.mjs": `
      import { pipeline } from ${MOD};
      console.log("loading");
      export default pipeline("noisy").source([1, 2]).sink((n) => console.log("n", n));
      export const summary = () => "not for machines";`,
    });
    const { code, stdout, stderr } = await tidemark(["run", "p.mjs", "--json"], { cwd });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(reportOf(stdout)).toMatchObject({
      pipeline: "noisy",
      sources: { completed: 2 },
      interrupted: false,
    });
    expect(stderr).toContain("loading");
    const bad = await tidemark(["run", "none.ts", "--json"], { cwd });
    expect(bad.code).toBe(2);
    expect(JSON.parse(bad.stdout)).toMatchObject({ error: { code: "MODULE_INVALID" } });
  });

  test("tidemark run --quiet prints errors only", async () => {
    const cwd = await modules({
      "p.mjs": `
      import { pipeline } from ${MOD};
      export default pipeline("quiet").source([1]).sink(() => {});`,
    });
    expect(await tidemark(["run", "p.mjs", "--quiet"], { cwd })).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect((await tidemark(["run", "none.mjs", "--quiet"], { cwd })).stderr).toContain(
      "MODULE_INVALID",
    );
  });

  test("tidemark run --fail-fast gives up, exits with 1 and prints error and report", async () => {
    const cwd = await modules({ "p.ts": LETTERS });
    const { code, stdout, stderr } = await tidemark(
      ["run", "p.ts", "fail=b", "--fail-fast", "--concurrency", "1", "--max-open=1", "--json"],
      { cwd },
    );
    expect(code).toBe(1);
    expect(stderr).toContain("[RUN_ABORTED]");
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "RUN_ABORTED" },
      sources: { completed: 1, failed: 1 },
    });
  });

  test("tidemark run prints the module's summary after its own", async () => {
    const cwd = await modules({
      "p.mjs": `
      import { pipeline } from ${MOD};
      export default (args) => pipeline("s").source([1]).sink(() => {});
      export const summary = async (report, args) => report.sources.completed + " by " + args;`,
    });
    expect((await tidemark(["run", "p.mjs", "me"], { cwd })).stdout).toMatch(/\n1 by me\n$/);
    await writeFile(
      join(cwd, "q.mjs"),
      (await readFile(join(cwd, "p.mjs"), "utf8")).replace("report.sources", "report.none"),
    );
    const broken = await tidemark(["run", "q.mjs"], { cwd });
    expect(broken.code).toBe(0);
    expect(broken.stderr).toContain("summary failed");
  });

  test("tidemark run shows what comes from data without its control characters", async () => {
    const cwd = await modules({
      "p.mjs": `
      import { failed, pipeline } from ${MOD};
      export default pipeline("p\\u001b[31m").source(["s\\u0007\\n"], { id: (s) => s }).map(() => failed("\\u001b]0;x")).sink(() => {});`,
    });
    const { stdout } = await tidemark(["run", "p.mjs"], { cwd });
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(stdout).toContain("\\u{1b}]0;x");
  });
});

describe("tidemark run chooses the checkpoint", () => {
  const module = `
    import { pipeline } from ${MOD};
    export default (args) => pipeline("c").source(["x"], { id: (x) => x }).sink(() => {});
    export const checkpoint = (args) => args[0] ?? "from-module";`;

  test.each<[string, string[], Record<string, string>, string[]]>([
    ["of the flag, without reading the variable", ["--checkpoint", "from-flag"], {
      TIDEMARK_CHECKPOINT: "bad-store:x",
    }, ["from-flag"]],
    ["of the variable before the module's", [], { TIDEMARK_CHECKPOINT: "sqlite:from-env" }, [
      "from-env",
    ]],
    ["of the module", [], { TIDEMARK_CHECKPOINT: "" }, ["from-module"]],
    ["of the module for its arguments", ["from-args"], {}, ["from-args"]],
    ["or none", ["--no-checkpoint"], { TIDEMARK_CHECKPOINT: "from-env" }, []],
  ])("%s", async (_, args, env, created) => {
    const cwd = await modules({ "p.mjs": module });
    succeeded(await tidemark(["run", "p.mjs", ...args], { cwd, env }));
    expect((await readdir(cwd)).filter((name) => name !== "p.mjs")).toEqual(created);
  });
});

describe("tidemark run gives the module", () => {
  const echo = `
    import { pipeline } from ${MOD};
    export default (args) => pipeline("args").source([args]).sink((all) => console.error("args=" + JSON.stringify(all)));`;

  test.each<[string[], string[]]>([
    [["run", "p.mjs", "--input", "x/**", "--checkpoint", "memory:", "more"], [
      "--input",
      "x/**",
      "more",
    ]],
    [["run", "--checkpoint=memory:", "--max-failures", "3", "p.mjs", "one", "-i", "two"], [
      "one",
      "-i",
      "two",
    ]],
    [["run", "p.mjs", "--input=a b", "--quiet", "--", "--json", "--", "--quiet"], [
      "--input=a b",
      "--json",
      "--",
      "--quiet",
    ]],
    [["run", "p.mjs", "--", "-h", "--version"], ["-h", "--version"]],
    [["run", "p.mjs", "--version"], ["--version"]],
    [["run", "p.mjs", "-5", "", "--no-progress"], ["-5", "", "--no-progress"]],
  ])("of %j its arguments", async (argv, expected) => {
    const cwd = await modules({ "p.mjs": echo });
    const { stderr } = succeeded(await tidemark(argv, { cwd }));
    expect(stderr).toContain(`args=${JSON.stringify(expected)}\n`);
  });
});

describe("tidemark exits with 2", () => {
  test.each<[string, string[], RegExp]>([
    ["without a command", [], /Usage: tidemark/],
    ["for an unknown command", ["fly"], /unknown command 'fly'/],
    ["without a module", ["run"], /missing required argument 'module'/],
    ["for a number out of range", ["run", "p.mjs", "--concurrency", "0"], /whole number from 1/],
    [
      "for text where a number belongs",
      ["run", "p.mjs", "--max-open", "many"],
      /whole number from 1/,
    ],
    ["for an empty checkpoint", ["run", "p.mjs", "--checkpoint", ""], /--no-checkpoint/],
    ["for an unknown store", ["run", "p.mjs", "--checkpoint", "mongo:x"], /STORE_UNKNOWN/],
    [
      "for a module that does not exist",
      ["run", "no\u001bne.ts"],
      /no\\u\{1b\}ne\.ts does not exist.*MODULE_INVALID/,
    ],
    ["for a directory", ["run", "."], /is a directory.*MODULE_INVALID/],
    [
      "for an error of another copy of Tidemark",
      ["run", "copy.mjs"],
      /^tidemark: from the other copy \[OPTION_INVALID\]\n$/,
    ],
    ["for a syntax error", ["run", "syntax.mjs"], /could not be loaded.*[\s\S]*MODULE_INVALID/],
    [
      "for a module that throws",
      ["run", "throws.mjs"],
      /could not be loaded: at the top \[MODULE_INVALID\]/,
    ],
    ["for a missing import", ["run", "imports.mjs"], /gone\.mjs[\s\S]*MODULE_INVALID/],
    [
      "for a module without default export",
      ["run", "empty.mjs"],
      /no default export.*MODULE_INVALID/,
    ],
    [
      "for a default export of another kind",
      ["run", "number.mjs"],
      /no pipeline and no function.*MODULE_INVALID/,
    ],
    [
      "for a function that returns none",
      ["run", "returns.mjs"],
      /returned no pipeline.*MODULE_INVALID/,
    ],
    [
      "for a function that throws",
      ["run", "fails.mjs"],
      /threw in its default function: bad day.*MODULE_INVALID/,
    ],
    [
      "for arguments that nobody takes",
      ["run", "p.mjs", "--concurency", "4"],
      /--concurency 4.*OPTION_INVALID/,
    ],
    ["for a pipeline that cannot run", ["run", "unsunk.mjs"], /\[PIPELINE_INVALID\]/],
    ["for an input that is empty", ["run", "input.mjs"], /no file matches "\*\.none".*INPUT_EMPTY/],
  ])("%s", async (_, args, message) => {
    const cwd = await modules({
      "p.mjs":
        `import { pipeline } from ${MOD}; export default pipeline("p").source([1]).sink(() => {});`,
      "syntax.mjs": "export default ][",
      "throws.mjs": 'throw new Error("at the top");',
      "imports.mjs": 'import "./gone.mjs";',
      "empty.mjs": "export const nothing = 1;",
      "copy.mjs": `class TidemarkError extends Error {
        name = "TidemarkError";
        code = "OPTION_INVALID";
      }
      export default { run: () => { throw new TidemarkError("from the other copy"); } };`,
      "number.mjs": "export default 42;",
      "returns.mjs": "export default () => ({});",
      "fails.mjs": 'export default () => { throw new Error("bad day"); };',
      "unsunk.mjs": `import { pipeline } from ${MOD}; export default pipeline("p");`,
      "input.mjs":
        `import { files, pipeline } from ${MOD}; export default pipeline("p").source(files("*.none")).sink(() => {});`,
    });
    const { code, stderr, stdout } = await tidemark(args, { cwd });
    expect(stderr + stdout).toMatch(message);
    expect(code).toBe(2);
  });
});

test("tidemark run says no more than the error when there was no input", async () => {
  const cwd = await modules({
    "p.mjs": `import { files, pipeline } from ${MOD};
      export default pipeline("p").source(files("*.none")).sink(() => {});`,
  });
  const { code, stdout } = await tidemark(["run", "p.mjs"], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

test("tidemark refuses a Node that is too old", async (context) => {
  if ("Deno" in globalThis) context.skip("Deno says that it is a new Node");
  const versions = { ...process.versions, node: "22.13.9" };
  const old = `Object.defineProperty(process, "versions", { value: ${JSON.stringify(versions)} })`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(old)}`;
  const { code, stderr } = await tidemark(["--version"], { env: { NODE_OPTIONS } });
  expect(stderr).toBe("tidemark: this is Node 22.13.9; it needs Node 22.14 or later, or Deno\n");
  expect(code).toBe(2);
});

test("tidemark run says what a module needs that is taken for CommonJS", async (context) => {
  if ("Deno" in globalThis) context.skip("Deno takes it for a module all the same");
  const cwd = await modules({
    "package.json": '{ "type": "commonjs" }',
    "p.js": `import { pipeline } from ${MOD}; export default pipeline("p");`,
  });
  const { code, stderr } = await tidemark(["run", "p.js"], { cwd });
  expect(stderr).toContain("npm pkg set type=module");
  expect(code).toBe(2);
});

test("tidemark --version and --help exit with 0", async () => {
  const manifest = JSON.parse(
    await readFile(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  expect(await tidemark(["--version"])).toEqual({
    code: 0,
    stdout: `${manifest.version}\n`,
    stderr: "",
  });
  const help = await tidemark(["run", "--help"]);
  expect(help.code).toBe(0);
  for (const word of ["--checkpoint", "TIDEMARK_CHECKPOINT", "--resume-changed", "130"]) {
    expect(help.stdout).toContain(word);
  }
});

describe.skipIf(process.platform === "win32")("tidemark run is asked to stop", () => {
  const held = [
    "run",
    "p.ts",
    "--checkpoint",
    "ckpt",
    "--concurrency",
    "1",
    "--max-open",
    "1",
    "hold=c",
  ];

  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s: it finishes what is open, records it and exits with 130",
    async (signal) => {
      const cwd = await modules({ "p.ts": LETTERS });
      const run = start(held, { cwd });
      await run.says("started c");
      run.signal(signal);
      await run.says("finishing 1 open source");
      run.release();
      expect(await run.ended).toEqual({ code: 130, signal: null });
      expect(run.stderr).toContain("wrote c");
      expect(run.stderr).not.toContain("started d");
      expect(run.stdout).toContain("interrupted after");
      expect(run.stdout).toContain("run the same command again to do the rest");
      const next = await tidemark([...held, "--json"], { cwd });
      expect(next.code).toBe(0);
      expect(reportOf(next.stdout).sources).toMatchObject({ completed: 2, skipped: 3 });
    },
  );

  test("twice: it exits with 130 at once", async () => {
    const cwd = await modules({ "p.ts": LETTERS });
    const run = start(held, { cwd });
    await run.says("started c");
    run.signal("SIGINT");
    await run.says("press Ctrl-C again");
    run.signal("SIGINT");
    expect(await run.ended).toEqual({ code: 130, signal: null });
    expect(run.stderr).not.toContain("wrote c");
    const next = await tidemark([...held, "--json"], { cwd });
    expect(reportOf(next.stdout).sources).toMatchObject({ completed: 3, skipped: 2 });
  });

  test.each(["ckpt", "sqlite:ckpt"])(
    "by kill -9: %s loses no more than what was open",
    async (checkpoint) => {
      const cwd = await modules({ "p.ts": LETTERS });
      const args = held.with(3, checkpoint);
      const run = start(args, { cwd });
      await run.says("started c");
      run.signal("SIGKILL");
      expect(await run.ended).toEqual({ code: null, signal: "SIGKILL" });
      const next = await tidemark([...args, "--json"], { cwd });
      succeeded(next);
      expect(reportOf(next.stdout).sources).toMatchObject({ completed: 3, skipped: 2 });
      expect(next.stderr).not.toMatch(/wrote [ab]/);
    },
  );
});
