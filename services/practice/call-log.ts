/** The bot's last calls, for tests that count them and for people who wonder what a bot is doing. */
export type Call = {
  /** Milliseconds since 1970, when the call arrived. */
  at: number;
  method: string;
  chatId: number | undefined;
  status: 'ok' | 'refused' | 'silent' | 'dropped';
  code?: number | undefined;
  description?: string | undefined;
  /** The fault that struck it. */
  fault?: string | undefined;
};

export type CallLog = { add(call: Call): void; list(): Call[] };

const kept = 2_000;

export const createCallLog = (): CallLog => {
  const calls: Call[] = [];
  return {
    add: (call) => {
      calls.push(call);
      if (calls.length > kept) calls.shift();
    },
    list: () => [...calls],
  };
};
