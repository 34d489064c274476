/**
 * Docker sends the output of an exec without a terminal in frames: one byte for the stream (1 standard output,
 * 2 standard error), three of zero, four for the length, then so many bytes. A frame may come in any pieces.
 */

export type OutputStream = 'stdout' | 'stderr';

const headerSize = 8;

/** A function to feed with what arrives; `onOutput` gets the payload in the order of arrival, without copies. */
export const createFrameReader = (onOutput: (piece: Buffer, stream: OutputStream) => void) => {
  const header = Buffer.alloc(headerSize);
  let headerFilled = 0;
  let left = 0;

  return (data: Buffer): void => {
    let rest = data;
    while (rest.length > 0) {
      if (left === 0) {
        const taken = rest.copy(header, headerFilled, 0, headerSize - headerFilled);
        headerFilled += taken;
        rest = rest.subarray(taken);
        if (headerFilled < headerSize) return;
        headerFilled = 0;
        left = header.readUInt32BE(4);
        continue;
      }
      const piece = rest.subarray(0, left);
      left -= piece.length;
      rest = rest.subarray(piece.length);
      onOutput(piece, header[0] === 2 ? 'stderr' : 'stdout');
    }
  };
};
