/** An event; what else is in it is for its clients. */
interface Event {
  readonly type: string;
  readonly atMs: number;
}

interface Kept {
  readonly event: Event;
  /** As it is written to streams, without its id; made when the first stream needs it. */
  text?: string;
}

/** The last events, numbered from 1. A stream that knows which one it had last goes on from there. */
export class EventRing {
  readonly #kept: Kept[] = [];
  #last = 0;

  /** @param bootId names this run of the node: numbers begin anew in the next. */
  constructor(
    private readonly size: number,
    private readonly bootId: () => string,
  ) {}

  /** Number of the newest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Number of the oldest event that is still here. */
  get first(): number {
    return Math.max(1, this.#last - this.size + 1);
  }

  add(event: Event): void {
    this.#last += 1;
    this.#kept[this.#last % this.size] = { event };
  }

  /** The id of the event with this number: `<bootId>-<number>`. */
  idOf(number: number): string {
    return `${this.bootId()}-${number}`;
  }

  /** The number in an id, if all that came after it is still here; otherwise undefined. */
  resume(id: string): number | undefined {
    const [, boot, digits] = /^([0-9a-z]+)-(0|[1-9]\d{0,14})$/.exec(id) ?? [];
    const number = Number(digits);
    return boot === this.bootId() && number <= this.#last && number + 1 >= this.first ? number : undefined;
  }

  /**
   * What comes after event `number`, as text for a stream: about `maxChars` of it, at least one event.
   * @returns also the number of the last event in it.
   */
  textAfter(number: number, maxChars: number): { readonly text: string; readonly last: number } {
    let [text, last] = ['', number];
    while (last < this.#last && text.length < maxChars) {
      last += 1;
      const kept = this.#kept[last % this.size]!;
      text += `id: ${this.idOf(last)}\n${(kept.text ??= textOf(kept.event))}`;
    }
    return { text, last };
  }
}

/** As the HTML standard has it, without an id. JSON has no line breaks of its own. */
export function textOf(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
