import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Revocation } from '../../../queues/tickets.ts';

/** The pages of the terminal, as files beside their scripts. They hold nothing that somebody else wrote. */

const folder = join(import.meta.dirname, '../page');
const frame = readFileSync(join(folder, 'message.html'), 'utf8');

const message = (title: string, body: string): string =>
  frame.replaceAll('{{title}}', title).replace('{{body}}', body);

export const terminalPage = readFileSync(join(folder, 'terminal.html'), 'utf8');

/** The form goes to the page's own address, which holds the ticket. */
export const ticketPage = message(
  'Web terminal',
  '<p>This link opens a terminal in your VM. It works once.</p><form method="post"><button>Open terminal</button></form>',
);

const anew = 'Send <code>/web_terminal</code> in the chat for a new one.';
export const spentPage = message('This link was used', `<p>A link opens a terminal once. ${anew}</p>`);
export const unknownPage = message('This link is over', `<p>A link is good for five minutes. ${anew}</p>`);
/** What made a link void that nobody had used. */
const voidBecause: Record<Revocation['reason'], string> = {
  'closed-by-owner': `The terminals of this VM were closed from the chat, and their links with them. ${anew}`,
  'vm-stopped': `The VM was stopped after this link was made. If it does not run, send <code>/start_vm</code> in the chat, then <code>/web_terminal</code> for a new link.`,
  'vm-destroyed':
    'The VM was destroyed, and its files with it. Send <code>/create</code> in the chat for a new one.',
  'user-removed': 'You are not on the list of users any more. Ask the administrator.',
  maintenance: `The administrator has begun maintenance. The chat says when it is over; then send <code>/web_terminal</code> for a new link.`,
};
export const voidPage = (reason: Revocation['reason']): string =>
  message('This link is void', `<p>${voidBecause[reason]}</p>`);
export const overPage = message(
  'No terminal here',
  `<p>This terminal’s time is over, or it was opened in another browser. ${anew.replace('a new one', 'a new link')}</p>`,
);
export const foreignPage = message(
  'Not from here',
  '<p>The request came from another site. Open the link itself, and press the button there.</p>',
);
export const awayPage = message(
  'One moment',
  '<p>Terminals cannot be reached just now. Try again in a few seconds; the link is still good.</p>',
);
export const hurryPage = message(
  'Too many requests',
  '<p>Somebody at your address asked too often. Try again in a minute.</p>',
);
