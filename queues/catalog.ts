import { z } from 'zod';
import { thing } from '../shared/stray/thing.ts';
import { failure } from '../shared/vm/failure.ts';
import { vmLimits } from '../shared/vm/limits.ts';
import { gpuOffer } from './host-facts.ts';

/**
 * Glossary.
 * job — one piece of work in Redis, declared here once: name, queue, payload, result, retries.
 * queue — jobs of one kind of work for one host, so that a slow kind never holds up another.
 * producer — adds jobs; consumer — takes them and calls a processor; report — a job's outcome on its way back.
 *
 * Job data is clear text for whoever looks at the queues: no secret stands in it. Fields that are declared `sealed` lie
 * there as such (seal.ts); what an `/exec` runs and prints travels beside the job, sealed too (private-values.ts).
 */

export const queueKinds = ['lifecycle', 'exec', 'image', 'query', 'disk', 'tunnel'] as const;
export type QueueKind = (typeof queueKinds)[number];

type Declaration<Name extends string, Payload extends z.ZodObject, Result extends z.ZodType> = {
  name: Name;
  queue: QueueKind;
  payload: Payload;
  result: Result;
  /** Tries in all, for faults that may pass; a job cut off by its worker's death is taken up beside them. */
  attempts: number;
  /** Fields of the payload that nobody but the worker may read. */
  sealed: readonly string[];
  /** How many ended ones Redis keeps at most, where an answer may be large and is worth nothing later. */
  keptAtMost?: number;
};

const defineJob = <const Name extends string, Payload extends z.ZodObject, Result extends z.ZodType>(
  declaration: Omit<Declaration<Name, Payload, Result>, 'sealed'> & {
    sealed?: readonly (keyof z.infer<Payload> & string)[];
  },
): Declaration<Name, Payload, Result> => ({ sealed: [], ...declaration });

/** What every operation's job carries. `correlationId` leads from the chat's update to the last log line. */
const operation = {
  operationId: z.string(),
  vmId: z.string(),
  epoch: z.number().int(),
  correlationId: z.string(),
};

/**
 * How a VM's owner gets in: the password and the keys. A worker puts in place whatever is newer than what the VM has, so
 * that a job that comes late undoes nothing.
 */
export const access = z.object({
  /** crypt(3) hash of the password of `dev`. */
  passwordHash: z.string(),
  /** Lines of an authorized_keys file. */
  authorizedKeys: z.array(z.string()),
  /** Grows with every change, over all VMs. */
  revision: z.number().int(),
});
export type Access = z.infer<typeof access>;

/** Brings a VM's container into being. Safe to run twice: an existing container of ours is adopted. */
export const createVm = defineJob({
  name: 'create-vm',
  queue: 'lifecycle',
  payload: z.object({
    ...operation,
    owner: z.number().int(),
    name: z.string(),
    limits: vmLimits,
    sshPort: z.number().int(),
    access,
  }),
  result: z.object({ containerId: z.string(), hostKeyFingerprint: z.string() }),
  sealed: ['access'],
  attempts: 3,
});

/** Starts the container and waits for the SSH banner; a running one is done already. */
export const startVm = defineJob({
  name: 'start-vm',
  queue: 'lifecycle',
  payload: z.object({ ...operation, sshPort: z.number().int(), access }),
  result: z.object({}),
  sealed: ['access'],
  attempts: 3,
});

/** Stops and starts the container. After a repeat it may have been restarted twice; it runs in the end. */
export const restartVm = defineJob({
  name: 'restart-vm',
  queue: 'lifecycle',
  payload: z.object({ ...operation, sshPort: z.number().int(), access }),
  result: z.object({}),
  sealed: ['access'],
  attempts: 3,
});

/** Stops the container; a stopped one is done already. */
export const stopVm = defineJob({
  name: 'stop-vm',
  queue: 'lifecycle',
  payload: z.object(operation),
  result: z.object({}),
  attempts: 3,
});

/** Removes container and volume; what is gone already is done. */
export const destroyVm = defineJob({
  name: 'destroy-vm',
  queue: 'lifecycle',
  payload: z.object(operation),
  result: z.object({}),
  attempts: 5,
});

