import { describe, expect, it } from 'vitest';
import { createExecOutput } from './exec-output.ts';
import { mayHaveDied, mayNotHaveBegun } from './run-once.ts';

const printed = (text: string) => {
  const output = createExecOutput();
  output.add(Buffer.from(text));
  return output;
};

describe('a command that Docker could not begin, as its VM was ending', () => {
  it.each([
    'cannot exec in a stopped state: unknown',
    'cannot exec in a deleted state: unknown',
    'cannot exec in a stopped container: unknown',
    'OCI runtime exec failed: exec failed: cannot exec a container that has stopped: unknown',
    'ttrpc: closed: unknown',
    'process does not exist: not found',
  ])('is known by Docker’s words: %s', (words) => {
    expect(mayNotHaveBegun(printed(`${words}\r\n`))).toBe(true);
  });

  it('is suspected by its exit code, whatever the words', () => {
    expect(mayHaveDied(126, printed('words of a later version'))).toBe(true);
  });

  it('is not suspected where a command ended by its own will', () => {
    expect(mayHaveDied(0, printed('I cannot exec in a stopped state\n'))).toBe(false);
    expect(mayHaveDied(127, printed('bash: nope: command not found\n'))).toBe(false);
  });
});
