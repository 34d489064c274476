import { type Finding, failure, ok, warning } from './check.ts';
import { judgeSkew } from './clock.ts';

type Answer = { ok?: boolean; result?: { username?: string } };

/** Whether Telegram answers, and knows the token. Null stands for the practice chat. The token is in no finding. */
export const checkTelegram = async (token: string | null, apiRoot: string): Promise<Finding[]> => {
  const name = 'Telegram';
  if (token === null) return [ok(name, 'no token: the practice chat is used')];
  const sentAt = Date.now();
  const response = await fetch(`${apiRoot}/bot${token}/getMe`, { signal: AbortSignal.timeout(10_000) }).catch(
    () => null,
  );
  const advice = 'Look at the network of this machine, or set TELEGRAM_API_ROOT.';
  if (response === null) return [failure(name, `${apiRoot} does not answer`, advice)];
  const answer = (await response.json().catch(() => null)) as Answer | null;
  if (answer === null) return [failure(name, `${apiRoot} does not answer as Telegram does`, advice)];
  if (!answer.ok) {
    return response.status === 401 || response.status === 404
      ? [failure(name, 'the token is not accepted', 'Ask @BotFather for the right one.')]
      : [warning(name, `${apiRoot} answers ${response.status}`, 'Try again in a while.')];
  }
  const found = ok(name, `@${answer.result?.username}`);
  // Telegram tells the time with every answer, in whole seconds.
  const skew = judgeSkew('Telegram', Date.parse(response.headers.get('date') ?? ''), sentAt);
  return skew === null ? [found] : [found, skew];
};
