/** Copying and pasting, where the browser lets the page: under https, or on this machine. */

/** Whether it worked. */
export const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
};

/** Without https there is no clipboard to write to, but a selection can still be copied. */
const copyOldWay = (text) => {
  const active = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'offstage';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  active?.focus();
  return done;
};

/** The text, or null where the browser does not give it. */
export const readClipboard = async () => {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
};
