import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { findSecretsIn, type Find, type KnownValue } from '../core/secrets/find.ts';
import { RULES } from '../core/secrets/rules.ts';

/**
 * Names of the rules that find a secret in a text, sorted; empty where none does. Never gives back any part of the text. The
 * rules are secretlint's recommended ones and our own for what they miss.
 */
export async function findSecrets(text: string, known: readonly KnownValue[] = []): Promise<string[]> {
  const finds = [...(await lintedSecrets([text])).flat(), ...findSecretsIn(text, known)];
  return [...new Set(finds.map(({ rule }) => rule))].sort();
}

/** What secretlint's recommended rules find in texts, parallel to them. One scan for all of them: each has a fixed cost. */
export async function lintedSecrets(texts: readonly string[]): Promise<Find[][]> {
  const whole = texts.join('\n');
  const { messages } = await lintSource({
    source: { filePath: 'row.txt', content: whole, contentType: 'text' },
    options: {
      noPhysicFilePath: true,
      maskSecrets: true,
      config: { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] },
    },
  });
  let offset = 0;
  return texts.map((text) => {
    const from = offset;
    offset += text.length + 1;
    // A find that goes over the edge of a text is cut there; its other part is in the other text.
    return messages.flatMap(({ ruleId, range: [first, last] }) => {
      const start = Math.max(first - from, 0);
      const end = Math.min(last - from, text.length);
      if (end <= start) return [];
      return [{ start, end, rule: ruleId.replace(/^.*secretlint-rule-/, ''), value: whole.slice(first, last) }];
    });
  });
}

/** Names of all rules, for the dataset's `redaction.json`. */
export function ruleNames(): string[] {
  return ['secretlint-rule-preset-recommend', ...new Set(RULES.map(({ name }) => name)), ...KNOWN_NAMES];
}

/** Values of the place where an export is made, of which none may leave. */
export const KNOWN_NAMES = ['env', 'user', 'host', 'home', 'git-email'] as const;
