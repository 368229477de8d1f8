import { TurnwiseError } from '../core/error.ts';

const KEY_FLAG = /^--?(api[-_]?key|key|token|access[-_]?token|bearer|password|secret|authorization)(=|$)/i;
const KEY_IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;

/**
 * Refuses a command line that holds a key, before anything else is read of it: every program of this machine can read it
 * there, and a shell remembers it. The sentence does not repeat the key. Throws `key_on_command_line`.
 */
export function refuseKeys(words: readonly string[]): void {
  // What stands behind -- is text.
  const end = words.indexOf('--');
  const found = (end === -1 ? words : words.slice(0, end)).find(
    (word) => KEY_FLAG.test(word) || KEY_IN_URL.test(word.replace(/^--[\w-]+=/, '')),
  );
  if (found === undefined) return;
  const where = KEY_FLAG.test(found) ? found.replace(/=.*$/s, '') : 'An address with a password in it';
  throw new TurnwiseError(
    'usage',
    'key_on_command_line',
    `${where} would show a key to every program on this machine, and to the shell's history; put it in an environment variable, and name that variable with --api-key-env.`,
  );
}
