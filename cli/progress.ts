import cliProgress, { type MultiBar, type Options, type Params } from "cli-progress";
import process from "node:process";
import { printable } from "../mod.ts";
import { amount, seconds } from "./number_text.ts";
import type { ProgressCount } from "./progress_count.ts";

const REDRAW_EVERY = 100;
const LINE_EVERY = 5_000;

/** Shows how a run gets on, on standard error. */
export interface Progress {
  start(pipeline: string): void;
  /** Shows a line besides the progress. */
  say(line: string): void;
  stop(): void;
}

/** Bars on a terminal, a line every few seconds elsewhere, nothing when quiet. */
export function progressOf(count: ProgressCount, quiet: boolean): Progress {
  if (quiet) return { start() {}, say() {}, stop() {} };
  return process.stderr.isTTY ? new BarProgress(count) : new LineProgress(count);
}

class LineProgress implements Progress {
  readonly #count: ProgressCount;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(count: ProgressCount) {
    this.#count = count;
  }

  start(pipeline: string): void {
    this.#timer = setInterval(
      () => this.say(`${printable(pipeline)}: ${statusOf(this.#count)}`),
      LINE_EVERY,
    );
  }

  say(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

class BarProgress implements Progress {
  readonly #count: ProgressCount;
  #bars: MultiBar | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(count: ProgressCount) {
    this.#count = count;
  }

  start(pipeline: string): void {
    const count = this.#count;
    const name = printable(pipeline);
    const draw = (options: Options, { progress }: Params): string =>
      count.total === undefined
        ? `${name}  ${statusOf(count)}`
        : `${name} ${cliProgress.Format.BarFormat(progress, options)}  ${statusOf(count)}`;
    this.#bars = new cliProgress.MultiBar({
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      // Signals are the run's to handle: the first one lets it finish what is open.
      gracefulExit: false,
      barsize: 24,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      format: draw,
      fps: 1000 / REDRAW_EVERY,
      emptyOnZero: true,
    });
    const bar = this.#bars.create(1, 0);
    this.#timer = setInterval(() => {
      bar.setTotal(Math.max(1, count.total ?? 1));
      bar.update(count.total === undefined ? 0 : count.settled);
    }, REDRAW_EVERY);
  }

  say(line: string): void {
    if (this.#bars === undefined) process.stderr.write(`${line}\n`);
    else this.#bars.log(`${line}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
    // Lines that were said are drawn with the bars, so they are drawn once more before the end.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
  }
}

/** One line about a run. */
export function statusOf(count: ProgressCount): string {
  const { total, settled, skipped, failed, rate, secondsLeft } = count;
  const parts = [
    total === undefined
      ? amount(settled, "source")
      : `${amount(settled)} of ${amount(total, "source")}`,
    ...(skipped > 0 ? [`${amount(skipped)} done before`] : []),
    ...(failed > 0 ? [`${amount(failed)} failed`] : []),
    ...(rate > 0 ? [`${rate < 10 ? rate.toFixed(1) : amount(Math.round(rate))}/s`] : []),
    ...(secondsLeft === undefined ? [] : [`${seconds(secondsLeft)} left`]),
  ];
  return parts.join(" · ");
}
