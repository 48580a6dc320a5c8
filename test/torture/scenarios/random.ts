import { resultOf, type Scenario } from "../scenario.ts";
import { Torture } from "../torture.ts";

/** Kills at random moments. */
export const random: Scenario = {
  name: "random",
  summary: "kill -KILL at random moments",
  async run(context) {
    const { kills, directory } = context;
    const torture = new Torture(context, directory, { sources: 200 * Math.max(kills, 2) });
    while (torture.tally.kills < kills) {
      const victim = await torture.start();
      const timer = setTimeout(() => victim.signal("SIGKILL"), 100 + context.random() * 800);
      const { killed } = await torture.end(victim);
      clearTimeout(timer);
      await torture.inspect();
      if (!killed) {
        torture.failures.push(`all was done after ${torture.tally.kills} kills`);
        break;
      }
    }
    await torture.finish();
    return resultOf([torture]);
  },
};
