/**
 * A text as part of a key: what Azure Tables forbid there (`/ \ # ?` and control characters) and what keys are put
 * together with (`:`, `!`, `*`) is written as `~` and the hex digits of its UTF-8 bytes.
 */
export function encodeKey(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/gu, (character) =>
    [...Buffer.from(character, 'utf8')].map((byte) => `~${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

export function decodeKey(key: string): string {
  return key.replace(/(?:~[0-9a-f]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('~', ''), 'hex').toString('utf8'));
}