/** Runs one command as the VM's user, at most once. The command and its output are private values. */
export const exec = defineJob({
  name: 'exec',
  queue: 'exec',
  payload: z.object({ ...operation, timeoutSeconds: z.number().int().positive() }),
  result: z.object({
    exitCode: z.number().int(),
    durationMs: z.number().int(),
    outputBytes: z.number().int(),
    truncated: z.boolean(),
    /** The time limit ended it. */
    timedOut: z.boolean(),
  }),
  attempts: 3,
});

/** Puts password and keys in place in a running VM. */
export const setAccess = defineJob({
  name: 'set-access',
  queue: 'query',
  payload: z.object({ ...operation, access }),
  result: z.object({}),
  sealed: ['access'],
  attempts: 3,
});

/** Builds the VM image where it is missing; with `force` also where it is there. One at a time per host. */
export const buildImage = defineJob({
  name: 'build-image',
  queue: 'image',
  /** With an operation's id somebody asked for it; without, a creation found the image missing. */
  payload: z.object({ force: z.boolean(), operationId: z.string().optional(), correlationId: z.string() }),
  /** `built`: false where the image was there already. */
  result: z.object({ imageId: z.string(), built: z.boolean() }),
  attempts: 1,
});

export const diskLane = z.enum(['quick', 'slow']);
export type DiskLane = z.infer<typeof diskLane>;

/** Live figures of running VMs. A question, not an operation: its answer is worth nothing tomorrow. */
export const measureVms = defineJob({
  name: 'measure-vms',
  queue: 'query',
  payload: z.object({ requestId: z.string(), vmIds: z.array(z.string()).max(50), correlationId: z.string() }),
  result: z.object({
    vms: z.array(
      z.object({
        vmId: z.string(),
        startedAt: z.string().nullable(),
        /** Cores in use, 1.5 for one and a half. */
        cpus: z.number().nullable(),
        memoryBytes: z.number().nullable(),
        diskBytes: z.number().nullable(),
      }),
    ),
  }),
  attempts: 1,
});

/** What became of VMs that should be running; each answer bears the epoch of its question, so that a late one shows. */
export const lookAtVms = defineJob({
  name: 'look-at-vms',
  queue: 'query',
  payload: z.object({
    requestId: z.string(),
    vms: z.array(z.object({ vmId: z.string(), epoch: z.number().int() })),
    correlationId: z.string(),
  }),
  result: z.object({
    vms: z.array(
      z.object({
        vmId: z.string(),
        epoch: z.number().int(),
        /** `other`: Docker is at it (restarting, paused, removing), or never started it. */
        state: z.enum(['running', 'stopped', 'absent', 'other']),
        exitCode: z.number().int().nullable(),
        /** The kernel ended its first process for want of memory. */
        outOfMemory: z.boolean(),
        /** It ended because Docker or the host did. */
        withEngine: z.boolean(),
      }),
    ),
  }),
  attempts: 1,
});

/**
 * How much disk running VMs use: the container's own layer and the home, as they lie on the host. Walking through a
 * million files takes minutes: those VMs have a lane of their own, and each lane has one job at a time.
 */
export const measureDisks = defineJob({
  name: 'measure-disks',
  queue: 'disk',
  payload: z.object({
    requestId: z.string(),
    lane: diskLane,
    vms: z.array(z.object({ vmId: z.string(), epoch: z.number().int() })).max(1_000),
    correlationId: z.string(),
  }),
  result: z.object({
    vms: z.array(
      z.object({
        vmId: z.string(),
        epoch: z.number().int(),
        /** Null where nobody could see. */
        usedBytes: z.number().nullable(),
        /** False: time ran out before all files were counted, and it is more than that. */
        complete: z.boolean(),
      }),
    ),
  }),
  attempts: 1,
});

/**
 * Everything on the host that bears the instance's label, without what it should have: container and volume of the VMs in
 * `expected`, the instance's networks. Probes that a worker left behind are removed on the way.
 */
export const takeStock = defineJob({
  name: 'take-stock',
  queue: 'query',
  payload: z.object({ requestId: z.string(), expected: z.array(z.string()), correlationId: z.string() }),
  /** `complete`: false where there was too much for one answer; then it is some of it, another time others. */
  result: z.object({ things: z.array(thing).max(1_000), complete: z.boolean() }),
  attempts: 1,
  keptAtMost: 20,
});

