/**
 * What a button says when it is pressed: an action and its arguments, `stop:k3j9x2a1:4`. Whoever presses is
 * authorised then and there, so nothing here is trusted; the VM's epoch tells an old button from a current one.
 */

const limit = 64;

export const encodeCallback = (action: string, ...args: (string | number)[]): string => {
  const data = [action, ...args].join(':');
  if (Buffer.byteLength(data) > limit) throw new Error(`callback data over ${limit} bytes: ${data}`);
  return data;
};

export const decodeCallback = (data: string): { action: string; args: string[] } => {
  const [action = '', ...args] = data.split(':');
  return { action, args };
};
