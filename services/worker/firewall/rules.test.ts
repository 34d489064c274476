import { describe, expect, it } from 'vitest';
import { parseFirewallEnv } from '../env.ts';
import { formatException, parseExceptions } from './may-reach.ts';
import { areReplaced, reachableResolvers } from './resolvers.ts';
import { firewallRules, tableName } from './rules.ts';

const order = { instance: 'berth', mayReach: [], resolvers: [] };

describe('what VMs may reach besides the internet', () => {
  it('is a list of addresses and ranges, with ports where only these are meant', () => {
    const text = '10.1.2.3, 10.1.0.0/16,192.168.1.5:445,fd00::5,fd00::/64,[fd00::5]:443,[fd00::/64]:80,';
    const exceptions = parseExceptions(text);
    expect(exceptions.map(formatException).join(',')).toBe(text.replace(/ |,$/g, ''));
    expect(exceptions[2]).toEqual({ range: '192.168.1.5', port: 445 });
    expect(exceptions[3]).toEqual({ range: 'fd00::5', port: null });
  });

  it.each([
    ['nas.local', '“nas.local” is no address or range: write 10.1.2.3, 10.1.0.0/16'],
    ['10.1.2.3/33', '“10.1.2.3/33” is no address'],
    ['10.1.2', '“10.1.2” is no address'],
    ['10.1.2.3:0', '“10.1.2.3:0” has no port'],
    ['10.1.2.3:65536', '“10.1.2.3:65536” has no port'],
    ['fe80::1%eth0', 'is no address'],
    ['0.0.0.0/0', '“0.0.0.0/0” is everything'],
    ['::/0', '“::/0” is everything'],
    ['10.1.2.3 accept', 'is no address'],
  ])('is refused at the start where it is %s', (VM_MAY_REACH, words) => {
    expect(() => parseFirewallEnv({ VM_MAY_REACH: `10.0.0.1,${VM_MAY_REACH}` })).toThrow(
      expect.objectContaining({ name: 'EnvError', message: expect.stringContaining(words) }),
    );
  });

  it('is nothing where it is not set', () => {
    expect(parseFirewallEnv({}).VM_MAY_REACH).toEqual([]);
  });
});

describe('the DNS servers that VMs ask', () => {
  it('are those of the host that a container can reach', () => {
    const conf =
      '# nameserver 1.1.1.1\nsearch lan\nnameserver 192.168.1.1\nnameserver 127.0.0.53\n nameserver fd00::53\nnameserver fe80::1%eth0\nnameserver 192.168.1.1';
    expect(reachableResolvers(conf)).toEqual(['192.168.1.1', 'fd00::53']);
    expect(areReplaced(conf)).toBe(false);
  });

  it('are those that Docker puts in their place where the host has only its own', () => {
    expect(areReplaced('nameserver 127.0.0.53\noptions edns0')).toBe(true);
    expect(areReplaced('nameserver ::1\nnameserver 127.0.0.1')).toBe(true);
  });
});

describe('the rules', () => {
  it('are a table of the instance’s own, which is put in place as a whole', () => {
    const table = tableName('berth');
    expect(table).toMatch(/^berth_[0-9a-f]{12}$/);
    expect(tableName('berth-2')).not.toBe(table);
    expect(firewallRules(order)).toMatch(
      new RegExp(`^add table inet ${table}\ndelete table inet ${table}\ntable inet ${table} \\{\n`),
    );
  });

  it('let a resolver be asked on port 53 and nothing else', () => {
    const [first, ...others] = firewallRules({ ...order, resolvers: ['10.0.0.53', 'fd00::53'] })
      .split('\n')
      .filter((line) => /daddr (10\.0\.0\.53|fd00::53)/.test(line));
    expect(first?.trim()).toBe(
      'ct original ip daddr 10.0.0.53 meta l4proto tcp ct original proto-dst 53 accept',
    );
    expect(others.map((line) => line.trim().split(' ')[2])).toEqual(['ip', 'ip6', 'ip6']);
    for (const line of others)
      expect(line).toMatch(/meta l4proto (tcp|udp) ct original proto-dst 53 accept$/);
  });

  it('refuse other VMs before they look at the exceptions', () => {
    const rules = firewallRules({ ...order, mayReach: parseExceptions('172.16.0.0/12') });
    expect(rules).toMatch(/oifname "br-[0-9a-f]{9}\*" jump refused\n +jump exceptions/);
  });
});
