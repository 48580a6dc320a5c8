/** Longer than any file system's clock tick (FAT: two seconds). */
const TICK_MS = 2000;

/**
 * Tells cheaply that a file has not changed since it was read. Its time stamp alone cannot:
 * two changes within one tick of the file system's clock carry the same one. So a file is
 * taken for unchanged only if it was read when its stamp had stood still for longer than
 * that, by this machine's own clock.
 */
export class ChangeProbe {
  #stamp = "";
  #since = 0;
  #still = false;
  #settled = false;

  /**
   * Must be asked before the file is read.
   * @param stamp Size and times of all files concerned.
   * @param now Monotonic milliseconds.
   * @returns true when there is nothing to read.
   */
  unchanged(stamp: string, now: number): boolean {
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#since = now;
      this.#settled = false;
    }
    this.#still = now - this.#since > TICK_MS;
    return this.#settled;
  }

  /** The file was read to its end after the last question. */
  finished(): void {
    this.#settled = this.#still;
  }
}
