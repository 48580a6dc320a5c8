import type { Harness } from "./case.ts";
import { cases } from "./cases.ts";
import { CASE_DEADLINE } from "./deadline.ts";
import { runCase, skipReason } from "./run_case.ts";

/** Longer than a case may take, so that the suite's own message is what is seen. */
const PATIENCE = 2.5 * CASE_DEADLINE;

/** What the suite needs of vitest, or of a runner that is like it. */
export interface VitestLike {
  /** Groups tests. */
  readonly describe: (name: string, define: () => void) => unknown;
  /** Defines a test. */
  readonly it: {
    (name: string, run: () => Promise<void>, timeout: number): unknown;
    /** Defines a test that is not run. */
    skip(name: string, run: () => Promise<void>): unknown;
  };
}

/** Makes each case a test of vitest: `vitestSuite({ describe, it }, harness)`. */
export function vitestSuite({ describe, it }: VitestLike, harness: Harness): void {
  describe(titleOf(harness), () => {
    for (const { name, skip, run } of testsOf(harness)) {
      if (skip === undefined) it(name, run, PATIENCE);
      else it.skip(`${name} (${skip})`, run);
    }
  });
}

/** What the suite needs of `node:test`: its `test` function. */
export type NodeTestLike = (
  name: string,
  options: { readonly skip: string | false; readonly timeout: number },
  run: () => Promise<void>,
) => unknown;

/** Makes each case a test of `node:test`: `nodeTestSuite(test, harness)`. */
export function nodeTestSuite(test: NodeTestLike, harness: Harness): void {
  for (const { name, skip, run } of testsOf(harness)) {
    test(`${titleOf(harness)}: ${name}`, { skip: skip ?? false, timeout: PATIENCE }, run);
  }
}

/** What the suite needs of `Deno.test`. */
export type DenoTestLike = (definition: {
  readonly name: string;
  readonly ignore: boolean;
  readonly fn: () => Promise<void>;
}) => unknown;

/** Makes each case a test of Deno: `denoTestSuite(Deno.test, harness)`. */
export function denoTestSuite(test: DenoTestLike, harness: Harness): void {
  for (const { name, skip, run } of testsOf(harness)) {
    const reason = skip === undefined ? "" : ` (${skip})`;
    test({ name: `${titleOf(harness)}: ${name}${reason}`, ignore: reason !== "", fn: run });
  }
}

function titleOf(harness: Harness): string {
  return `the store ${harness.name}`;
}

function testsOf(
  harness: Harness,
): {
  readonly name: string;
  readonly skip: string | undefined;
  readonly run: () => Promise<void>;
}[] {
  return cases.map((item) => ({
    name: item.name,
    skip: skipReason(item, harness),
    run: () => runCase(item, harness),
  }));
}
