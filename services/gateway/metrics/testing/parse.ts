/** A strict reader of Prometheus' text format: throws at whatever Prometheus would refuse, or read in another way. */

export type Series = { name: string; labels: Record<string, string>; value: number };
export type Figures = {
  types: Map<string, string>;
  series: Series[];
  /** The values of all series with that name and at least those labels. */
  values(name: string, labels?: Record<string, string>): number[];
};

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|\+Inf|Nan|NaN)$/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

const parseLabels = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < text.length) {
    const at = labelPair.lastIndex;
    const [, name, value] = labelPair.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`no label at ${text.slice(at)}`);
    if (name in labels) throw new Error(`label ${name} twice in ${text}`);
    labels[name] = value;
  }
  return labels;
};

export const parseFigures = (text: string): Figures => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const types = new Map<string, string>();
  const series: Series[] = [];
  const seen = new Set<string>();
  let family = '';
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (types.has(name!)) throw new Error(`${name} is in two places`);
      family = name!;
    } else if (keyword === 'TYPE') {
      if (name !== family || types.has(name)) throw new Error(`the type of ${name} stands elsewhere`);
      types.set(name, rest!);
    } else {
      const [, sampleName, labelText = '', value] = sampleLine.exec(line) ?? [];
      if (sampleName === undefined) throw new Error(`not understood: ${line}`);
      const base =
        types.get(family) === 'histogram' ? sampleName.replace(/_(bucket|sum|count)$/, '') : sampleName;
      if (base !== family) throw new Error(`${sampleName} stands under ${family}`);
      const labels = parseLabels(labelText);
      const key = `${sampleName} ${JSON.stringify(Object.entries(labels).sort())}`;
      if (seen.has(key)) throw new Error(`twice: ${key}`);
      seen.add(key);
      series.push({ name: sampleName, labels, value: Number(value!.replace('Inf', 'Infinity')) });
    }
  }
  return {
    types,
    series,
    values: (name, labels = {}) =>
      series
        .filter((one) => one.name === name && Object.entries(labels).every(([k, v]) => one.labels[k] === v))
        .map(({ value }) => value),
  };
};
