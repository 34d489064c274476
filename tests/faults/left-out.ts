/** Failpoints that the runs never come to, and where their faults are tested instead. */
export const leftOut: Record<string, string> = {
  'docker: building the VM image': 'the image is shared with other tests; tests/image-build.test.ts',
  'docker: pulling *': 'as above',
  'docker: removing an image': 'as above',
  'redis: add a job before another': 'as above',
  'docker: asking for the size of a container':
    'only for storage drivers whose layers are no folders; processors/measure-disks.test.ts',
  'docker: inspecting a probe': 'takes two counts at the same moment; processors/measure-disks.test.ts',
  'docker: looking at a thing once more':
    'takes something without an owner, older than the grace; processors/take-stock.test.ts',
  'docker: making a container with a disk limit': 'only where the storage driver may have one',
  'docker: waiting for a probe': 'only where Docker has a way to GPUs; docker/gpu.test.ts',
  'docker: reading a probe': 'as above',
  'docker: changing the process limit': 'takes a fork bomb; processors/exec.test.ts',
  'docker: killing the container': 'as above',
  'docker: waiting for the end of the container': 'as above',
  'docker: waiting for the removal': 'takes two removals at the same moment; processors/lifecycle.test.ts',
  'docker: creating a terminal': 'takes a browser; tests/terminal-lost.test.ts',
  'docker: starting a terminal': 'as above',
  'docker: resizing a terminal': 'as above',
  'telegram: deleteMyCommands': 'takes an administrator less; services/bot/telegram/menus.test.ts',
};
