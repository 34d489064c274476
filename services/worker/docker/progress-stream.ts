import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * Builds and pulls answer 200 at once and then stream JSON lines; that something failed stands in the last of
 * them. docker-modem's own reader takes such a stream for success, and throws on a line that is no JSON.
 */

export type ProgressLine = {
  /** Of a build: what its steps print. */
  stream?: string;
  /** Of a pull. */
  status?: string;
  error?: string;
};

const parse = (line: string): ProgressLine => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as ProgressLine) : {};
  } catch {
    return {}; // a proxy's remark or a line cut off: the stream's end tells how it went
  }
};

/** Reads to the end. Gives the error the stream reported, or null; rejects when the connection breaks. */
export const readProgress = async (
  stream: Readable,
  onLine: (line: ProgressLine) => void,
): Promise<string | null> => {
  let error: string | null = null;
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  const broken = new Promise<never>((_, reject) => stream.once('error', reject));
  const finished = (async () => {
    for await (const text of lines) {
      const line = parse(text);
      if (typeof line.error === 'string') error = line.error;
      onLine(line);
    }
  })();
  await Promise.race([finished, broken]);
  return error;
};
