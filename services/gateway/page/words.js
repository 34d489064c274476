/** Every sentence of the terminal page. */

const askAnew = 'Send /web_terminal in the chat for a new link.';

/** Why it ended: what happened, what to do, and whether this page can open another one. */
export const endings = {
  exited: ['The shell has ended', 'What ran in this terminal is over.', true],
  ended: ['Closed', 'This terminal and what ran in it were ended.', true],
  'closed-by-owner': ['Closed from the chat', askAnew, false],
  'vm-stopped': [
    'The VM has stopped',
    'If it is being restarted it comes back by itself; else send /start_vm in the chat. Then try again here.',
    true,
  ],
  'stopped-before': [
    'This link is void',
    'It was made before the VM was stopped. Send /web_terminal in the chat for a new one, and /start_vm first if the VM does not run.',
    false,
  ],
  'vm-destroyed': [
    'The VM is gone',
    'It was destroyed, and its files with it. Send /create in the chat for a new one.',
    false,
  ],
  'user-removed': [
    'Your access has ended',
    'You are not on the list of users any more. Ask the administrator.',
    false,
  ],
  maintenance: [
    'Maintenance',
    'The administrator has begun maintenance. The chat says when it is over.',
    false,
  ],
  'session-over': ['This session is over', `A link is good for four hours of terminals. ${askAnew}`, false],
  'vm-not-running': [
    'The VM is not running',
    'Send /start_vm in the chat to start it, then come back here.',
    true,
  ],
  'too-many': ['Too many terminals', 'Close another one, then try again here.', true],
  replaced: ['Opened elsewhere', 'This terminal goes on in another tab of this browser.', false],
};

export const reconnecting = 'Reconnecting… what you type now is dropped';
/** Added when it has gone on for a while. */
export const adviceWhileLost =
  'If this goes on, the address may have changed: send /web_terminal in the chat for a new link.';
export const copied = 'Copied';
export const cannotCopy = 'The browser does not let this page copy; select with Shift held and use its menu.';
export const cannotPaste = 'The browser does not let this page paste; use its own menu or Ctrl+V.';
export const titleOf = (vm) => `${vm} · Berth`;
export const closeQuestion = 'End this terminal and what runs in it?';
