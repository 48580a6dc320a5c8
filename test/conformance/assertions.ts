import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import { messageOf } from "../../core/errors.ts";
import type { CaseHarness } from "./case.ts";

const SHOWN = { breakLength: Infinity, depth: 3, maxArrayLength: 8, maxStringLength: 120 };

/**
 * Fails unless both are the same.
 * @param must What a store must do, which begins the message.
 */
export function assertIs<T>(actual: T, expected: T, must: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  assert.fail(`${must}; found ${inspect(actual, SHOWN)}, want ${inspect(expected, SHOWN)}`);
}

/** Fails unless an operation that came after close() is refused as it must be. */
export async function assertRefused(operation: string, step: Promise<unknown>): Promise<void> {
  const found = await step.then(() => "it resolved", (thrown: unknown) => {
    const { code } = Object(thrown) as { readonly code?: unknown };
    return code === "STORE_CLOSED"
      ? undefined
      : `it rejected with the code ${inspect(code, SHOWN)}: ${messageOf(thrown)}`;
  });
  if (found === undefined) return;
  assert.fail(
    `${operation} after close() must reject with an error whose code is STORE_CLOSED; ${found}`,
  );
}

/**
 * Fails when a store has warned.
 * @param why What it must not warn of.
 */
export function assertNoWarnings(
  { warnings }: CaseHarness,
  why = "where nothing is damaged",
): void {
  if (warnings.length === 0) return;
  const first = warnings.slice(0, 3).map(({ message }) => message).join("; ");
  assert.fail(`a store must not warn ${why}; it warned ${warnings.length} times: ${first}`);
}

/** What a reader must not warn of after a process was killed. */
export const KILL_IS_NO_DAMAGE: string =
  "of what a killed process left behind: a kill is no damage, so a batch that was not finished " +
  "is skipped in silence";

/**
 * Fails unless both hold the same numbers in the same order. Says the first difference only:
 * to find all of them in tens of thousands takes more memory than there is.
 * @param must What a store must do, which begins the message.
 */
export function assertNumbers(
  actual: readonly number[],
  expected: readonly number[],
  must: string,
): void {
  const at = expected.findIndex((number, index) => actual[index] !== number);
  const place = at < 0 ? expected.length : at;
  if (at < 0 && actual.length === expected.length) return;
  assert.fail(
    `${must}; ${actual.length} records were read, ${expected.length} expected: ` +
      `number ${place} is ${actual[place] ?? "missing"}, not ${expected[place] ?? "missing"}`,
  );
}

/**
 * Fails unless both hold the same bytes in the same order.
 * @param must What a store must do, which begins the message.
 */
export function assertSameRecords(
  actual: readonly Uint8Array[],
  expected: readonly Uint8Array[],
  must: string,
): void {
  assertIs(actual.length, expected.length, `${must}, and as many`);
  actual.forEach((record, index) => {
    assert.ok(
      record.length === expected[index]!.length &&
        record.every((byte, at) => byte === expected[index]![at]),
      `${must}; record ${index} of ${expected[index]!.length} bytes differs`,
    );
  });
}
