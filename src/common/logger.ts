import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as PinoLogger } from 'pino';
import pretty, { isColorSupported } from 'pino-pretty';

/** A node's structured log. Each module takes a child with its own `module` field. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `pretty` for people, `json` (one object a line) for machines. */
  readonly logFormat: 'pretty' | 'json';
}

/** Logs to standard output. Secrets never reach it: no module logs its configuration or a request's headers. */
export function createLogger({ logLevel, logFormat }: LoggerOptions): Logger {
  if (logFormat === 'json') return pino({ level: logLevel, timestamp: pino.stdTimeFunctions.isoTime });
  const stream = pretty({
    colorize: isColorSupported,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,node,module',
    messageFormat: '[{module}] {msg}',
    singleLine: true,
    sync: true,
  });
  return pino({ level: logLevel }, stream);
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
