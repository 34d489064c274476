import { z } from 'zod';

/**
 * Glossary.
 * thing — a container, volume or network on a Docker host that bears the instance's label.
 * leftover — a thing of a VM that has come to its end: nobody needs it, and Berth removes it.
 * stray — a thing that no VM accounts for: told to the administrators, and never touched without their word.
 * stock-taking — a look at everything with the instance's label, compared with what the event log knows.
 */

/** What people may have put into a label or a name is cut to this, in characters; nothing of Berth's is as long. */
export const longestLabelValue = 128;

export const thing = z.object({
  kind: z.enum(['container', 'volume', 'network']),
  /** Docker's; a volume has none beside its name. */
  id: z.string(),
  name: z.string(),
  /** What its labels say, which anybody with access to Docker may have written; null where they say nothing. */
  vmId: z.string().nullable(),
  owner: z.string().nullable(),
  /** ISO; null where Docker does not tell. */
  createdAt: z.string().nullable(),
  running: z.boolean(),
});
export type Thing = Readonly<z.infer<typeof thing>>;

/** The same for the same thing only: a volume that is made anew under its name is another one. */
export const thingKey = ({ kind, id, createdAt }: Thing): string =>
  kind === 'volume' ? `volume:${id}:${createdAt}` : `${kind}:${id}`;
