import type { Clock } from './clock.js';
import type { Logger } from './logger.js';

const PERIOD_MS = 60_000;
/** Enough to see what happens; the rest says the same. */
const LINES_PER_HOST = 10;
/** Of all hosts together, so that many of them are not a flood either. */
const LINES_PER_KIND = 100;
/** Hosts that are counted one by one; the lines of all others are counted together. */
const MAX_HOSTS = 1_000;
/** Hosts of which the end of a period says one by one how much was left out. */
const MAX_SUMMARIES = 10;

export interface LimitedLine {
  readonly level: 'info' | 'warn' | 'error';
  /** What such lines are about, in the plural, for "left out 7 more lines about ...". Chosen by this program, never by a stranger. */
  readonly kind: string;
  /** Whose doing it is; undefined for this machine itself. */
  readonly host: string | undefined;
  /**
   * How many of a host are written in a minute (and in all, if that is more than 100); ten, if undefined. The same for all
   * lines of one kind.
   */
  readonly perHost?: number;
}

interface Period {
  readonly level: LimitedLine['level'];
  readonly perHost: number;
  readonly endsAtMs: number;
  /** Is something left out, so that the end of the period says so? */
  hasEnd: boolean;
  told: number;
  readonly hosts: Map<string, { told: number; leftOut: number }>;
  /** Of hosts beyond MAX_HOSTS. */
  leftOutOfOthers: number;
}

/**
 * Log lines that a stranger can cause as often as he likes. In a minute it writes a few of each kind for each host, and a
 * hundred of each kind in all. The end of the minute says what was left out.
 */
export class LogLimiter {
  readonly #periods = new Map<string, Period>();

  constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** @param facts fields of the line, as for the logger itself; `message` is its text. */
  write(line: LimitedLine, facts: object, message: string): void {
    const { level, kind, host = 'this machine' } = line;
    const period = this.#current(kind) ?? this.#begin(line);
    const { perHost } = period;
    let counts = period.hosts.get(host);
    if (counts === undefined && period.hosts.size < MAX_HOSTS) {
      counts = { told: 0, leftOut: 0 };
      period.hosts.set(host, counts);
    }
    if (counts !== undefined && counts.told < perHost && period.told < Math.max(perHost, LINES_PER_KIND)) {
      counts.told += 1;
      period.told += 1;
      return this.log[level](facts, message);
    }
    if (counts === undefined) period.leftOutOfOthers += 1;
    else counts.leftOut += 1;
    if (!period.hasEnd) this.#awaitEnd(kind, period);
  }

  /** The period that lasts still. */
  #current(kind: string): Period | undefined {
    const period = this.#periods.get(kind);
    return period !== undefined && (period.hasEnd || this.clock.monotonicMs() < period.endsAtMs) ? period : undefined;
  }

  #begin({ kind, level, perHost = LINES_PER_HOST }: LimitedLine): Period {
    const endsAtMs = this.clock.monotonicMs() + PERIOD_MS;
    const period: Period = { level, perHost, endsAtMs, hasEnd: false, told: 0, hosts: new Map(), leftOutOfOthers: 0 };
    this.#periods.set(kind, period);
    return period;
  }

  #awaitEnd(kind: string, period: Period): void {
    period.hasEnd = true;
    this.clock.after(period.endsAtMs - this.clock.monotonicMs(), () => {
      this.#periods.delete(kind);
      this.#summarise(kind, period);
    });
  }

  #summarise(kind: string, { level, hosts, leftOutOfOthers }: Period): void {
    const silenced = [...hosts]
      .map(([host, { leftOut }]) => ({ host, leftOut }))
      .filter(({ leftOut }) => leftOut > 0)
      .sort((one, other) => other.leftOut - one.leftOut);
    const rest = silenced.slice(MAX_SUMMARIES).reduce((sum, { leftOut }) => sum + leftOut, leftOutOfOthers);
    const told = silenced.slice(0, MAX_SUMMARIES);
    if (rest > 0) told.push({ host: 'other hosts', leftOut: rest });
    for (const { host, leftOut } of told) {
      const lines = `${leftOut.toLocaleString('en')} more ${leftOut === 1 ? 'line' : 'lines'}`;
      this.log[level]({ kind, host, leftOut }, `Left out ${lines} about ${kind} from ${host}, of the last minute`);
    }
  }
}
