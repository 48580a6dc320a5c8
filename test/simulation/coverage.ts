/** What a simulation can reach, so that a reader sees that it does. */
export const COVERED = {
  crashes: "processes crashed",
  stops: "graceful stops",
  severalWriters: "several writers at once",
  sameStoreAgain: "a store object served a second run",
  refused: "appends refused",
  leftBehind: "refused appends that left records behind",
  diskFull: "disks that stayed full",
  lostAppends: "appends lost in a crash",
  keptAppends: "appends durable in a crash before they resolved",
  forgotten: "appends taken back by a crash before they resolved",
  torn: "torn records",
  foreign: "foreign or newer records on the shelf",
  readAgain: "records read again",
  readFailed: "reads that failed",
  refreshed: "other writers' records read during a run",
  skipped: "sources skipped",
  changedVersions: "sources run again in another version",
  completed: "completions recorded",
  failures: "slots failed",
  gaveWay: "times the scheduler gave way",
  retries: "calls tried again",
  retriedFanOuts: "fan-outs tried again with another count",
  brokenStreams: "fan-outs that broke midway",
  brokenBatches: "batches whose results broke midway",
  emptyFanOuts: "empty fan-outs",
  unattributed: "batches not attributed",
  lies: "fan-outs that gave another count than they said",
  factsRepeated: "facts repeated",
  factsLost: "facts lost",
  factsDelayed: "facts delayed",
  strays: "stray facts",
  contradictions: "contradictions",
  reopenings: "reopenings recorded",
  commits: "sources committed by the sink",
  commitFailures: "commits that failed",
  discards: "sources discarded by the sink",
  aborted: "runs given up",
  sourceErrors: "sources that broke",
  undone: "completions undone by a later failure",
} as const;

/** One thing that a simulation can reach. */
export type Covered = keyof typeof COVERED;

/** How often each thing happened. */
export type Counts = Record<Covered, number>;

/** No counts yet. */
export function noCounts(): Counts {
  return Object.fromEntries(Object.keys(COVERED).map((name) => [name, 0])) as Counts;
}
