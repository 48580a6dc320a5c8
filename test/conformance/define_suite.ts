import type { Harness } from "./case.ts";
import { cases } from "./cases.ts";
import { runCase, skipReason } from "./validate_store.ts";

/** What the suite needs of a test runner: vitest, `node:test` and others have it. */
export interface Runner {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: () => Promise<void>): unknown;
  /** Says that a test is not run; the reason is in its name. */
  skip(name: string): unknown;
}

/** Defines one test per case. */
export function defineSuite(runner: Runner, harness: Harness): void {
  runner.describe(`a store: ${harness.name}`, () => {
    for (const item of cases) {
      const reason = skipReason(item, harness);
      if (reason === undefined) runner.it(item.name, () => runCase(item, harness));
      else runner.skip(`${item.name} (skipped: ${reason})`);
    }
  });
}
