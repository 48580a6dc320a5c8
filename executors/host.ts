import { setImmediate } from "node:timers";
import type { Host } from "../core/host.ts";

/** The clock, randomness and event loop of this process. Stores are not its business. */
export const processHost: Omit<Host, "openStore"> = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  uniqueId: () => crypto.randomUUID().replaceAll("-", ""),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener("abort", wake, { once: true });
    }),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};
