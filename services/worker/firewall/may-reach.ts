import { isIP, isIPv4, isIPv6 } from 'node:net';

/** What an administrator lets VMs reach all the same: a file server, a mirror of packages, in VM_MAY_REACH. */

export type Exception = {
  /** An address, or a range such as 10.1.0.0/16. */
  range: string;
  /** Of TCP and UDP; null for everything. */
  port: number | null;
};

const isRange = (text: string): boolean => {
  const [address = '', length, ...more] = text.split('/');
  if (isIP(address) === 0 || address.includes('%') || more.length > 0) return false;
  if (length === undefined) return true;
  return /^\d{1,3}$/.test(length) && Number(length) <= (isIPv4(address) ? 32 : 128);
};

export const isIpv6Range = (range: string): boolean => isIPv6(range.split('/')[0]!);

/** A port after brackets or an IPv4 address; what else has colons is an IPv6 address. */
const withPort = /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:[\]]+)):(?<port>\d{1,5})$/;

/** Throws an Error whose message says what is wrong with it. */
const parseException = (text: string): Exception => {
  const parts = withPort.exec(text)?.groups;
  const range = parts?.bracketed ?? parts?.plain ?? text;
  const port = parts === undefined ? null : Number(parts.port);
  if (!isRange(range)) {
    throw new Error(
      `“${text}” is no address or range: write 10.1.2.3, 10.1.0.0/16, 10.1.2.3:443 or [fd00::5]:443`,
    );
  }
  if (/\/0+$/.test(range)) throw new Error(`“${text}” is everything: no rule would be left`);
  if (port !== null && (port < 1 || port > 65_535)) throw new Error(`“${text}” has no port from 1 to 65535`);
  return { range, port };
};

/** Of a list with commas. Throws an Error whose message says what is wrong with the first faulty one. */
export const parseExceptions = (text: string): Exception[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseException);

/** As it was written. */
export const formatException = ({ range, port }: Exception): string => {
  if (port === null) return range;
  return isIpv6Range(range) ? `[${range}]:${port}` : `${range}:${port}`;
};
