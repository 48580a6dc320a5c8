/**
 * How bad a world is: for each fault the probability that it happens when it could. Every
 * seed leaves some faults out altogether, since one kind of fault hides another (swarm
 * testing: Groce, Zhang, Eide, Chen and Regehr 2012).
 */
export interface Weather {
  readonly latency: "quick" | "mixed" | "slow";
  /** Per step. */
  readonly crash: number;
  /** Per step. */
  readonly stop: number;
  /** Per step: a fact arrives that contradicts others. */
  readonly stray: number;
  readonly refuse: number;
  /** Of refused appends: some of their records are there nevertheless. */
  readonly leaveBehind: number;
  /** Per process. */
  readonly diskFull: number;
  /** Of appends that a crash cuts off: a damaged record stays. */
  readonly tear: number;
  /** Of appends that are there but have not resolved: a crash takes them back. */
  readonly forget: number;
  readonly readAgain: number;
  readonly readFails: number;
  readonly openFails: number;
  readonly setupFails: number;
  readonly stageThrows: number;
  readonly slotFails: number;
  readonly slotUndefined: number;
  readonly streamBreaks: number;
  readonly misattribute: number;
  readonly lie: number;
  readonly sinkThrows: number;
  readonly commitThrows: number;
  readonly discardThrows: number;
  readonly sourceThrows: number;
  readonly sourceTwice: number;
  /** What happens to facts on their way to the owner. */
  readonly facts: "sound" | "repeated" | "delayed" | "lost";
  readonly factFault: number;
  /** Between two processes of one lane: a source has another version. */
  readonly newVersion: number;
}

/** Weather in which nothing goes wrong. */
export function calm(latency: Weather["latency"]): Weather {
  return weather(latency, "sound", () => 0);
}

/** The weather of a seed. */
export function weatherOf(random: () => number): Weather {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  const latency = pick(["quick", "mixed", "mixed", "slow"] as const);
  const facts = pick(["sound", "sound", "repeated", "repeated", "delayed", "lost"] as const);
  return weather(latency, facts, (most) => (random() < 0.5 ? random() * most : 0));
}

function weather(
  latency: Weather["latency"],
  facts: Weather["facts"],
  upTo: (most: number) => number,
): Weather {
  return {
    latency,
    facts,
    crash: upTo(0.05),
    stop: upTo(0.005),
    stray: upTo(0.02),
    refuse: upTo(0.4),
    leaveBehind: upTo(1),
    diskFull: upTo(0.2),
    tear: upTo(1),
    forget: upTo(1),
    readAgain: upTo(0.5),
    readFails: upTo(0.05),
    openFails: upTo(0.05),
    setupFails: upTo(0.03),
    stageThrows: upTo(0.1),
    slotFails: upTo(0.05),
    slotUndefined: upTo(0.03),
    streamBreaks: upTo(0.15),
    misattribute: upTo(0.25),
    // Facts that contradict each other are only told from facts that are missing if all come.
    lie: facts === "delayed" || facts === "lost" ? 0 : upTo(0.3),
    sinkThrows: upTo(0.1),
    commitThrows: upTo(0.3),
    discardThrows: upTo(0.3),
    sourceThrows: upTo(0.05),
    sourceTwice: upTo(0.05),
    factFault: facts === "sound" ? 0 : 0.02 + upTo(0.3),
    newVersion: upTo(0.3),
  };
}

/** How long something takes, in virtual milliseconds. */
export function latencyOf(latency: Weather["latency"], random: () => number): number {
  const most = latency === "quick" ? 2 : latency === "slow" ? 2_500 : random() < 0.1 ? 300 : 5;
  return random() * most;
}
