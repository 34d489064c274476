import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';

/**
 * What every process tells of itself: its memory, its use of the processor, and how long its event loop lets others
 * wait. Names are those that Prometheus' own client libraries use, where they have one.
 */

/**
 * Milliseconds between two looks at the event loop. prom-client's own looks come every 10 ms, which costs an idle
 * process as much as all the rest of it, and their figures hold the 10 ms too.
 */
const resolution = 100;
const nanosecondsPerSecond = 1e9;

const watchEventLoop = (registers: Registry[]): void => {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  const seconds = (nanoseconds: number): number =>
    Math.max(0, (nanoseconds - resolution * 1e6) / nanosecondsPerSecond);
  new Gauge({
    name: 'nodejs_eventloop_delay_seconds',
    help: 'How late the event loop was, since these figures were last taken.',
    labelNames: ['stat'],
    registers,
    collect() {
      if (delays.count === 0) return;
      this.set({ stat: 'p50' }, seconds(delays.percentile(50)));
      this.set({ stat: 'p99' }, seconds(delays.percentile(99)));
      this.set({ stat: 'max' }, seconds(delays.max));
      delays.reset();
    },
  });
};

/** A registry of this process' own, with the figures that all processes have. One per process. */
export const createProcessMetrics = (): Registry => {
  const registry = new Registry();
  const registers = [registry];
  watchEventLoop(registers);
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since 1970.',
    registers,
  }).set(Math.round(Date.now() / 1_000 - process.uptime()));
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory that the process holds.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Memory in use by JavaScript.',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
  let counted = 0;
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Seconds of a processor that the process has used.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const used = (user + system) / 1e6;
      this.inc(used - counted);
      counted = used;
    },
  });
  return registry;
};
