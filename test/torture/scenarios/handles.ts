import { join } from "node:path";
import { resultOf, type Scenario, type ScenarioPart } from "../scenario.ts";
import { Torture } from "../torture.ts";
import { meetRefusal } from "./refusals.ts";

const SOURCES = 150;
/** From too few for anything but the runtime to almost enough. */
const LIMITS = [26, 29, 32, 40];

/** Deno ends itself when it finds no handle for its own needs, at whatever moment that is. */
const DENO_PANIC = /ext\/signals[\s\S]*Too many open files/;

/** Allows few open files. */
export const handles: Scenario = {
  name: "handles",
  summary: "too few file handles",
  async run(context) {
    const tortures: Torture[] = [];
    const parts: ScenarioPart[] = [];
    for (const limit of LIMITS) {
      const torture = new Torture(context, join(context.directory, String(limit)), {
        sources: SOURCES,
      });
      parts.push(
        await meetRefusal(`${limit} handles`, torture, {
          wrapper: ["prlimit", `--nofile=${limit}`],
          isSure: false,
          mayDieOf: DENO_PANIC,
          refuse: async () => {},
          allow: async () => {},
        }),
      );
      await torture.finish();
      tortures.push(torture);
    }
    return resultOf(tortures, parts);
  },
};
