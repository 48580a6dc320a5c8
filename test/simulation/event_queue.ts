/** Whoever an event happens to. When it crashes, its events are dropped. */
export interface Owner {
  readonly name: string;
}

/** Something that is going to happen. */
export interface SimulatedEvent {
  /** When, in virtual milliseconds. */
  readonly time: number;
  /** Events of the same time happen in this order. */
  readonly order: number;
  readonly owner: Owner | undefined;
  readonly label: string;
  readonly fire: () => void;
  /** What its owner's crash makes of it: an effect that was on its way may still happen. */
  readonly atCrash: (() => void) | undefined;
}

/** Events by time: a binary heap. */
export class EventQueue {
  #heap: SimulatedEvent[] = [];

  push(event: SimulatedEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  pop(): SimulatedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  /** Takes every event of an owner out, in the order in which they would have happened. */
  drop(owner: Owner): SimulatedEvent[] {
    const dropped = this.#heap.filter((e) => e.owner === owner);
    const kept = this.#heap.filter((e) => e.owner !== owner);
    this.#heap = [];
    for (const event of kept) this.push(event);
    return dropped.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
