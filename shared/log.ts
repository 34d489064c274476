import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * Logs are JSON lines on standard output. Secrets are kept out by construction: fields with telling names are
 * censored wherever somebody logs them, and of errors only what cannot hold a payload gets out.
 */

export type Log = Logger;

const censored = ['password', 'token', 'secret', 'passwordHash', 'command', 'output', 'text', 'payload'];

/** Telegram's token stands in every URL of its API, and so in the messages of network errors. */
const botTokenInUrl = /\b(bot)?\d{5,}:[A-Za-z0-9_-]{25,}/g;
const redisPassword = /(rediss?:\/\/[^:@\s]*:)[^@\s]+@/g;

export const redactText = (text: string): string =>
  text.replace(botTokenInUrl, '$1<token>').replace(redisPassword, '$1<password>@');

/** Errors carry request payloads (telegraf) and job data (bullmq): only name, message, stack and code get out. */
const serializeError = (error: unknown) => {
  if (!(error instanceof Error)) return redactText(String(error));
  const { name, message, stack } = error;
  const code = (error as { code?: unknown }).code;
  return {
    type: name,
    message: redactText(message),
    ...(stack === undefined ? {} : { stack: redactText(stack) }),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: redactText(String(error.cause)) }),
  };
};

export const createLog = (service: string, level: string, destination?: DestinationStream): Log =>
  pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      redact: {
        paths: censored.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '<redacted>',
      },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
