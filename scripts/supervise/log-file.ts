import { createWriteStream, existsSync, renameSync, type WriteStream } from 'node:fs';

/** The log of one process. The one of the run before is kept beside it, as `….log.1`. */

export type LogFile = { write(text: string): void };

/**
 * A disk that is full must not end Berth: what cannot be written is dropped, and said once to `complain`; the file
 * is tried again with what comes later.
 */
export const openLogFile = (path: string, complain: (text: string) => void): LogFile => {
  if (existsSync(path)) renameSync(path, `${path}.1`);
  let stream: WriteStream | undefined;
  let complained = false;

  const open = (): WriteStream => {
    const opened = createWriteStream(path, { flags: 'a', mode: 0o600 });
    opened.on('error', ({ message }) => {
      if (stream === opened) stream = undefined;
      if (!complained) complain(`${path} cannot be written, lines of it are missing: ${message}`);
      complained = true;
    });
    return opened;
  };

  return {
    write(text) {
      stream ??= open();
      stream.write(text, (error) => {
        if (!error) complained = false;
      });
    },
  };
};
