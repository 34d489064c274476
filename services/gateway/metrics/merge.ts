import { AggregatorRegistry, type MetricObject, Registry } from 'prom-client';
import type { Metric, ProcessFigures } from '../../../queues/metrics.ts';

/**
 * Figures of all processes in one text. Every series says which process it is of (`process`, `host`, `run`), so that
 * no two are summed: what belongs together is for whoever asks Prometheus to say.
 */

const labelled = ({ run, process, host, metrics }: ProcessFigures): Metric[] =>
  metrics.map((metric) => ({
    ...metric,
    values: metric.values.map((sample) => ({
      ...sample,
      // A metric's own host, such as a queue's, stays what it is.
      labels: { process, run, ...(host !== null && { host }), ...sample.labels },
    })),
  }));

/** Where two versions give one name to metrics of different types, the second would spoil the whole text. */
const withoutContradictions = (all: Metric[][]): Metric[][] => {
  const types = new Map<string, Metric['type']>();
  const agrees = ({ name, type }: Metric): boolean => {
    const known = types.get(name) ?? type;
    types.set(name, known);
    return known === type;
  };
  return all.map((metrics) => metrics.filter(agrees));
};

/** Prometheus' text format. */
export const mergeFigures = (figures: readonly ProcessFigures[]): Promise<string> => {
  const metrics = withoutContradictions(figures.map(labelled));
  const summing = metrics.map((ofOne) => ofOne.map((metric) => ({ ...metric, aggregator: 'sum' })));
  return AggregatorRegistry.aggregate(summing as unknown as MetricObject[]).metrics();
};

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;
