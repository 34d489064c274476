import { readAccess, ssh } from '../../tests/support/ssh.ts';
import { openShell } from '../../tests/support/terminal-socket.ts';
import type { DemoBerth } from './berth.ts';
import { meet, says } from './people.ts';
import type { Transcript } from './transcript.ts';

/** A day with Berth: two people and an administrator, from the request for access to the end of their VMs. */

/** What a browser would show, as plain text: without colours, cursor movements and tmux's bar. */
const asText = (output: string, from: string): string => {
  const plain = output
    .replaceAll(/\u001b(\[[0-?]*[ -/]*[@-~]|\][^\u0007]*\u0007|[()][A-Z0-9]|[=>78])/g, '')
    .replaceAll('\r', '');
  const lines = plain.split('\n').map((line) => line.trimEnd());
  return lines
    .slice(lines.findIndex((line) => line.includes(from)))
    .join('\n')
    .trim();
};

export const playDay = async ({ chat, administrator }: DemoBerth, transcript: Transcript): Promise<void> => {
  const ada = meet(chat, transcript, administrator, 'Ada');
  const newcomer = async (id: number, name: string) => {
    await chat.addPerson({ id, firstName: name, username: name.toLowerCase() });
    return meet(chat, transcript, id, name);
  };

  transcript.heading('Morning: Ben asks for access');
  await ada.ask('/start');
  const ben = await newcomer(2_001, 'Ben');
  const locked = await ben.ask('/start');
  await ben.press(locked, '🙋 Ask for access');
  const request = await ada.reads(says('asks for access'));
  await ada.press(request, '✅ Basic');
  await ben.reads(says('You may use Berth now'));

  transcript.heading('A VM, and a shell in it');
  const created = await ben.ask('/create box', says('box is running'));
  const access = readAccess(created);
  const session = "whoami; hostname; echo 'made over SSH' > note; sudo id -un; nproc";
  transcript.shows(
    `Ben's terminal`,
    `$ ssh -p ${access.port} dev@${access.host}\n$ ${session}\n${await ssh(access, session)}`,
  );
  await ben.ask('/exec cat note; df -h /home/dev | tail -1', says('Done'));

  transcript.heading('The same VM in the browser');
  const offered = await ben.ask('/web_terminal', ({ buttons }) =>
    buttons.flat().some(({ url }) => url?.includes('/t/')),
  );
  const link = offered.buttons.flat().find(({ url }) => url?.includes('/t/'))!.url!;
  const terminal = await openShell(link);
  terminal.send('cat note && echo seen in the browser\r');
  await terminal.waitFor(({ output }) => /made over SSH[\s\S]*seen in the browser/.test(output));
  const screen = asText(terminal.output(), 'cat note');
  terminal.socket.close();
  await terminal.closed;
  transcript.shows('The page behind the link', screen);

  transcript.heading('Noon: Cleo comes by invitation');
  const cleo = await newcomer(2_002, 'Cleo');
  await cleo.ask('/start');
  await ada.ask(`/allow_user ${cleo.id} 2`);
  await cleo.reads(says('You may use Berth now'));
  await cleo.ask('/create lab', says('lab is running'));

  transcript.heading('Afternoon: maintenance');
  await ada.ask('/maintenance on', ({ text }) => text.includes('2 of 2 VMs stopped') && !text.includes('⏳'));
  await ben.reads(says('is stopped for maintenance'));
  await ben.ask('/start_vm');
  await ada.ask('/maintenance off', ({ text }) => /2 of 2 VMs/.test(text) && !text.includes('⏳'));
  const back = await ben.ask('/status', says('running'));
  transcript.shows(`Ben's terminal`, `$ ssh … cat note\n${await ssh(readAccess(back), 'cat note')}`);

  transcript.heading('Evening: everything is put away');
  for (const [person, name] of [
    [ben, 'box'],
    [cleo, 'lab'],
  ] as const) {
    const question = await person.ask(`/destroy ${name}`);
    await person.press(question, `🗑 Yes, destroy ${name}`);
    await person.reads(says(`${name} is destroyed`));
  }
  await ada.ask('/audit');
};
