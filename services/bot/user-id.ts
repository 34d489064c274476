/** A Telegram user id from text, or null where it is none. */
export const readUserId = (text: string | undefined): number | null =>
  text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
