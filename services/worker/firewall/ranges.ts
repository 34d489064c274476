/**
 * Where nothing of the internet is: private networks, the host's own, and what is reserved. From IANA's registries of
 * special-purpose addresses. The ranges for documentation are left out: nobody has them, and labs use them as internet.
 */

export const privateIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT, and overlays such as Tailscale
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local; clouds serve a machine's credentials there
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/** What an IPv6 network with NAT64 would hand on to a private IPv4 address. */
const throughNat64 = privateIpv4.map((range) => {
  const [address, length] = range.split('/') as [string, string];
  return `64:ff9b::${address}/${96 + Number(length)}`;
});

export const privateIpv6 = [
  '::/128',
  '::1/128',
  '::ffff:0:0/96', // IPv4 addresses, written as IPv6
  ...throughNat64,
  '64:ff9b:1::/48',
  '100::/64',
  '2002::/16', // 6to4: IPv4 addresses again
  'fc00::/7', // private
  'fe80::/10', // link-local
  'fec0::/10',
  'ff00::/8', // multicast
];
