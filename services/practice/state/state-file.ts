import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../../shared/log.ts';
import type { SavedState } from './model.ts';

/** The state as one JSON file. It is replaced as a whole, so that a reader never finds half of it. */
export type StateFile = {
  /** Writes soon: at once after a quiet moment, after `debounceMs` while things go on changing. */
  schedule(): void;
  /** Writes now, and returns when the bytes are on disk. */
  write(): void;
  close(): void;
};

const debounceMs = 200;

/** The saved state, or undefined where there is none. A file nobody can read is set aside, never overwritten. */
export const readState = (path: string, log: Log): SavedState | undefined => {
  if (!existsSync(path)) return undefined;
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as SavedState;
    if (state.version !== 1) throw new Error(`version ${state.version} is not known here`);
    return state;
  } catch (err) {
    const aside = `${path}.unreadable-${Date.now()}`;
    renameSync(path, aside);
    log.error({ err, path, aside }, 'the practice chat could not be read; it starts empty');
    return undefined;
  }
};

const replaceFile = (path: string, text: string): void => {
  const draft = `${path}.draft`;
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
};

export const openStateFile = (path: string, current: () => SavedState, log: Log): StateFile => {
  mkdirSync(dirname(path), { recursive: true });
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    replaceFile(path, JSON.stringify(current()));
  };
  return {
    schedule: () => {
      if (closed) return;
      timer ??= setTimeout(() => {
        try {
          write();
        } catch (err) {
          log.error({ err, path }, 'the practice chat could not be saved');
        }
      }, debounceMs);
    },
    write,
    close: () => {
      if (closed) return;
      closed = true;
      write();
    },
  };
};
