import { type Content, plain } from '../format/rich-text.ts';
import { findNames } from '../names.ts';
import { countPeople, findAllowedUsers, findSettings, findVms } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { findStrays, groupStrays } from '../strays.ts';
import { pageButtons, showStraysButton } from '../texts/buttons.ts';
import { allowedList } from '../texts/general.ts';
import { type HostInWords, overviewInWords, vmListPage } from '../texts/overview.ts';
import type { Rendering } from './rendering.ts';
import { straysInWords } from './strays.ts';

/** What administrators see of the whole: settings, hosts, every VM. */

const countByStatus = (vms: readonly VmRow[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status } of vms) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

const given = (vms: readonly VmRow[], host: string) =>
  vms
    .filter((vm) => vm.host === host && vm.status === 'running')
    .reduce((sum, vm) => ({ memoryBytes: sum.memoryBytes + vm.memory_bytes, cpus: sum.cpus + vm.cpus }), {
      memoryBytes: 0,
      cpus: 0,
    });

export const renderOverview = async (rendering: Rendering): Promise<Content> => {
  const { db, config, hosts, board } = rendering;
  const vms = await findVms(db);
  const settings = await findSettings(db);
  const people = await countPeople(db);
  const workers = hosts.workers();
  const strays = await straysInWords(groupStrays(await findStrays(db)), rendering);
  const names = [...new Set([config.HOST_ID, ...[...workers, ...vms, ...strays].map(({ host }) => host)])];
  const describe = (host: string): HostInWords => ({
    host,
    facts: hosts.factsOf(host),
    gpu: hosts.gpuOf(host),
    workers: workers.filter((worker) => worker.host === host),
    queues: hosts.queuesOf(host),
    given: given(vms, host),
    disks: board.diskLookOf(host),
  });
  return plain(
    overviewInWords({
      instance: config.INSTANCE,
      defaults: {
        memoryBytes: settings.memory_bytes,
        cpus: settings.cpus,
        diskBytes: settings.disk_bytes,
        maxVms: settings.max_vms,
        gpu: settings.gpu === 1,
      },
      maintenanceSince: settings.maintenance_since,
      people: { administrators: config.ADMIN_USER_ID.length, ...people },
      vms: countByStatus(vms),
      strays,
      redis: hosts.redis(),
      hosts: names.map(describe),
      gateways: hosts.gateways(),
    }),
    strays.length === 0 ? [] : [[showStraysButton]],
  );
};

/** VMs on one page: a name, an owner and a plan each stay well within a message. */
const pageSize = 20;

const pageOf = (wanted: number, count: number) => {
  const pages = Math.max(1, Math.ceil(count / pageSize));
  return { page: Math.min(Math.max(0, wanted), pages - 1), pages };
};

export const renderVmList = async (wanted: number, { db }: Rendering): Promise<Content> => {
  const vms = await findVms(db);
  const names = await findNames(db);
  const { page, pages } = pageOf(wanted, vms.length);
  const lines = vms.slice(page * pageSize, (page + 1) * pageSize).map((vm) => ({
    name: vm.name,
    owner: names(vm.owner),
    status: vm.status,
    plan: vm.plan,
    port: vm.ssh_port,
    gpu: vm.gpu === 1,
  }));
  return plain(vmListPage(lines, { page, pages, all: vms.length }), pageButtons('vm-list', page, pages));
};

export const renderPeople = async (wanted: number, { db, config }: Rendering): Promise<Content> => {
  const users = await findAllowedUsers(db);
  const { page, pages } = pageOf(wanted, users.length);
  const shown = users.slice(page * pageSize, (page + 1) * pageSize);
  return plain(
    allowedList(shown, config.ADMIN_USER_ID, { page, pages, all: users.length }),
    pageButtons('people', page, pages),
  );
};
