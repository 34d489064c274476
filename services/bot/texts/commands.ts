/**
 * How each command is called for by people: what stands behind it, what it is for, an example. The menu, the help and
 * every usage are made from this.
 */

type CommandText = { usage: string; summary: string; example: string };

const simple = (name: string, summary: string): CommandText => ({ usage: '', summary, example: `/${name}` });
const aboutVm = (name: string, summary: string): CommandText => ({
  usage: '[name]',
  summary,
  example: `/${name}`,
});

export const commandTexts = {
  start: simple('start', 'who you are here and what to do next'),
  help: simple('help', 'every command you may use'),
  create: { usage: '[name]', summary: 'make a VM with your plan', example: '/create box' },
  status: aboutVm('status', 'your VMs: state, use, how to get in'),
  exec: { usage: '[name:] command', summary: 'run a command in your VM', example: '/exec df -h /home/dev' },
  startVm: aboutVm('start_vm', 'start your VM'),
  stop: aboutVm('stop', 'stop your VM; its files stay'),
  restart: aboutVm('restart', 'stop your VM and start it again'),
  destroy: aboutVm('destroy', 'delete your VM for good, its home included'),
  cancel: simple('cancel', 'cancel what you have waiting or running'),
  webTerminal: aboutVm('web_terminal', 'a terminal on your VM, in the browser'),
  sshKey: {
    usage: '[public key]',
    summary: 'keys that open your VMs: add, list, remove',
    example: '/ssh_key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… anna@laptop',
  },
  password: aboutVm('password', 'a new password for your VM'),
  history: aboutVm('history', 'what happened to your VMs'),
  plans: simple('plans', 'the plans, and which one is yours'),
  adminInfo: simple('admin_info', 'configuration, hosts, queues, every VM'),
  allowUser: {
    usage: '<user id> [plan] [username]',
    summary: 'let somebody in, or change their plan',
    example: '/allow_user 123456789 2 @anna',
  },
  removeUser: {
    usage: '<user id>',
    summary: 'take somebody off the list; their data stays',
    example: '/remove_user 123456789',
  },
  listAllowed: simple('list_allowed', 'who may use Berth'),
  configRam: { usage: '<size>', summary: 'memory of new VMs without a plan', example: '/config_ram 4g' },
  configCpu: { usage: '<number>', summary: 'CPUs of new VMs without a plan', example: '/config_cpu 2' },
  configGpu: { usage: 'on|off', summary: "whether new VMs get the host's GPUs", example: '/config_gpu on' },
  configPlan: {
    usage: '<plan> <field> <value>',
    summary: 'change a plan: name, ram, cpu, disk, max_vms, sudo',
    example: '/config_plan 2 ram 6g',
  },
  forceStop: {
    usage: '<user|all> [reason]',
    summary: "stop somebody's VMs; they are told",
    example: '/force_stop 123456789 the GPU is needed for a demo',
  },
  forceDestroy: {
    usage: '<user|all> [reason]',
    summary: "destroy somebody's VMs; asks first",
    example: '/force_destroy 123456789 account closed',
  },
  maintenance: {
    usage: 'on|off',
    summary: 'stop all VMs for a while, then start them again',
    example: '/maintenance on',
  },
  rebuildImage: simple('rebuild_image', 'build the VM image anew'),
  dashboard: simple('dashboard', 'the queues at a glance, in the browser'),
  audit: { usage: '[user]', summary: 'who did what', example: '/audit 123456789' },
} satisfies Record<string, CommandText>;
