import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { cryptPassword, newPassword } from './password.ts';

describe('a new password', () => {
  it('has 24 letters and digits that nobody takes for one another', () => {
    for (let count = 0; count < 200; count += 1) expect(newPassword()).toMatch(/^[a-km-zA-HJ-NP-Z2-9]{24}$/);
  });

  it('is another one each time', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newPassword())).size).toBe(1_000);
  });
});

/** Perl's crypt is the C library's, the one by which a login is checked. */
const libcCrypt = (password: string, hash: string): string =>
  execFileSync('perl', ['-e', 'chomp(my $p = <STDIN>); print crypt($p, $ARGV[0])', hash], {
    input: `${password}\n`,
    encoding: 'utf8',
  });

describe('the hash of a password', () => {
  it('is one that the C library takes', () => {
    for (const password of [newPassword(), newPassword()]) {
      const hash = cryptPassword(password);
      expect(hash).toMatch(/^\$6\$rounds=1000\$[A-Za-z0-9]{16}\$[A-Za-z0-9./]{86}$/);
      expect(libcCrypt(password, hash)).toBe(hash);
      expect(libcCrypt(`${password}x`, hash)).not.toBe(hash);
    }
  });

  it('has a salt of its own each time', () => {
    const password = newPassword();
    expect(cryptPassword(password)).not.toBe(cryptPassword(password));
  });
});
