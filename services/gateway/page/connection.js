/**
 * The socket to the gateway, and one after another when it is lost. Output is acknowledged once it is on the screen, in
 * portions, so that nobody on the way has more of it to keep than the screen can take.
 */

const socketPath = (windowId) => {
  const url = new URL(`${location.pathname}/socket`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.searchParams.set('window', windowId);
  return url;
};

const firstDelay = 250;
const longestDelay = 3_000;
const replaced = 4001;
/** Output is acknowledged after so many bytes, or milliseconds. */
const ackBytes = 64 * 1024;
const ackAfter = 50;
/** A frame of input, in bytes, and how many may wait in the browser. */
const piece = 32 * 1024;
const mostWaiting = 256 * 1024;
/** After a pause of this length (milliseconds) the line may be dead without the browser knowing: it sleeps with the machine. */
const longPause = 60_000;
const pulse = 5_000;

export const createConnection = ({ windowId, size, onOutput, onAttached, onLost, onEnded }) => {
  let socket = null;
  let delay = firstDelay;
  let over = false;
  let retry;
  let unacknowledged = 0;
  let ackTimer = null;
  let input = [];
  /** `new`: input waits for the first attach. `lost`: it is dropped, as the rest of a line would be run as another one. */
  let state = 'new';
  let ending = false;

  const say = (message) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const acknowledge = () => {
    clearTimeout(ackTimer);
    ackTimer = null;
    if (unacknowledged > 0) say({ type: 'ack', bytes: unacknowledged });
    unacknowledged = 0;
  };
  const shown = (from, bytes) => {
    if (from !== socket) return; // of a connection that is gone
    unacknowledged += bytes;
    if (unacknowledged >= ackBytes) acknowledge();
    else ackTimer ??= setTimeout(acknowledge, ackAfter);
  };
  const flush = () => {
    if (socket?.readyState !== WebSocket.OPEN || state !== 'attached') return;
    while (input.length > 0 && socket.bufferedAmount < mostWaiting) socket.send(input.shift());
    if (input.length > 0) setTimeout(flush, 20);
  };
  const forget = () => {
    state = 'lost';
    input = []; // typed into nothing: it must not arrive later, when nobody expects it
  };
  const end = (reason) => {
    over = true;
    // Refused at its beginning: the stop was earlier, and has made the session void.
    const stoppedBefore = state === 'new' && reason === 'vm-stopped';
    forget();
    clearTimeout(retry);
    onEnded(stoppedBefore ? 'stopped-before' : reason);
    socket?.close();
  };
  const lose = () => {
    forget();
    onLost();
  };
  const hear = (text) => {
    const message = JSON.parse(text);
    if (message.type === 'attached') {
      delay = firstDelay;
      state = 'attached';
      onAttached(message.vm);
      flush(); // what was typed before there was anything to lose
      if (ending) say({ type: 'end' }); // wished for while nobody was there to hear it
    } else if (message.type === 'lost') lose();
    else if (message.type === 'ended') end(message.reason);
  };
  const connect = () => {
    clearTimeout(retry);
    const opened = new WebSocket(socketPath(windowId));
    socket = opened;
    unacknowledged = 0;
    opened.binaryType = 'arraybuffer';
    opened.onopen = () => say({ type: 'resize', ...size() });
    opened.onmessage = ({ data }) => {
      if (opened !== socket || over) return;
      if (typeof data === 'string') return hear(data);
      onOutput(new Uint8Array(data), () => shown(opened, data.byteLength));
    };
    opened.onclose = ({ code }) => {
      if (opened !== socket || over) return;
      if (code === replaced) return end('replaced');
      lose();
      retry = setTimeout(connect, delay);
      delay = Math.min(delay * 2, longestDelay);
    };
  };

  const anew = () => {
    if (over) return;
    socket?.close();
    lose();
    delay = firstDelay;
    connect();
  };
  // Back from sleep or in another network: the old line is of no use, and a new one finds everything as it was.
  let aliveAt = Date.now();
  const look = () => {
    if (document.visibilityState !== 'visible') return;
    const pause = Date.now() - aliveAt;
    aliveAt = Date.now();
    if (pause > longPause) anew();
  };
  setInterval(look, pulse);
  document.addEventListener('visibilitychange', look);
  addEventListener('online', anew);
  connect();

  return {
    send(bytes) {
      if (state === 'lost') return;
      for (let at = 0; at < bytes.length; at += piece) input.push(bytes.subarray(at, at + piece));
      flush();
    },
    resize: () => say({ type: 'resize', ...size() }),
    end() {
      ending = true;
      say({ type: 'end' });
    },
    reconnectsAs(id) {
      windowId = id;
      over = false;
      ending = false;
      state = 'new';
      delay = firstDelay;
      connect();
    },
  };
};
