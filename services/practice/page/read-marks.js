/** Up to which message each chat was read, remembered by the browser. */

const key = 'practice-read';

const load = () => {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(key) ?? '{}')));
  } catch {
    return new Map();
  }
};

const save = (marks) => {
  try {
    localStorage.setItem(key, JSON.stringify(Object.fromEntries(marks)));
  } catch {
    // Where the browser stores nothing for us, marks last as long as the page.
  }
};

export const createReadMarks = () => {
  const marks = load();
  return {
    /** Returns whether that is news. */
    read: (chatId, messageId) => {
      if (messageId === undefined || (marks.get(String(chatId)) ?? 0) >= messageId) return false;
      marks.set(String(chatId), messageId);
      save(marks);
      return true;
    },
    unread: (chatId, messages) => {
      const read = marks.get(String(chatId)) ?? 0;
      return messages.filter(({ id, fromBot }) => fromBot && id > read).length;
    },
  };
};
