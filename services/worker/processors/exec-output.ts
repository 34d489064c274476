/** What a command prints: the first MiB to hand over, the last lines to show on the way. */

export const keptBytes = 1024 * 1024;
/** About as much as fits into a message. */
const tailCharacters = 3_500;
const tailBytes = tailCharacters * 4;

export type ExecOutput = {
  add(piece: Buffer): void;
  /** The output, cut after the first MiB. */
  kept(): Buffer;
  /** The last 3,500 UTF-16 units at most, without halves of characters. */
  tail(): string;
  /** All that was printed, in bytes, kept or not. */
  total(): number;
};

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
const isLowSurrogate = (text: string): boolean => /^[\uDC00-\uDFFF]/.test(text);

const withoutHalves = (bytes: Buffer): string => {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  // In streaming mode the decoder holds back a character whose end has not come yet.
  const text = new TextDecoder().decode(bytes.subarray(start), { stream: true }).slice(-tailCharacters);
  return isLowSurrogate(text) ? text.slice(1) : text;
};

export const createExecOutput = (): ExecOutput => {
  const kept: Buffer[] = [];
  const recent: Buffer[] = [];
  let room = keptBytes;
  let recentLength = 0;
  let total = 0;

  return {
    add(piece) {
      total += piece.length;
      if (room > 0) {
        kept.push(piece.subarray(0, room));
        room -= Math.min(room, piece.length);
      }
      const last = piece.subarray(-tailBytes);
      recent.push(last);
      recentLength += last.length;
      while (recentLength - (recent[0]?.length ?? 0) >= tailBytes) {
        recentLength -= recent.shift()?.length ?? 0;
      }
    },
    kept: () => Buffer.concat(kept),
    tail: () => withoutHalves(Buffer.concat(recent)),
    total: () => total,
  };
};
