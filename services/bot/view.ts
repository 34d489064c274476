import type { Content } from './format/rich-text.ts';

/**
 * What a message of the chat is about. Kept with the message as JSON and rendered at every sending, so that it
 * holds no secret: passwords and output are looked up while rendering.
 */
export type View =
  | { kind: 'content'; content: Content }
  | { kind: 'operation'; operationId: string }
  | { kind: 'status'; vmId: string }
  | { kind: 'vm-event'; vmId: string; event: 'exited'; cause: string; exitCode: number }
  | { kind: 'vm-event'; vmId: string; event: 'lost' };
