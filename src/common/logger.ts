import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as PinoLogger } from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';
import { LineSink } from './line-sink.js';

/** A node's structured log. Each module takes a child with its own `module` field. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `pretty` for people, `json` (one object a line) for machines. */
  readonly logFormat: 'pretty' | 'json';
}

/** Where log lines go. */
export interface LogOutput {
  /** Lines that could not be written and were dropped, since the start. */
  readonly linesDropped: number;
}

const STDOUT = 1;

/**
 * Logs to standard output, which never holds up the node (see LineSink). Secrets never reach it: no module logs its
 * configuration or a request's headers.
 */
export function createLogger({ logLevel, logFormat }: LoggerOptions): { logger: Logger; output: LineSink } {
  const output = new LineSink(STDOUT, ({ count, reason }) => {
    const lines = `${count} log ${count === 1 ? 'line was' : 'lines were'}`;
    logger.warn({ module: 'log', count, reason }, `${lines} dropped: standard output did not take them (${reason})`);
  });
  const logger = logFormat === 'json' ? jsonLogger(logLevel, output) : prettyLogger(logLevel, output);
  return { logger, output };
}

function jsonLogger(level: string, output: LineSink): Logger {
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, output);
}

function prettyLogger(level: string, output: LineSink): Logger {
  const format = prettyFactory({
    colorize: isColorSupported,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,node,module',
    messageFormat: '[{module}] {msg}',
    singleLine: true,
  });
  return pino({ level }, { write: (line) => output.write(format(line)) });
}

/** Lets the framework log through ours. What it reports of its own start-up is detail for debugging. */
export function nestLogger(logger: Logger): LoggerService {
  const log = logger.child({ module: 'nest' });
  return {
    log: (message: unknown) => log.debug(String(message)),
    error: (message: unknown, ...rest: unknown[]) => {
      // What keeps a node from starting is thrown as well, and told once, by whoever started it.
      const level = rest.at(-1) === 'ExceptionHandler' ? 'debug' : 'error';
      log[level]({ detail: rest.map(String) }, String(message));
    },
    warn: (message: unknown) => log.warn(String(message)),
    debug: (message: unknown) => log.debug(String(message)),
    verbose: (message: unknown) => log.trace(String(message)),
  };
}
