import { z } from 'zod';

/**
 * A terminal's way: page ↔ gateway ↔ worker ↔ a PTY in the VM. Bytes of the terminal are binary frames in both
 * directions; everything else is a text frame of JSON, described here. Each side trusts nothing that the other says.
 *
 * Glossary.
 * session — what a spent ticket gives: the right of one browser to terminals of one VM, for some hours.
 * window — one tab of it. Each has a tmux session of its own, so that it comes back as it was after a lost connection.
 * link — the connection between gateway and worker that carries one window.
 * watermarks — who has sent more bytes than were acknowledged stops reading, up to the PTY itself.
 */

const size = z.number().int().min(1).max(1_000);
export const windowId = z.string().regex(/^[a-z0-9]{8,32}$/);

/** From the page. `ack`: so many more bytes of output are on the screen. */
export const fromPage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('resize'), columns: size, rows: size }),
  z.object({ type: z.literal('ack'), bytes: z.number().int().min(1).max(1_073_741_824) }),
  /** The person ends the terminal, and what runs in it. */
  z.object({ type: z.literal('end') }),
]);
export type FromPage = z.infer<typeof fromPage>;

export const endReason = z.enum([
  'exited',
  'ended',
  'closed-by-owner',
  'vm-stopped',
  'vm-destroyed',
  'user-removed',
  'maintenance',
  'session-over',
  'vm-not-running',
  'too-many',
]);
export type EndReason = z.infer<typeof endReason>;

/**
 * To the page. `ended`: for good, with the reason. `lost`: the worker is gone; the gateway tries another, and says
 * `attached` when one has taken over.
 */
export const toPage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('attached'), vm: z.string() }),
  z.object({ type: z.literal('lost') }),
  z.object({ type: z.literal('ended'), reason: endReason }),
]);
export type ToPage = z.infer<typeof toPage>;

/**
 * Gateway and worker show each other that they know the shared secret before anything else: each answers the other's
 * random challenge with its HMAC.
 */
export const challenge = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
export const proof = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
export const hello = z.object({ type: z.literal('hello'), challenge });
export const welcome = z.object({ type: z.literal('welcome'), challenge, proof });

/** The gateway's wish, with its own proof. `owner` must be the VM's: the worker looks at the container's label. */
export const openTerminal = z.object({
  type: z.literal('open'),
  proof,
  /** Part of a path of Docker's API: anything but a plain name would ask Docker something else. */
  vmId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/i),
  owner: z.number().int(),
  /** Together they name the tmux session. */
  session: z.string().regex(/^[a-z0-9]{8,32}$/),
  window: windowId,
  columns: size,
  rows: size,
});
export type OpenTerminal = z.infer<typeof openTerminal>;

/** From the worker once it is open, and when it has ended. After `opened` come binary frames. */
export const fromWorker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('opened') }),
  z.object({ type: z.literal('ended'), reason: endReason }),
]);
export type FromWorker = z.infer<typeof fromWorker>;

/** Bytes that may be on their way unacknowledged; reading goes on below the lower mark. */
export const highWater = 512 * 1024;
export const lowWater = 128 * 1024;

/** One frame of input: what somebody pastes at once. */
export const longestInput = 256 * 1024;
