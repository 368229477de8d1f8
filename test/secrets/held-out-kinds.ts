import { ALPHANUMERIC, DIGITS, HEX, letters, LOWER, prefixed, UPPER, URL_SAFE, type Kind } from './kind.ts';

/**
 * Kinds that no rule was written for, to say what the rules are worth for the kinds that nobody has thought of. Nothing but
 * the suite may import this file, and no rule may be changed for the sake of one of them: whoever looks at a miss here moves
 * the kinds to `earlier-kinds.ts` and draws others.
 */
export const HELD_OUT: readonly Kind[] = [
  prefixed('Adafruit', 'aio_', ALPHANUMERIC, 28),
  {
    name: 'Dynatrace',
    bare: true,
    draw: (random) => {
      const core = letters(random, `${UPPER}234567`, 64);
      return { text: `dt0c01.${letters(random, `${UPPER}234567`, 24)}.${core}`, core };
    },
  },
  prefixed('Confluent', '', `${ALPHANUMERIC}+/`, 64),
  prefixed('Duffel', 'duffel_live_', URL_SAFE, 43),
  prefixed('EasyPost', 'EZAK', ALPHANUMERIC, 54),
  prefixed('Frame.io', 'fio-u-', URL_SAFE, 64),
  prefixed('Prefect', 'pnu_', `${LOWER}${DIGITS}`, 36),
  prefixed('bare hex', '', HEX, 40),
];
