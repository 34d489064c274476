/** Figures of repeated measurements: times in milliseconds. */

export type Series = { name: string; unit: string; values: number[]; aim?: string };
export type Row = { name: string; unit: string; min: number; median: number; max: number; aim?: string };

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const toRow = ({ name, unit, values, aim }: Series): Row => ({
  name,
  unit,
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
  ...(aim === undefined ? {} : { aim }),
});

const number = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1);

export const table = (rows: readonly Row[]): string => {
  const cells = [
    ['', 'min', 'median', 'max', 'unit', 'aim'],
    ...rows.map(({ name, unit, min, median: middle, max, aim }) => [
      name,
      number(min),
      number(middle),
      number(max),
      unit,
      aim ?? '',
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
};
