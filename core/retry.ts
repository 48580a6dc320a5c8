import type { Host } from "./host.ts";
import type { RetryOptions } from "./stage.ts";

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
