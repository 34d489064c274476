/** Figures of repeated measurements, a series each, and how they are printed. */

export type Series = { name: string; unit: string; values: number[]; aim?: string };
/** Two series side by side; `ok` where there is an aim. */
export type Comparison = { name: string; value: number; unit: string; aim?: string; ok?: boolean };

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const createFigures = () => {
  const all: Series[] = [];
  return {
    all,
    /** A new row of the table, which the returned function adds values to. */
    series(name: string, unit: string, aim?: string) {
      const values: number[] = [];
      all.push({ name, unit, values, ...(aim === undefined ? {} : { aim }) });
      return Object.assign((value: number) => void values.push(value), { values });
    },
  };
};

export type Figures = ReturnType<typeof createFigures>;

/** Ratio of the medians. */
export const compare = (name: string, ours: readonly number[], theirs: readonly number[]): Comparison => ({
  name,
  value: median(ours) / median(theirs),
  unit: '×',
});

export const withAim = (comparison: Comparison, most: number): Comparison => ({
  ...comparison,
  aim: `≤ ${most} ${comparison.unit}`,
  ok: comparison.value <= most,
});

export const toRow = ({ name, unit, values, aim }: Series) => ({
  name,
  unit,
  rounds: values.length,
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
  ...(aim === undefined ? {} : { aim }),
});

const number = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1);

const align = (cells: readonly string[][]): string => {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const place = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!);
  return cells.map((row) => row.map(place).join('  ')).join('\n');
};

export const table = (all: readonly Series[], comparisons: readonly Comparison[]): string =>
  `${align([
    ['', 'min', 'median', 'max', 'unit', 'rounds', 'aim'],
    ...all
      .map(toRow)
      .map(({ name, unit, min, median: middle, max, rounds, aim }) => [
        name,
        number(min),
        number(middle),
        number(max),
        unit,
        `${rounds}`,
        aim ?? '',
      ]),
  ])}\n\n${align(
    comparisons.map(({ name, value, unit, aim, ok }) => [
      name,
      `${number(value)} ${unit}`,
      aim ?? '',
      ok === undefined ? '' : ok ? 'met' : 'missed',
    ]),
  )}\n`;
