import { ALPHANUMERIC, HEX, letters, prefixed, URL_SAFE, type Kind } from './kind.ts';

/**
 * Kinds that no rule was written for, to say what the rules are worth for the kinds that nobody has thought of. Nothing but
 * the suite may import this file, and no rule may be changed for the sake of one of them: whoever looks at a miss here moves
 * the kinds to `earlier-kinds.ts` and draws others.
 */
export const HELD_OUT: readonly Kind[] = [
  {
    name: 'Airtable',
    bare: true,
    draw: (random) => {
      const core = letters(random, HEX, 64);
      return { text: `pat${letters(random, ALPHANUMERIC, 14)}.${core}`, core };
    },
  },
  prefixed('Notion', 'ntn_', ALPHANUMERIC, 46),
  prefixed('Sentry', 'sntryu_', HEX, 64),
  prefixed('Square', 'sq0atp-', URL_SAFE, 22),
  prefixed('Fly.io', 'FlyV1 fm2_', `${ALPHANUMERIC}+/`, 120),
  prefixed('Okta', '00', URL_SAFE, 40),
  prefixed('Dropbox', 'sl.', URL_SAFE, 130),
  prefixed('Netlify', 'nfp_', ALPHANUMERIC, 36),
];
