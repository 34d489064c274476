import { customAlphabet } from 'nanoid';
import { encrypt } from 'unixcrypt';

/** Letters and digits that nobody takes for one another, on paper or on a phone. */
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A password of 139 bits, safe to paste anywhere. */
export const newPassword = customAlphabet(alphabet, 24);

const saltOf = customAlphabet('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 16);

/**
 * A crypt(3) hash for /etc/shadow (SHA-512-crypt). Rounds slow down guessing; a random password of this length
 * cannot be guessed, so the fewest that the scheme knows are enough.
 */
export const cryptPassword = (password: string): string => encrypt(password, `$6$rounds=1000$${saltOf()}`);