/**
 * Removes what is left of a VM that has ended, each thing only as long as it is the one that was seen. The epoch is one
 * behind the VM's last: whoever is still at an older operation of the VM must touch nothing more.
 */
export const removeLeftovers = defineJob({
  name: 'remove-leftovers',
  queue: 'lifecycle',
  payload: z.object({
    requestId: z.string(),
    vmId: z.string(),
    epoch: z.number().int(),
    things: z.array(thing),
    correlationId: z.string(),
  }),
  result: z.object({}),
  attempts: 1,
});

/** Removes strays that an administrator wants removed, each only as long as it is the one that was told. */
export const removeStrays = defineJob({
  name: 'remove-strays',
  queue: 'lifecycle',
  payload: z.object({ operationId: z.string(), things: z.array(thing), correlationId: z.string() }),
  result: z.object({}),
  attempts: 3,
});

/** Has the worker look at its host anew: whether GPUs can be given to VMs. */
export const probeGpu = defineJob({
  name: 'probe-gpu',
  queue: 'query',
  payload: z.object({ requestId: z.string(), correlationId: z.string() }),
  result: gpuOffer,
  attempts: 1,
});

/**
 * Sees that people can reach the gateway, by whichever way the settings give, and says under which address. The gateway
 * does this; `host` of the job is `gatewayHost`.
 */
export const openTunnel = defineJob({
  name: 'open-tunnel',
  queue: 'tunnel',
  payload: z.object({ operationId: z.string(), correlationId: z.string() }),
  result: z.object({
    /** `https://…`, without a slash at its end. */
    origin: z.url(),
    way: z.enum(['named', 'quick', 'fixed', 'address']),
    /** Which way it is and why, for people; null where there is nothing to add. */
    note: z.string().max(500).nullable(),
  }),
  attempts: 2,
});
export const gatewayHost = 'gateway';

/** What workers do. */
export const workerCatalog = {
  createVm,
  startVm,
  restartVm,
  stopVm,
  destroyVm,
  exec,
  setAccess,
  buildImage,
  measureVms,
  lookAtVms,
  measureDisks,
  takeStock,
  removeLeftovers,
  removeStrays,
  probeGpu,
} as const;
/** What the gateway does. */
export const gatewayCatalog = { openTunnel } as const;
export const catalog = { ...workerCatalog, ...gatewayCatalog } as const;
export type Catalog = typeof catalog;
export type WorkerCatalog = typeof workerCatalog;
export type GatewayCatalog = typeof gatewayCatalog;
export type Job = Catalog[keyof Catalog];
export type JobName = Job['name'];
export type Payload<J extends Job> = z.infer<J['payload']>;
export type Result<J extends Job> = z.infer<J['result']>;

export const findJob = (name: string): Job => {
  const job = Object.values(catalog).find((declared) => declared.name === name);
  if (job === undefined) throw new Error(`no job is called ${name}`);
  return job;
};

/** What a worker says at the end of a job: a result, a failure people can read, or that it was cancelled. */
export const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('succeeded'), result: z.unknown() }),
  z.object({ kind: z.literal('failed'), reason: failure }),
  z.object({ kind: z.literal('cancelled') }),
]);
export type Outcome = z.infer<typeof outcome>;

export const report = z.object({
  jobName: z.string(),
  /** The operation's id, or a query's request id. */
  jobId: z.string(),
  operationId: z.string(),
  vmId: z.string().nullable(),
  outcome,
  at: z.iso.datetime(),
});
export type Report = z.infer<typeof report>;

/** A step of a job on its way, for the chat's eyes only: may be lost, is never truth. */
export const progress = z.object({
  host: z.string(),
  /** Null for an image build that nobody asked for by itself: all creations that wait for it share it. */
  operationId: z.string().nullable(),
  step: z.enum(['image', 'container', 'starting', 'ssh', 'stopping', 'removing', 'running', 'building']),
  /** One line: of a build the step it is at. */
  detail: z.string().optional(),
  /** Of an exec, its output so far: the last 3,500 characters at most. */
  output: z.string().optional(),
});
export type Progress = z.infer<typeof progress>;
