/**
 * What can go wrong on the way to a tunnel, and every sentence about it that people read. None holds a secret: they go
 * into the chat, into Redis and into the log.
 */

export type ProblemCode =
  | 'not-installed'
  | 'not-running'
  | 'too-old'
  | 'rate-limited'
  | 'no-network'
  | 'service-fault'
  | 'refused'
  | 'quic-blocked'
  | 'edge-unreachable'
  | 'not-answering'
  | 'slow'
  | 'connection-lost'
  | 'ended'
  | 'closing'
  | 'settings';

const sentences: Record<Exclude<ProblemCode, 'settings'>, string> = {
  'not-installed': 'cloudflared is not installed on the gateway’s machine.',
  'not-running':
    'No cloudflared answers the gateway. It is a service of its own here: with Docker Compose, of the profiles tunnel-quick and tunnel-named.',
  'too-old': 'cloudflared is too old for this: version 2025.4.0 or newer is needed.',
  'rate-limited':
    'Cloudflare gives this network no more quick tunnels for now (too many requests). Try again in some minutes.',
  'no-network': 'Cloudflare cannot be reached: the gateway’s machine seems to have no internet.',
  'service-fault': 'Cloudflare’s quick tunnel service answered with a fault.',
  refused: 'Cloudflare refused the tunnel: it no longer knows it, or its token is wrong.',
  'quic-blocked': 'The network lets no UDP through to Cloudflare; HTTP/2 is used in its place.',
  'edge-unreachable':
    'The connection to Cloudflare’s edge does not come about. A firewall may block port 7844 to the outside.',
  'not-answering': 'The tunnel stands, but its address does not answer yet.',
  slow: 'The tunnel did not come up in time.',
  'connection-lost': 'The connection to Cloudflare was lost.',
  ended: 'cloudflared ended unexpectedly.',
  closing: 'The gateway is shutting down.',
};

/** Why there is no tunnel. `text` is for people. */
export class TunnelProblem extends Error {
  override name = 'TunnelProblem';
  readonly code: ProblemCode;
  readonly text: string;

  /** Of faults in the settings at Cloudflare the sentence is given; the others have theirs. */
  constructor(code: Exclude<ProblemCode, 'settings'>);
  constructor(code: 'settings' | 'rate-limited' | 'no-network' | 'service-fault', text: string);
  constructor(code: ProblemCode, text?: string) {
    const sentence = text ?? sentences[code as Exclude<ProblemCode, 'settings'>];
    super(sentence);
    this.code = code;
    this.text = sentence.slice(0, 400);
  }
}

/** Which way a link goes, and why. `isChosen`: the settings name this way, so that nobody asks why. */
export const notes = {
  fixed: 'By the address in PUBLIC_URL.',
  named: (hostname: string): string => `By the tunnel ${hostname}.`,
  quick: (isChosen: boolean): string =>
    `By a quick Cloudflare tunnel${isChosen ? '' : ', as no named one is configured'}; its address changes when it has to be opened anew.`,
  off: 'The tunnel is off (TUNNEL=off): this address works only where the gateway’s machine can be reached.',
  address: (problem: TunnelProblem): string =>
    `${problem.text} This address works only where the gateway’s machine can be reached.`,
  /** Goes behind the one of quick tunnels. `at`: ISO. */
  changed: (at: string): string =>
    `It was opened anew at ${at.slice(11, 16)} UTC and has another address since; older links lead nowhere.`,
};
