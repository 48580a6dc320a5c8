import type { Host } from "./host.ts";
import { NUMBER_FROM_0, objectOf, type OptionKind, WHOLE_FROM_1 } from "./option_check.ts";
import type { RetryOptions } from "./stage.ts";

/** What the option `retry` of a stage has to be. */
export const RETRY: OptionKind = objectOf<RetryOptions>({
  attempts: { ...WHOLE_FROM_1, required: true },
  delay: NUMBER_FROM_0,
  factor: NUMBER_FROM_0,
  maxDelay: NUMBER_FROM_0,
});

/**
 * How long to wait before another attempt, in milliseconds: exponential backoff with equal
 * jitter, between half and the whole of the delay (Brooker, "Exponential Backoff And
 * Jitter", 2015).
 */
export function backoff(
  options: RetryOptions,
  attempt: number,
  host: Pick<Host, "random">,
): number {
  const { delay = 100, factor = 2, maxDelay = 30_000 } = options;
  const whole = Math.min(delay * factor ** (attempt - 1), maxDelay);
  return whole / 2 + (host.random() * whole) / 2;
}
