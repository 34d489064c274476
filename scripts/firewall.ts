import { existsSync, readFileSync } from 'node:fs';
import { parseFirewallEnv } from '../services/worker/env.ts';
import { areReplaced, reachableResolvers } from '../services/worker/firewall/resolvers.ts';
import { firewallRules } from '../services/worker/firewall/rules.ts';
import { envOrExit } from '../shared/lifecycle.ts';

/**
 * Prints the rules for what VMs may reach, for hosts whose Docker may not set them: `npm run firewall --silent | sudo
 * nft -f -`, on the host itself, after each of its starts.
 */

if (existsSync('.env')) process.loadEnvFile('.env');
const { INSTANCE: instance, VM_MAY_REACH: mayReach } = envOrExit(() => parseFirewallEnv(process.env));

/** What Docker reads where the first names only a resolver on loopback. */
const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];
const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
const used = texts.find((text) => !areReplaced(text)) ?? '';

process.stdout.write(firewallRules({ instance, mayReach, resolvers: reachableResolvers(used) }));
