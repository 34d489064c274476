import type { GatewayProcessors } from '../../../queues/consumer.ts';
import { OperationError } from '../../../queues/errors.ts';
import { TunnelProblem } from './problems.ts';
import type { Tunnel } from './tunnel.ts';

/** Somebody wants a link: answers with an address within a minute, or says why there is none. */
export const openTunnelProcessor =
  (tunnel: Pick<Tunnel, 'open'>): GatewayProcessors['openTunnel'] =>
  async (_payload, { signal, log }) => {
    try {
      const opened = await tunnel.open(signal);
      log.info({ way: opened.way }, 'people reach the gateway');
      return opened;
    } catch (error) {
      if (error instanceof TunnelProblem && error.code !== 'closing') {
        throw new OperationError('tunnel-unavailable', error.text);
      }
      throw error;
    }
  };
