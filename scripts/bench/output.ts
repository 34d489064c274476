/** What comes out of a terminal, waited for by what it says. */

export type Output = {
  take(data: Buffer): void;
  /** Resolves once the output since this call holds the text; gives how many bytes came until then. */
  until(text: string): Promise<number>;
};

export const createOutput = (): Output => {
  const listeners = new Set<(data: Buffer) => void>();
  return {
    take(data) {
      for (const listener of listeners) listener(data);
    },
    until: (text) =>
      new Promise((resolve) => {
        let [bytes, tail] = [0, ''];
        const listener = (data: Buffer): void => {
          bytes += data.length;
          // 100 MB come this way: only what may hold the text's beginning is kept.
          tail = (tail + data.toString('latin1')).slice(-(data.length + text.length));
          if (!tail.includes(text)) return;
          listeners.delete(listener);
          resolve(bytes);
        };
        listeners.add(listener);
      }),
  };
};
