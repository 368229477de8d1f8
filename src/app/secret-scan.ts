import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';

/**
 * Names of the rules that find a secret in a text, sorted; empty where none does. Never gives back any part of the text. The
 * rules are secretlint's recommended ones and our own for what they miss.
 */
export async function findSecrets(text: string): Promise<string[]> {
  const result = await lintSource({
    source: { filePath: 'row.txt', content: text, contentType: 'text' },
    options: {
      noPhysicFilePath: true,
      maskSecrets: true,
      config: { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] },
    },
  });
  const theirs = result.messages.map(({ ruleId }) => ruleId.replace('@secretlint/secretlint-rule-', ''));
  const ours = OWN_RULES.filter(({ pattern, accept }) =>
    [...text.matchAll(pattern)].some((match) => accept?.(match[1] ?? '') ?? true),
  ).map(({ name }) => name);
  return [...new Set([...theirs, ...ours])].sort();
}

/** Names of all rules, for the dataset's `redaction.json`. */
export function ruleNames(): string[] {
  return ['secretlint-rule-preset-recommend', ...OWN_RULES.map(({ name }) => name)];
}

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** Whether the captured value looks like a secret and not like an example or an expression. */
  readonly accept?: (value: string) => boolean;
}

// Quotes may stand escaped, since written JSON is scanned as well.
const QUOTE = String.raw`\\?["'\x60]`;
const NAME = String.raw`(?:api[_-]?key|secret(?:[_-]?key)?|access[_-]?(?:key|token)|auth[_-]?token|token|passw(?:or)?d|pwd)`;

const OWN_RULES: readonly Rule[] = [
  { name: 'openai-key', pattern: /\bsk-(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{20,}/g },
  { name: 'google-api-key', pattern: /\bAIza[0-9A-Za-z_-]{35}/g },
  { name: 'json-web-token', pattern: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g },
  { name: 'bearer-token', pattern: /\bbearer\s+([A-Za-z0-9._~+/-]{16,}=*)/gi, accept: looksRandom },
  { name: 'private-key-block', pattern: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/g },
  { name: 'url-password', pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/"'\\]+:([^\s:@/"'\\]{3,})@/gi, accept: isNoExample },
  {
    name: 'assigned-secret',
    pattern: new RegExp(String.raw`\b\w*${NAME}${QUOTE}?\s*(?::|=>?)\s*${QUOTE}([^"'\x60\s\\]{8,})${QUOTE}`, 'gi'),
    accept: isNoExample,
  },
  {
    name: 'assigned-secret-unquoted',
    pattern: new RegExp(String.raw`\b\w*${NAME}\s*[=:]\s*([^\s"'\x60\\,;(){}\[\]<>$.]{8,})`, 'gi'),
    accept: (value) => isNoExample(value) && looksRandom(value),
  },
];

/** Letters and digits mixed: a word or a name is not a secret. */
function looksRandom(value: string): boolean {
  return /[A-Za-z]/.test(value) && /[0-9]/.test(value);
}

function isNoExample(value: string): boolean {
  return !/^(?:<.*>|\$\{?.*|x{3,}.*|\*+|\.{3}.*|your.*|example.*|change.?me.*|placeholder.*|none|null|undefined|password|redacted.*)$/i.test(
    value,
  );
}
