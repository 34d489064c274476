import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { createGatewayApp } from './app.ts';
import { parseGatewayEnv } from './env.ts';

const env = envOrExit(() => parseGatewayEnv(process.env));
const log = createLog('gateway', env.LOG_LEVEL);

await runService(log, async (lifecycle) => {
  const app = createGatewayApp();
  lifecycle.onShutdown('web server', () => app.close());
  const url = await app.listen({ port: env.GATEWAY_PORT, host: env.GATEWAY_BIND_ADDRESS });
  log.info({ url }, 'the gateway listens');
});
