/** What bot and worker of the bench know each other by: sealing is part of what is measured. */
export const benchSecret = 'the-bench-has-nothing-to-hide-00';
