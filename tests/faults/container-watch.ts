import type Docker from 'dockerode';

/** What Docker did with the containers of an instance, from outside of Berth: every making, start, end and removal. */

export type ContainerEvent = {
  action: 'create' | 'start' | 'die' | 'destroy';
  vmId: string;
  containerId: string;
  /** Milliseconds since 1970, by Docker's clock, which is this machine's. */
  at: number;
};

export type ContainerWatch = { events(): ContainerEvent[]; close(): void };

type Line = {
  Action: ContainerEvent['action'];
  Actor: { ID: string; Attributes: Record<string, string> };
  timeNano: number;
};

export const watchContainers = (docker: Docker, instance: string): ContainerWatch => {
  const events = new Map<string, ContainerEvent>();
  const leaving = new AbortController();
  let since = Math.floor(Date.now() / 1_000);

  const take = (text: string): void => {
    const { Action: action, Actor, timeNano } = JSON.parse(text) as Line;
    const at = timeNano / 1e6;
    since = Math.floor(at / 1_000);
    const vmId = Actor.Attributes['berth.vm'];
    // Probes bear the instance's label, and are no VM's.
    if (vmId === undefined) return;
    events.set(`${action} ${Actor.ID} ${timeNano}`, { action, vmId, containerId: Actor.ID, at });
  };

  /** Ends with the engine; what happened meanwhile is told at the next time. */
  const follow = async (): Promise<void> => {
    const filters = {
      type: ['container' as const],
      event: ['create', 'start', 'die', 'destroy'],
      label: [`berth.instance=${instance}`],
    };
    const stream = await docker.getEvents({ filters, since });
    leaving.signal.addEventListener('abort', () => (stream as unknown as { destroy(): void }).destroy());
    let rest = '';
    for await (const piece of stream) {
      const lines = (rest + String(piece)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') take(line);
    }
  };

  const keep = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      // An engine that is restarted refuses or breaks off; it is asked again, at a measured pace.
      await follow().catch(() => undefined);
      if (!leaving.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  void keep();

  return {
    events: () => [...events.values()].sort((a, b) => a.at - b.at),
    close: () => leaving.abort(),
  };
};
