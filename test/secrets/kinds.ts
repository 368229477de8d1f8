import { pick, type Random } from '../../src/app/demo/random.ts';
import { ALPHANUMERIC, DIGITS, HEX, letters, LOWER, prefixed, UPPER, URL_SAFE, worded, type Kind } from './kind.ts';

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const BASE64 = `${ALPHANUMERIC}+/`;
const BECH32 = '023456789ACDEFGHJKLMNPQRSTUVWXYZ';

/** Two words and a number with a sign, as people choose them. */
export function password(random: Random): string {
  const words = ['tulip', 'Harbor', 'monkey', 'Winter', 'dragon', 'Sunset', 'coffee', 'Bishop'];
  return `${pick(random, words)}${pick(random, ['-', '!', '_', '.'])}${pick(random, words)}${letters(random, DIGITS, 3)}`;
}

/** The kinds that the rules were written for. */
export const KINDS: readonly Kind[] = [
  prefixed('openai-key', 'sk-proj-', URL_SAFE, 64),
  prefixed('openai-key, old', 'sk-', ALPHANUMERIC, 48),
  prefixed('anthropic-key', 'sk-ant-api03-', URL_SAFE, 90),
  prefixed('google-api-key', 'AIza', URL_SAFE, 35),
  prefixed('google-oauth', 'GOCSPX-', URL_SAFE, 28),
  prefixed('github-token', 'ghp_', ALPHANUMERIC, 36),
  prefixed('github-token, fine', 'github_pat_', `${ALPHANUMERIC}_`, 82),
  prefixed('gitlab-token', 'glpat-', URL_SAFE, 20),
  {
    name: 'slack-token',
    bare: true,
    draw: (random) => {
      const core = `${letters(random, DIGITS, 12)}-${letters(random, ALPHANUMERIC, 24)}`;
      return { text: `xoxb-${core}`, core };
    },
  },
  {
    name: 'webhook-url',
    bare: true,
    draw: (random) => {
      const core = letters(random, ALPHANUMERIC, 24);
      const place = `T${letters(random, UPPER, 8)}/B${letters(random, UPPER, 8)}`;
      return { text: `https://hooks.slack.com/services/${place}/${core}`, core };
    },
  },
  prefixed('aws-access-key-id', 'AKIA', `${UPPER}234567`, 16),
  prefixed('huggingface-token', 'hf_', ALPHANUMERIC, 34),
  prefixed('stripe-key', 'sk_live_', ALPHANUMERIC, 24),
  prefixed('twilio-key', 'SK', HEX, 32),
  {
    name: 'sendgrid-key',
    bare: true,
    draw: (random) => {
      const core = `${letters(random, URL_SAFE, 22)}.${letters(random, URL_SAFE, 43)}`;
      return { text: `SG.${core}`, core };
    },
  },
  prefixed('npm-token', 'npm_', ALPHANUMERIC, 36),
  prefixed('pypi-token', 'pypi-AgEIcHlwaS5vcmc', URL_SAFE, 100),
  {
    name: 'telegram-token',
    bare: true,
    draw: (random) => {
      const core = letters(random, URL_SAFE, 33);
      return { text: `${letters(random, '123456789', 10)}:AA${core}`, core };
    },
  },
  prefixed('digitalocean-token', 'dop_v1_', HEX, 64),
  prefixed('shopify-token', 'shpat_', HEX, 32),
  prefixed('databricks-token', 'dapi', HEX, 32),
  prefixed('mailgun-key', 'key-', HEX, 32),
  prefixed('vault-token', 'hvs.', URL_SAFE, 90),
  prefixed('docker-token', 'dckr_pat_', URL_SAFE, 27),
  {
    name: 'azure-account-key',
    bare: true,
    draw: (random) => {
      const core = `${letters(random, BASE64, 86)}==`;
      return { text: `AccountName=store;AccountKey=${core};EndpointSuffix=core.windows.net`, core };
    },
  },
  {
    name: 'json-web-token',
    bare: true,
    draw: (random) => {
      const core = letters(random, URL_SAFE, 43);
      const claims = base64url(JSON.stringify({ sub: letters(random, DIGITS, 10), name: 'J' }));
      return { text: `${base64url('{"alg":"HS256","typ":"JWT"}')}.${claims}.${core}`, core };
    },
  },
  {
    name: 'private-key-block',
    bare: true,
    draw: (random) => {
      const lines = Array.from({ length: 4 }, () => letters(random, BASE64, 64));
      const dashes = '-----';
      const label = `${pick(random, ['RSA ', 'EC ', 'OPENSSH ', ''])}PRIVATE KEY`;
      return {
        text: `${dashes}BEGIN ${label}${dashes}\n${lines.join('\n')}\n${dashes}END ${label}${dashes}`,
        core: lines.join('\n'),
      };
    },
  },
  prefixed('age-key', 'AGE-SECRET-KEY-1', BECH32, 58),
  worded('aws-secret-key', ['aws_secret_access_key = "%"', 'AWS_SECRET_ACCESS_KEY=%'], (random) =>
    letters(random, BASE64, 40),
  ),
  worded(
    'password',
    ['password = "%"', 'DB_PASSWORD=%', "passwd: '%'", 'my password is %', '{"password": "%"}'],
    password,
  ),
  worded('url-password', ['postgres://app:%@db.lab/main', 'redis://cache:%@10.0.0.7:6379/0'], password),
  worded('bearer-token', ['Authorization: Bearer %', 'curl -H "Authorization: Bearer %"'], (random) =>
    letters(random, `${LOWER}${DIGITS}`, 32),
  ),
  worded('basic-auth', ['Authorization: Basic %'], (random) =>
    Buffer.from(`app:${password(random)}`).toString('base64'),
  ),
  worded('assigned-secret', ['client_secret: "%"', 'const signingKey = "%"', 'SESSION_TOKEN=%'], (random) =>
    letters(random, ALPHANUMERIC, 18),
  ),
  worded('email', ['Author: %', 'mail %'], (random) => `${letters(random, LOWER, 7)}@${letters(random, LOWER, 6)}.org`),
  worded('home-path', ['/home/%/work/prices.py', 'C:\\Users\\%\\work'], (random) => letters(random, LOWER, 8)),
];
