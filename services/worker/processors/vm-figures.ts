import type { measureVms, Result } from '../../../queues/catalog.ts';

/**
 * Live figures, counted by the VM itself. Docker's own statistics come once a second, so that two samples of
 * them take longer than anybody wants to wait; in the VM's control group they can be read at any time.
 */

export type Figures = Pick<Result<typeof measureVms>['vms'][number], 'cpus' | 'memoryBytes' | 'diskBytes'>;

/** Prints `name value` lines; times and CPU use in nanoseconds. Both versions of control groups are understood. */
const script = `
cd /sys/fs/cgroup
cpu() {
  cat cpuacct/cpuacct.usage 2>/dev/null && return
  while read -r name value; do [ "$name" = usage_usec ] && echo "\${value}000"; done < cpu.stat
}
now() { date +%s%N; }
from=$(now) used=$(cpu)
sleep 0.25
echo "nanoseconds $(($(now) - from))"
echo "cpu $(($(cpu) - used))"
if [ -r memory/memory.usage_in_bytes ]; then cd memory; usage=memory.usage_in_bytes; else usage=memory.current; fi
echo "memory $(cat "$usage")"
while read -r name value; do
  case $name in inactive_file|total_inactive_file) echo "$name $value";; esac
done < memory.stat
set -- $(timeout 0.3 du -sx --block-size=1 /home/dev 2>/dev/null) && echo "disk $1"
`;

export const figuresCommand = { argv: ['/bin/sh', '-c', script] };

/** A figure that was not printed is unknown: null. */
export const readFigures = (printed: string): Figures => {
  const values = new Map<string, number>();
  for (const [, name, digits] of printed.matchAll(/^(\w+) (\d{1,16})$/gm)) values.set(name!, Number(digits));
  const nanoseconds = values.get('nanoseconds') ?? 0;
  const cpu = values.get('cpu');
  const memory = values.get('memory');
  // The file cache that the kernel gives back when somebody needs it is not in use.
  const cache = values.get('total_inactive_file') ?? values.get('inactive_file') ?? 0;
  return {
    cpus: cpu === undefined || nanoseconds === 0 ? null : Math.round((cpu / nanoseconds) * 1000) / 1000,
    memoryBytes: memory === undefined ? null : Math.max(0, memory - cache),
    diskBytes: values.get('disk') ?? null,
  };
};
