/** A Telegram user id from text, or null where it is none. Larger numbers would be read as somebody else's. */
export const readUserId = (text: string | undefined): number | null => {
  const id = text !== undefined && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
};
