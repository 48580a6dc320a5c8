import { resultOf, type Scenario } from "../scenario.ts";
import { pause, Torture } from "../torture.ts";
import type { Victim } from "../victim_process.ts";

/** Stops processes for a while, in the middle of whatever they do. */
export const stop: Scenario = {
  name: "stop",
  summary: "kill -STOP for a while, then -CONT, while another process goes on",
  async run(context) {
    const { kills, directory } = context;
    const sources = 250 * Math.max(kills, 2);
    const torture = new Torture(context, directory, { sources });
    const running = new Set<Victim>();
    const ends = [0, 1].map(async (index) => {
      const victim = await torture.start({ first: Math.floor((index * sources) / 2) });
      running.add(victim);
      await torture.end(victim);
      running.delete(victim);
    });
    let stops = 0;
    for (; stops < kills; stops++) {
      await pause(50 + context.random() * 250);
      const victims = [...running];
      const victim = victims[Math.floor(context.random() * victims.length)];
      if (victim === undefined) break;
      victim.signal("SIGSTOP");
      await pause(100 + context.random() * 500);
      // What the stopped one has recorded must be readable while it stands still.
      await torture.inspect();
      victim.signal("SIGCONT");
    }
    await Promise.all(ends);
    await torture.inspect();
    await torture.finish();
    return resultOf([torture], [
      { name: "stopped and continued", tally: torture.tally, note: `${stops} times` },
    ]);
  },
};
