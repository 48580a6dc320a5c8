import { expect, test } from "vitest";
import { files, jsonLines, jsonLinesSink, readLines, readText, readTexts } from "../../mod.ts";

const FILES =
  "name, cwd, ignore, dot, followSymbolicLinks, groupSize, groupBy, id, version, allowEmpty";

/** Options as a caller without types gives them. */
const given = (options: unknown) => options as object;

test.each<[string, () => unknown]>([
  [`files() has no option "ids": it knows ${FILES}`, () => files("*", given({ ids: "name" }))],
  [`files() takes an object of options (${FILES}), not "name"`, () => files("*", given("name"))],
  [
    `files(): id must be "hash" or "name", not "uuid"`,
    () => files("*", given({ id: "uuid" })),
  ],
  [
    `files(): version must be "stat" or "none" or a function, not "mtime"`,
    () => files("*", given({ version: "mtime" })),
  ],
  [
    'files(): groupBy must be a function, not "dir"',
    () => files("*", given({ groupBy: "dir" })),
  ],
  ["files(): dot must be true or false, not 1", () => files("*", given({ dot: 1 }))],
  [
    "files(): ignore must be a text or a list of texts, not a RegExp",
    () => files("*", given({ ignore: /x/ })),
  ],
  [
    "files(): cwd must be a path or a file: URL, not a URL",
    () => files("*", { cwd: new URL("https://example.org/") }),
  ],
  [
    "files() takes one pattern or several, each a text that is not empty and has no NUL",
    () => files(5 as never),
  ],
  [
    `jsonLinesSink() has no option "ordr": it knows stage, name, order, retry`,
    () => jsonLinesSink("out", given({ ordr: "arrival" })),
  ],
  [
    `jsonLinesSink(): order must be "lineage" or "arrival", not "random"`,
    () => jsonLinesSink("out", given({ order: "random" })),
  ],
  [
    `jsonLinesSink(): name must be a function, not "x"`,
    () => jsonLinesSink("out", given({ name: "x" })),
  ],
  [
    `jsonLinesSink(): retry has no option "times": it knows attempts, delay, factor, maxDelay`,
    () => jsonLinesSink("out", given({ retry: { times: 3 } })),
  ],
  [
    "jsonLinesSink(): directory must be a path or a file: URL, not undefined",
    () => jsonLinesSink(undefined as never),
  ],
  [
    `jsonLines() has no option "parser": it knows maxLineBytes, invalid, parse`,
    () => jsonLines(given({ parser: Number })),
  ],
  ["jsonLines(): parse must be a function, not 5", () => jsonLines(given({ parse: 5 }))],
  [
    `readLines() has no option "max": it knows maxLineBytes, invalid`,
    () => readLines(given({ max: 5 })),
  ],
  [
    `readLines(): invalid must be "fail" or "replace", not "skip"`,
    () => readLines(given({ invalid: "skip" })),
  ],
  [
    `readText() has no option "encode": it knows encoding, invalid`,
    () => readText(given({ encode: "latin1" })),
  ],
  ["readTexts(): encoding must be a text, not 5", () => readTexts(given({ encoding: 5 }))],
])("%s", (message, make) => {
  expect(make).toThrow(expect.objectContaining({ code: "OPTION_INVALID", message }));
});
