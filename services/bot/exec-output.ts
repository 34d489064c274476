/** What a command printed, made fit for a chat. */

const ansiEscapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const otherControls = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

/** Output that is no text: a NUL byte, or bytes that are no UTF-8. A character cut at either end is no fault. */
export const isBinary = (bytes: Buffer): boolean => {
  if (bytes.includes(0)) return true;
  const text = bytes.toString('utf8');
  const broken = text.match(/\ufffd/g)?.length ?? 0;
  return broken > 8 && broken > text.length / 100;
};

/** Text without colours and cursor movement; of a line that was overwritten (`\r`) the last state. */
export const printable = (bytes: Buffer): string =>
  bytes
    .toString('utf8')
    .replace(ansiEscapes, '')
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r', line.length - 2) + 1).replace(/\r$/, ''))
    .join('\n')
    .replace(otherControls, '')
    .trimEnd();

/** The last whole lines within `limit` UTF-16 units; the end of the last line where even that is longer. */
export const lastCharacters = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  const end = text.slice(-limit).replace(/^[\udc00-\udfff]/, '');
  if (text.at(-limit - 1) === '\n') return end;
  const firstBreak = end.indexOf('\n');
  return firstBreak === -1 || firstBreak === end.length - 1 ? end : end.slice(firstBreak + 1);
};
