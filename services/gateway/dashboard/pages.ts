import { createHash } from 'node:crypto';

/** The few pages around the dashboard: they work without a script, and hold nothing that somebody else wrote. */

const style = `
:root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f5f6f8; color: #1b1f24; }
main { max-width: 26rem; margin: 1rem; padding: 2rem; border-radius: 12px; background: #fff; }
h1 { margin: 0 0 .5rem; font-size: 1.3rem; }
p { margin: 0 0 1rem; }
form { margin: 0; }
button { width: 100%; min-height: 48px; border: 0; border-radius: 8px; font: inherit; font-weight: 600; background: #1f6feb; color: #fff; cursor: pointer; }
button:focus-visible { outline: 3px solid #8ab4f8; outline-offset: 2px; }
code { padding: .1em .3em; border-radius: 4px; background: #8883; }
@media (prefers-color-scheme: dark) { body { background: #0f1217; color: #e6e8eb; } main { background: #1a1f27; } }
`;

const styleHash = createHash('sha256').update(style).digest('base64');
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Berth</title>
<style>${style}</style>
</head>
<body><main><h1>${title}</h1>${body}</main></body>
</html>
`;

/** An empty action: the form goes to the page's own address, which holds the ticket. */
export const ticketPage = page(
  'Queues',
  '<p>This link opens the dashboard of the queues once, for one hour.</p><form method="post"><button>Open dashboard</button></form>',
);
export const spentPage = page(
  'This link was used',
  '<p>A link opens the dashboard once. Send <code>/dashboard</code> to the bot for a new one.</p>',
);
export const unknownPage = page(
  'This link is over',
  '<p>A link is good for five minutes. Send <code>/dashboard</code> to the bot for a new one.</p>',
);
export const removedPage = page(
  'This link is void',
  '<p>You are not on the list of users any more. Ask the administrator.</p>',
);
export const foreignPage = page(
  'Not from here',
  '<p>The request came from another site. Open the link itself, and press the button there.</p>',
);
export const closedPage = page(
  'Not open',
  '<p>To see the queues, send <code>/dashboard</code> to the bot and open its link in this browser.</p>',
);
export const busyPage = page('Too many tries', '<p>Wait a minute, then open the link again.</p>');
export const awayPage = page(
  'One moment',
  '<p>The queues cannot be reached just now. Try again in a few seconds.</p>',
);
