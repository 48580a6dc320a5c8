import { resultOf, type Scenario } from "../scenario.ts";
import { Torture } from "../torture.ts";

const PROCESSES = 3;

/** Kills processes that work on one checkpoint at once. */
export const several: Scenario = {
  name: "several",
  summary: `kill -KILL of ${PROCESSES} processes that share a checkpoint`,
  async run(context) {
    const { kills, directory } = context;
    const sources = 300 * Math.max(kills, 2);
    const torture = new Torture(context, directory, { sources });
    let killsLeft = kills;
    const work = async (index: number) => {
      // Each begins elsewhere, so that they meet half-way and not only compete.
      const first = Math.floor((index * sources) / PROCESSES);
      for (;;) {
        const victim = await torture.start({ first });
        const timer = killsLeft > 0
          ? setTimeout(() => victim.signal("SIGKILL"), 150 + context.random() * 900)
          : undefined;
        if (timer !== undefined) killsLeft--;
        const { killed } = await torture.end(victim);
        clearTimeout(timer);
        if (!killed) return;
      }
    };
    await Promise.all(Array.from({ length: PROCESSES }, (_, index) => work(index)));
    await torture.inspect();
    await torture.finish();
    return resultOf([torture]);
  },
};
