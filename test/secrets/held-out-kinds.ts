import { ALPHANUMERIC, DIGITS, HEX, letters, LOWER, prefixed, UPPER, URL_SAFE, worded, type Kind } from './kind.ts';

/**
 * Kinds that no rule was written for, to say what the rules are worth for the kinds that nobody has thought of. Nothing but
 * the suite may import this file, and no rule may be changed for the sake of one of them: whoever looks at a miss here moves
 * the kinds to `earlier-kinds.ts` and draws others.
 */
export const HELD_OUT: readonly Kind[] = [
  {
    name: 'Mapbox',
    bare: true,
    draw: (random) => {
      const core = letters(random, URL_SAFE, 22);
      const claims = Buffer.from(`{"u":"${letters(random, LOWER, 8)}","a":"${letters(random, LOWER, 25)}"}`);
      return { text: `sk.${claims.toString('base64url')}.${core}`, core };
    },
  },
  {
    name: 'Atlassian',
    bare: true,
    draw: (random) => {
      const core = `${letters(random, URL_SAFE, 180)}=${letters(random, `${UPPER}${DIGITS}`, 8)}`;
      return { text: `ATATT3xFfGF0${core}`, core };
    },
  },
  {
    name: 'Asana',
    bare: true,
    draw: (random) => {
      const core = letters(random, HEX, 32);
      return { text: `1/${letters(random, DIGITS, 16)}:${core}`, core };
    },
  },
  prefixed('Contentful', 'CFPAT-', URL_SAFE, 43),
  prefixed('Pulumi', 'pul-', HEX, 40),
  prefixed('Typeform', 'tfp_', ALPHANUMERIC, 44),
  prefixed('Segment', '', ALPHANUMERIC, 32),
  worded('Algolia', ['ALGOLIA_ADMIN_KEY=%', 'adminApiKey: "%"', 'the Algolia admin key is %'], (random) =>
    letters(random, HEX, 32),
  ),
];
