import { customAlphabet } from 'nanoid';

/** Ids that people read and type: no letter that looks like another. */
export const newId = customAlphabet('abcdefghijkmnpqrstuvwxyz23456789', 10);
