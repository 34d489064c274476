/**
 * The forms in which a secret can lie somewhere: as it is, in another alphabet, quoted, or as a part of something else that
 * was encoded as a whole.
 */

export type Disguise = { form: string; bytes: Buffer };

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

/** Encoded as a part of more, its first and last characters depend on what stands around; those in between do not. */
const base64Middle = (text: string, skip: number): string => {
  const bytes = Buffer.concat([Buffer.alloc(skip), Buffer.from(text)]);
  const encoded = bytes.toString('base64').replace(/=+$/, '');
  const whole = Math.floor((bytes.length * 8) / 6);
  return encoded.slice(skip === 0 ? 0 : Math.ceil((skip * 8) / 6), whole);
};

const asciiJson = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

export const disguisesOf = (text: string): Disguise[] => {
  const json = JSON.stringify(text).slice(1, -1);
  const url = encodeURIComponent(text);
  const base64 = [0, 1, 2].map((skip) => base64Middle(text, skip));
  const forms: [string, string | Buffer][] = [
    ['as it is', text],
    ['in UTF-16, little end first', Buffer.from(text, 'utf16le')],
    ['in UTF-16, big end first', utf16be(text)],
    ['in Latin-1', Buffer.from(text, 'latin1')],
    ['in hex', Buffer.from(text).toString('hex')],
    ['in capital hex', Buffer.from(text).toString('hex').toUpperCase()],
    ...base64.map((form): [string, string] => ['in base64', form]),
    ...base64.map((form): [string, string] => [
      'in base64 for URLs',
      form.replaceAll('+', '-').replaceAll('/', '_'),
    ]),
    ['in a URL', url],
    ['in a form', new URLSearchParams({ '': text }).toString().slice(1)],
    ['in JSON', json],
    ['in JSON within JSON', JSON.stringify(json).slice(1, -1)],
    ['in JSON of ASCII', asciiJson(text)],
  ];
  const known = new Set<string>();
  return forms
    .map(([form, bytes]) => ({ form, bytes: Buffer.from(bytes as string) }))
    .filter(({ bytes }) => {
      const key = bytes.toString('latin1');
      return bytes.length >= 8 && !known.has(key) && known.add(key);
    });
};

export type Secret = { name: string; text: string };
export type Place = { place: string; bytes: Buffer };

/** One line per secret and place that holds it in any disguise. */
export const findLeaks = (secrets: readonly Secret[], places: readonly Place[]): string[] => {
  const needles = secrets.map(({ name, text }) => ({ name, disguises: disguisesOf(text) }));
  return places.flatMap(({ place, bytes }) =>
    needles.flatMap(({ name, disguises }) => {
      const found = disguises.find((disguise) => bytes.includes(disguise.bytes));
      return found === undefined ? [] : [`${name} in ${place}, ${found.form}`];
    }),
  );
};
