/**
 * The practice chat stands in for Telegram where there is no token. What bot and practice chat, which know nothing of
 * each other, have to agree on without being told.
 */

export const practiceToken = '1000000:practice-chat-token-for-this-machine-only';
export const practiceAdministrator = '1001';

type Source = Record<string, string | undefined>;

export const hasTelegramToken = (source: Source): boolean =>
  Boolean(source.TELEGRAM_BOT_TOKEN || source.TELEGRAM_BOT_TOKEN_FILE);

/** The variables of processes that talk with the practice chat at `url` as if that were Telegram. */
export const withPractice = (source: Source, url: string): Source => {
  const token = source.PRACTICE_TOKEN || practiceToken;
  return {
    ...source,
    ADMIN_USER_ID: source.ADMIN_USER_ID || practiceAdministrator,
    PRACTICE_TOKEN: token,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_API_ROOT: url,
  };
};
