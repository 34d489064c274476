/** Dates as the reader's own language writes them. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

const dateOf = (seconds) => new Date(seconds * 1000);

export const clockTime = (seconds) => clock.format(dateOf(seconds));
export const fullTime = (seconds) => full.format(dateOf(seconds));

export const dayName = (seconds) => {
  const today = new Date();
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  const date = dateOf(seconds).toDateString();
  if (date === today.toDateString()) return 'Today';
  if (date === yesterday.toDateString()) return 'Yesterday';
  return day.format(dateOf(seconds));
};

const units = ['B', 'KB', 'MB', 'GB'];

export const fileSize = (bytes) => {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
};
