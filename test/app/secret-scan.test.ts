import { expect, test } from 'vitest';
import { findSecrets } from '../../src/app/secret-scan.ts';

// Put together at run time, so that no scanner of this repository takes them for real.
const join = (...pieces: string[]): string => pieces.join('');
const letters = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF';

const found: readonly (readonly [rule: string, text: string])[] = [
  ['github', join('ghp', '_wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx')],
  ['openai-key', join('sk-', 'proj-', letters)],
  ['openai-key', join('sk-', 'svcacct-', letters)],
  ['google-api-key', join('AIza', letters, 'abc')],
  ['json-web-token', join('eyJ', letters, '.eyJ', letters, '.', letters)],
  ['bearer-token', join('Authorization: Bearer ', letters)],
  ['private-key-block', join('-----BEGIN ', 'OPENSSH PRIVATE KEY-----')],
  ['private-key-block', join('-----BEGIN ', 'PRIVATE KEY-----')],
  ['url-password', join('redis://app:', 'hunter2x@db.local/0')],
  ['assigned-secret', join('api_key = "', letters, '"')],
  ['assigned-secret', join('{"password": "', 'correct-horse', '"}')],
  ['assigned-secret', join('{\\"password\\": \\"', 'correct-horse', '\\"}')],
  ['assigned-secret', join("const DB_PASSWORD: '", 'kd82-xx71', "'")],
  ['assigned-secret-unquoted', join('export API_TOKEN=', letters)],
  ['assigned-secret-unquoted', join('password=', 'tr0ub4dour')],
];

test.each(found)('%s is found', async (rule, text) => {
  const rules = await findSecrets(`before\n${text}\nafter`);
  expect(rules).toContain(rule);
  expect(JSON.stringify(rules)).not.toContain(text.slice(-8));
});

const harmless: readonly string[] = [
  'password = input("password")',
  'def check(password): return len(password) > 8',
  'token = tokens[index]',
  'api_key=os.environ["API_KEY"]',
  'api_key: "<your key here>"',
  'password: "your-password"',
  'the secret: understand what the developer wants',
  'https://example.org/a:b@c',
  'ids 1,2,3,44,55,66 and a sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'sk-learn and sk-image are libraries',
];

test.each(harmless)('ordinary text stays: %s', async (text) => {
  expect(await findSecrets(text)).toEqual([]);
});
