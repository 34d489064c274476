/**
 * The name of this tab's terminal: it survives a reload. A tab that was duplicated has the same one in its storage, and
 * takes another when the first tab says that it is taken.
 */

const key = 'berth-window';
const answerWithin = 150;

const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte % 36).toString(36)).join('');

const store = (id) => {
  sessionStorage.setItem(key, id);
  return id;
};

export const freshWindowId = () => store(newId());

export const claimWindowId = async () => {
  const self = newId();
  const channel = new BroadcastChannel(`berth-windows ${location.pathname}`);
  let id = sessionStorage.getItem(key);
  const taken =
    id !== null &&
    (await new Promise((resolve) => {
      const timer = setTimeout(resolve, answerWithin, false);
      channel.onmessage = ({ data }) => {
        if (data.taken !== id || data.to !== self) return;
        clearTimeout(timer);
        resolve(true);
      };
      channel.postMessage({ asks: id, from: self });
    }));
  id = id === null || taken ? freshWindowId() : id;
  channel.onmessage = ({ data }) => {
    if (data.asks === sessionStorage.getItem(key)) channel.postMessage({ taken: data.asks, to: data.from });
  };
  return id;
};
