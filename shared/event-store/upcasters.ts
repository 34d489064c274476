/**
 * Events are kept as they were written. When the shape of one changes, an upcaster turns the old shape into the
 * new one while it is read: the first of an event's list turns version 1 into 2, the next 2 into 3.
 */

type Shape = { type: string; data: Record<string, unknown> };
export type Upcaster = (old: Shape) => Shape;
export type Upcasters = Readonly<Record<string, readonly Upcaster[]>>;

export const upcast = (
  upcasters: Upcasters,
  type: string,
  schemaVersion: number,
  data: Record<string, unknown>,
): Shape => {
  const known = upcasters[type] ?? [];
  if (schemaVersion > known.length + 1) {
    throw new Error(
      `${type} of version ${schemaVersion} was written by a newer Berth; this one cannot read it`,
    );
  }
  return known.slice(schemaVersion - 1).reduce((shape, next) => next(shape), { type, data });
};
