import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Puts the stand-in of cloudflared into a folder of the test's own, with a file that says how it behaves. */

export type Control = {
  /** `silent`: neither connects nor says why. `no-connection`: it has a name, and never an edge. */
  mode?:
    | 'good'
    | 'rate-limited'
    | 'no-network'
    | 'silent'
    | 'no-connection'
    | 'not-answering'
    | 'refused'
    | 'quic-blocked';
  version?: string;
  /** False: the connection to the edge is lost, until it is true again. Read while it runs. */
  connected?: boolean;
  diesAfterMs?: number;
  ignoresTerm?: boolean;
  forwardedProto?: string;
  /** Of a named tunnel: where the public address is, and who knows what it leads to. */
  edgePort?: number;
  apiRoot?: string;
};

/** One start of the program, as it found itself. */
export type Start = {
  pid: number;
  argv: string[];
  env: Record<string, string>;
  /** Octal; null where there was no file with a token. */
  tokenFileMode: string | null;
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A killed process whose parent died stays in the table until somebody collects it.
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
};

export const installCloudflared = (first: Control = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cloudflared-'));
  const program = join(folder, 'cloudflared');
  const controlFile = join(folder, 'control.json');
  const journal = join(folder, 'starts');
  const script = join(import.meta.dirname, 'cloudflared.ts');
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${process.execPath}' '${script}' '${controlFile}' '${journal}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  const behave = (control: Control): void => writeFileSync(controlFile, JSON.stringify(control));
  behave(first);
  const starts = (): Start[] => {
    if (!existsSync(journal)) return [];
    const lines = readFileSync(journal, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Start);
  };
  return {
    folder,
    program,
    behave,
    starts,
    alive: (): number[] => starts().flatMap(({ pid }) => (isAlive(pid) ? [pid] : [])),
    remove: (): void => {
      for (const { pid } of starts()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
